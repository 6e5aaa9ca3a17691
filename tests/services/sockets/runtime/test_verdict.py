"""What is said of a release, and when nothing is (lesson W1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.sockets.runtime.comparison import DAY, Calm, Floor, Sample
from constructs_lib.services.sockets.runtime.history import Release
from constructs_lib.services.sockets.runtime.verdict import Question, Verdict, question, verdict
from tests.services.sockets.runtime.days import NIGHT, days, steady

SETTLED = NIGHT + timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


def release(image: str, begins: datetime, ends: datetime, *more: Calm) -> Release:
    return Release(image=image, began=begins - 15 * MINUTE, calm=(Calm(begins=begins, ends=ends), *more))


OLD = release("old", NIGHT - 20 * DAY, NIGHT - 20 * MINUTE)


def asked(releases: Sequence[Release], now: datetime) -> Question:
    found = question(releases, now=now)
    assert isinstance(found, Question), found
    return found


def refused(releases: Sequence[Release], now: datetime) -> Verdict:
    found = question(releases, now=now)
    assert isinstance(found, Verdict), found
    assert found.comparison is None
    return found


def test_a_new_release_is_asked_about_with_the_week_before_it() -> None:
    """In whole periods, and five minutes late, for metrics come late."""
    now = SETTLED + timedelta(hours=1, minutes=7, seconds=30)
    found = asked([release("new", SETTLED, now), OLD], now)
    assert found.until == SETTLED + timedelta(hours=1)
    assert found.since == NIGHT - 7 * DAY
    assert found.after == (Calm(begins=SETTLED, ends=found.until),)
    week = Calm(begins=NIGHT - 7 * DAY, ends=NIGHT - 20 * MINUTE)
    assert found.before == (Release(image="old", began=OLD.began, calm=(week,)),)


def test_a_release_that_has_not_settled_waits() -> None:
    """Fifteen minutes, a period and the metrics' own delay: 25 minutes after the deployment was over."""
    for minutes, waits in ((24, True), (25, False)):
        now = NIGHT + minutes * MINUTE
        found = question([release("new", SETTLED, max(now, SETTLED + MINUTE)), OLD], now=now)
        assert isinstance(found, Verdict) == waits
    said = refused([Release(image="new", began=NIGHT, calm=()), OLD], NIGHT + MINUTE)
    assert (said.waits, said.image) == (True, "new")
    assert "25 minutes" in said.why


def test_three_calm_minutes_hold_no_sample_and_no_agent_is_blamed() -> None:
    """Samples are of whole five minutes: at 22:28, of what is calm since 22:17, none is there yet."""
    now = SETTLED + 13 * MINUTE
    said = refused([release("new", SETTLED + 2 * MINUTE, now), OLD], now)
    assert "must have been over" in said.why


def test_a_week_later_it_is_compared_no_longer() -> None:
    """To the minute; later ones are compared with it. It is no wait, and no comparison either."""
    for minutes, over in ((0, False), (1, True)):
        now = NIGHT + 7 * DAY + minutes * MINUTE
        found = question([release("new", SETTLED, now), OLD], now=now)
        assert isinstance(found, Verdict) == over
        if isinstance(found, Verdict):
            assert not found.waits
            assert "more than 7 days ago" in found.why


def test_of_a_service_without_a_deployment_there_is_nothing_to_compare() -> None:
    """None is listed, or the only one has not succeeded."""
    for known in ([], [Release(image="", began=None, calm=(Calm(begins=NIGHT - DAY, ends=NIGHT),))]):
        said = refused(known, NIGHT)
        assert not said.waits
        assert "no deployment" in said.why


def test_while_a_deployment_goes_on_the_last_calm_hours_are_told() -> None:
    """So a page does not end because somebody has begun to roll back; after a day it says that nobody knows."""
    ends = SETTLED + timedelta(hours=5)
    new = release("new", SETTLED, ends)
    assert asked([new, OLD], ends + timedelta(hours=3)).until == ends
    said = refused([new, OLD], ends + DAY + 6 * MINUTE)
    assert said.waits
    assert "good end" in said.why


def test_only_the_last_day_of_a_release_is_looked_at() -> None:
    """Older calm times say nothing about now."""
    now = NIGHT + 3 * DAY
    found = asked([release("new", SETTLED, now), OLD], now)
    assert found.after == (Calm(begins=now - 5 * MINUTE - DAY, ends=now - 5 * MINUTE),)


