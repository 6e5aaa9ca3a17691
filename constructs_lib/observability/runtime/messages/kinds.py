"""What needs a person, as plain data. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["page", "notice"]

RUNBOOKS: Final = (
    "image-cannot-be-pulled",
    "task-cannot-start",
    "health-checks-fail",
    "containers-stop",
    "tasks-cannot-be-placed",
    "deployment-failed",
    "build-failed",
    "aws-health",
    "dead-letters",
)
"""Every runbook that a message opens, or the alarm on messages that were lost: files of ``docs/runbooks``."""

ENVIRONMENT: Final = "environment"
"""The component of what is no single service's."""

QUIET_MINUTES: Final = 30
"""Of one fault, one message goes out in this time; and within it failures count together, see ``Kind.pages_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one event means to the person who reads of it (lesson W5).

    Args:
        name: the kind of fault, such as ``image-cannot-be-pulled``.
        component: the service, task or build that it speaks of; ``environment`` when it is no single one.
        severity: ``page`` wakes somebody, ``notice`` does not.
        runbook: one of :data:`RUNBOOKS`.
        duplicate_key: events with the same key are one fault; of them one message goes out in ``quiet_minutes``.
        sentence: what is wrong, in our own words: it holds nothing that somebody outside wrote.
        pages_at: of how many different tasks within 30 minutes the same must be told until a notice becomes a page;
            ``None``, the default: it stays what it is.
        quiet_minutes: how long no more is said of the same fault; 30 by default.
    """

    name: str
    component: str
    severity: Severity
    runbook: str
    duplicate_key: str
    sentence: str
    pages_at: int | None = None
    quiet_minutes: int = QUIET_MINUTES
