"""What people do to the page: every wrong request is refused in one sentence. Standard library only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from .entries import Entry, Update
from .state import PageState, PersonState
from .times import iso_seconds
from .upkeep import FUTURE, with_component, with_entry, with_line
from .values import MAX_LINES, Line, RefusedError, State, Text

MAX_OPEN: Final = 45
"""Entries open at a time that people may make; the other places are for the alarms of each component."""

_FOR_MACHINES: Final = 10
"""Lines of an entry that people leave to machines."""


def posted(
    state: PageState, id: str, line: Update, components: tuple[str, ...], claim: State | None, now: datetime
) -> PageState:
    """A person opens an incident or adds to an entry, and may say what its components are."""
    _not_ahead(line.at, now)
    _known(state, components)
    entry = state.entry(id)
    if entry is None:
        if not components:
            raise RefusedError(
                f"components must be named for the new incident {id!r}; name them, or post to one of {_open_ids(state)}"
            )
        entry = Entry(id=id, kind="incident", components=components, opened=line.at, updates=(line,))
        state = with_entry(_with_room(state, now), entry, now)
    else:
        if line in entry.updates:
            return state
        if claim is not None and (entry.kind == "maintenance" or entry.resolved is not None):
            raise RefusedError(
                f"state must be left out for {id!r}, which is no open incident, got {claim!r}; open a new incident"
            )
        added = tuple(name for name in components if name not in entry.components)
        entry = with_line(replace(_writable(entry), components=entry.components + added), line)
        state = with_entry(state, entry, now)
    if claim is None:
        return state
    return _claimed(state, components or entry.components, PersonState(state=claim, since=line.at, entry=id))


def resolved(state: PageState, id: str, at: datetime, text: Text | None, now: datetime) -> PageState:
    """A person ends an entry; what was said of its components with it is lifted, and nothing else."""
    _not_ahead(at, now)
    entry = state.entry(id)
    if entry is None:
        raise RefusedError(f"entry must be one of {_open_ids(state)}, got {id!r}; copy the id from the status page")
    line = Update(at=at, by="person", line="resolved", text=text)
    if line in entry.updates:
        return state
    if entry.is_over(now):
        raise RefusedError(f"entry must be open to be resolved, {id!r} is over; post to it to add words")
    ended = with_line(replace(_writable(entry, spare=1), resolved=at), line)
    state = with_entry(state, ended, now)
    for name in entry.components:
        component = state.component(name)
        if component is not None and component.person is not None and component.person.entry == id:
            state = with_component(state, replace(component, person=None))
    return state


def overridden(state: PageState, name: str, claim: State | None, at: datetime, now: datetime) -> PageState:
    """A person says what a component is, or takes it back; an older word does not undo a newer one, and is told so."""
    _not_ahead(at, now)
    _known(state, (name,))
    component = state.component(name)
    if component is None:
        return state
    if component.person is not None and component.person.since > at:
        raise RefusedError(
            f"time must be after {iso_seconds(component.person.since)}, when somebody set {name!r} to "
            f"{component.person.state}, got {iso_seconds(at)}; look at the page, and try again"
        )
    person = None if claim is None else PersonState(state=claim, since=at)
    return with_component(state, replace(component, person=person))


def announced(state: PageState, entry: Entry, now: datetime, *, new: bool = False) -> PageState:
    """A person announces a maintenance, or changes the times of one that is not over, if no new one was meant."""
    _not_ahead(entry.opened, now)
    _known(state, entry.components)
    known = state.entry(entry.id)
    (line,) = entry.updates
    if known is not None and line in known.updates:
        return state
    if entry.is_over(now):
        ends = "" if entry.ends is None else iso_seconds(entry.ends)
        raise RefusedError(f"ends must be in the future, got {ends}; announce what is still to come")
    if known is None:
        return with_entry(_with_room(state, now), entry, now)
    if new:
        raise RefusedError(
            f"id must be given, for {entry.id!r} is there already, of {', '.join(known.components)}; "
            "give that id to change its times, or another one"
        )
    if known.kind != "maintenance" or known.is_over(now):
        raise RefusedError(f"entry must be a maintenance that is not over, got {entry.id!r}; choose a new id")
    moved = replace(_writable(known), components=entry.components, starts=entry.starts, ends=entry.ends)
    return with_entry(state, with_line(moved, line), now)


def line_of(claim: State | None) -> Line:
    """The line that reports what a person says of the components."""
    if claim in ("operational", "degraded", "outage"):
        return claim
    return "note"


def _claimed(state: PageState, names: tuple[str, ...], person: PersonState) -> PageState:
    for name in names:
        component = state.component(name)
        if component is not None:
            state = with_component(state, replace(component, person=person))
    return state


def _known(state: PageState, names: tuple[str, ...]) -> None:
    for name in names:
        if state.component(name) is None:
            there = ", ".join(component.name for component in state.components) or "none yet"
            raise RefusedError(f"component must be one that the page shows ({there}), got {name!r}; name one of them")


def _not_ahead(at: datetime, now: datetime) -> None:
    if at > now + FUTURE:
        raise RefusedError(f"the time must not be in the future, got {iso_seconds(at)}; set this machine's clock")


def _with_room(state: PageState, now: datetime) -> PageState:
    """``state`` itself, if there is room for one more open entry."""
    if sum(not entry.is_over(now) for entry in state.entries) >= MAX_OPEN:
        raise RefusedError(
            f"at most {MAX_OPEN} entries may be open at a time, there are as many; resolve one of {_open_ids(state)}"
        )
    return state


def _writable(entry: Entry, spare: int = 0) -> Entry:
    """``entry`` itself, if there is room for one more line of a person."""
    if sum(update.by == "person" for update in entry.updates) >= MAX_LINES - _FOR_MACHINES + spare:
        raise RefusedError(f"{entry.id!r} must have fewer lines to take another, it is full; open a new incident")
    return entry


def _open_ids(state: PageState) -> str:
    ids = [entry.id for entry in state.entries if entry.resolved is None]
    return ", ".join(ids[-5:]) or "the open entries (there is none)"
