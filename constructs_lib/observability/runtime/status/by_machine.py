"""What alarms do to the page. They write to their own column and to incidents, never to what a person said.

Standard library only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from .entries import Entry, Update
from .state import PageState, Reading
from .upkeep import FUTURE, with_component, with_entry, with_line
from .values import Felt, Line

REOPENED_WITHIN: Final = timedelta(minutes=15)
"""An alarm that is red again so soon goes on with the incident that it ended: one cause, one entry."""


def read(state: PageState, component: str, felt: Felt, reading: Reading, now: datetime) -> PageState:
    """``state`` with one reading of an alarm; of each alarm the newest is kept, whatever the order of events.

    An alarm without data, as one is that was just made, says nothing: it neither opens an incident nor ends one.
    """
    found = state.component(component)
    if found is None or reading.value == "INSUFFICIENT_DATA" or reading.timestamp > now + FUTURE:
        return state
    known = found.machine.of(felt)
    if known is not None and reading.rank <= known.rank:
        return state
    before = found.machine.state
    machine = replace(found.machine, outage=reading) if felt == "outage" else replace(found.machine, degraded=reading)
    state = with_component(state, replace(found, machine=machine))
    if machine.state == before:
        return state
    at = min(reading.timestamp, now)
    if machine.state == "operational":
        return _recovered(state, component, at, now)
    return _worse(state, component, cast(Literal["degraded", "outage"], machine.state), at, now)


def _worse(state: PageState, component: str, line: Line, at: datetime, now: datetime) -> PageState:
    """The component is red, or red in another way: into the incident that is open, or was until just now."""
    entry = next(state.open_incidents(component), None) or _just_over(state, component, at)
    if entry is None:
        entry = Entry(
            id=_free_id(state, component, at),
            kind="incident",
            components=(component,),
            opened=at,
            updates=(Update(at=at, by="machine", line=line, component=component),),
        )
    else:
        entry = _told(replace(entry, resolved=None), component, line, at)
    return with_entry(state, entry, now)


def _recovered(state: PageState, component: str, at: datetime, now: datetime) -> PageState:
    """No alarm is red: every open incident says so, and ends if only machines have written to it."""
    for entry in tuple(state.open_incidents(component)):
        told = _told(entry, component, "operational", at)
        if not entry.by_person:
            told = replace(told, resolved=told.updates[-1].at)
        state = with_entry(state, told, now)
    return state


def _told(entry: Entry, component: str, line: Line, at: datetime) -> Entry:
    """The entry with a machine's line, after its other lines on this component: two alarms need not be in step."""
    own = [update.at for update in entry.updates if update.component == component]
    return with_line(entry, Update(at=max([at, *own]), by="machine", line=line, component=component))


def _just_over(state: PageState, component: str, at: datetime) -> Entry | None:
    """The machine's own incident of this component that ended just before."""
    for entry in reversed(state.entries):
        if entry.kind == "incident" and entry.components == (component,) and entry.resolved is not None:
            soon = at - entry.resolved <= REOPENED_WITHIN
            return entry if soon and not entry.by_person else None
    return None


def _free_id(state: PageState, component: str, at: datetime) -> str:
    """A name for an incident that no other entry has."""
    base = f"{component}-{at:%Y%m%dt%H%M%Sz}"
    taken = {entry.id for entry in state.entries}
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
