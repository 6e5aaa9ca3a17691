"""What a stack's status means: every status that CloudFormation's own model knows."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session

from constructs_lib.delivery.stack_status import MISSING, condition, mend

READY = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
GONE = {"DELETE_COMPLETE", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


def statuses() -> list[str]:
    """All that DescribeStacks can answer."""
    shape: Any = Session().get_service_model("cloudformation").shape_for("StackStatus")
    return list(shape.enum)


@pytest.mark.parametrize("status", statuses())
def test_every_status_has_its_condition(status: str) -> None:
    """Only what is at rest and whole takes an update; what moves is busy; everything else needs a person."""
    expected = "ready" if status in READY else "gone" if status in GONE else None
    if expected is None:
        expected = "busy" if status.endswith("IN_PROGRESS") else "repair"
    assert condition(status) == expected


def test_a_status_that_nobody_knows_needs_a_person() -> None:
    """Guessing could begin a second update."""
    assert condition("UPDATE_SUSPENDED") == "repair"
    assert condition(MISSING) == "gone"


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name s --region r"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name s --region r"),
        ("ROLLBACK_COMPLETE", "cdk deploy"),
        (MISSING, "cdk deploy"),
        ("IMPORT_ROLLBACK_FAILED", "aws cloudformation describe-stack-events --stack-name s --region r"),
    ],
)
def test_repair_names_the_command(status: str, command: str) -> None:
    """A paged person can copy it."""
    assert command in mend("s", "r", status)
