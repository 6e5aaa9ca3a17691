"""A status page's state as a person in a terminal reads it, and as a program does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from constructs_lib.observability.runtime.status.entries import Entry, Update
from constructs_lib.observability.runtime.status.shown import components, is_late, phase
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.values import Text
from constructs_lib.ops.plain_tables import aligned, minute, one_line


def as_text(state: PageState, now: datetime) -> Iterator[str]:
    """Components first, then what is open or announced; what is over is on the page itself."""
    read = f"alarms read {minute(state.checked)}" if state.checked else "alarms not read yet"
    yield f"revision {state.revision}, {read}{'; LATE' if is_late(state, now) else ''}"
    rows = [
        (
            one.component.name,
            one.state if one.known else "not known",
            f"by {_by(one.by)}{f' since {minute(one.since)}' if one.since else ''}",
        )
        for one in components(state, now)
    ]
    yield from aligned(rows, indent="  ")
    for entry in _open(state, now):
        yield f"{entry.id}  {entry.kind}, {phase(entry, now)}: {', '.join(entry.components)}{_times(entry)}"
        for update in entry.updates:
            yield f"  {minute(update.at)}  {update.by}  {update.line}{_words(update)}"


def as_json(state: PageState, now: datetime) -> dict[str, object]:
    """The same as data; texts as they were written."""
    return {
        "revision": state.revision,
        "checked": _iso(state.checked),
        "late": is_late(state, now),
        "components": [
            {"name": one.component.name, "state": one.state, "known": one.known, "by": one.by, "since": _iso(one.since)}
            for one in components(state, now)
        ],
        "entries": [_entry(entry, now) for entry in state.entries],
    }


def _entry(entry: Entry, now: datetime) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "phase": phase(entry, now),
        "components": list(entry.components),
        "opened": _iso(entry.opened),
        "resolved": _iso(entry.resolved),
        "starts": _iso(entry.starts),
        "ends": _iso(entry.ends),
        "updates": [
            {"at": _iso(one.at), "by": one.by, "line": one.line, "text": _text(one.text)} for one in entry.updates
        ],
    }


def _open(state: PageState, now: datetime) -> Iterator[Entry]:
    return (entry for entry in reversed(state.entries) if not entry.is_over(now))


def _by(who: str) -> str:
    return {"person": "a person", "alarms": "alarms", "maintenance": "an announced maintenance"}[who]


def _times(entry: Entry) -> str:
    return f", {minute(entry.starts)} to {minute(entry.ends)}" if entry.starts and entry.ends else ""


def _words(update: Update) -> str:
    return f": {one_line(update.text.en or update.text.ja)}" if update.text else ""


def _text(text: Text | None) -> dict[str, str] | None:
    return {"en": text.en, "ja": text.ja} if text else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
