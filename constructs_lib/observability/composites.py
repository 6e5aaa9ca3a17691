"""Which alarms speak together for a component, as data (lessons W3, T5). Standard library only.

``degraded`` is red while any alarm is that users notice, and it is what pages: one cause makes many of them red, and
pages once. ``outage`` is red while any is that leaves nothing to use; it tells the status page.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html has the limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Felt
from constructs_lib.checks import invalid

CHILDREN_AT_MOST: Final = 100
RULE_AT_MOST: Final = 10_240
"""Characters."""

KINDS: Final[tuple[Felt, ...]] = ("degraded", "outage")
"""What the composite alarms of a component are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """A composite alarm of one component (lesson T5).

    Args:
        component: whose.
        kind: ``degraded`` or ``outage``.
        faults: its alarms' faults, :attr:`AlarmSpec.what`.

    Raises:
        ValueError: no alarm, or more than a composite takes.
    """

    component: str
    kind: Felt
    faults: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.faults) <= CHILDREN_AT_MOST:
            raise invalid(
                f"felt alarms of {self.component}",
                len(self.faults),
                f"1 to {CHILDREN_AT_MOST}",
                "a composite alarm takes no more; make two components of it",
            )

    @property
    def pages(self) -> bool:
        """Whether somebody is paged by it; an outage is a degradation too, which has paged already."""
        return self.kind == "degraded"

    @property
    def meaning(self) -> str:
        """For the person who reads the page."""
        felt = "notice a fault" if self.pages else "can do nothing"
        return f"Those who use {self.component} {felt}. Which of its alarms are red says why; look at them first."


def composites(specs: Iterable[AlarmSpec]) -> Iterator[Composite]:
    """Those of each component, in order: ``degraded`` where it has an alarm that is felt, ``outage`` of outages.

    Conditions make no difference: an alarm that waits for its condition is not red, so it has no part in either.
    """
    felt: dict[str, list[AlarmSpec]] = {}
    for spec in specs:
        if spec.felt is not None:
            felt.setdefault(spec.component, []).append(spec)
    for component, alarms in felt.items():
        yield Composite(component=component, kind="degraded", faults=tuple(spec.what for spec in alarms))
        gone = tuple(spec.what for spec in alarms if spec.felt == "outage")
        if gone:
            yield Composite(component=component, kind="outage", faults=gone)


def any_of(names: Sequence[str]) -> str:
    """The rule of a composite alarm that is red while any of these alarms is.

    Names stand in quotes, because ours have slashes.

    Raises:
        ValueError: a name that would end its own quotes, one twice, none, or more than a rule takes.
    """
    for name in names:
        if not name or '"' in name or "\\" in name or not name.isprintable():
            raise invalid("an alarm's name", name, "printable, without quotes and backslashes", "give it another name")
    if not 1 <= len(set(names)) == len(names) <= CHILDREN_AT_MOST:
        raise invalid("alarms of a rule", len(names), f"1 to {CHILDREN_AT_MOST}, each once", "make two rules of them")
    rule = " OR ".join(f'ALARM("{name}")' for name in names)
    if len(rule) > RULE_AT_MOST:
        raise invalid(
            "the rule of a composite alarm", f"{len(rule)} characters", f"at most {RULE_AT_MOST}", "shorten names"
        )
    return rule
