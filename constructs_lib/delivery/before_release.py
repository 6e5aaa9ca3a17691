"""The task that a release runs once first: how it ended, and whether it can run (lesson Q5). Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.delivery.ledger import Action
from constructs_lib.delivery.readiness import Check
from constructs_lib.delivery.settings import BeforeRelease

_BY_ITSELF: Final = "EssentialContainerExited"
"""ECS's stop code of a task that nobody stopped: its program came to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a task ended, in ECS's words (lesson Q5).

    Args:
        id: the last part of its ARN.
        stop_code: ECS's ``stopCode``; empty when it gave none.
        reason: ECS's ``stoppedReason``.
        exit_code: of the container that counts; ``None`` when it never ran.
        container_reason: ECS's reason for that container, such as that it ran out of memory.
    """

    id: str
    stop_code: str
    reason: str
    exit_code: int | None
    container_reason: str = ""


def what_is_wrong(ended: Ended) -> str:
    """Why a task did not end well; empty when it did.

    Three ways of not ending well are easily taken for success. A task whose image cannot be pulled has no exit code at
    all (https://github.com/kayac/ecspresso/issues/534). A program that is stopped may end with 0 when it heeds SIGTERM.
    And the task may end because of another container.
    """
    if ended.stop_code == _BY_ITSELF and ended.exit_code == 0:
        return ""
    code = "it never ran" if ended.exit_code is None else f"exit code {ended.exit_code}"
    told = dict.fromkeys(text.rstrip(".") for text in (ended.reason, ended.container_reason) if text)
    stopped = f"{ended.stop_code or 'no stop code'}: " if ended.stop_code != _BY_ITSELF else ""
    return f"{code}; {stopped}{'; '.join(told) or 'ECS gives no reason'}"


def log_of(definition: Mapping[str, object], container: str, task: str) -> str:
    """Where the log of a task's container is; empty when its definition does not say so for CloudWatch Logs."""
    if definition.get("logDriver") != "awslogs":
        return ""
    options = definition.get("options")
    if not isinstance(options, Mapping) or "awslogs-group" not in options:
        return ""
    prefix = options.get("awslogs-stream-prefix")
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    stream = f", stream {prefix}/{container}/{task}" if prefix else ""
    return f"{options['awslogs-group']}{stream}"


def before_release_check(
    wanted: BeforeRelease, action: Action, *, command: Sequence[str] | None, unread: str = ""
) -> Check:
    """Whether the task can run. A rollback or restart does not run it.

    Args:
        wanted: what the settings say.
        action: what shall be done.
        command: what its container runs by the task definition; ``None`` when that has no such container.
        unread: why the task definition could not be read; empty when it was.
    """
    name, what = "before release", f"{wanted.container} of {wanted.family}"
    if action == "rollback":
        seen = f"a rollback does not run {what}, nor undo what it did: the older image must suit the database as it is"
        return Check(name=name, result="SKIP", seen=seen)
    if action == "restart":
        return Check(name=name, result="SKIP", seen=f"a restart does not run {what}")
    if unread:
        seen = f"the task definition {wanted.family} cannot be read: {unread}"
        return Check(name=name, result="NG", seen=seen, fix="deploy the services' stack, or take before_release out")
    if command is None:
        seen = f"the newest task definition {wanted.family} has no container {wanted.container} with an image by digest"
        return Check(name=name, result="NG", seen=seen, fix="deploy the services' stack")
    runs = " ".join(command) if command else "its image's own command"
    seen = f"{what} runs once before anything is changed, for {wanted.minutes} minutes at most: {runs}"
    return Check(name=name, result="OK", seen=seen)
