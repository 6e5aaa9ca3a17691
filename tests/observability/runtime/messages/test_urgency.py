"""When a notice becomes a page, and when a page wakes nobody again (lesson W5)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.observability.runtime.messages.classify import classify
from constructs_lib.observability.runtime.messages.kinds import Kind
from constructs_lib.observability.runtime.messages.urgency import beside_an_alarm, most_within, with_others
from tests.observability.runtime.messages.world import PLACE, START
from tests.observability.sample_events import sample

MINUTE = timedelta(minutes=1)


def kind(name: str) -> Kind:
    """The kind of a sample."""
    found = classify(sample(name), PLACE)
    assert found is not None
    return found


def test_the_third_task_pages() -> None:
    """Two may be chance."""
    once = kind("task-stopped-exit")
    assert with_others(once, 1) == once
    assert with_others(once, 2) == once
    assert with_others(once, 3).severity == "page"
    assert with_others(once, 3).sentence.endswith("3 tasks did so within 30 minutes.")


def test_an_unknown_number_pages() -> None:
    """For a worker the message is the only page, so a memory that is down must not make it silent."""
    unknown = with_others(kind("task-stopped-exit"), None)
    assert (unknown.severity, unknown.pages_at) == ("page", 3)
    assert unknown.sentence.endswith("cannot be read now.")
    assert with_others(kind("deployment-failed"), None).severity == "notice"


def test_a_component_whose_alarm_is_red_is_awake_already() -> None:
    """Within the hour; later somebody may have gone back to bed."""
    page, now = kind("task-stopped-image-gone"), START
    beside = beside_an_alarm(page, "shop/staging/web/degraded", now - 59 * MINUTE, now)
    assert beside.severity == "notice"
    assert "shop/staging/web/degraded has paged" in beside.sentence
    assert beside_an_alarm(page, "a", now - 61 * MINUTE, now) == page
    assert beside_an_alarm(page, "a", None, now) == page
    notice = kind("deployment-failed")
    assert beside_an_alarm(notice, "a", now, now) == notice


def test_three_within_half_an_hour_count_in_any_order() -> None:
    """The last event to come may be the first that happened, or the one between."""
    times = [START, START + 10 * MINUTE, START + 20 * MINUTE]
    assert [most_within(times, at) for at in times] == [3, 3, 3]


def test_an_hour_of_one_each_quarter_is_no_three() -> None:
    """What is before and after within half an hour each is not one half hour."""
    times = [START - 29 * MINUTE, START, START + 29 * MINUTE]
    assert most_within(times, START) == 2
    assert most_within([START - 31 * MINUTE, START], START) == 1
    assert most_within([], START) == 1


def test_three_in_the_same_second_are_three() -> None:
    """Tasks that were started together end together."""
    assert most_within([START, START, START], START) == 3


@given(st.lists(st.integers(-60, 60), max_size=8))
def test_never_fewer_than_itself_never_more_than_all(offsets: list[int]) -> None:
    """Whatever the times."""
    times = [START + offset * MINUTE for offset in offsets]
    assert 1 <= most_within(times, START) <= len([*times, START])
