"""How the task before a release ended, where its log is, and whether it can run (lesson Q5)."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.delivery.before_release import Ended, before_release_check, log_of, what_is_wrong
from constructs_lib.delivery.settings import BeforeRelease

WANTED = BeforeRelease(family="shop-web-before-release", container="migrations", minutes=20)
EXITED = "EssentialContainerExited"
CODES = ("", EXITED, "TaskFailedToStart", "UserInitiated", "SpotInterruption", "TerminationNotice")


def ended(code: str, exit_code: int | None, reason: str = "it says so", inside: str = "") -> Ended:
    """How a task ended."""
    return Ended(id="1a2b", stop_code=code, reason=reason, exit_code=exit_code, container_reason=inside)


@given(code=st.sampled_from(CODES), exit_code=st.none() | st.integers(min_value=0, max_value=255), reason=st.text())
def test_only_a_program_that_ended_with_0_by_itself_ended_well(code: str, exit_code: int | None, reason: str) -> None:
    """Whatever else ECS says, and however little, is not taken for success."""
    good = (code, exit_code) == (EXITED, 0)
    assert (what_is_wrong(ended(code, exit_code, reason)) == "") == good


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (ended(EXITED, 1, "Essential container in task exited"), "exit code 1; Essential container in task exited"),
        (
            ended("TaskFailedToStart", None, "CannotPullContainerError: not found."),
            "it never ran; TaskFailedToStart: CannotPullContainerError: not found",
        ),
        (ended("UserInitiated", 0, "over its limit"), "exit code 0; UserInitiated: over its limit"),
        (ended(EXITED, 137, "exited", "OutOfMemoryError"), "exit code 137; exited; OutOfMemoryError"),
        (ended(EXITED, 2, "same", "same"), "exit code 2; same"),
        (ended("", None, ""), "it never ran; no stop code: ECS gives no reason"),
    ],
)
def test_it_is_said_what_is_wrong(end: Ended, said: str) -> None:
    """Exit code, stop code and both reasons, each once."""
    assert what_is_wrong(end) == said


def test_before_no_exit_code_was_taken_for_success() -> None:
    """Before: "no exit code that is not 0" calls a task fine whose image could not be pulled; after: it is not."""
    never_ran = ended("TaskFailedToStart", None)
    assert not never_ran.exit_code  # as a shell script or ``ecspresso run`` looks at it
    assert what_is_wrong(never_ran)


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        (
            {"logDriver": "awslogs", "options": {"awslogs-group": "/g", "awslogs-stream-prefix": "web"}},
            "/g, stream web/migrations/1a2b",
        ),
        ({"logDriver": "awslogs", "options": {"awslogs-group": "/g"}}, "/g"),
        ({"logDriver": "splunk", "options": {"awslogs-group": "/g"}}, ""),
        ({"logDriver": "awslogs"}, ""),
        ({"logDriver": "awslogs", "options": {}}, ""),
        ({}, ""),
    ],
)
def test_it_is_said_where_the_log_is(configuration: dict[str, Any], said: str) -> None:
    """Group and stream as CloudWatch names them; nothing when the log goes elsewhere."""
    assert log_of(configuration, "migrations", "1a2b") == said


def test_a_task_that_can_run_is_ok_with_its_command() -> None:
    """What runs, for how long, and that it runs before anything is changed."""
    check = before_release_check(WANTED, "release", command=["alembic", "upgrade", "head"])
    assert (check.name, check.result, check.fix) == ("before release", "OK", "")
    assert "for 20 minutes at most: alembic upgrade head" in check.seen
    assert "its image's own command" in before_release_check(WANTED, "release", command=[]).seen


def test_a_task_that_cannot_run_stops_a_release() -> None:
    """A definition that is gone, or has no such container, with the fix."""
    unread = before_release_check(WANTED, "release", command=None, unread="AccessDenied")
    assert (unread.result, "AccessDenied" in unread.seen, "deploy" in unread.fix) == ("NG", True, True)
    other = before_release_check(WANTED, "release", command=None)
    assert (other.result, "has no container migrations" in other.seen, "deploy" in other.fix) == ("NG", True, True)


@pytest.mark.parametrize(("action", "said"), [("rollback", "nor undo what it did"), ("restart", "does not run")])
def test_a_rollback_and_a_restart_do_not_run_it(action: Literal["rollback", "restart"], said: str) -> None:
    """So a definition that cannot be read does not stop them."""
    check = before_release_check(WANTED, action, command=None, unread="AccessDenied")
    assert (check.result, said in check.seen) == ("SKIP", True)
