"""What the lists of the page's state have room for, and how something gets into them. Standard library only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from .entries import Entry, Update
from .state import Component, PageState
from .values import KEPT, MAX_ENTRIES, MAX_LINES, Text

FUTURE: Final = timedelta(minutes=5)
"""How far ahead a clock may be; a time beyond it would be believed for ever, as the newest."""


def with_component(state: PageState, changed: Component) -> PageState:
    """``state`` with one component exchanged."""
    return replace(state, components=tuple(changed if c.name == changed.name else c for c in state.components))


def with_entry(state: PageState, entry: Entry, now: datetime) -> PageState:
    """``state`` with an entry exchanged or added.

    When all places are taken, one that is over goes: a machine's before a person's, the oldest first. When none is over
    the new one is left out; the states of the components are right all the same.
    """
    if state.entry(entry.id) is not None:
        return replace(state, entries=tuple(entry if old.id == entry.id else old for old in state.entries))
    entries = list(state.entries)
    if len(entries) >= MAX_ENTRIES:
        over = [old for old in entries if old.is_over(now)]
        if not over:
            return state
        entries.remove(min(over, key=lambda old: (old.by_person, old.end())))
    return replace(state, entries=(*entries, entry))


def with_line(entry: Entry, line: Update) -> Entry:
    """``entry`` with one more line, by time; when it is full a machine's oldest line gives way, never a person's.

    The first line stays: it says how it began.
    """
    updates = list(entry.updates)
    if len(updates) >= MAX_LINES:
        spare = next((old for old in updates[1:] if old.by == "machine"), None)
        if spare is None:
            return entry
        updates.remove(spare)
    return replace(entry, updates=tuple(sorted([*updates, line], key=lambda update: update.at)))


def pruned(state: PageState, now: datetime) -> PageState:
    """``state`` without what has been over for longer than the history is kept."""
    kept = tuple(entry for entry in state.entries if not entry.is_over(now - KEPT))
    return state if len(kept) == len(state.entries) else replace(state, entries=kept)


def configured(state: PageState, titles: Text, components: tuple[tuple[str, Text], ...], now: datetime) -> PageState:
    """``state`` with the components of a deployment; an incident of alarms that are all gone is over."""
    known = {component.name: component for component in state.components}
    after = tuple(
        replace(known[name], titles=title) if name in known else Component(name=name, titles=title)
        for name, title in components
    )
    names = {name for name, _ in components}
    entries = tuple(
        replace(entry, resolved=now)
        if entry.resolved is None and not entry.by_person and not names & set(entry.components)
        else entry
        for entry in state.entries
    )
    return replace(state, titles=titles, components=after, entries=entries)
