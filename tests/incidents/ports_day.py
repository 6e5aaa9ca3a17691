"""Incident W1: what the write-up says of those days, and what it does not say and is assumed here.

The write-up (28 April 2025, third edition) gives the hours of the errors and of what people did; that more than 50,000
sessions were open at once; that internal ports ran out; and that an updated library of the middleware was the cause. It
also names a second cause, a fault at AWS that kept logs from being written, and does not say which minutes were whose.

**Assumed**: all else. When the update went in: in the maintenance window before the first errors, 22:00 to 26:00, as
both windows that are told. How many sessions each minute had: the curve below, made to pass the limit in the minutes
of the errors and in no other. So it shows nothing that the ports run out in those minutes; what is told before counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of March 2025 in Japan; hours from 24 on belong to the night after the day, as there."""
    return datetime(2025, 3, day, tzinfo=JAPAN) + timedelta(hours=hour, minutes=minute)


ERRORS: Final = ((at(26, 9, 30), at(26, 9, 43)), (at(26, 14, 47), at(26, 14, 48)), (at(27, 14), at(27, 18)))
"""When some clinics could not connect, or were cut off; on the 27th now and then."""

FIRST_ERROR: Final = ERRORS[0][0]
ASKED: Final = at(26, 9, 44)
"""A vendor asked support: the first that the operators knew."""

CONFIRMED: Final = at(26, 10, 7)
"""The errors were found in the server's records; all was well again by then."""

SUSPECTED: Final = at(27, 17, 55)
"""The ports were suspected, because of more than 50,000 sessions at once."""

WENT_BACK: Final = (at(27, 22), at(27, 26))
"""The maintenance after which the write-up tells of no more errors from this cause."""

CHANGED: Final = (at(25, 22), at(25, 26))
"""Assumed: the window before the first errors. The write-up gives no date for the update."""

BEGINS, ENDS = at(24, 0), at(27, 22)
"""What is played: two days before the change, to compare with, and both days. All days before are alike."""

# Hours and minutes with the sessions of that minute; straight lines between them. Clinics work before and after noon.
_ORDINARY: Final = (
    *((0, 0, 600), (6, 0, 900), (7, 30, 6_000), (8, 30, 24_000), (9, 0, 38_000), (9, 30, 47_000), (9, 40, 48_000)),
    *((10, 30, 45_000), (11, 30, 40_000), (12, 30, 26_000), (13, 30, 20_000), (14, 0, 36_000), (14, 47, 47_500)),
    *((15, 30, 44_000), (17, 0, 34_000), (18, 0, 18_000), (19, 0, 8_000), (22, 0, 1_500), (24, 0, 600)),
)
_26TH: Final = (
    *((0, 0, 600), (6, 0, 900), (7, 30, 6_000), (8, 30, 25_000), (9, 0, 40_000), (9, 29, 50_400), (9, 30, 50_600)),
    *((9, 36, 52_000), (9, 42, 50_600), (9, 43, 50_400), (10, 30, 46_000), (11, 30, 40_000), (12, 30, 26_000)),
    *((13, 30, 20_000), (14, 0, 36_000), (14, 46, 50_300), (14, 47, 50_600), (14, 48, 50_300), (15, 30, 45_000)),
    *((17, 0, 34_000), (18, 0, 18_000), (19, 0, 8_000), (22, 0, 1_500), (24, 0, 600)),
)
_27TH: Final = (
    *((0, 0, 600), (6, 0, 900), (7, 30, 6_000), (8, 30, 24_000), (9, 0, 39_000), (9, 30, 50_000), (9, 45, 50_300)),
    *((10, 30, 46_000), (11, 30, 40_000), (12, 30, 26_000), (13, 15, 22_000), (13, 59, 50_300), (14, 0, 50_600)),
    *((14, 40, 53_000), (14, 55, 49_000), (15, 20, 49_500), (15, 45, 52_500), (16, 10, 50_000), (16, 40, 49_800)),
    *((17, 10, 53_500), (17, 35, 50_200), (17, 59, 50_600), (18, 0, 50_300), (19, 0, 12_000), (22, 0, 1_500)),
    (24, 0, 600),
)


def sessions(moment: datetime) -> int:
    """Open sessions in the minute that begins then."""
    midnight = moment.replace(hour=0, minute=0)
    points = {(26, 3): _26TH, (27, 3): _27TH}.get((moment.day, moment.month), _ORDINARY)
    return _curve(points)[(moment - midnight) // MINUTE]


def minutes(begins: datetime = BEGINS, ends: datetime = ENDS) -> Iterator[datetime]:
    """Every minute of a time."""
    for number in range((ends - begins) // MINUTE):
        yield begins + number * MINUTE


@cache
def _curve(points: tuple[tuple[int, int, int], ...]) -> tuple[int, ...]:
    times = [60 * hour + minute for hour, minute, _ in points]
    values = [count for *_, count in points]
    found = []
    for minute in range(24 * 60):
        after = bisect_right(times, minute)
        begins, ends, low, high = times[after - 1], times[after], values[after - 1], values[after]
        found.append(low + (high - low) * (minute - begins) // (ends - begins))
    return tuple(found)
