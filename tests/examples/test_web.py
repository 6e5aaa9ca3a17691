"""The web application of ``examples/web``, started as a process, as its container starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.timeouts import KEEP_ALIVE_SECONDS, REQUEST_SECONDS, TimeoutBudget
from constructs_lib.services.traffic.timeouts import SHUTDOWN_SECONDS as SHUTDOWN
from stacks.environments import ENVIRONMENTS

FOLDER = Path(__file__).parents[2] / "examples" / "web"
SHUTDOWN_SECONDS = TimeoutBudget().shutdown_seconds


class Web:
    """The application, listening on a free port."""

    def __init__(self, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=FOLDER,
            env={"PATH": os.environ["PATH"], "PORT": "0", "PYTHONDONTWRITEBYTECODE": "1", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        started = re.fullmatch(r"version (\S+) listens on port (\d+)\n", line)
        assert started, line
        self.version, self.port = started[1], int(started[2])

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=5)

    def get(self, path: str) -> tuple[int, str]:
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def stop(self) -> tuple[int, str]:
        """Send SIGTERM, as ECS does; the exit code, and what was written since the start."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=SHUTDOWN_SECONDS)
        return self.process.returncode, out + err


@pytest.fixture
def web() -> Iterator[Web]:
    """The application; whatever a test did, it has ended afterwards."""
    web = Web()
    yield web
    web.process.kill()
    web.process.communicate()


def test_it_answers_its_version(web: Web) -> None:
    """The front page is the text of ``version.txt``, so a release can be seen from outside."""
    version = (FOLDER / "version.txt").read_text().strip()
    assert web.version == version
    status, text = web.get("/")
    assert (status, json.loads(text)) == (200, {"version": version})


def test_it_is_healthy_and_its_checks_do_not_fill_the_log(web: Web) -> None:
    """The load balancer's check gets 200; only what somebody asked for, and what is wrong, is written."""
    assert web.get("/healthz") == (200, "ok\n")
    assert web.get("/elsewhere")[0] == 404
    code, written = web.stop()
    assert code == 0
    assert '"GET /elsewhere HTTP/1.1" 404' in written
    assert "healthz" not in written


def test_the_services_of_this_project_can_run_it(web: Web) -> None:
    """The command that ECS runs in the container succeeds; with another path it fails."""
    for environment in ENVIRONMENTS:
        (service,) = environment.services
        check = service.health_check
        assert isinstance(check, HealthCheck)
        assert (check.path, check.port, check.container.command[:2]) == ("/healthz", 8080, ("CMD", "python3"))
    assert run(HealthCheck.http("/healthz", port=web.port, program="python3")) == 0
    assert run(HealthCheck.http("/elsewhere", port=web.port, program="python3")) != 0


def run(check: HealthCheck) -> int:
    """The container check's own command, with this Python."""
    command = [sys.executable, *check.container.command[2:]]
    return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode


def test_sigterm_ends_it_although_connections_are_open(web: Web) -> None:
    """A load balancer keeps connections open; they do not hold the end up, and no new one is taken."""
    idle = web.connect()
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    code, written = web.stop()
    assert (code, written) == (0, "stopped\n")
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        web.connect().connect()


def loaded() -> Any:
    """The application as a module, so that a test can slow it down."""
    spec = importlib.util.spec_from_file_location("web_app", FOLDER / "app.py")
    assert spec is not None
    assert spec.loader is not None
    app: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return app


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        (KEEP_ALIVE_SECONDS, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        (REQUEST_SECONDS, b"GET /healthz HTTP/1.1\r\nHost: a\r\n"),
    ],
)
def test_the_numbers_of_the_budget_act(setting: str, sent: bytes) -> None:
    """A silent connection, and a request that never ends, are closed when the service's own time-outs say so (T3)."""
    default = TimeoutBudget().environment()
    web = Web(**{**default, setting: "1"})
    try:
        with socket.create_connection(("127.0.0.1", web.port), timeout=15) as connection:
            connection.sendall(sent)
            began = time.monotonic()
            while connection.recv(4096):  # until the other side closes
                pass
            assert 0.7 < time.monotonic() - began < 12
        assert web.get("/healthz") == (200, "ok\n")
        assert web.stop()[0] == 0
    finally:
        web.process.kill()
        web.process.communicate()


