"""What a stack's status means for a release (lesson W4). Standard library only.

The statuses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Condition: TypeAlias = Literal["ready", "busy", "repair", "gone"]
"""``ready``: it takes an update. ``busy``: something is under way. ``repair``: a person must mend it. ``gone``: there
is none to update."""

_READY: Final = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
)
_GONE: Final = frozenset({"", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_IN_PROGRESS"})

MISSING: Final = ""
"""The status of a stack that does not exist."""

_ROLE: Final = "ROLE"
_WHICH: Final = "where ROLE is the one that `cdk deploy` gives CloudFormation (cdk-…-cfn-exec-role-…)"

CAN_BE_CANCELLED: Final = "UPDATE_IN_PROGRESS"
"""The one status in which CancelUpdateStack is taken."""


def condition(status: str) -> Condition:
    """What a status means for a release. An unknown one needs a person: guessing could start a second update."""
    if status in _READY:
        return "ready"
    if status in _GONE:
        return "gone"
    return "busy" if status.endswith("_IN_PROGRESS") else "repair"


def mend(stack: str, region: str, status: str) -> str:
    """What a person does about a stack that needs repair or is gone.

    Without a role CloudFormation uses the last that it was given, which may be a release's, and so may lack a right
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html).
    """
    where = f"--stack-name {stack} --region {region}"
    if status == "UPDATE_ROLLBACK_FAILED":
        return (
            f"mend what its last failed event names, then `aws cloudformation continue-update-rollback {where} "
            f"--role-arn {_ROLE}`, {_WHICH}, and run this command again when the status is UPDATE_ROLLBACK_COMPLETE"
        )
    if status in {"UPDATE_FAILED", "CREATE_FAILED"}:
        return f"`aws cloudformation rollback-stack {where} --role-arn {_ROLE}`, {_WHICH}; then run this command again"
    if condition(status) == "gone" or status.startswith(("ROLLBACK_", "DELETE_")):
        return "deploy the services' stack with `cdk deploy`, then run this command again"
    return f"look at `aws cloudformation describe-stack-events {where}`"