def test_the_newest_earlier_release_with_enough_traffic_is_taken() -> None:
    """One that ran for an hour has no same hours; the one before it has."""
    short = release("short", NIGHT - timedelta(hours=2), NIGHT - timedelta(hours=1))
    older = release("older", NIGHT - 20 * DAY, NIGHT - timedelta(hours=3))
    now = SETTLED + timedelta(hours=2)
    samples = {
        **days(NIGHT - 7 * DAY, NIGHT, steady(100)),
        **days(NIGHT, now, steady(100), each=2, idle=80),
    }
    said = verdict(asked([release("new", SETTLED, now), short, older], now), samples, floor=Floor())
    assert said.comparison is not None
    assert (said.image, said.before, said.comparison.change) == ("new", "older", 2)


def test_the_last_release_comes_first_when_it_has_the_same_hours() -> None:
    """Two days of ``last`` with twice the sockets, then ``new`` with as many: as before, whatever ``older`` had."""
    begins, ends = NIGHT - 2 * DAY, NIGHT - MINUTE
    last, older = release("last", begins, ends), release("older", NIGHT - 9 * DAY, begins - MINUTE)
    now = SETTLED + timedelta(hours=2)
    samples = {
        **days(NIGHT - 7 * DAY, begins, steady(100)),
        **days(begins, now, steady(100), each=2, idle=80),
    }
    said = verdict(asked([release("new", SETTLED, now), last, older], now), samples, floor=Floor())
    assert said.comparison is not None
    assert (said.before, said.comparison.change) == ("last", 1)


def test_after_a_rollback_the_same_image_is_compared_with_itself() -> None:
    """``bad`` ran for a night only, so what is compared is ``good`` with ``good``: 1, and the page is over."""
    bad = release("bad", NIGHT - timedelta(hours=10), NIGHT - timedelta(hours=1))
    good = release("good", NIGHT - 20 * DAY, NIGHT - timedelta(hours=11))
    now = SETTLED + timedelta(hours=1)
    samples = {
        **days(NIGHT - 7 * DAY, NIGHT - timedelta(hours=11), steady(100)),
        **days(NIGHT - timedelta(hours=11), NIGHT, steady(100), each=2, idle=80),
        **days(NIGHT, now, steady(100)),
    }
    said = verdict(asked([release("good", SETTLED, now), bad, good], now), samples, floor=Floor())
    assert said.comparison is not None
    assert (said.before, said.comparison.change) == ("good", 1)


def test_what_is_missing_is_said() -> None:
    """Three reasons, and each waits: not known is never fine."""
    now = SETTLED + timedelta(hours=1)
    found = asked([release("new", SETTLED, now), OLD], now)
    before, after = days(NIGHT - 7 * DAY, NIGHT - DAY / 24), days(SETTLED, now, steady(1))
    for samples, why in (
        (before, "since the release"),
        (after, "in the week before the release"),
        ({**before, **after}, "too little traffic"),
    ):
        said = verdict(found, samples, floor=Floor())
        assert said.waits
        assert said.comparison is None
        assert said.image == "new"
        assert why in said.why


def test_the_floor_is_the_caller_s() -> None:
    """Sixty requests are enough when somebody says so."""
    now = SETTLED + timedelta(hours=1, minutes=5)
    found = asked([release("new", SETTLED, now), OLD], now)
    samples: dict[datetime, Sample] = {**days(NIGHT - DAY, NIGHT, steady(1)), **days(SETTLED, now, steady(1))}
    assert verdict(found, samples, floor=Floor(requests=15)).comparison is not None
    assert verdict(found, samples, floor=Floor()).comparison is None


@given(
    shift=st.integers(min_value=0, max_value=899),
    phase=st.integers(min_value=0, max_value=899),
    rate=st.sampled_from([(100, 15), (50, 20), (10, 100)]),
)
def test_the_table_of_the_docs_whenever_the_deployment_ends_and_the_function_runs(
    shift: int, phase: int, rate: tuple[int, int]
) -> None:
    """By the second of both: 20 to 40 minutes more than what is compared; the alarm's own come on top."""
    requests, compared = rate
    over = NIGHT + timedelta(seconds=shift)
    now = NIGHT + timedelta(seconds=phase)
    samples = {
        **days(NIGHT - DAY, NIGHT, steady(requests)),
        **days(NIGHT, NIGHT + DAY / 4, steady(requests), each=2, idle=80),
    }
    calm_since = over + 15 * MINUTE
    while True:
        new = Release(image="new", began=over, calm=(Calm(begins=calm_since, ends=now),) if calm_since < now else ())
        found = question([new, release("old", NIGHT - 20 * DAY, NIGHT - MINUTE)], now=now) if now > over else None
        if isinstance(found, Question):
            said = verdict(found, samples, floor=Floor())
            if said.comparison:
                break
        now += 15 * MINUTE
    assert said.comparison.change == 2
    assert timedelta(minutes=compared + 20) <= now - over <= timedelta(minutes=compared + 40)
