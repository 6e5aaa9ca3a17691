"""When a notice becomes a page, and when a page need not wake anybody again. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from .kinds import QUIET_MINUTES, Kind

JUST_PAGED: Final = timedelta(hours=1)
"""A component whose alarm has been red for longer may have been given up on: a page of its own goes out then."""


def most_within(times: Sequence[datetime], at: datetime, *, minutes: int = QUIET_MINUTES) -> int:
    """Of the half hours that ``at`` is in, how many of the times the fullest one has; ``at`` itself counts once.

    Events come late and out of order, so those after ``at`` count as those before it do.
    """
    length = timedelta(minutes=minutes)
    known = times if at in times else [*times, at]
    starts = [start for start in known if timedelta() <= at - start <= length]
    return max(sum(start <= time <= start + length for time in known) for start in starts)


def with_others(kind: Kind, count: int | None) -> Kind:
    """The kind after ``count`` tasks did the same; ``None``: nobody knows, and then it is told as if it were many."""
    if kind.pages_at is None or (count is not None and count < kind.pages_at):
        return kind
    how_many = "How many others did so, cannot be read now." if count is None else f"{count} tasks did so within"
    ending = how_many if count is None else f"{how_many} {QUIET_MINUTES} minutes."
    return replace(kind, severity="page", sentence=f"{kind.sentence} {ending}")


def beside_an_alarm(kind: Kind, alarm: str, red_since: datetime | None, now: datetime) -> Kind:
    """The kind when the component's alarm is red already: whoever it woke reads why, and is not woken again."""
    if kind.severity != "page" or red_since is None or now - red_since > JUST_PAGED:
        return kind
    said = f"{kind.sentence} The alarm {alarm} has paged for this component already, so this is a notice."
    return replace(kind, severity="notice", sentence=said)
