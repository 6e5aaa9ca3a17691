"""Sockets of a release beside those before it (lesson W1): pure arithmetic and its properties."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.sockets.runtime.comparison import (
    DAY,
    HELD_AT_ONCE,
    PERIOD,
    Calm,
    Comparison,
    Floor,
    Sample,
    compare,
)
from tests.services.sockets.runtime.days import (
    BY_DAY,
    MONDAY,
    NIGHT,
    by_day,
    calm,
    days,
    steady,
    task,
    waiting,
    week_before,
)

SETTLED = NIGHT + timedelta(minutes=15)
LOW = Floor(requests=1, sockets=0, minutes=5)


def first_known(samples: dict[datetime, Sample], until: datetime, floor: Floor = Floor()) -> datetime | None:  # noqa: B008
    """When the first comparison of what was released at ``NIGHT`` is there."""
    at = SETTLED
    while at <= until:
        known = {time: one for time, one in samples.items() if time < at}
        if compare(known, after=calm(SETTLED, at), before=week_before(NIGHT), floor=floor):
            return at
        at += PERIOD
    return None


def beside(before: Sample, after: Sample) -> Comparison:
    """One period of each day."""
    samples = {NIGHT - DAY: before, NIGHT: after}
    said = compare(samples, after=calm(NIGHT, NIGHT + PERIOD), before=week_before(NIGHT), floor=LOW)
    assert said is not None
    return said


def at(hours: float, *, each: float = 2, idle: float = 40) -> Comparison | None:
    """What is said so many hours after midnight of the day after the release, which doubles ``each``."""
    now = MONDAY + DAY + timedelta(hours=hours)
    samples = {**days(NIGHT - 7 * DAY, NIGHT), **days(SETTLED, now, each=each, idle=idle)}
    return compare(samples, after=calm(SETTLED, now), before=week_before(NIGHT))


# ------------------------------------------------------------ before: what one would do first


def test_before_all_sockets_by_all_requests_call_more_tasks_a_fault() -> None:
    """Twice the tasks, the same traffic and program: idle connections double, and the naive ratio nearly so."""
    requests, idle, each = 10, 200, 1
    two_tasks, four_tasks = 2 * idle + each * 2 * requests, 4 * idle + each * 2 * requests
    assert four_tasks / two_tasks > 1.5
    before, after = task(requests, idle=idle), task(requests / 2, idle=idle)
    samples = {NIGHT - DAY: before, NIGHT: after}
    said = compare(samples, after=calm(NIGHT, NIGHT + PERIOD), before=week_before(NIGHT), floor=LOW)
    assert said is not None
    assert said.change == pytest.approx(205 / 210)


def test_before_the_hours_around_a_release_call_the_night_a_fault() -> None:
    """From nine in the evening to one in the night, traffic falls to a seventh, and sockets per request rise by it."""
    evening, night = task(BY_DAY[21]), task(BY_DAY[1])
    assert (night.sockets / night.requests) / (evening.sockets / evening.requests) > 5
    now = MONDAY + DAY + timedelta(hours=2)
    samples = days(NIGHT - 7 * DAY, now)
    said = compare(samples, after=calm(SETTLED, now), before=week_before(NIGHT), floor=Floor(requests=100))
    assert said is not None
    assert said.change == pytest.approx(1)


def test_before_an_alarm_on_ports_is_silent_at_night() -> None:
    """At two in the night twice the sockets per request are 44 of 28,232 ports: nothing to see, and all to know."""
    assert task(BY_DAY[2], each=2).sockets == 44


@pytest.mark.parametrize(("seconds", "rise"), [(1, 80 / 44), (3, 160 / 44)])
def test_before_a_slow_dependency_was_called_a_release_s_fault(seconds: float, rise: float) -> None:
    """20 requests a second that take 0.1 s hold 4 sockets beside 40; of 1 s they hold 40. After, that is explained."""
    said = beside(waiting(1200, 0.1), waiting(1200, seconds))
    assert said.rise == pytest.approx(rise)
    assert said.rise > 1.5
    assert said.change == pytest.approx(1)


# ------------------------------------------------------------ after


def test_after_a_doubling_is_told_in_the_morning_long_before_the_peak() -> None:
    """Released at 22:00; told at 07:15, at a seventh of the peak's traffic: in 25 minutes 1,000 requests, 1.5 times."""
    found = [hours for hours in (h / 4 for h in range(48)) if (said := at(hours)) and said.change >= 1.5]
    assert found[0] == 7.25
    assert BY_DAY[7] * 6 < max(BY_DAY)


