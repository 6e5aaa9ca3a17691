"""What the page shows of its state at a given time. Standard library only.

A person's word stands before everything; then an announced maintenance that is under way; then the alarms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from .entries import Entry
from .state import Component, PageState
from .values import STATES, State

LATE: Final = timedelta(minutes=5)
"""Alarms are read every minute; after five times without, the page says that its reports are late."""

Phase = Literal["open", "resolved", "planned", "under-way", "over", "called-off"]
"""Where an entry is: an incident in the first two, a maintenance in the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown of one component (lesson T5).

    Args:
        component: which.
        state: what it is shown as.
        by: who says so.
        since: since when, as far as known.
        known: whether anybody has said so at all; by default yes.
    """

    component: Component
    state: State
    by: Literal["alarms", "maintenance", "person"]
    since: datetime | None
    known: bool = True


def shown(state: PageState, component: Component, now: datetime) -> Shown:
    """What is shown of a component: a person's word, else a maintenance under way, else what its alarms say."""
    if component.person is not None:
        person = component.person
        return Shown(component=component, state=person.state, by="person", since=person.since)
    for entry in state.entries:
        if component.name in entry.components and phase(entry, now) == "under-way":
            return Shown(component=component, state="maintenance", by="maintenance", since=entry.starts)
    machine = component.machine
    reading = None
    if machine.state == "outage":
        reading = machine.outage
    elif machine.state == "degraded":
        reading = machine.degraded
    since = None if reading is None else reading.timestamp
    return Shown(component=component, state=machine.state, by="alarms", since=since, known=machine.is_known)


def components(state: PageState, now: datetime) -> tuple[Shown, ...]:
    """What is shown of all components, in their order."""
    return tuple(shown(state, component, now) for component in state.components)


def overall(state: PageState, now: datetime) -> State:
    """The worst of what is shown."""
    return max((each.state for each in components(state, now)), key=STATES.index, default="operational")


def phase(entry: Entry, now: datetime) -> Phase:
    """Where an entry is at a time."""
    if entry.starts is None or entry.ends is None:
        return "open" if entry.resolved is None else "resolved"
    if entry.resolved is not None and entry.resolved <= entry.starts:
        return "called-off"
    if entry.is_over(now):
        return "over"
    return "under-way" if entry.starts <= now else "planned"


def worst(entry: Entry) -> State | None:
    """The worst that an incident was said to be; None where nobody said so."""
    said: list[State] = []
    for update in entry.updates:
        if update.line in ("degraded", "outage"):
            said.append(update.line)
    return max(said, key=STATES.index, default=None)


def is_late(state: PageState, now: datetime) -> bool:
    """Whether it is too long since all alarms were read."""
    return state.checked is None or now - state.checked > LATE


def is_unknown(state: PageState, now: datetime) -> bool:
    """Whether all looks well and nobody has looked at all of it: then the page does not say that all is well."""
    if overall(state, now) != "operational":
        return False
    return is_late(state, now) or not all(each.known for each in components(state, now))
