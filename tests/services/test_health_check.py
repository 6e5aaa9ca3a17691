"""Two checks from one description: ECS's inside the container, the load balancer's from outside (lesson T4)."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_lib.services.health_check import ContainerCheck, HealthCheck, HttpProgram
from tests.support import TOKEN, refused

PROGRAMS: tuple[HttpProgram, ...] = ("curl", "python3", "wget")


class Application(BaseHTTPRequestHandler):
    """Answers 200 or 503, or not at all, by path."""

    def do_GET(self) -> None:
        """Answers what the path says."""
        if self.path == "/hangs":
            time.sleep(60)
            return
        self.send_response(503 if self.path == "/sick" else 200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A real HTTP server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("program", "path", "healthy"),
    [(program, "/healthz", True) for program in PROGRAMS]
    + [(program, "/sick", False) for program in PROGRAMS]
    + [("curl", "/hangs", False), ("python3", "/hangs", False)],  # GNU wget tries again until ECS's own time-out
)
def test_the_command_really_tells_healthy_from_sick(program: HttpProgram, path: str, healthy: bool, port: int) -> None:
    """Each command, run as ECS runs it, exits with 0 for an answer of 200 and with another code for 503 or silence."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here")
    check = HealthCheck.http(path, port=port, program=program, timeout_seconds=2)
    first, *command = check.container.command
    assert first == "CMD"  # without a shell, which a small image may not have
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, timeout=50, check=False)
    assert time.monotonic() - begun < 20
    assert (done.returncode == 0) is healthy, done.stderr


def test_a_command_of_ones_own_is_run_as_it_is() -> None:
    """An image with none of the three programs brings its own, and no shell is put around it."""
    check = HealthCheck.http("/healthz", port=8080, program=["/app/check", "--quick"])
    assert check.container.command == ("CMD", "/app/check", "--quick")


def test_a_new_task_has_time_to_start_and_to_be_seen_healthy() -> None:
    """ECS overlooks the load balancer's view for the start, and for as many checks as healthy takes (T4)."""
    check = HealthCheck.http(
        "/healthz", port=8080, program="curl", interval_seconds=15, healthy_after=4, start_seconds=90
    )
    assert check.grace_seconds == 90 + 4 * 15


def test_a_dead_target_is_out_within_a_minute_by_default() -> None:
    """The default check is fast, and not so nervous that one lost answer ends a task (T4)."""
    check = HealthCheck.http("/healthz", port=8080, program="curl")
    inside = check.container
    assert inside.unhealthy_after >= 2
    assert inside.interval_seconds * inside.unhealthy_after + inside.timeout_seconds <= 60


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"path": "healthz"}, "path", "begins with a slash"),
        ({"path": ""}, "path", "not empty"),
        ({"path": TOKEN}, "path", "not a Token"),
        ({"path": "/a b"}, "path", "a path"),
        ({"port": 0}, "port", "from 1 to 65535"),
        ({"port": 65536}, "port", "from 1 to 65535"),
        ({"port": "8080"}, "port", "a whole number"),
        ({"interval_seconds": 4}, "interval_seconds", "from 5 to 300"),
        ({"interval_seconds": 301}, "interval_seconds", "from 5 to 300"),
        ({"timeout_seconds": 1}, "timeout_seconds", "from 2 to 60"),
        ({"timeout_seconds": 61, "interval_seconds": 90}, "timeout_seconds", "from 2 to 60"),
        ({"timeout_seconds": 10}, "timeout_seconds", "less than interval_seconds (10)"),
        ({"healthy_after": 1}, "healthy_after", "from 2 to 10"),
        ({"unhealthy_after": 11}, "unhealthy_after", "from 2 to 10"),
        ({"start_seconds": 301}, "start_seconds", "from 0 to 300"),
        ({"start_seconds": -1}, "start_seconds", "from 0 to 300"),
        ({"program": "ruby"}, "program", "'python3', 'curl', 'wget' or a command as a list"),
        ({"program": []}, "program", "a list with a program"),
        ({"program": ["curl", ""]}, "program", "a list with a program"),
    ],
)
def test_a_wrong_check_is_refused_in_one_sentence(changes: dict[str, Any], what: str, allowed: str) -> None:
    """A check that ECS or the load balancer would refuse, or that could never pass, fails here."""
    values: dict[str, Any] = {"path": "/healthz", "port": 8080, "program": "curl", **changes}
    refused(lambda: HealthCheck.http(**values), what, changes[what], allowed)


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "healthz"},
        {"port": 0},
    ],
)
def test_a_check_cannot_be_made_wrong_another_way(changes: dict[str, Any]) -> None:
    """A policy checks itself, so changing a copy is no way around it."""
    right = HealthCheck.http("/healthz", port=8080, program="curl")
    with pytest.raises(ValueError, match=" must be "):
        replace(right, **changes)


@pytest.mark.parametrize("changes", [{"timeout_seconds": 10}, {"command": ()}])
def test_a_container_check_cannot_be_made_wrong_another_way(changes: dict[str, Any]) -> None:
    """The check inside the container checks itself too."""
    right = ContainerCheck.of("/alive")
    with pytest.raises(ValueError, match=" must be "):
        replace(right, **changes)


@pytest.mark.parametrize("word", ["CMD", "CMD-SHELL", "NONE"])
def test_ecs_first_word_is_refused_as_a_program(word: str) -> None:
    """Who knows ECS writes CMD-SHELL first; no image has a program of that name, so no task would become healthy."""
    program = [word, "curl -f http://127.0.0.1:8080/"]
    refused(
        lambda: HealthCheck.http("/healthz", port=8080, program=program), "program", program, "without ECS's own first"
    )