def test_after_at_night_idle_connections_hide_what_the_morning_shows() -> None:
    """The reason for the same hours, and for waiting: of 42 sockets at two in the night 40 are idle."""
    night, morning = at(5.5), at(10)
    assert night is not None
    assert night.change < 1.2
    assert morning is not None
    assert morning.change == pytest.approx((40 + 2 * 400) / (40 + 400))


def test_after_an_unchanged_release_is_as_before_all_day() -> None:
    """The same traffic and the same program: 1, at every hour that has enough of it."""
    said = [found for hours in range(24) if (found := at(hours, each=1))]
    assert len(said) > 18
    assert [one.change for one in said] == pytest.approx([1.0] * len(said))


def test_the_numbers_of_a_comparison_by_hand() -> None:
    """Three periods a day apart: 100 requests and 10 sockets before, 150 and 30 after."""
    before = {NIGHT - DAY + n * PERIOD: Sample(sockets=10, requests=100) for n in range(3)}
    after = {NIGHT + n * PERIOD: Sample(sockets=30, requests=150) for n in range(3)}
    said = compare(
        {**before, **after},
        after=calm(NIGHT, NIGHT + 3 * PERIOD),
        before=week_before(NIGHT),
        floor=Floor(requests=300),
    )
    assert said == Comparison(
        before=Sample(sockets=150, requests=300),
        after=Sample(sockets=450, requests=450),
        begins=NIGHT,
        ends=NIGHT + timedelta(minutes=15),
        days=1,
    )
    assert (said.sockets, said.traffic, said.per_request, said.change) == (3, 1.5, 2, 2)


def test_with_less_traffic_the_sockets_themselves_are_compared() -> None:
    """A tenth of the requests and as many sockets: ten times a request, and yet no more than before."""
    samples = {NIGHT - DAY: Sample(sockets=50, requests=1000), NIGHT: Sample(sockets=50, requests=100)}
    said = compare(samples, after=calm(NIGHT, NIGHT + PERIOD), before=week_before(NIGHT), floor=LOW)
    assert said is not None
    assert (said.per_request, said.change) == (10, 1)


# ------------------------------------------------------------ what response times explain


def test_what_a_response_time_explains_by_hand() -> None:
    """From 0.1 to 1.1 s, 20 a second: 20 more at once, with four sockets each 80; 120 came, so 40 are the release's."""
    said = beside(waiting(1200, 0.1), waiting(1200, 1.1, idle=40 + 80))
    assert said.explained == pytest.approx(5 * 80)
    assert said.change == pytest.approx((44 + 40) / 44)


def test_no_more_is_explained_than_requests_at_once_can_hold() -> None:
    """From 10 to 20 ms, 0.2 requests more at once: at most one socket. That 44 leaked is told all the same."""
    said = beside(waiting(1200, 0.01), waiting(1200, 0.02, idle=40 + 44))
    assert said.explained == pytest.approx(5 * 0.8)
    assert said.change > 2


def test_no_more_is_explained_than_all_sockets_before_leave_room_for() -> None:
    """100 requests at once with 100 sockets: one each at most, so twice the time explains 100, though 300 came.

    Those in TIME_WAIT leave no room: no request waits on them.
    """
    said = beside(waiting(1200, 5, idle=0, each=1, held=1), waiting(1200, 10, idle=200, each=1, held=1))
    assert said.explained == pytest.approx(5 * 100)
    assert said.change == pytest.approx(1500 / 1300)


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (waiting(2400, 0.6, idle=40 + 100), (188 - 80) / 2 / 44),
        (waiting(600, 1.1, idle=40 + 80), (142 - 40) / 44),
    ],
)
def test_what_is_explained_is_taken_out_of_the_smaller_ratio(after: Sample, change: float) -> None:
    """Twice the traffic, 20 requests more at once: 80 of 188, by request. Half of it, 10 more: 40 of 142, by task."""
    said = beside(waiting(1200, 0.1), after)
    assert said.change == pytest.approx(change)


