"""What can be said of a service's release now (lesson W1). Pure: no AWS, no clock. Standard library only.

There are four answers: there is nothing to compare; not known yet, with the reason; as before; more sockets. "Not known
yet" is never "as before".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .comparison import (
    COMPARED_FOR,
    DAY,
    LONGEST,
    LOOKS_BACK,
    PERIOD,
    Calm,
    Comparison,
    Floor,
    Sample,
    compare,
)
from .history import SETTLES_AFTER, Release

LATE: Final = timedelta(minutes=5)
"""Metrics come some minutes late; what is newer is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which release is compared, and which samples that needs (lesson W1).

    Args:
        release: what runs.
        after: its calm times of the last day.
        before: what ran before it, the newest first, each with its calm times of the week before the release.
        since: when the first sample begins that is needed.
        until: when the last one ends.
    """

    release: Release
    after: tuple[Calm, ...]
    before: tuple[Release, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What can be said of a service (lesson W1).

    Args:
        why: in words, why there is no comparison; empty when there is one.
        waits: whether a comparison is still to come: a release is new, and not known yet.
        comparison: the comparison, or ``None``.
        image: what runs; empty when nobody knows.
        before: what ran before; empty when nobody knows.
    """

    why: str = ""
    waits: bool = False
    comparison: Comparison | None = None
    image: str = ""
    before: str = ""


def question(releases: Sequence[Release], *, now: datetime) -> Question | Verdict:
    """What to compare, or why there is nothing.

    Args:
        releases: the newest first, as :func:`history.releases` gives them.
        now: the time.
    """
    if not releases or releases[0].began is None:
        return Verdict(why="no deployment of the last weeks has come to a good end", waits=False)
    release, began = releases[0], releases[0].began
    if now - began > COMPARED_FOR:
        days = COMPARED_FOR // DAY
        return Verdict(why=f"released more than {days} days ago: later ones are compared with it", image=release.image)
    until = _whole(min(now - LATE, max((calm.ends for calm in release.calm), default=now)))
    if now - LATE - until >= LONGEST:
        return Verdict(why="for a day or more no deployment has come to a good end", waits=True, image=release.image)
    after = _within(release.calm, until - LONGEST, until)
    if not after:
        minutes = (SETTLES_AFTER + PERIOD + LATE) // timedelta(minutes=1)
        why = f"the deployment must have been over for {minutes} minutes"
        return Verdict(why=why, waits=True, image=release.image)
    oldest = began - LOOKS_BACK
    before = tuple(
        Release(image=one.image, began=one.began, calm=calm)
        for one in releases[1:]
        if (calm := _within(one.calm, oldest, began))
    )
    return Question(release=release, after=after, before=before, since=_whole(oldest), until=until)


def verdict(asked: Question, samples: Mapping[datetime, Sample], *, floor: Floor) -> Verdict:
    """What the samples say.

    Args:
        asked: from :func:`question`.
        samples: one task in each period.
        floor: how much traffic is enough.
    """
    image = asked.release.image
    for one in asked.before:
        found = compare(samples, after=asked.after, before=one.calm, floor=floor)
        if found is not None:
            return Verdict(comparison=found, image=image, before=one.image)
    return Verdict(why=_missing(asked, samples), waits=True, image=image)


def _missing(asked: Question, samples: Mapping[datetime, Sample]) -> str:
    """Which side has nothing to compare."""
    if not any(calm.holds(at) for at in samples for calm in asked.after):
        return "no sockets were measured since the release, or in the last day: is the agent running?"
    if not any(calm.holds(at) for at in samples for one in asked.before for calm in one.calm):
        return "no sockets were measured in the week before the release: it is the first, or the first that is measured"
    return "too little traffic so far, or none at the same hours before the release"


def _within(times: Iterable[Calm], begins: datetime, ends: datetime) -> tuple[Calm, ...]:
    """The parts of the times that lie between two moments and can hold a sample."""
    cut = (Calm(begins=max(one.begins, begins), ends=min(one.ends, ends)) for one in times)
    return tuple(one for one in cut if one.ends - one.begins >= PERIOD)


def _whole(at: datetime) -> datetime:
    """The beginning of the period that a time lies in, as CloudWatch aligns them."""
    return at - timedelta(seconds=at.timestamp() % PERIOD.total_seconds())
