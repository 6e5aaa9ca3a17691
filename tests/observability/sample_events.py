"""The sample events of ``tests/observability/samples``; where they are from, its README says."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "samples"

HUGE = 900_000
"""Characters of the huge event's reason: near the 1 MB that an event may have
(https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html)."""


@cache
def _read() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def samples(*kinds: str) -> dict[str, Any]:
    """All samples by file name, or those whose names begin with one of the kinds and a hyphen; copies."""
    found = {name: event for name, event in _read().items() if not kinds or name.split("-")[0] in kinds}
    return copy.deepcopy(found)


def sample(name: str) -> Any:
    """One sample; a copy."""
    return copy.deepcopy(_read()[name])


def huge() -> dict[str, Any]:
    """A stopped task whose reason fills an event, and whose containers are many."""
    event: dict[str, Any] = sample("task-stopped-image-gone")
    detail = event["detail"]
    detail["stoppedReason"] = "CannotPullContainerError: " + "\u202e<b>x</b> " * (HUGE // 10)
    detail["containers"] = [{**detail["containers"][0], "reason": "y" * 1000} for _ in range(100)]
    return event