def test_sockets_in_time_wait_are_never_explained() -> None:
    """They stay for a minute, however long the request took: a database that hangs does not hide W1's fault."""
    said = beside(waiting(1200, 0.1), waiting(1200, 15, idle=40, each=1, held=0))
    assert said.explained == 0
    assert said.change == said.rise > 20


def test_a_shorter_response_time_counts_for_nothing() -> None:
    """A release that answers faster and opens more is told; nothing is added either."""
    said = beside(waiting(1200, 1), waiting(1200, 0.1, each=0.2))
    assert said.explained == 0
    assert said.change == said.rise


@pytest.mark.parametrize("unknown", [{"answered": 0.0, "waited": 0.0}, {"waited": 0.0}])
@pytest.mark.parametrize("side", ["before", "after", "both"])
def test_an_unknown_response_time_leaves_the_change_as_it_is(side: str, unknown: dict[str, float]) -> None:
    """Of one day, or of both: all that came counts, as if nothing were read."""
    before, after = waiting(1200, 0.1), waiting(1200, 1)
    if side != "after":
        before = replace(before, **unknown)
    if side != "before":
        after = replace(after, **unknown)
    said = beside(before, after)
    assert said.explained == 0
    assert said.change == said.rise == pytest.approx(80 / 44)


def test_periods_whose_response_time_is_unknown_explain_nothing() -> None:
    """Two periods, of which one is told: half of what both would explain."""
    samples = {NIGHT - DAY + n * PERIOD: waiting(1200, 0.1) for n in range(2)}
    samples |= {NIGHT + n * PERIOD: waiting(1200, 1) for n in range(2)}
    samples[NIGHT] = replace(samples[NIGHT], answered=0, waited=0)
    hours = calm(NIGHT, NIGHT + 2 * PERIOD)
    said = compare(samples, after=hours, before=week_before(NIGHT), floor=Floor(minutes=10))
    assert said is not None
    assert said.explained == pytest.approx(5 * 4 * 18)
    assert said.after.response_seconds == 1


# ------------------------------------------------------------ which hours

FEW = {NIGHT - DAY + n * PERIOD: Sample(sockets=30, requests=400) for n in range(3)}
SAME = {NIGHT + n * PERIOD: Sample(sockets=30, requests=400) for n in range(3)}
HOURS = calm(NIGHT, NIGHT + 3 * PERIOD)


@pytest.mark.parametrize(
    ("floor", "known"),
    [
        (Floor(requests=1200), True),
        (Floor(requests=1201), False),
        (Floor(sockets=30), True),
        (Floor(sockets=30.1), False),
        (Floor(minutes=15), True),
        (Floor(minutes=16), False),
    ],
)
def test_less_than_the_floor_is_not_known(floor: Floor, known: bool) -> None:
    """Requests, sockets and minutes, each at its edge."""
    assert (compare({**FEW, **SAME}, after=HOURS, before=week_before(NIGHT), floor=floor) is not None) == known


@pytest.mark.parametrize("side", [FEW, SAME])
def test_both_sides_need_the_requests(side: dict[datetime, Sample]) -> None:
    """Little traffic on one of the two days is too little."""
    fewer = {when: Sample(sockets=30, requests=300) for when in side}
    assert compare({**FEW, **SAME, **fewer}, after=HOURS, before=week_before(NIGHT)) is None


def test_few_sockets_before_are_no_reason_to_wait() -> None:
    """From 2 to 30 is fifteen times as many; but from none nobody can say how many times."""
    for sockets, change in ((2, 15), (0, None)):
        was = {when: Sample(sockets=sockets, requests=400) for when in FEW}
        said = compare({**was, **SAME}, after=HOURS, before=week_before(NIGHT))
        assert (said.change if said else None) == change


def test_a_period_without_its_counterpart_does_not_count() -> None:
    """The agent was away for five minutes of yesterday: the same five of today are left out too."""
    samples = {**days(NIGHT - DAY, NIGHT, steady(100)), **days(NIGHT, NIGHT + timedelta(hours=1), steady(100))}
    hole = NIGHT - DAY + timedelta(minutes=50)
    samples[hole + DAY] = Sample(sockets=10_000, requests=500)
    del samples[hole]
    hour = calm(NIGHT, NIGHT + timedelta(hours=1))
    said = compare(samples, after=hour, before=week_before(NIGHT))
    assert said is not None
    assert said.change == 1
    assert said.begins == NIGHT + timedelta(minutes=40)


