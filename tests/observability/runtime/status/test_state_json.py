"""The state as JSON: everything is read back, and everything wrong is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.observability.runtime.status.changes import Announce, Change, Checked, Override, Post
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.state_json import from_json, to_json
from constructs_lib.observability.runtime.status.values import InvalidStateError

from .any_changes import CHANGES
from .pages import WORDS, after, alarm, at, page
from .test_changes_properties import told

Spoil = Callable[[dict[str, Any]], object]


def full() -> PageState:
    """A page with one of everything."""
    claim = Post(at=at(3), entry="web-20261122t120100z", text=WORDS, components=("web",), state="outage")
    window = Announce(at=at(4), entry="upgrade", components=("mail",), starts=at(70), ends=at(80), text=WORDS)
    return after(
        page(),
        alarm(1),
        alarm(2, felt="outage"),
        claim,
        window,
        Override(at=at(5), component="api", state="degraded"),
        Checked(),
    )


def test_a_state_is_read_back_as_it_was() -> None:
    """One of everything, to JSON and back; the text is the same each time and holds Japanese as it is."""
    state = full()
    assert from_json(to_json(state)) == state
    assert from_json(to_json(state).encode()) == state
    assert to_json(from_json(to_json(state))) == to_json(state)
    assert "決済画面で" in to_json(state)


@settings(max_examples=50)
@given(changes=st.lists(CHANGES, max_size=12))
def test_any_state_is_read_back_as_it_was(changes: list[Change]) -> None:
    """Whatever has happened is kept in full."""
    state = page()
    for change in changes:
        state = told(state, change, at(200))
    assert from_json(to_json(state)) == state


def put(place: str, value: object) -> Spoil:
    """Writes one field of the JSON, by its place."""

    def spoil(whole: dict[str, Any]) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
        target: Any = whole
        for part in way:
            target = target[part]
        target[last] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (put("version", 2), "version must be 1, got 2; read it with the release that wrote it"),
        (put("version", True), "state.version must be a whole number"),
        (put("revision", -1), "revision must be a whole number from 0, got -1"),
        (put("revision", "3"), "state.revision must be a whole number, got '3'"),
        (put("revision", False), "state.revision must be a whole number, got False"),
        (put("titles", {}), "state.titles.en must be there"),
        (put("titles", []), "state.titles must be a JSON object, got []"),
        (put("titles.en", None), "state.titles.en must be a text, got None"),
        (put("titles.en", "\ud800"), "en must be valid Unicode"),
        (put("titles.fr", "Boutique"), "fields of state.titles must be among en, ja, got ['fr']"),
        (put("note", "x"), "fields of state must be among"),
        (put("components.0.note", "x"), "fields of state.components[0] must be among"),
        (put("components.0.machine.note", "x"), "fields of state.components[0].machine must be among"),
        (put("components.0.machine.degraded.reason", "x"), "fields of state.components[0].machine.degraded"),
        (put("components.0.machine.degraded.value", "RED"), "value must be one of OK, INSUFFICIENT_DATA, ALARM"),
        (put("components.0.machine.degraded.timestamp", "2026-11-22 12:00"), "a time such as 2026-11-22T16:00:00Z"),
        (put("components.0.machine.degraded.timestamp", "soonZ"), "a time such as 2026-11-22T16:00:00Z"),
        (put("components.0.machine.degraded.timestamp", "0001-01-01T00:00:00+05:00Z"), "a time such as"),
        (put("components.0.person.state", "fine"), "state must be one of operational, maintenance, degraded, outage"),
        (put("components.0.person.note", "x"), "fields of state.components[0].person must be among"),
        (put("components.0.person.entry", "No Id"), "entry must be lower-case letters"),
        (put("components.0.name", "Web shop"), "component must be lower-case letters"),
        (put("components.0.name", "w" * 41), "at most 40 characters"),
        (put("components.0.titles.en", "w" * 81), "title of web must be a text of at most 80 characters"),
        (put("components.0.titles", {"en": " ", "ja": ""}), "text must be in English or Japanese or both"),
        (put("components.1.name", "web"), "components must be different from each other"),
        (put("components", [1]), "state.components[0] must be a JSON object, got 1"),
        (put("components", {"0": 1}), "state.components must be a list"),
        (put("entries.0.note", "x"), "fields of state.entries[0] must be among"),
        (put("entries.0.id", "web!"), "entry must be lower-case letters"),
        (put("entries.0.kind", "party"), "kind must be one of incident, maintenance"),
        (put("entries.0.components", []), "must be named, each once, got ()"),
        (put("entries.0.components", ["web", "web"]), "must be named, each once"),
        (put("entries.0.components", [1]), "state.entries[0].components must be a list of texts"),
        (put("entries.0.components", ["w" * 41]), "at most 40 characters"),
        (put("entries.0.starts", "2026-11-22T12:00:00Z"), "must be absent"),
        (put("entries.0.opened", None), "state.entries[0].opened must be a text"),
        (put("entries.0.updates", []), "must be 1 to 60, got 0; open another incident"),
        (put("entries.0.updates.0.by", "robot"), "by must be one of machine, person"),
        (put("entries.0.updates.0.line", "gone"), "line must be one of operational, degraded, outage, note, resolved"),
        (put("entries.0.updates.0.line", "resolved"), "a machine's line must be one of the fixed sentences"),
        (put("entries.0.updates.0.text", {"en": "x", "ja": ""}), "a machine's line must be one of the fixed"),
        (put("entries.0.updates.0.component", None), "component must be given in a machine's line only"),
        (put("entries.0.updates.0.component", "Web"), "component must be lower-case"),
        (put("entries.0.updates.0.reason", "x"), "fields of state.entries[0].updates[0] must be among"),
        (put("entries.0.updates.2.component", "web"), "component must be given in a machine's line only"),
        (put("entries.0.updates.2.text.en", "x" * 1001), "en must be a text of at most 1000 characters"),
        (put("entries.0.updates.2.text.fr", "x"), "fields of state.entries[0].updates[2].text must be among"),
        (put("entries.1.starts", None), "starts must be a time in UTC, got None"),
        (put("entries.1.ends", "2026-11-22T13:10:00Z"), "ends must be after starts"),
        (put("entries.1.updates.0.text", None), "text must be given in a note"),
        (put("entries.1.id", "web-20261122t120100z"), "entries must be different from each other"),
    ],
)
def test_a_wrong_state_is_refused_with_its_place(spoil: Spoil, part: str) -> None:
    """Nothing is read past: the sentence says where it is, what is allowed, and what to do."""
    whole = json.loads(to_json(full()))
    spoil(whole)
    with pytest.raises(InvalidStateError) as refusal:
        from_json(json.dumps(whole))
    assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("field", ["version", "revision", "checked", "titles", "components", "entries"])
def test_a_state_without_a_field_is_refused(field: str) -> None:
    """Half a state is none: what is missing might have held a person's words."""
    whole = json.loads(to_json(full()))
    del whole[field]
    with pytest.raises(InvalidStateError, match=f"state.{field} must be there"):
        from_json(json.dumps(whole))


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe", "[" * 100_000, "null", "[]", "1"])
def test_what_is_no_state_at_all_is_refused(text: str | bytes) -> None:
    """Broken off, binary, far too deep, or something else."""
    with pytest.raises(InvalidStateError):
        from_json(text)


def test_more_than_there_is_room_for_is_refused() -> None:
    """51 components or 101 entries were not written by us."""
    whole = json.loads(to_json(full()))
    whole["components"] = [{**whole["components"][0], "name": f"part-{number}"} for number in range(51)]
    with pytest.raises(InvalidStateError, match="components must be at most 50, got 51"):
        from_json(json.dumps(whole))
    whole["components"] = []
    whole["entries"] = [{**whole["entries"][0], "id": f"entry-{number}"} for number in range(101)]
    with pytest.raises(InvalidStateError, match="entries must be at most 100, got 101"):
        from_json(json.dumps(whole))
