"""What can happen to the status page, and what becomes of it: pure, no clock, no AWS. Standard library only.

Machines and people write to different places. A machine opens an incident when an alarm turns red and ends it when
all is well again, unless a person has written to it: then only the person ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from . import by_machine, by_person
from .entries import Entry, Update
from .state import PageState, Reading
from .upkeep import configured, pruned
from .values import AlarmValue, Felt, State, Text, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The components that the page shows, as deployed (lesson T5).

    A component that stays keeps what alarms and people said of it; one that is left out is no longer shown.

    Args:
        titles: the name of the page, such as ``Shop status``.
        components: name and titles of each, in the order in which they are shown.
    """

    titles: Text
    components: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """What CloudWatch says of one composite alarm, from an event or from DescribeAlarms (lesson T5).

    Late and doubled ones change nothing: of each alarm the newest timestamp wins.

    Args:
        component: whose alarm it is.
        felt: which of its alarms.
        value: the alarm's state.
        timestamp: ``detail.state.timestamp`` of the event, ``StateUpdatedTimestamp`` of DescribeAlarms.
    """

    component: str
    felt: Felt
    value: AlarmValue
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """All alarms have just been read: what the page says of them is as of now (lesson T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Time has passed: what is older than the history is left out (lesson T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A person opens an incident, or adds to any entry that is there (lesson T5).

    Args:
        at: when it was said; the same post twice (same entry, time and text) is one.
        entry: the id; of an entry that is there: it is added to.
        text: the person's words.
        components: what it is about; may be empty for an entry that is there.
        state: what these components are from now until the entry is resolved; None: what their alarms say.
    """

    at: datetime
    entry: str
    text: Text
    components: tuple[str, ...] = ()
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """A person ends an incident or calls a maintenance off, and lifts what was said with it (lesson T5).

    Args:
        at: when.
        entry: the id.
        text: the person's last words; None for a fixed sentence.
    """

    at: datetime
    entry: str
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A person says what a component is, whatever its alarms say; it stays until lifted so (lesson T5).

    Args:
        at: when.
        component: which.
        state: what it is; None lifts what was said, and the alarms are believed again.
    """

    at: datetime
    component: str
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """A person announces a maintenance; it begins and ends by the clock (lesson W6).

    Args:
        at: when it was announced.
        entry: the id; of a maintenance that is there: its times are changed.
        components: which are under maintenance between the two times.
        starts: the beginning.
        ends: the end.
        text: the person's words.
        new: whether it is a new one, whose id nobody chose: then one that is there is refused. By default it may change
            one that is there.
    """

    at: datetime
    entry: str
    components: tuple[str, ...]
    starts: datetime
    ends: datetime
    text: Text
    new: bool = False


Change = Configured | AlarmChanged | Checked | Clock | Post | Resolve | Override | Announce
"""Everything that can happen."""


def initial(titles: Text) -> PageState:
    """The page before anything is known."""
    return PageState(titles=titles)


def apply(state: PageState, change: Change, now: datetime) -> PageState:
    """``state`` after ``change``; the same object if nothing changes, else with the next revision.

    Raises:
        RefusedError: a person asked for what cannot be. A machine's change with good values never raises.
        InvalidStateError: a value of the change is none.
    """
    moment("now", now)
    after = pruned(_changed(state, change, now), now)
    return state if after == state else replace(after, revision=state.revision + 1)


def _changed(state: PageState, change: Change, now: datetime) -> PageState:
    match change:
        case Configured(titles=titles, components=components):
            return configured(state, titles, components, now)
        case AlarmChanged(value=value, timestamp=timestamp):
            reading = Reading(value=value, timestamp=timestamp)
            return by_machine.read(state, change.component, change.felt, reading, now)
        case Checked():
            return replace(state, checked=now if state.checked is None else max(state.checked, now))
        case Clock():
            return state
        case Post(at=at, text=text, state=claim):
            line = Update(at=at, by="person", line=by_person.line_of(claim), text=text)
            return by_person.posted(state, change.entry, line, change.components, claim, now)
        case Resolve():
            return by_person.resolved(state, change.entry, change.at, change.text, now)
        case Override():
            return by_person.overridden(state, change.component, change.state, change.at, now)
        case Announce():
            return by_person.announced(state, _maintenance(change), now, new=change.new)


def _maintenance(change: Announce) -> Entry:
    return Entry(
        id=change.entry,
        kind="maintenance",
        components=change.components,
        opened=change.at,
        updates=(Update(at=change.at, by="person", line="note", text=change.text),),
        starts=change.starts,
        ends=change.ends,
    )