def test_only_calm_times_count() -> None:
    """While a deployment goes on nobody knows whose sockets they are, before as after."""
    samples = days(NIGHT - DAY, NIGHT + timedelta(hours=2), steady(100))
    rush = {when: Sample(sockets=9999, requests=1) for when in samples if NIGHT <= when < NIGHT + timedelta(hours=1)}
    two_hours = NIGHT + timedelta(hours=2)
    said = compare(
        {**samples, **rush},
        after=[
            *calm(NIGHT - timedelta(hours=9), NIGHT - timedelta(hours=8)),
            *calm(NIGHT + timedelta(hours=1), two_hours),
        ],
        before=calm(NIGHT - DAY + timedelta(hours=1), NIGHT),
    )
    assert said is not None
    assert (said.change, said.begins) == (1, two_hours - timedelta(minutes=15))
    assert compare(samples, after=calm(NIGHT, two_hours), before=calm(NIGHT - 3 * DAY, NIGHT - 2 * DAY)) is None


def test_a_sample_must_lie_within_a_calm_time_as_a_whole() -> None:
    """One that ends a second after it does not."""
    time = Calm(begins=NIGHT, ends=NIGHT + 2 * PERIOD - timedelta(seconds=1))
    assert [time.holds(NIGHT + shift) for shift in (-timedelta(seconds=1), PERIOD * 0, PERIOD)] == [False, True, False]


def test_the_newest_hours_are_told_and_not_the_whole_night() -> None:
    """A change that the morning shows is not thinned by hours of idle connections."""
    said = at(10)
    assert said is not None
    assert (said.ends, said.ends - said.begins) == (MONDAY + DAY + timedelta(hours=10), timedelta(minutes=15))


def test_a_day_at_most_is_added_up() -> None:
    """What is older than a day says nothing about now."""
    for hours, known in ((24, True), (25, False)):
        end = NIGHT + timedelta(hours=hours)
        samples = days(NIGHT - 7 * DAY, end, lambda when: 100 if when < NIGHT + timedelta(minutes=15) else 0)
        rare = {when: Sample(sockets=0, requests=0) for when in samples if when >= NIGHT + timedelta(minutes=15)}
        said = compare({**samples, **rare}, after=calm(NIGHT, end), before=week_before(NIGHT), floor=Floor(sockets=0))
        assert (said is not None) == known


def test_the_day_whose_traffic_was_nearest_is_taken() -> None:
    """A Monday is compared with a Monday, though Sunday is nearer in time."""
    sunday = MONDAY + 6 * DAY
    quiet = lambda when: 20 if when.weekday() == 6 else 200  # noqa: E731
    samples = days(MONDAY, sunday + 3 * DAY, quiet)
    monday = sunday + DAY
    said = compare(samples, after=calm(monday, monday + timedelta(hours=1)), before=calm(MONDAY, monday))
    assert said is not None
    assert (said.days, said.traffic) == (2, 1)
    assert compare(samples, after=calm(monday, monday + timedelta(hours=1)), before=calm(sunday, monday)) is not None


@pytest.mark.parametrize("before", [[], calm(NIGHT, NIGHT + PERIOD), calm(NIGHT - timedelta(hours=3), NIGHT)])
def test_without_the_same_hours_before_nothing_is_known(before: list[Calm]) -> None:
    """The first release ever, or one hours after another."""
    assert compare({**FEW, **SAME}, after=HOURS, before=before) is None


def test_without_samples_nothing_is_known() -> None:
    """The agent does not run, or does not run yet."""
    assert compare({}, after=HOURS, before=week_before(NIGHT)) is None
    assert compare(FEW, after=HOURS, before=week_before(NIGHT)) is None


# ------------------------------------------------------------ properties

RATES = st.floats(min_value=0, max_value=1000)
CURVES = st.lists(st.tuples(RATES, RATES, st.floats(min_value=0, max_value=500)), min_size=3, max_size=40)


