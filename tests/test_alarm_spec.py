"""What a slice says of an alarm is checked before Node starts (lesson W3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from tests.support import refused

SPEC = AlarmSpec(
    component="web",
    what="errors",
    meaning="The application answers 5xx.",
    severity="page",
    metric=Metric(namespace="N", name="M", dimensions={}, statistic="Sum"),
    threshold=Threshold(value=1, missing_because="no request, no error"),
)


def test_a_threshold_says_why_missing_data_mean_what_they_mean() -> None:
    """Left out, it is Python's own error; an empty or broken sentence is refused."""
    make: Callable[..., Threshold] = Threshold
    with pytest.raises(TypeError, match="missing_because"):
        make(value=1)
    for text in ("", " ", "two\nlines", "x" * 121):
        refused(lambda text=text: Threshold(value=1, missing_because=text), "missing_because", text, "one line of text")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "what", "allowed"),
    [
        ({"what": "5xx!"}, "what", "lower-case"),
        ({"what": "a" * 61}, "what", "at most 60"),
        ({"meaning": ""}, "meaning", "one line of text, at most 700"),
        ({"meaning": "m" * 701}, "meaning", "one line of text, at most 700"),
        ({"meaning": "one\ntwo"}, "meaning", "one line of text"),
        ({"slower_because": ""}, "slower_because", "one line of text, at most 120"),
        ({"slower_because": "x" * 121}, "slower_because", "one line of text, at most 120"),
        ({"fault_seconds": -1}, "fault_seconds", "from 0"),
        ({"fault_seconds": 1.5}, "fault_seconds", "whole number"),
        ({"runbook": ""}, "runbook", "not empty"),
    ],
)
def test_a_wrong_description_is_refused(change: dict[str, Any], what: str, allowed: str) -> None:
    """One sentence says what is wrong, and what is allowed."""
    refused(lambda: replace(SPEC, **change), what, change[what], allowed)


def test_the_longest_texts_are_taken() -> None:
    """700 characters of meaning, 120 of each reason, a minute or a week of fault."""
    full = replace(SPEC, meaning="m" * 700, slower_because="x" * 120, fault_seconds=604_800, what="a" * 60)
    assert full.threshold == Threshold(value=1, missing_because="no request, no error")
