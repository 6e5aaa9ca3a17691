"""All rules as they are told of: those that judge resources, and those about acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from constructs_lib.guardrails.accepting import FIXES
from constructs_lib.guardrails.acknowledgements import EXPIRED, MALFORMED, SEVERITY, UNUSED
from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.rule import Severity
from constructs_lib.incidents import INCIDENTS, Incident

_WHY: Final = (
    "A web application on ECS, April 2025: nobody knew why it was built that way; who comes later must know why a "
    "finding is accepted, and until when."
)

_ABOUT_ACKNOWLEDGEMENTS: Final[Mapping[str, str]] = {
    MALFORMED: "every acknowledgement names a rule and gives a reason",
    EXPIRED: "no acknowledgement has expired",
    UNUSED: "every acknowledgement accepts something",
}
"""What holds where it passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is told of a rule (lesson Q8).

    Args:
        id: its id.
        severity: its severity.
        types: the resource types that it judges; none for one about acknowledgements.
        title: what holds where it passes.
        why: what happened where it did not.
        fix: what to do.
    """

    id: str
    severity: Severity
    types: tuple[str, ...]
    title: str
    why: str
    fix: str

    @property
    def lesson(self) -> str:
        """The lesson that it serves."""
        return self.id.removeprefix("MOOR-")[:2]

    @property
    def incident(self) -> Incident:
        """Where it was learned."""
        return INCIDENTS[self.lesson[0]]


def described() -> tuple[Described, ...]:
    """All rules, in the order of the lessons."""
    judging = [
        Described(id=rule.id, severity=rule.severity, types=rule.types, title=rule.title, why=rule.why, fix=rule.fix)
        for rule in RULES
    ]
    others = [
        Described(id=rule, severity=SEVERITY[rule], types=(), title=title, why=_WHY, fix=FIXES[rule])
        for rule, title in _ABOUT_ACKNOWLEDGEMENTS.items()
    ]
    return (*judging, *others)


def find(name: str) -> Described | None:
    """The rule of an id, as people type it: ``MOOR-W2a``, or ``w2a``."""
    wanted = name.casefold().removeprefix("moor-")
    return next((rule for rule in described() if rule.id.casefold().removeprefix("moor-") == wanted), None)
