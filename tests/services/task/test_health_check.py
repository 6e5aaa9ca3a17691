"""Two checks from one description: ECS's inside the container, the load balancer's from outside (lesson T4)."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.guardrails.check import check as judge
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck, HttpProgram
from tests.services.conftest import parts
from tests.support import DIGEST, TOKEN, only, refused, stack, synthesize, vpc

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


CHECK = HealthCheck.http("/healthz", port=8080, program="curl")


def test_both_times_by_default() -> None:
    """35 s from dead to no traffic, 85 s from start to the first request; and one lost answer ends no task (T4)."""
    assert CHECK.out_of_rotation_seconds == 3 * 10 + 5
    assert CHECK.in_rotation_seconds == 60 + 2 * 10 + 5
    assert CHECK.container.unhealthy_seconds == 3 * (10 + 5)
    assert CHECK.container.healthy_seconds == 60 + 10 + 5
    assert CHECK.container.unhealthy_after >= 2


CHECKS = st.builds(
    HealthCheck.http,
    st.just("/healthz"),
    port=st.just(8080),
    program=st.just("curl"),
    interval_seconds=st.integers(10, 60),
    timeout_seconds=st.integers(2, 9),
    healthy_after=st.integers(2, 10),
    unhealthy_after=st.integers(2, 10),
    start_seconds=st.integers(0, 300),
)


def last_answer(check: HealthCheck, alive: Callable[[int], bool], first: int, wanted: int, good: bool) -> int:
    """When ``wanted`` good, or bad, answers in a row have come, played second by second.

    A check begins at ``first`` and then at every interval. A good answer, and a bad one, take the whole time-out.
    """
    inside = check.container
    begun, row = first, 0
    while True:
        row = row + 1 if alive(begun) is good else 0
        if row == wanted:
            return begun + inside.timeout_seconds
        begun += inside.interval_seconds


@given(CHECKS, st.integers(1, 60), st.data())
def test_no_dead_task_stays_in_rotation_for_longer(check: HealthCheck, dies: int, data: st.DataObject) -> None:
    """Played by the second: whenever the last good check began, the time that is told is long enough (T4)."""
    since = data.draw(st.integers(0, check.container.interval_seconds - 1))
    first = dies - since  # the last good check; the next is an interval later
    out = last_answer(check, lambda now: now <= dies, first, check.container.unhealthy_after, good=False)
    assert out - dies <= check.out_of_rotation_seconds
    if since == 0:
        assert out - dies == check.out_of_rotation_seconds


@given(CHECKS, st.data())
def test_no_new_task_needs_longer_to_get_requests(check: HealthCheck, data: st.DataObject) -> None:
    """Played by the second: checks fail until it has started, and then so many must be good (T4)."""
    first = data.draw(st.integers(0, check.container.interval_seconds - 1))
    start = check.container.start_seconds
    healthy = last_answer(check, lambda now: now > start, first, check.healthy_after, good=True)
    assert healthy <= check.in_rotation_seconds
    if start >= first and (start - first) % check.container.interval_seconds == 0:  # a check just before it is ready
        assert healthy == check.in_rotation_seconds
    assert check.grace_period_seconds >= healthy


def test_a_new_task_has_time_to_start_and_to_be_seen_healthy() -> None:
    """ECS overlooks the load balancer's view for the start, and for as many checks as healthy takes (T4)."""
    values: dict[str, Any] = {"port": 8080, "program": "curl", "interval_seconds": 15, "healthy_after": 4}
    check = HealthCheck.http("/healthz", **values, start_seconds=90)
    assert check.grace_seconds is None
    assert check.grace_period_seconds == 90 + 4 * 15 + 5
    assert HealthCheck.http("/healthz", **values, start_seconds=90, grace_seconds=155).grace_period_seconds == 155
    assert HealthCheck.http("/healthz", **values, start_seconds=90, grace_seconds=300).grace_period_seconds == 300


def test_before_a_slow_task_is_stopped_while_it_starts() -> None:
    """CDK gives a load-balanced service a grace of 60 s, whatever the start takes; such a number is refused (T4)."""
    scope = stack()
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("a@sha256:" + "0" * 64)
        ),
    )
    grace = only(synthesize(scope), "AWS::ECS::Service")["HealthCheckGracePeriodSeconds"]
    assert grace == 60
    values: dict[str, Any] = {"path": "/healthz", "port": 8080, "program": "curl", "start_seconds": 120}
    refused(lambda: HealthCheck.http(**values, grace_seconds=grace), "grace_seconds", 60, "at least 145")
    assert HealthCheck.http(**values).grace_period_seconds == 145


def broken(app: App, path: Path) -> set[str]:
    """The lessons' rules of T4 on health that a stack of an app breaks."""
    app.synth()
    return {one.rule for one in judge([path]).findings} & {"MOOR-T4a", "MOOR-T4f"}


def test_before_a_dead_task_gets_requests_for_more_than_a_minute_and_our_rule_says_so(tmp_path: Path) -> None:
    """Plain CDK has no container check; with AWS's interval of 30 s, three bad answers are 95 s of errors (T4)."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    scope = stack(app)
    made = patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=ecs.Cluster(scope, "Cluster", vpc=vpc(scope)),
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("a@sha256:" + "0" * 64)
        ),
    )
    made.target_group.configure_health_check(path="/healthz", unhealthy_threshold_count=3)
    assert broken(app, Path(app.outdir)) == {"MOOR-T4a", "MOOR-T4f"}
    slow = HealthCheck.http("/healthz", port=8080, program="curl", interval_seconds=30, unhealthy_after=3)
    assert slow.out_of_rotation_seconds == 95


def test_after_both_checks_are_there_and_fast(tmp_path: Path) -> None:
    """35 s by default, and no finding (T4)."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    scope = stack(app)
    cluster, repository = parts(scope)
    image = FixedDigest(DIGEST)
    FargateWebService(scope, "Web", cluster=cluster, repository=repository, image=image, health_check=CHECK)
    assert broken(app, Path(app.outdir)) == set()
    assert CHECK.out_of_rotation_seconds == 35


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
        ({"grace_seconds": 84}, "grace_seconds", "at least 85, which a new task may need"),
        ({"grace_seconds": -1}, "grace_seconds", "from 0 to 7200"),
        ({"grace_seconds": 7201}, "grace_seconds", "from 0 to 7200"),
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
        {"healthy_after": 11},
        {"grace_seconds": 84},
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


@pytest.mark.parametrize("line", ["python3 -m worker.alive", "curl -f http://127.0.0.1/ || exit 1", "alive\t-x"])
def test_a_shell_line_is_refused_as_a_program(line: str) -> None:
    """Without a shell the whole line would be the program's name, and no task would ever become healthy."""
    for make in (
        lambda: ContainerCheck.of(line),
        lambda: HealthCheck.http("/healthz", port=8080, program=[line]),
    ):
        fix = refused(make, "command", ("CMD", line), "a program without spaces")
        assert "write each word by itself" in fix


@pytest.mark.parametrize("word", ["CMD", "CMD-SHELL", "NONE"])
def test_ecs_first_word_is_refused_as_a_program(word: str) -> None:
    """Who knows ECS writes CMD-SHELL first; no image has a program of that name, so no task would become healthy."""
    program = [word, "curl -f http://127.0.0.1:8080/"]
    refused(
        lambda: HealthCheck.http("/healthz", port=8080, program=program), "program", program, "without ECS's own first"
    )
