"""Start and stop: one server a folder, nobody else's process, nothing left behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import control

Start = Callable[..., control.Endpoint]


@pytest.fixture
def start(tmp_path: Path, emulator_python: Path) -> Iterator[Start]:
    """Start an emulator for the test's own folder; it is stopped in any case."""

    def call(**more: Any) -> control.Endpoint:
        return control.start(tmp_path, **{"python": emulator_python, "idle_minutes": 5, **more})

    yield call
    control.stop(tmp_path)


def group(pid: int) -> set[int]:
    """All live processes of a process group."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == pid and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_start_and_stop(tmp_path: Path, start: Start) -> None:
    """After start the emulator answers, after stop nothing of it is left: no process, no port, no state."""
    endpoint = start()
    assert control.running(tmp_path) == endpoint
    assert endpoint.url == f"http://127.0.0.1:{endpoint.port}"
    assert group(endpoint.pid) >= {endpoint.pid}
    assert control.stop(tmp_path) is True
    assert group(endpoint.pid) == set()
    assert not listens(endpoint.port)
    assert control.running(tmp_path) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "server.log"]
    assert control.stop(tmp_path) is False


def test_only_the_loopback_interface(start: Start) -> None:
    """The server listens on 127.0.0.1 and on no other address."""
    endpoint = start()
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{endpoint.port:04X}")}
    assert listening == {f"0100007F:{endpoint.port:04X}"}


def test_second_start_gives_the_same(start: Start) -> None:
    """Starting again returns the server that runs; asking for another port says why it cannot be."""
    endpoint = start()
    assert start() == endpoint
    with pytest.raises(control.LocalCloudError, match=f"already runs on port {endpoint.port}"):
        start(port=endpoint.port - 1)


def test_port_in_use(start: Start) -> None:
    """A port that somebody else has is refused with a reason, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(control.LocalCloudError, match=f"cannot listen on 127.0.0.1:{port}"):
            start(port=port)


def test_early_death_shows_the_log(tmp_path: Path, start: Start) -> None:
    """When the server ends while it starts, the error carries the last lines of its log."""
    with pytest.raises(control.LocalCloudError, match=r"(?s)ended while it started.*MiniStack .* expected, found none"):
        start(python=Path(sys.executable))
    assert control.running(tmp_path) is None
    assert not (tmp_path / "state.json").exists()


def test_missing_python(tmp_path: Path) -> None:
    """Without the emulator's virtual environment the error names the path and the remedy."""
    with pytest.raises(control.LocalCloudError, match=r"no emulator Python at .*; make it with `make setup`"):
        control.start(tmp_path, python=tmp_path / "nothing")


def test_stranger_is_not_killed(tmp_path: Path) -> None:
    """A state file whose process id now belongs to somebody else does not get that process killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        state = {"url": "http://127.0.0.1:9", "port": 9, "pid": stranger.pid, "token": "0" * 32}
        (tmp_path / "state.json").write_text(json.dumps(state))
        assert control.running(tmp_path) is None
        assert control.stop(tmp_path) is False
        assert stranger.poll() is None
        stranger.communicate(b"\n")
        assert stranger.returncode == 0
    assert not (tmp_path / "state.json").exists()


def test_stranger_on_the_port_is_not_ours(tmp_path: Path, endpoint: control.Endpoint) -> None:
    """Another emulator on the recorded port does not pass for this folder's one: its token differs."""
    state = {"url": endpoint.url, "port": endpoint.port, "pid": endpoint.pid, "token": "0" * 32}
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert control.running(tmp_path) is None
    assert control.stop(tmp_path) is False
    assert listens(endpoint.port)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "x"}', '{"url": "x", "port": "y", "pid": 1, "token": ""}'])
def test_broken_state_is_no_state(tmp_path: Path, content: str) -> None:
    """A state file that cannot be read counts as none."""
    (tmp_path / "state.json").write_text(content)
    assert control.running(tmp_path) is None
    assert control.stop(tmp_path) is False


def with_worker(endpoint: control.Endpoint, account: Callable[[str], Any]) -> set[int]:
    """Invoke a Lambda, and return the process group with its worker in it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", "def main(event, context):\n    return 1\n")
    client = account(endpoint.url)("lambda")
    role = "arn:aws:iam::111111111111:role/any"
    code = {"ZipFile": content.getvalue()}
    client.create_function(FunctionName="f", Runtime="python3.13", Handler="index.main", Role=role, Code=code)
    assert client.invoke(FunctionName="f")["StatusCode"] == 200
    processes = group(endpoint.pid)
    assert len(processes) > 1, "a Lambda worker is a process of its own"
    return processes


@pytest.fixture
def account(aws: Any) -> Callable[[str], Any]:
    """Clients for another emulator than the session's."""
    return lambda url: type(aws)(url, aws.account)


