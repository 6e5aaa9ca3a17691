"""Whether a release opens more sockets than an earlier one (lesson W1). Pure: no AWS, no clock. Standard library only.

Both numbers are those of one task: the sockets that it has on average, and the requests that it gets. What is told is
the smaller of two ratios, each after by before:

- sockets per request: what one request costs;
- sockets: how many there are.

**Why both.** A task that behaves as before has ``idle + k x requests`` sockets. With fewer requests than before, each
bears more of the idle ones, so sockets per request rise by themselves; with more requests, sockets do. Never both: for
sums over the same hours of the day, in which the idle ones are alike, the smaller ratio of an unchanged task is 1 at
most, whatever its traffic and however many tasks there are. That is our model of a task, and no fact about AWS.

**What response times explain.** A request that waits longer holds its sockets longer, though no release is at fault.
By Little's law rate x response time requests wait at once, so the model has a third part: ``h x rate x response time``.
What ``k`` counts is in TIME_WAIT for 60 seconds, however long the request took. Of a rise that is taken out which the
longer response time can explain: ``h`` x rate x the difference. ``h`` is not known, and taken as :data:`HELD_AT_ONCE`,
or as what the sockets before leave room for, if that is less; and no more is taken out than came to the sockets that
are not in TIME_WAIT. For an unchanged task with no larger ``h`` the result is 1 at most, however long requests wait.

**Why the same hours.** At night the connections that a load balancer keeps open weigh more than at noon.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

PERIOD: Final = timedelta(minutes=5)
"""The length of one sample; CloudWatch keeps those of five minutes for 63 days, and shorter ones for 15."""

DAY: Final = timedelta(days=1)

COMPARED_FOR: Final = timedelta(days=7)
"""A release is compared until it has seen each day of the week. Then it is what later ones are compared with."""

LOOKS_BACK: Final = timedelta(days=7)
"""Of what ran before a release, so much is looked at: as the first, each day of the week."""

LONGEST: Final = timedelta(days=1)
"""So far back the newest samples are added up until there is enough traffic."""


HELD_AT_ONCE: Final = 4
"""So many sockets one waiting request may hold: the load balancer's, and those to three that it waits for. Our guess: a
larger number forgives a release more while something is slow, and with a smaller one a dependency's fault pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One task in one period (lesson W1).

    Args:
        sockets: how many sockets it has, on average.
        requests: how many requests it gets.
        time_wait: how many of the sockets are in TIME_WAIT; 0 by default.
        answered: how many of the requests have a response time that is known; 0 by default.
        waited: seconds that those took, all together; 0 by default.
    """

    sockets: float
    requests: float
    time_wait: float = 0
    answered: float = 0
    waited: float = 0

    @property
    def response_seconds(self) -> float | None:
        """How long a request took on average; ``None``: not known. A load balancer tells no time of zero."""
        return self.waited / self.answered if self.answered and self.waited else None

    @property
    def not_closed(self) -> float:
        """The sockets that are not in TIME_WAIT."""
        return self.sockets - self.time_wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """A time in which nothing was deployed (lesson W1).

    Args:
        begins: from then on, tasks of one image and no others.
        ends: until then.
    """

    begins: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the sample that begins then lies within it."""
        return self.begins <= at and at + PERIOD <= self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """How much traffic a comparison needs (lesson W1). Less is not known yet, and never fine.

    Args:
        requests: requests of one task, before and after; 1000 by default: 30 visitors or so, not the whim of one.
        sockets: sockets that a task has on average after the release; 20 by default. Of fewer, chance makes half as
            many again, and no port is in danger.
        minutes: how long, at least; 15 by default.
    """

    requests: float = 1000
    sockets: float = 20
    minutes: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same hours of two days, before a release and after it (lesson W1).

    Args:
        before: sums over the hours before: requests of one task, their seconds, and its sockets by the minute.
        after: the same after.
        begins: when the hours after begin.
        ends: when they end.
        days: so many days earlier were the hours before.
    """

    before: Sample
    after: Sample
    begins: datetime
    ends: datetime
    days: int

    @property
    def per_request(self) -> float:
        """Sockets per request, after by before."""
        return self.sockets / self.traffic

    @property
    def sockets(self) -> float:
        """Sockets of one task, after by before."""
        return self.after.sockets / self.before.sockets

    @property
    def traffic(self) -> float:
        """Requests of one task, after by before."""
        return self.after.requests / self.before.requests

    @property
    def explained(self) -> float:
        """Socket minutes after the release that a longer response time explains; 0 when one side's is not known."""
        seconds = self.before.response_seconds
        if seconds is None:
            return 0.0
        at_once_before = self.before.waited / 60
        # When the time after it is not known, nothing is known to have waited.
        more_at_once = (self.after.waited - self.after.answered * seconds) / 60
        held = min(HELD_AT_ONCE, self.before.not_closed / at_once_before)
        came = self.after.not_closed - self.before.not_closed
        return max(0.0, min(held * more_at_once, came))

    @property
    def rise(self) -> float:
        """How much more sockets there are, whatever the reason: 1 is as before, or fewer; 2 is twice as many."""
        return min(self.per_request, self.sockets)

    @property
    def change(self) -> float:
        """How much more a release opens: the rise without what response times explain."""
        return self.rise - self.explained / self.before.sockets / max(1.0, self.traffic)


