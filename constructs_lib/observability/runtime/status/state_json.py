"""The page's state as JSON and back. Standard library only.

What is wrong or unknown is refused, with its place: a person's words in a field that nobody reads would be lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar, cast

from .entries import Entry, Update
from .state import Component, MachineState, PageState, PersonState, Reading
from .times import iso
from .values import AlarmValue, InvalidStateError, Line, State, Text, refused

_Made = TypeVar("_Made")


def to_json(state: PageState) -> str:
    """The state as one line of JSON; the same state gives the same text."""
    return json.dumps(
        {
            "version": state.version,
            "revision": state.revision,
            "checked": _iso(state.checked),
            "titles": _text(state.titles),
            "components": [_component(component) for component in state.components],
            "entries": [_entry(entry) for entry in state.entries],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_json(text: str | bytes) -> PageState:
    """The state that a text holds.

    Raises:
        InvalidStateError: it holds none, said in one sentence.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidStateError(
            f"the status page's state must be JSON, but {error}; restore an earlier version of the object"
        ) from error
    whole = _Reader("state", found)
    if whole.whole_number("version") != 1:
        raise refused("version", whole.fields.get("version"), "1", "read it with the release that wrote it")
    made = PageState(
        version=whole.whole_number("version"),
        revision=whole.whole_number("revision"),
        checked=whole.moment_or_none("checked"),
        titles=_read_text(whole.part("titles")),
        components=whole.each("components", _read_component),
        entries=whole.each("entries", _read_entry),
    )
    whole.done()
    return made


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _text(text: Text) -> dict[str, str]:
    return {"en": text.en, "ja": text.ja}


def _component(component: Component) -> dict[str, object]:
    machine, person = component.machine, component.person
    return {
        "name": component.name,
        "titles": _text(component.titles),
        "machine": {"degraded": _reading(machine.degraded), "outage": _reading(machine.outage)},
        "person": None
        if person is None
        else {"state": person.state, "since": iso(person.since), "entry": person.entry},
    }


def _reading(reading: Reading | None) -> dict[str, str] | None:
    return None if reading is None else {"value": reading.value, "timestamp": iso(reading.timestamp)}


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "components": list(entry.components),
        "opened": iso(entry.opened),
        "resolved": _iso(entry.resolved),
        "starts": _iso(entry.starts),
        "ends": _iso(entry.ends),
        "updates": [_update(update) for update in entry.updates],
    }


def _update(update: Update) -> dict[str, object]:
    return {
        "at": iso(update.at),
        "by": update.by,
        "line": update.line,
        "text": None if update.text is None else _text(update.text),
        "component": update.component,
    }


class _Reader:
    """One object of the JSON: each field is taken once, and none may be left over."""

    def __init__(self, place: str, found: object) -> None:
        if not isinstance(found, dict):
            raise refused(place, found, "a JSON object", "restore an earlier version of the object")
        self.place = place
        self.fields: Mapping[str, object] = found
        self.taken: set[str] = set()

    def take(self, name: str) -> object:
        if name not in self.fields:
            raise refused(f"{self.place}.{name}", None, "there", "restore an earlier version of the object")
        self.taken.add(name)
        return self.fields[name]

    def done(self) -> None:
        unknown = sorted(set(self.fields) - self.taken)
        if unknown:
            known = ", ".join(sorted(self.taken))
            raise refused(
                f"fields of {self.place}", unknown, f"among {known}", "read it with the release that wrote it"
            )

    def word(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise refused(f"{self.place}.{name}", value, "a text", "write it in quotes")
        return value

    def word_or_none(self, name: str) -> str | None:
        return None if self.take(name) is None else self.word(name)

    def whole_number(self, name: str) -> int:
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise refused(f"{self.place}.{name}", value, "a whole number", "write it without quotes")
        return value

    def moment(self, name: str) -> datetime:
        value = self.word(name)
        try:
            if not value.endswith("Z"):
                raise ValueError
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise refused(
                f"{self.place}.{name}", value, "a time such as 2026-11-22T16:00:00Z", "write it in UTC"
            ) from None

    def moment_or_none(self, name: str) -> datetime | None:
        return None if self.take(name) is None else self.moment(name)

    def part(self, name: str) -> _Reader:
        return _Reader(f"{self.place}.{name}", self.take(name))

    def part_or_none(self, name: str) -> _Reader | None:
        return None if self.take(name) is None else self.part(name)

    def items(self, name: str) -> list[object]:
        value = self.take(name)
        if not isinstance(value, list):
            raise refused(f"{self.place}.{name}", value, "a list", "write it in brackets")
        return value

    def each(self, name: str, read: Callable[[_Reader], _Made]) -> tuple[_Made, ...]:
        parts = (_Reader(f"{self.place}.{name}[{number}]", item) for number, item in enumerate(self.items(name)))
        return tuple(read(part) for part in parts)

    def words(self, name: str) -> tuple[str, ...]:
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            raise refused(f"{self.place}.{name}", found, "a list of texts", "write each in quotes")
        return tuple(str(item) for item in found)


def _read_text(part: _Reader) -> Text:
    made = Text(en=part.word("en"), ja=part.word("ja"))
    part.done()
    return made


def _read_component(part: _Reader) -> Component:
    machine = part.part("machine")
    made = Component(
        name=part.word("name"),
        titles=_read_text(part.part("titles")),
        machine=MachineState(degraded=_read_reading(machine, "degraded"), outage=_read_reading(machine, "outage")),
        person=_read_person(part.part_or_none("person")),
    )
    machine.done()
    part.done()
    return made


def _read_reading(machine: _Reader, felt: str) -> Reading | None:
    part = machine.part_or_none(felt)
    if part is None:
        return None
    made = Reading(value=cast(AlarmValue, part.word("value")), timestamp=part.moment("timestamp"))
    part.done()
    return made


def _read_person(part: _Reader | None) -> PersonState | None:
    if part is None:
        return None
    made = PersonState(
        state=cast(State, part.word("state")), since=part.moment("since"), entry=part.word_or_none("entry")
    )
    part.done()
    return made


def _read_entry(part: _Reader) -> Entry:
    made = Entry(
        id=part.word("id"),
        kind=cast(Literal["incident", "maintenance"], part.word("kind")),
        components=part.words("components"),
        opened=part.moment("opened"),
        resolved=part.moment_or_none("resolved"),
        starts=part.moment_or_none("starts"),
        ends=part.moment_or_none("ends"),
        updates=part.each("updates", _read_update),
    )
    part.done()
    return made


def _read_update(part: _Reader) -> Update:
    text = part.part_or_none("text")
    made = Update(
        at=part.moment("at"),
        by=cast(Literal["machine", "person"], part.word("by")),
        line=cast(Line, part.word("line")),
        text=None if text is None else _read_text(text),
        component=part.word_or_none("component"),
    )
    part.done()
    return made
