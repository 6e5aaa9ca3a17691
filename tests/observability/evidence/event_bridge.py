"""EventBridge as its guide says: which event matches a pattern, and what a transformer makes of it.

``matches`` is ``aws events test-event-pattern`` for the operators that we use
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html); of a list in an event, one
member is enough. ``transformed`` puts values into a template without escaping them
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event matches a pattern."""
    if not isinstance(event, dict):
        return False
    return all(
        any(matches(each, event) for each in wanted)
        if key == "$or"
        else _field(wanted, event.get(key), there=key in event)
        for key, wanted in pattern.items()
    )


def _field(wanted: Any, value: Any, *, there: bool) -> bool:
    if isinstance(wanted, dict):
        return any(matches(wanted, each) for each in (value if isinstance(value, list) else [value]))
    values = value if isinstance(value, list) else [value]
    return any(_one(test, values, there=there) for test in wanted)


def _one(test: Any, values: list[Any], *, there: bool) -> bool:
    if not isinstance(test, dict):
        return there and test in values
    ((operator, operand),) = test.items()
    if operator == "exists":
        return there is operand
    if operator == "prefix":
        return any(isinstance(value, str) and value.startswith(operand) for value in values)
    assert operator == "anything-but", operator
    excluded = operand if isinstance(operand, list) else [operand]
    return there and any(value not in excluded for value in values)


def transformed(paths: Mapping[str, str], template: str, event: Mapping[str, Any]) -> str:
    """What the target gets; the value of a path that the event has not is left out."""

    def value(match: re.Match[str]) -> str:
        found: Any = event
        for part in paths[match[1]].removeprefix("$.").split("."):
            found = found.get(part) if isinstance(found, dict) else None
        quoted = template[: match.start()].count('"') - template[: match.start()].count('\\"')
        text = "" if found is None else found if isinstance(found, str) else json.dumps(found)
        return text if quoted % 2 else json.dumps(text)

    return re.sub(r"<(\w+)>", value, template)
