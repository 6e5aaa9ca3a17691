"""``status.json``: what the page shows, for programs; described in docs/lessons/T5-the-page-says-it-first.md.

Standard library only. Texts are cleaned as on the page, and are no HTML.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from ..plain_text import one_line, shown  # noqa: TID252  (the package has another name in Lambda)
from .entries import Entry, Update
from .shown import components, is_late, is_unknown, overall, phase
from .state import PageState
from .times import iso_seconds
from .values import MAX_TEXT, MAX_TITLE, Text

FEED_VERSION: Final = 1
"""Of the feed's form; it grows when a field changes its meaning or goes, and not when one is added."""


def feed(state: PageState, now: datetime) -> bytes:
    """The feed, in UTF-8."""
    body = {
        "version": FEED_VERSION,
        "revision": state.revision,
        "as_of": iso_seconds(now),
        "title": _title(state.titles),
        "state": overall(state, now),
        "known": not is_unknown(state, now),
        "reports": {"late": is_late(state, now), "last": _time(state.checked)},
        "components": [
            {
                "name": each.component.name,
                "title": _title(each.component.titles),
                "state": each.state,
                "known": each.known,
                "by": each.by,
                "since": _time(each.since),
                "alarms": each.component.machine.state,
            }
            for each in components(state, now)
        ],
        "incidents": [_entry(entry, now) for entry in reversed(state.entries) if entry.kind == "incident"],
        "maintenances": [_entry(entry, now) for entry in reversed(state.entries) if entry.kind == "maintenance"],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


def _entry(entry: Entry, now: datetime) -> dict[str, object]:
    times: dict[str, object] = {"opened": _time(entry.opened), "resolved": _time(entry.resolved)}
    if entry.kind == "maintenance":
        times |= {"starts": _time(entry.starts), "ends": _time(entry.ends)}
    return {
        "id": entry.id,
        "phase": phase(entry, now),
        "components": list(entry.components),
        **times,
        "updates": [_update(update) for update in reversed(entry.updates)],
    }


def _update(update: Update) -> dict[str, object]:
    text = update.text
    return {
        "at": _time(update.at),
        "by": update.by,
        "line": update.line,
        "component": update.component,
        "text": None if text is None else {"en": shown(text.en, MAX_TEXT), "ja": shown(text.ja, MAX_TEXT)},
    }


def _title(text: Text) -> dict[str, str]:
    return {"en": one_line(text.of("en")[0], MAX_TITLE), "ja": one_line(text.of("ja")[0], MAX_TITLE)}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso_seconds(moment)
