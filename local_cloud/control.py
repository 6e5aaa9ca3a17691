"""Start and stop the emulator. Standard library only: it runs in any Python from 3.11 on.

The server lives in a process group of its own and carries an instance token in its environment.
Everything that it starts inherits the token. A process that does not carry it is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_STATE = ROOT / ".local-cloud"
DEFAULT_PYTHON = ROOT / ".venv-local-cloud" / "bin" / "python"
HEALTH_PATH = "/_moorings/health"
TOKEN_VARIABLE = "MOORINGS_LOCAL_CLOUD_TOKEN"  # noqa: S105 - a variable's name, no secret
START_SECONDS = 60.0
STOP_SECONDS = 10.0
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONDONTWRITEBYTECODE")

_children: dict[str, subprocess.Popen[bytes]] = {}


class LocalCloudError(RuntimeError):
    """The emulator could not be started or stopped; the message says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running emulator listens."""

    url: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class _State:
    endpoint: Endpoint
    token: str


def start(
    state_dir: Path, *, python: Path = DEFAULT_PYTHON, port: int | None = None, idle_minutes: float = 240
) -> Endpoint:
    """Start the emulator and wait until it answers. One that already runs for this folder is returned as it is."""
    state_dir = state_dir.resolve()
    if not python.exists():
        raise LocalCloudError(f"no emulator Python at {python}; make it with `make setup`")
    with _locked(state_dir):
        current = running(state_dir)
        if current is not None:
            if port not in (None, current.port):
                raise LocalCloudError(f"the emulator already runs on port {current.port}; stop it first to use {port}")
            return current
        _end(state_dir)
        return _launch(state_dir, python, port, idle_minutes)


def stop(state_dir: Path) -> bool:
    """End the emulator of this folder and all that it started. True when there was something to end."""
    state_dir = state_dir.resolve()
    if not state_dir.is_dir():
        return False
    with _locked(state_dir):
        return _end(state_dir)


def running(state_dir: Path) -> Endpoint | None:
    """Return the endpoint of this folder's emulator, or None when it does not answer with our token."""
    state = _read(state_dir.resolve())
    return state.endpoint if state and _answers(state) else None


def _launch(state_dir: Path, python: Path, port: int | None, idle_minutes: float) -> Endpoint:
    token, log, scratch = secrets.token_hex(16), state_dir / "server.log", state_dir / "tmp"
    scratch.mkdir(exist_ok=True)
    with socket.socket() as listener, log.open("wb") as output:
        # The server inherits the bound socket, so nobody can take the port in between.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise LocalCloudError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
        actual = int(listener.getsockname()[1])
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # HOME and TMPDIR are ours: a Lambda must not find anyone's ~/.aws, and its files go when the server goes.
        environment |= {TOKEN_VARIABLE: token, "HOME": str(state_dir), "TMPDIR": str(scratch)}
        command = [str(python), "-m", "local_cloud.server", "--port", str(actual), "--fd", str(listener.fileno())]
        server = subprocess.Popen(
            [*command, "--idle-minutes", str(idle_minutes)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[listener.fileno()],
        )
    _children[token] = server
    state = _State(Endpoint(f"http://127.0.0.1:{actual}", actual, server.pid), token)
    (state_dir / "state.json").write_text(json.dumps({**asdict(state.endpoint), "token": token}) + "\n")
    if _wait(lambda: server.poll() is not None or _answers(state), START_SECONDS) and server.poll() is None:
        return state.endpoint
    reason = f"did not answer within {START_SECONDS:.0f} s" if server.poll() is None else "ended while it started"
    _end(state_dir)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise LocalCloudError(f"the emulator {reason}; the end of {log}:\n{tail}")


def _end(state_dir: Path) -> bool:
    state = _read(state_dir)
    if state is None:
        return False
    found = _processes_with(state.token)
    if state.endpoint.pid in found:
        _signal(state.endpoint.pid, signal.SIGTERM)
        _wait(lambda: state.endpoint.pid not in _processes_with(state.token), STOP_SECONDS)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _processes_with(state.token):
            _signal(pid, number)
        if _wait(lambda: not _processes_with(state.token), STOP_SECONDS):
            break
    else:
        raise LocalCloudError(f"processes of the emulator do not end: {sorted(_processes_with(state.token))}")
    child = _children.pop(state.token, None)
    if child is not None:
        child.wait()
    shutil.rmtree(state_dir / "tmp", ignore_errors=True)
    (state_dir / "state.json").unlink(missing_ok=True)
    return bool(found)


def _processes_with(token: str) -> set[int]:
    """Return the ids of all live processes that carry the token in their environment."""
    mark = f"{TOKEN_VARIABLE}={token}"
    if Path("/proc/self/environ").exists():
        found = set()
        for entry in Path("/proc").iterdir():
            # Another user's process cannot be read, and one that has just ended is gone: neither is ours to end.
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
        return found
    command = ["ps", "-A", "-E", "-ww", "-o", "pid=,command="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in listing.splitlines() if mark in line.split()}


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _answers(state: _State) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(state.endpoint.url + HEALTH_PATH, timeout=2) as response:
            answer = json.load(response)
    except (OSError, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("token") == state.token


def _read(state_dir: Path) -> _State | None:
    try:
        raw = json.loads((state_dir / "state.json").read_text())
        return _State(Endpoint(str(raw["url"]), int(raw["port"]), int(raw["pid"])), str(raw["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
