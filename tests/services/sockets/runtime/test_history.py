"""Releases and calm times by ECS's deployments (lesson W1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.sockets.runtime.comparison import Calm
from constructs_lib.services.sockets.runtime.history import Deployment, Release, releases

DAY = datetime(2026, 3, 24, tzinfo=UTC)
SINCE = DAY - timedelta(days=30)
NOW = DAY + timedelta(hours=20)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def deployment(begins: float, ends: float | None, image: str = "", status: str = "SUCCESSFUL") -> Deployment:
    return Deployment(began=at(begins), ended=None if ends is None else at(ends), status=status, image=image)


def calm(begins: float, ends: float) -> Calm:
    return Calm(begins=at(begins), ends=at(ends))


def of(*known: Deployment) -> list[tuple[str, Sequence[Calm]]]:
    """The newest first, with their calm times."""
    return [(one.image, one.calm) for one in releases(known, since=SINCE, now=NOW)]


BEFORE = ("", (Calm(begins=SINCE, ends=at(1)),))
"""What ran before the first deployment that is known."""


def test_a_release_is_calm_fifteen_minutes_after_it_is_over() -> None:
    """The last old task has drained, and nobody counts its sockets."""
    assert of(deployment(1, 2, "a")) == [("a", (calm(2.25, 20),)), BEFORE]


def test_a_release_began_when_its_deployment_was_over() -> None:
    """Not when it was asked for."""
    found = releases([deployment(1, 2, "a")], since=SINCE, now=NOW)
    assert [one.began for one in found] == [at(2), None]


def test_a_forced_new_deployment_of_the_same_image_is_no_release() -> None:
    """It only interrupts the calm; the release began before it."""
    found = releases([deployment(1, 2, "a"), deployment(5, 6, "a")], since=SINCE, now=NOW)
    assert found[0] == Release(image="a", began=at(2), calm=(calm(2.25, 5), calm(6.25, 20)))
    assert len(found) == 2


def test_going_back_to_an_earlier_image_is_a_release() -> None:
    """It is compared with what it went back from, and what ran before that."""
    found = of(deployment(1, 2, "a"), deployment(5, 6, "b"), deployment(9, 10, "a"))
    assert [image for image, _ in found] == ["a", "b", "a", ""]


def test_two_releases_within_an_hour_leave_no_calm_between_them() -> None:
    """The first has not settled when the second begins."""
    assert of(deployment(1, 1.5, "a"), deployment(1.6, 2, "b")) == [("b", (calm(2.25, 20),)), ("a", ()), BEFORE]


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "STOP_REQUESTED", "ROLLBACK_REQUESTED"])
def test_a_deployment_that_goes_on_ends_the_calm(status: str) -> None:
    """Old and new tasks run side by side."""
    found = of(deployment(1, 2, "a"), deployment(5, None, status=status))
    assert found == [("a", (calm(2.25, 5),)), BEFORE]


def test_a_deployment_that_ecs_rolled_back_is_no_release() -> None:
    """What ran before runs on, and is calm again when the last new task has gone."""
    found = of(deployment(1, 2, "a"), deployment(5, 6, "b", "ROLLBACK_SUCCESSFUL"))
    assert found == [("a", (calm(2.25, 5), calm(6.25, 20))), BEFORE]


@pytest.mark.parametrize("status", ["STOPPED", "ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS", "PAUSED"])
def test_what_came_to_no_good_end_leaves_nobody_knowing_what_runs(status: str) -> None:
    """Nothing is calm until the next one succeeds; neither after a state that is new to us."""
    found = of(deployment(1, 2, "a"), deployment(5, 6, "b", status))
    assert found == [("a", (calm(2.25, 5),)), BEFORE]
    found = of(deployment(1, 2, "a"), deployment(5, 6, "b", status), deployment(8, 9, "b"))
    assert found == [("b", (calm(9.25, 20),)), ("a", (calm(2.25, 5),)), BEFORE]


def test_one_that_another_overtook_ends_after_the_other_began() -> None:
    """Its end is no calm."""
    found = of(deployment(1, 2, "a"), deployment(5, 7, "b", "STOPPED"), deployment(6, 6.5, "c"))
    assert found == [("c", (calm(6.75, 20),)), ("a", (calm(2.25, 5),)), BEFORE]


def test_an_image_that_nobody_knows_is_a_release_of_its_own() -> None:
    """Its revision is too old to be described: rather compare once too often."""
    found = of(deployment(1, 2, ""), deployment(5, 6, ""))
    assert [image for image, _ in found] == ["", "", ""]


def test_before_the_first_deployment_nothing_is_known() -> None:
    """No list, no release; and one whose only deployment goes on has none either."""
    assert releases([], since=SINCE, now=NOW) == ()
    assert [one.began for one in releases([deployment(1, None, status="PENDING")], since=SINCE, now=NOW)] == [None]


def test_a_clock_that_is_behind_ecs_makes_no_calm_in_the_future() -> None:
    """The deployment ended a minute from now."""
    found = releases([deployment(1, 20.01, "a")], since=SINCE, now=NOW)
    assert (found[0].image, found[0].calm) == ("a", ())


STATES = st.sampled_from(["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "STOPPED", "IN_PROGRESS", "ROLLBACK_FAILED"])


@given(
    known=st.lists(
        st.builds(
            lambda begins, length, status, image: deployment(
                begins, None if status == "IN_PROGRESS" else begins + length, image, status
            ),
            st.floats(min_value=0, max_value=19),
            st.floats(min_value=0, max_value=3),
            STATES,
            st.sampled_from(["a", "b", ""]),
        ),
        max_size=8,
    )
)
def test_calm_times_hold_no_deployment_whatever_happened(known: list[Deployment]) -> None:
    """In any order: they do not overlap, none is empty, and no deployment goes on or settles in one."""
    found = releases(known, since=SINCE, now=NOW)
    assert found == releases(reversed(known), since=SINCE, now=NOW) or len({one.began for one in known}) < len(known)
    times = sorted((time for one in found for time in one.calm), key=lambda time: time.begins)
    for time in times:
        assert time.begins < time.ends <= NOW
        assert not any(time.begins < one.began < time.ends for one in known)
    assert all(one.ends <= other.begins for one, other in pairwise(times))
    for one, other in pairwise(found):
        assert one.image != other.image or not one.image
