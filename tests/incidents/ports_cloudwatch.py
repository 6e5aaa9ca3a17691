"""A small model of how CloudWatch judges an alarm, for alarms with periods of whole minutes.

After AWS's description (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html): an alarm is judged every
minute, over a window of ``out_of`` periods that slides; it is red when ``periods`` of them are wrong; what is missing
counts as the alarm says; and an action is taken when the state changes.

What the model leaves out: CloudWatch looks at more periods than ``out_of`` when some are missing, and corrects itself
when samples come late. Here all samples come :data:`LATE`, and one window is all that counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from statistics import fmean
from typing import Final, TypeAlias

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold

MINUTE: Final = timedelta(minutes=1)
LATE: Final = timedelta(minutes=2)
"""Assumed: how long it takes from the end of a minute until its samples are there and the alarm has seen them."""

Samples: TypeAlias = Callable[[str, datetime], Sequence[float]]
"""What was sent under a metric's name in the minute that begins then."""


def _p99(samples: Sequence[float]) -> float:
    return sorted(samples)[math.ceil(0.99 * len(samples)) - 1]


STATISTICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "Average": fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
    "p99": _p99,
}


def turns_red(spec: AlarmSpec, samples: Samples, *, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """Each time when the alarm goes to ALARM from another state, and so tells somebody."""
    period = timedelta(seconds=spec.metric.period_seconds)
    one = cache(partial(value, spec.metric, samples))  # a period is looked at out_of times
    red = False
    for number in range(1, (ends - begins) // MINUTE + 1):
        now = begins + number * MINUTE
        starts = [now - back * period for back in range(1, spec.threshold.out_of + 1)]
        values = [one(start) for start in starts]
        was, red = red, judged(spec.threshold, values, red=red)
        if red and not was:
            yield now + LATE


def judged(threshold: Threshold, values: Sequence[float | None], *, red: bool) -> bool:
    """Whether an alarm is red after it saw these periods."""
    if threshold.missing == "ignore" and None in values:
        return red
    return sum(wrong(threshold, one) for one in values) >= threshold.periods


def wrong(threshold: Threshold, measured: float | None) -> bool:
    """Whether one period is wrong."""
    if measured is None:
        return threshold.missing == "breaching"
    if threshold.comparison == "LessThanThreshold":
        return measured < threshold.value
    return measured >= threshold.value


def value(metric: Metric, samples: Samples, begins: datetime) -> float | None:
    """One period of a metric; None when nothing was sent."""
    assert not metric.also
    whole = _added((metric.name, *metric.plus), metric, samples, begins)
    if not metric.per or whole is None:
        return whole
    by = _added(metric.per, metric, samples, begins)
    if not by:
        return None
    return whole / by if whole >= metric.at_least else 0.0


def _added(names: Sequence[str], metric: Metric, samples: Samples, begins: datetime) -> float | None:
    parts = [_statistic(metric, name, samples, begins) for name in names]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _statistic(metric: Metric, name: str, samples: Samples, begins: datetime) -> float | None:
    found = [
        sample for minute in range(metric.period_seconds // 60) for sample in samples(name, begins + minute * MINUTE)
    ]
    return STATISTICS[metric.statistic](found) if found else None
