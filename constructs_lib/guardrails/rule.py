"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from constructs_lib.guardrails.templates.node import Node

Severity: TypeAlias = Literal["error", "warning", "notice"]
Status: TypeAlias = Literal["fail", "unknown"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "notice")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where (lesson Q8).

    Args:
        node: the value, or the place where it is missing.
        what: what is wrong there, in one sentence without its end.
    """

    node: Node
    what: str


def whole(resource: Node) -> Iterable[Node]:
    """The resource itself, as the one thing to judge."""
    return (resource,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A lesson as a judgement over a resource (lesson Q8).

    Args:
        id: ``MOOR-``, the lesson and a letter.
        severity: ``error``: the incident can happen again with this resource as it is; ``warning``: it would be worse,
            or nobody would notice; ``notice``: worth a thought.
        types: the resource types that it judges.
        title: what holds where the rule passes.
        why: what happened where it did not, in sentences.
        fix: what to do, in one sentence.
        judge: the fault of a subject, or None. It may let ``NotKnown`` pass: then the finding is ``unknown``.
        subjects: what of a resource is judged one by one, such as its containers; the resource itself by default.
    """

    id: str
    severity: Severity
    types: tuple[str, ...]
    title: str
    why: str
    fix: str
    judge: Callable[[Node], Fault | None]
    subjects: Callable[[Node], Iterable[Node]] = whole

    @property
    def lesson(self) -> str:
        """The lesson that it serves."""
        return self.id.removeprefix("MOOR-")[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says of a place (lesson Q8).

    Args:
        rule: the rule's id.
        lesson: the lesson's id.
        severity: the rule's severity.
        status: ``fail``, or ``unknown`` where only CloudFormation can tell.
        file: the template.
        line: from 1; of what is missing, the line of what it is missing in.
        logical_id: the resource.
        path: where in the resource, such as ``Properties/ContainerDefinitions/0``.
        message: what is wrong, and why it matters.
        fix: what to do.
    """

    rule: str
    lesson: str
    severity: Severity
    status: Status
    file: str
    line: int
    logical_id: str
    path: str
    message: str
    fix: str