def test_every_setting_that_a_service_hands_over_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application calls nothing, so it needs no time-out for that; it reads the other three (T3)."""
    budget = TimeoutBudget(keep_alive_seconds=81, longest_request_seconds=31, shutdown_seconds=19)
    for name, value in budget.environment().items():
        monkeypatch.setenv(name, value)
    app = loaded()
    assert (app.Handler.timeout, app.Server.request_seconds, app.Server.shutdown_seconds) == (81, 31, 19)
    read = {name for name in budget.environment() if name in (FOLDER / "app.py").read_text()}
    assert read == {KEEP_ALIVE_SECONDS, REQUEST_SECONDS, SHUTDOWN}


def test_a_request_that_never_ends_does_not_hold_the_end_up() -> None:
    """When the time for the end is over, the server goes on and says how many it cut off (T3)."""
    app: Any = loaded()
    at_work, go_on = threading.Event(), threading.Event()

    class Stuck(app.Handler):  # type: ignore[misc]
        def answer(self, *_: Any) -> None:
            at_work.set()
            go_on.wait(timeout=30)

    server = app.Server(0, "7")
    server.RequestHandlerClass = Stuck
    server.shutdown_seconds = 0.2
    left: list[int] = []
    serving = threading.Thread(target=lambda: left.append(server.run()))
    serving.start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", "/")
    assert at_work.wait(timeout=10)
    server.stop()
    serving.join(timeout=10)
    go_on.set()
    assert left == [1]
    connection.close()


def test_a_request_is_answered_although_the_end_began_while_it_was_being_made() -> None:
    """The process waits for the thread that is at work, and that one says that the connection ends."""
    app: Any = loaded()
    at_work, go_on = threading.Event(), threading.Event()

    class Slow(app.Handler):  # type: ignore[misc]
        def answer(self, *words: Any) -> None:
            at_work.set()
            assert go_on.wait(timeout=10)
            super().answer(*words)

    server = app.Server(0, "7")
    server.RequestHandlerClass = Slow
    serving = threading.Thread(target=server.run)
    serving.start()
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", "/")
    assert at_work.wait(timeout=10)
    server.stop()
    while not refuses(server.server_port):  # until the loop has ended
        serving.join(timeout=0.02)
    assert serving.is_alive()
    go_on.set()
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.getheader("Connection")) == (200, b'{"version": "7"}\n', "close")
    serving.join(timeout=10)
    assert not serving.is_alive()


def refuses(port: int) -> bool:
    """Whether nothing listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except (ConnectionRefusedError, ConnectionResetError):  # it was waiting in the queue that closed
        return True
    return False


def test_the_image_takes_its_base_from_where_the_build_says() -> None:
    """Docker Hub by default; the cache when the build hands one over (lesson Q6)."""
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert code[0] == "ARG DOCKER_HUB=docker.io"
    assert [line for line in code if line.startswith("FROM")] == ["FROM ${DOCKER_HUB}/library/python:3.13-slim"]


def test_the_image_runs_as_nobody_and_gets_the_signal_itself() -> None:
    """No root user, and no shell between ECS and the application."""
    text = (FOLDER / "Dockerfile").read_text()
    assert "\nUSER 65534:65534\n" in text
    assert '\nCMD ["python3", "app.py"]' in text


def test_the_context_is_what_the_image_copies() -> None:
    """Every file that the image copies is there, and nothing else is sent to Docker."""
    copied = re.search(r"^COPY (.+) \./$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    ignore = (FOLDER / ".dockerignore").read_text().split()
    assert ignore == ["*", *(f"!{name}" for name in copied[1].split())]
    assert all((FOLDER / name).is_file() for name in copied[1].split())
