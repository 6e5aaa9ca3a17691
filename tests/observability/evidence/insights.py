"""Logs Insights, as much of it as our queries use: one command a line, over events that are JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def run(query: str, events: Sequence[Any]) -> list[Row]:
    """The rows that a query finds, with the fields that it names."""
    lines = [line for line in query.splitlines() if not line.startswith("#")]
    found = [(event, json.dumps(event)) for event in events]
    shown: list[str] = []
    rows: list[Row] | None = None
    for stage in "\n".join(lines).split("\n| "):
        command, _, rest = stage.partition(" ")
        if command == "filter":
            tests = [test.strip() for test in rest.split(" or ")]
            found = [(event, text) for event, text in found if any(_true(test, event, text) for test in tests)]
        elif command == "fields":
            shown = [name.strip() for name in rest.split(",")]
        elif command == "stats":
            by = [name.strip() for name in rest.split(" by ")[1].split(",")]
            counts = Counter(tuple(_text(value(name, event)) for name in by) for event, _ in found)
            rows = [{"count": count, **dict(zip(by, key, strict=True))} for key, count in counts.items()]
        else:
            assert command in ("sort", "limit"), command
    return [{name: value(name, event) for name in shown} for event, _ in found] if rows is None else rows


def value(name: str, event: Any) -> Any:
    """A field of an event; names with hyphens stand in backticks."""
    bare = name.strip("`")
    assert re.fullmatch(r"[\w.@]+", bare) or name != bare, f"{name} needs backticks"
    if bare == "@timestamp":
        return event.get("time")
    found: Any = event
    for part in bare.split("."):
        if isinstance(found, list):
            found = found[int(part)] if part.isdigit() and int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _true(test: str, event: Any, text: str) -> bool:
    like = re.fullmatch(r"(\S+) like /(.+)/", test)
    if like:
        return re.search(like[2], text if like[1] == "@message" else str(value(like[1], event))) is not None
    equal = re.fullmatch(r'(\S+) = "([^"]*)"', test)
    assert equal, test
    return bool(value(equal[1], event) == equal[2])