def compare(
    samples: Mapping[datetime, Sample],
    *,
    after: Sequence[Calm],
    before: Sequence[Calm],
    floor: Floor = Floor(),
) -> Comparison | None:
    """The newest hours of a release, and the same hours of an earlier one.

    The newest samples are added up until both days have the floor's traffic, so that the answer is about now and not
    about the whole night. A sample counts only with its counterpart: what one of two days has not, neither has.

    Args:
        samples: one task in each period, by when the period begins; those that are not known are left out.
        after: the calm times of the release.
        before: the calm times of the earlier one. Of its days the one whose traffic was nearest is taken, so a Monday
            is compared with a Monday.
        floor: how much traffic is enough.

    Returns:
        The comparison, or ``None`` as long as there is too little traffic on either side.
    """
    newest = [at for at in sorted(samples, reverse=True) if _any_holds(after, at)]
    if not newest or not before:
        return None
    recent = [at for at in newest if newest[0] - at < LONGEST]
    most = (recent[0] - min(time.begins for time in before)) // DAY
    found = [one for days in range(1, most + 1) if (one := _pairs(samples, recent, before, days, floor))]
    return min(found, key=lambda one: (abs(math.log(one.traffic)), one.days), default=None)


def _any_holds(times: Iterable[Calm], at: datetime) -> bool:
    return any(time.holds(at) for time in times)


def _pairs(
    samples: Mapping[datetime, Sample], recent: Sequence[datetime], before: Sequence[Calm], days: int, floor: Floor
) -> Comparison | None:
    """The newest samples and those so many days earlier, until there is enough of both."""
    minutes = PERIOD.seconds // 60
    all_before = all_after = Sample(sockets=0, requests=0)
    count = 0
    for at in recent:
        was = samples.get(at - days * DAY)
        if was is None or not _any_holds(before, at - days * DAY):
            continue
        count += 1
        all_before, all_after = _sum(all_before, was), _sum(all_after, samples[at])
        enough = count * minutes >= floor.minutes and min(all_before.requests, all_after.requests) >= floor.requests
        if enough and all_before.sockets > 0 and all_after.sockets >= floor.sockets * count * minutes:
            return Comparison(before=all_before, after=all_after, begins=at, ends=recent[0] + PERIOD, days=days)
    return None


def _sum(so_far: Sample, one: Sample) -> Sample:
    """With another period; sockets are added up by the minute."""
    minutes = PERIOD.seconds // 60
    return Sample(
        sockets=so_far.sockets + one.sockets * minutes,
        requests=so_far.requests + one.requests,
        time_wait=so_far.time_wait + one.time_wait * minutes,
        answered=so_far.answered + one.answered,
        waited=so_far.waited + one.waited,
    )
