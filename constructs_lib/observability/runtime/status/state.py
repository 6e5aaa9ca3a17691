"""What the status page knows, as frozen values. Standard library only.

Two columns that never mix: what alarms say (:class:`MachineState`) and what a person says (:class:`PersonState`).
The JSON of it is in ``state_json``, what changes it in ``changes``, what is shown in ``shown``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from .entries import Entry
from .values import (
    FELT,
    MAX_COMPONENTS,
    MAX_ENTRIES,
    MAX_NAME,
    MAX_TITLE,
    STATES,
    VALUES,
    VERSION,
    AlarmValue,
    Felt,
    State,
    Text,
    identifier,
    moment,
    one_of,
    refused,
    text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The newest thing known of one alarm (lesson T5).

    Args:
        value: its state, in CloudWatch's word.
        timestamp: when CloudWatch says it came to that state.
    """

    value: AlarmValue
    timestamp: datetime

    def __post_init__(self) -> None:
        one_of("value", self.value, VALUES)
        moment("timestamp", self.timestamp)

    @property
    def rank(self) -> tuple[datetime, int]:
        """The newer reading is the greater; of the same time the worse one, so that no order of events matters."""
        return self.timestamp, VALUES.index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineState:
    """What the alarms of one component say (lesson T5).

    Args:
        degraded: the newest reading of the alarm that means degraded; None before the first.
        outage: of the alarm that means outage; None before the first, and where there is no such alarm.
    """

    degraded: Reading | None = None
    outage: Reading | None = None

    def of(self, felt: Felt) -> Reading | None:
        """The reading of one alarm."""
        return self.outage if felt == "outage" else self.degraded

    @property
    def state(self) -> State:
        """The worst that a red alarm says."""
        for felt in reversed(FELT):
            reading = self.of(felt)
            if reading is not None and reading.value == "ALARM":
                return felt
        return "operational"

    @property
    def is_known(self) -> bool:
        """Whether the alarms say how it is: before the first word of them nothing is red, and nobody knows."""
        return self.state != "operational" or (self.degraded is not None and self.degraded.value == "OK")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonState:
    """What a person says of one component; shown until a person takes it back (lesson T5).

    Args:
        state: what it is.
        since: when the person said so.
        entry: the incident with which it was said, which lifts it when resolved; None when said by itself.
    """

    state: State
    since: datetime
    entry: str | None = None

    def __post_init__(self) -> None:
        one_of("state", self.state, STATES)
        moment("since", self.since)
        if self.entry is not None:
            identifier("entry", self.entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the application that users know by name (lesson T5).

    Args:
        name: as in the names of its alarms, such as ``web``.
        titles: what users call it.
        machine: what its alarms say; a person never changes it.
        person: what a person says instead; a machine never changes it. None: nothing.
    """

    name: str
    titles: Text
    machine: MachineState = field(default_factory=MachineState)
    person: PersonState | None = None

    def __post_init__(self) -> None:
        identifier("component", self.name, MAX_NAME)
        for value in (self.titles.en, self.titles.ja):
            text(f"title of {self.name}", value, MAX_TITLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """All that the status page knows (lesson T5).

    Args:
        titles: the name of the page, such as ``Shop status``.
        components: in the order in which they are shown.
        entries: incidents and maintenances, the oldest first.
        checked: when all alarms were last read; None before the first time.
        revision: counts the changes; of two states the one with the greater is the newer.
        version: of the format.
    """

    titles: Text
    components: tuple[Component, ...] = ()
    entries: tuple[Entry, ...] = ()
    checked: datetime | None = None
    revision: int = 0
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION or isinstance(self.version, bool):
            raise refused("version", self.version, f"{VERSION}", "read it with the release that wrote it")
        if not isinstance(self.revision, int) or isinstance(self.revision, bool) or self.revision < 0:
            raise refused("revision", self.revision, "a whole number from 0", "count changes from 0")
        if self.checked is not None:
            moment("checked", self.checked)
        for what, names, most in (
            ("components", [component.name for component in self.components], MAX_COMPONENTS),
            ("entries", [entry.id for entry in self.entries], MAX_ENTRIES),
        ):
            if len(names) > most:
                raise refused(what, len(names), f"at most {most}", "leave some out")
            if len(set(names)) != len(names):
                raise refused(what, names, "different from each other", "give each a name of its own")

    def component(self, name: str) -> Component | None:
        """The component of a name."""
        return next((component for component in self.components if component.name == name), None)

    def entry(self, id: str) -> Entry | None:
        """The entry of an id."""
        return next((entry for entry in self.entries if entry.id == id), None)

    def open_incidents(self, component: str) -> Iterator[Entry]:
        """The incidents of a component that are not over, the newest first."""
        for entry in reversed(self.entries):
            if entry.kind == "incident" and entry.resolved is None and component in entry.components:
                yield entry