@given(curve=CURVES, each=st.floats(min_value=0, max_value=50))
def test_no_change_is_never_an_alarm_whatever_the_traffic(curve: list[tuple[float, float, float]], each: float) -> None:
    """Requests of each day at will, idle connections by the hour at will, tasks at will: 1 at most (our model)."""
    samples = {}
    for number, (before, after, idle) in enumerate(curve):
        samples[NIGHT - DAY + number * PERIOD] = task(before, idle=idle, each=each)
        samples[NIGHT + number * PERIOD] = task(after, idle=idle, each=each)
    hours = calm(NIGHT, NIGHT + len(curve) * PERIOD)
    said = compare(samples, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW)
    assert said is None or said.change <= 1 + 1e-9


SECONDS = st.floats(min_value=0.001, max_value=60)
SLOWER = st.lists(
    st.tuples(RATES, RATES, st.floats(min_value=0, max_value=500), SECONDS, SECONDS), min_size=3, max_size=40
)


@given(
    curve=SLOWER,
    each=st.floats(min_value=0, max_value=50),
    held=st.floats(min_value=0, max_value=HELD_AT_ONCE),
)
def test_a_longer_response_time_alone_is_never_an_alarm_whatever_the_traffic(
    curve: list[tuple[float, float, float, float, float]], each: float, held: float
) -> None:
    """Traffic, idle connections and response times at will, with four sockets a waiting request at most: our model."""
    samples = {}
    for number, (before, after, idle, quick, slow) in enumerate(curve):
        model = partial(waiting, idle=idle, each=each, held=held)
        samples[NIGHT - DAY + number * PERIOD] = model(before, quick)
        samples[NIGHT + number * PERIOD] = model(after, slow)
    hours = calm(NIGHT, NIGHT + len(curve) * PERIOD)
    said = compare(samples, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW)
    assert said is None or said.change <= 1 + 1e-6


@given(
    curve=st.lists(st.tuples(RATES, RATES, SECONDS), min_size=3, max_size=40),
    idle=st.floats(min_value=0, max_value=500),
    each=st.floats(min_value=0.001, max_value=50),
    held=st.floats(min_value=0, max_value=10),
    times=st.floats(min_value=1, max_value=5),
)
def test_with_a_response_time_that_is_alike_all_is_told_as_without_one(
    curve: list[tuple[float, float, float]], idle: float, each: float, held: float, times: float
) -> None:
    """So many times the connections, the same seconds on all days: the same change, as soon, as if none were read."""
    seconds = curve[0][2]
    samples = {}
    for number, (before, after, _) in enumerate(curve):
        samples[NIGHT - DAY + number * PERIOD] = waiting(before, seconds, idle=idle, each=each, held=held)
        more = waiting(after, seconds, idle=times * idle, each=times * each, held=times * held)
        samples[NIGHT + number * PERIOD] = more
    bare = {when: replace(one, answered=0, waited=0) for when, one in samples.items()}
    hours = calm(NIGHT, NIGHT + len(curve) * PERIOD)
    said, without = (compare(some, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW) for some in (samples, bare))
    assert (said is None) == (without is None)
    if said and without:
        assert (said.begins, said.days) == (without.begins, without.days)
        assert said.change == pytest.approx(without.change)


@given(
    curve=SLOWER,
    each=st.floats(min_value=0, max_value=50),
    untold=st.sampled_from(["before", "after", "both"]),
)
def test_without_a_response_time_the_change_is_that_of_sockets_and_requests_alone(
    curve: list[tuple[float, float, float, float, float]], each: float, untold: str
) -> None:
    """No data on one side or on both: as before response times were read."""
    samples = {}
    for number, (before, after, idle, quick, slow) in enumerate(curve):
        samples[NIGHT - DAY + number * PERIOD] = waiting(before, quick, idle=idle, each=each)
        samples[NIGHT + number * PERIOD] = waiting(after, slow, idle=idle, each=each)
    told = {
        when: replace(one, answered=0, waited=0) if untold in ("both", "before" if when < NIGHT else "after") else one
        for when, one in samples.items()
    }
    hours = calm(NIGHT, NIGHT + len(curve) * PERIOD)
    said = compare(told, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW)
    assert said is None or said.change == said.rise == min(said.per_request, said.sockets)