def test_stop_ends_lambda_workers(tmp_path: Path, start: Start, account: Callable[[str], Any]) -> None:
    """Stop ends the workers that Lambdas run in, too, and removes their files."""
    processes = with_worker(start(), account)
    assert control.stop(tmp_path) is True
    assert group(min(processes)) == set()
    assert not (tmp_path / "tmp").exists()


def test_workers_of_a_killed_server(start: Start, account: Callable[[str], Any]) -> None:
    """When the server was killed from outside, stop and start still find what it left and clear the state."""
    endpoint = start()
    with_worker(endpoint, account)
    os.kill(endpoint.pid, signal.SIGKILL)
    again = start()
    assert again.pid != endpoint.pid
    assert group(endpoint.pid) == set()


def test_idle_stop(tmp_path: Path, start: Start, wait_until: Callable[..., Any]) -> None:
    """Without a request for the idle time the server ends by itself; asking `running` does not keep it alive."""
    endpoint = start(idle_minutes=0.02)
    wait_until(lambda: control.running(tmp_path) is None, "the idle server has stopped", 15)
    wait_until(lambda: not group(endpoint.pid), "its process has ended", 15)
    assert "no request for 1 s: stopping" in (tmp_path / "server.log").read_text()


def test_request_in_time_keeps_it_alive(tmp_path: Path, start: Start, wait_until: Callable[..., Any]) -> None:
    """Requests put the idle stop off: the server outlives its idle time while they come."""
    endpoint = start(idle_minutes=0.04)
    begin = os.times().elapsed

    def used_for_long() -> bool:
        urllib.request.urlopen(endpoint.url + "/_ministack/health", timeout=5).close()  # noqa: S310 - http, ours
        return os.times().elapsed - begin > 4

    wait_until(used_for_long, "four seconds of use")
    assert control.running(tmp_path) == endpoint


def test_hostile_environment_does_not_reach_the_server(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server, and so its Lambdas, starts without the caller's credentials, proxies, profile and home."""
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "HTTPS_PROXY", "SERVICES", "PYTHONPATH", "DOCKER_HOST"):
        monkeypatch.setenv(name, "hostile")
    environment = Path(f"/proc/{start().pid}/environ").read_bytes()
    assert b"=hostile" not in environment
    assert f"HOME={tmp_path}".encode() in environment.split(b"\0")


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local_cloud", "--state-dir", str(tmp_path), *arguments]
    return subprocess.run(
        command, cwd=control.ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def test_command_line(tmp_path: Path, emulator_python: Path) -> None:
    """`up`, `status`, `env` and `down` do what they say, and their exit codes tell."""
    assert run(tmp_path, "status").returncode == 1
    assert run(tmp_path, "env").returncode == 1
    try:
        up = run(tmp_path, "up", "--python", str(emulator_python))
        assert up.returncode == 0, up.stderr
        endpoint = control.running(tmp_path)
        assert endpoint is not None
        assert endpoint.url in run(tmp_path, "status").stdout
        shell = run(tmp_path, "env", "--account", "222222222222", AWS_PROFILE="production").stdout.splitlines()
        assert f"export AWS_ENDPOINT_URL={endpoint.url}" in shell
        assert "export AWS_ACCESS_KEY_ID=222222222222" in shell
        assert "unset AWS_PROFILE" in shell
    finally:
        assert run(tmp_path, "down").stdout == "stopped\n"
    assert run(tmp_path, "down").stdout == "was not running\n"
    bad = run(tmp_path, "up", "--python", str(tmp_path / "nothing"))
    assert (bad.returncode, bad.stderr.startswith("error: no emulator Python")) == (1, True)


def test_wrong_version_is_refused(tmp_path: Path, emulator_python: Path) -> None:
    """With another MiniStack than the expected one the server refuses to start in one sentence."""
    source, copy = control.ROOT / "local_cloud", tmp_path / "local_cloud"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "server" / "emulator.py"
    module.write_text(module.read_text().replace('EXPECTED_VERSION = "', 'EXPECTED_VERSION = "9.'))
    code = "import local_cloud.server.emulator"
    found = subprocess.run([emulator_python, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "MiniStack 9.1.5.33 is expected, found 1.5.33; install local_cloud/requirements.txt" in found.stderr