@given(
    curve=st.lists(RATES, min_size=3, max_size=40),
    growth=st.floats(min_value=1, max_value=20),
    idle=st.floats(min_value=0, max_value=500),
    each=st.floats(min_value=0.001, max_value=50),
)
def test_a_doubling_of_everything_is_two_whatever_the_traffic_of_both_days(
    curve: list[float], growth: float, idle: float, each: float
) -> None:
    """At the same traffic exactly 2; with more of it, 2 as soon as idle connections do not matter."""
    samples = {}
    for number, rate in enumerate(curve):
        samples[NIGHT - DAY + number * PERIOD] = task(rate, idle=idle, each=each)
        samples[NIGHT + number * PERIOD] = task(rate, idle=2 * idle, each=2 * each)
    hours = calm(NIGHT, NIGHT + len(curve) * PERIOD)
    said = compare(samples, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW)
    assert said is None or said.change == pytest.approx(2)
    busier = {NIGHT + number * PERIOD: task(rate * growth, idle=0, each=2 * each) for number, rate in enumerate(curve)}
    bare = {NIGHT - DAY + number * PERIOD: task(rate, idle=0, each=each) for number, rate in enumerate(curve)}
    said = compare({**bare, **busier}, after=hours, before=calm(NIGHT - DAY, NIGHT), floor=LOW)
    assert said is None or said.change == pytest.approx(2)


@given(rate=st.integers(min_value=1, max_value=500), sockets=st.integers(min_value=20, max_value=5000))
def test_it_tells_as_soon_as_the_floor_is_reached(rate: int, sockets: int) -> None:
    """Fifteen minutes, or a thousand requests of a task, whatever takes longer; in whole periods."""
    idle = sockets - rate * 0.01
    minutes = max(15, -(-1000 // (5 * rate)) * 5)
    samples = {
        **days(NIGHT - 2 * DAY, NIGHT, steady(rate), idle=idle, each=0.01),
        **days(SETTLED, SETTLED + DAY, steady(rate), idle=2 * idle, each=0.02),
    }
    known = SETTLED + timedelta(minutes=minutes)
    for end, expected in ((known, True), (known - PERIOD, False)):
        told = {when: one for when, one in samples.items() if when < end}
        said = compare(told, after=calm(SETTLED, end), before=week_before(NIGHT))
        assert (said is not None) == expected
        assert said is None or said.change == pytest.approx(2)


@pytest.mark.parametrize(
    ("requests_a_minute", "minutes"),
    [(400, 15), (100, 15), (50, 20), (20, 50), (10, 100), (5, 200), (2, 500), (1, 1000)],
)
def test_the_table_of_the_docs(requests_a_minute: int, minutes: int) -> None:
    """How long after the deployment has settled the first comparison is there, by the requests of one task."""
    samples = days(NIGHT - 2 * DAY, SETTLED + DAY, steady(requests_a_minute))
    assert first_known(samples, SETTLED + DAY) == SETTLED + timedelta(minutes=minutes)


def test_so_little_traffic_that_a_day_is_not_enough_is_never_known() -> None:
    """A request every two minutes."""
    samples = days(NIGHT - 2 * DAY, SETTLED + 2 * DAY, steady(0.5))
    assert first_known(samples, SETTLED + timedelta(hours=30)) is None


def test_chance_alone_makes_no_alarm_at_the_floor() -> None:
    """Twenty sockets, a thousand requests, all at random: of 2,000 comparisons none reaches 1.5 (our model)."""
    dice = random.Random(7)  # noqa: S311  (no secret)

    def some(mean: float) -> float:
        return max(0.0, dice.gauss(mean, mean**0.5))

    def period() -> Sample:
        minutes = [some(20) for _ in range(5)]
        return Sample(sockets=sum(minutes) / 5, requests=some(334))

    most = 0.0
    for _ in range(2000):
        samples = {start + n * PERIOD: period() for start in (NIGHT - DAY, NIGHT) for n in range(4)}
        said = compare(
            samples, after=calm(NIGHT, NIGHT + 4 * PERIOD), before=week_before(NIGHT), floor=Floor(sockets=15)
        )
        most = max(most, said.change if said else 0)
    assert 1 < most < 1.5


def test_the_model_s_day_has_its_peak_in_the_morning() -> None:
    """What the tests above stand on."""
    assert by_day(MONDAY + timedelta(hours=10)) == 400
    assert by_day(NIGHT) == 6
