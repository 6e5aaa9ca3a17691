"""How far a service is behind: what counts as a build, and for how long it has waited (lesson Q5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.delivery.runtime import decision, gap
from constructs_lib.delivery.runtime.gap import SKEW, Build, Gap, UpstreamRelease, measure
from constructs_lib.naming import build_tag

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def digest(number: int) -> str:
    """A digest that is easy to tell from others."""
    return f"sha256:{number:064x}"


def commit(number: int) -> str:
    """A commit id that is easy to tell from others."""
    return f"{number:012x}"


def tag(number: int, *, days_ago: float, environment: str = "staging") -> str:
    """The tag of a build of a commit."""
    return build_tag(environment, NOW - days_ago * DAY, commit(number))


def of(
    running: str,
    images: Mapping[str, Sequence[str]],
    *,
    own_tags: Iterable[str] = (),
    releases: Iterable[UpstreamRelease] = (),
) -> Gap:
    """The gap of production to staging."""
    return measure(
        running=running, own_tags=own_tags, images=images, releases=releases, environment="production", now=NOW
    )


THREE = {digest(n): [tag(n, days_ago=days)] for n, days in ((1, 30), (2, 20), (3, 10))}
"""Three builds of three commits, each ten days after the one before."""


# ------------------------------------------------------------ one rule after the other


def test_after_a_release_that_is_left_alone_falls_behind() -> None:
    """The same digest, a year later: 363 builds wait, the oldest for 363 days. That is a number for an alarm (Q5)."""
    year = {digest(n): [tag(n, days_ago=365 - n)] for n in range(1, 365)}
    assert of(digest(1), {digest(1): [tag(1, days_ago=365)]}).builds == 0
    found = of(digest(1), year)
    assert (found.builds, found.days) == (363, 363)


def test_a_promoted_image_is_behind_what_was_built_after_it() -> None:
    """The first of three runs: two wait, the second for 20 days."""
    found = of(digest(1), THREE)
    assert (found.builds, found.days, found.known) == (2, 20, True)
    assert (found.running, found.newest) == (tag(1, days_ago=30), tag(3, days_ago=10))


def test_the_newest_build_is_not_behind() -> None:
    """Nothing waits, so nothing has waited, whatever else is stored."""
    assert of(digest(3), THREE) == Gap(
        builds=0, days=0, running=tag(3, days_ago=10), newest=tag(3, days_ago=10), ran=0, known=True
    )


def test_before_the_first_release_everything_waits() -> None:
    """The parameter says ``none``; the oldest build has waited from its first day."""
    found = of("none", THREE)
    assert (found.builds, found.days, found.running, found.known) == (3, 30, "none", False)


def test_nothing_waits_where_nothing_was_built() -> None:
    """A new application has no gap, and no newest build."""
    assert of("none", {}) == Gap(builds=0, days=0, running="none", newest="", ran=0, known=False)


def test_a_separately_built_image_finds_its_place_by_its_commit() -> None:
    """Production built commit 2 again yesterday: another digest and a later time, yet commit 3 still waits."""
    found = of(digest(9), THREE, own_tags=[tag(2, days_ago=1, environment="production")])
    assert (found.builds, found.days, found.known) == (1, 10, True)
    assert found.running == tag(2, days_ago=1, environment="production")


def test_a_build_tag_of_one_s_own_does_not_say_when_the_change_was_made() -> None:
    """Staging no longer knows commit 7, and production built it after all of staging's builds: nobody knows."""
    found = of(digest(9), THREE, own_tags=[tag(7, days_ago=1, environment="production")])
    assert (found.builds, found.days, found.known) == (3, 30, False)


def test_an_environment_s_name_may_begin_like_another_s() -> None:
    """``production-2`` is upstream of ``production`` here, and its tags tell the time."""
    own = [tag(7, days_ago=15, environment="production-2")]
    assert of(digest(9), THREE, own_tags=own).builds == 1


def test_an_image_that_expired_in_the_environment_before_keeps_its_place() -> None:
    """Promotion kept its build tag, and that carries the time."""
    found = of(digest(1), {d: tags for d, tags in THREE.items() if d != digest(1)}, own_tags=[tag(1, days_ago=30)])
    assert (found.builds, found.days, found.known) == (2, 20, True)


def test_a_separate_build_finds_an_expired_commit_in_the_ledger() -> None:
    """The image of commit 1 has gone from staging; its ledger still knows when it was built."""
    images = {d: tags for d, tags in THREE.items() if d != digest(1)}
    own = [tag(1, days_ago=2, environment="production")]
    assert of(digest(9), images, own_tags=own).known is False
    entry = UpstreamRelease(digest=digest(1), build_tag=tag(1, days_ago=30), successful=True)
    found = of(digest(9), images, own_tags=own, releases=[entry])
    assert (found.builds, found.days, found.known) == (2, 20, True)


def test_a_build_that_expired_before_it_was_released_still_waits() -> None:
    """The change of commit 2 is in commit 3; it has waited since commit 2 was built."""
    images = {digest(1): THREE[digest(1)], digest(3): THREE[digest(3)]}
    entry = UpstreamRelease(digest=digest(2), build_tag=tag(2, days_ago=20), successful=True)
    found = of(digest(1), images, releases=[entry])
    assert (found.builds, found.days, found.ran) == (2, 20, 1)


def test_a_digest_without_a_build_tag_is_behind_everything() -> None:
    """Somebody pushed it by hand; its digest is what a person is told."""
    found = of(digest(9), {**THREE, digest(9): ["latest", "pin-use-0a1b2c-web-1"]}, own_tags=["latest"])
    assert (found.builds, found.days, found.running, found.known) == (3, 30, digest(9), False)


def test_tags_that_are_no_build_s_are_no_builds() -> None:
    """Pins, ``latest`` and untidy names count for nothing."""
    images = {
        **THREE,
        digest(8): [
            "latest",
            "v1.2.3",
            "staging-20260230T000000Z-00000000000a",
            "staging-1-0a",
            f"{tag(7, days_ago=1)}-old",
        ],
    }
    assert of(digest(3), images).builds == 0


def test_several_tags_on_an_image_are_several_commits_that_it_has() -> None:
    """Commit 4 changed a document: the same image was built, so who runs it has commit 4, too."""
    images = {digest(1): [tag(1, days_ago=30), tag(4, days_ago=5)], digest(2): [tag(2, days_ago=20)]}
    found = of(digest(1), images)
    assert (found.builds, found.running) == (0, tag(4, days_ago=5))
    behind = of(digest(2), images)
    assert (behind.builds, behind.days, behind.newest) == (1, 5, tag(4, days_ago=5))


def test_a_rebuild_of_what_runs_is_no_new_build() -> None:
    """The change is here already."""
    assert of(digest(3), {**THREE, digest(9): [tag(3, days_ago=1)]}).builds == 0


def test_a_rebuild_of_an_old_commit_does_not_hide_what_came_after_it() -> None:
    """Commit 1 was built again after commit 3, and that image runs: commits 2 and 3 are not in it."""
    found = of(digest(9), {**THREE, digest(9): [tag(1, days_ago=1)]})
    assert (found.builds, found.days) == (2, 20)


def test_a_rebuild_of_a_waiting_commit_counts_once_and_from_the_first_time() -> None:
    """It has waited since it was first built."""
    found = of(digest(1), {**THREE, digest(9): [tag(2, days_ago=1)]})
    assert (found.builds, found.days) == (2, 20)


def test_builds_that_ran_there_are_told_apart() -> None:
    """Commit 2 ran; commit 3 failed, and was restarted by hand: only one of the two could be released here."""
    releases = [
        UpstreamRelease(digest=digest(2), build_tag="", successful=True),
        UpstreamRelease(digest=digest(3), build_tag=tag(3, days_ago=10), successful=False),
    ]
    found = of(digest(1), THREE, releases=releases)
    assert (found.builds, found.ran) == (2, 1)


def test_what_runs_here_is_not_counted_among_what_ran() -> None:
    """``ran`` is a part of ``builds``."""
    everything = [UpstreamRelease(digest=one, build_tag=tags[0], successful=True) for one, tags in THREE.items()]
    assert of(digest(2), THREE, releases=everything).ran == 1


def test_the_ledger_knows_the_tag_of_a_running_image_that_has_lost_it() -> None:
    """Its repository lists it no more; the entry of the release there says what it was."""
    entry = UpstreamRelease(digest=digest(9), build_tag=tag(2, days_ago=20), successful=True)
    found = of(digest(9), THREE, releases=[entry])
    assert (found.builds, found.known, found.running) == (1, True, tag(2, days_ago=20))


def test_a_clock_that_is_ahead_does_not_make_a_gap_negative() -> None:
    """A build that is tagged some minutes from now has waited for no time."""
    found = of(digest(3), {**THREE, digest(4): [tag(4, days_ago=-0.03)]})
    assert (found.builds, found.days) == (1, 0)


def test_a_build_from_the_future_hides_nothing() -> None:
    """Were it believed, whoever runs it would never be behind again."""
    images = {**THREE, digest(9): [build_tag("staging", NOW + SKEW + timedelta(seconds=1), commit(9))]}
    found = of(digest(9), images)
    assert (found.builds, found.known) == (3, False)
    assert of(digest(3), images).builds == 0


def test_none_is_the_word_that_the_parameter_has() -> None:
    """The asset cannot import it from elsewhere, so the two are compared here."""
    assert gap.NOT_RELEASED == decision.NOT_RELEASED


@pytest.mark.parametrize("environment", ["staging", "pre-production", "a1-2"])
def test_a_tag_that_naming_gives_is_read_back(environment: str) -> None:
    """Environments may have hyphens."""
    at = datetime(2026, 4, 1, 10, 15, tzinfo=UTC)
    text = build_tag(environment, at, "0123456789abcdef")
    assert Build.from_tag(text) == Build(tag=text, environment=environment, commit="0123456789ab", built=at)


# ------------------------------------------------------------ properties

HOURS = st.integers(0, 24 * 60)
HISTORY = st.lists(st.tuples(st.integers(0, 12), HOURS, st.integers(0, 20)), min_size=1, max_size=25)
"""Builds as (commit, hours ago, image); commits recur, and so do images."""


def stored(history: Iterable[tuple[int, int, int]]) -> dict[str, list[str]]:
    """The images of a history."""
    images: dict[str, list[str]] = {}
    for number, hours, image in history:
        images.setdefault(digest(image), []).append(tag(number, days_ago=hours / 24))
    return images


@given(HISTORY, st.integers(0, 25))
def test_a_gap_is_bounded_and_its_parts_agree(history: list[tuple[int, int, int]], image: int) -> None:
    """As many builds wait as there are commits at most, none longer than the oldest; without one no time passes."""
    releases = [UpstreamRelease(digest=digest(i), build_tag="", successful=i % 2 == 0) for _, _, i in history]
    found = of(digest(image), stored(history), releases=releases)
    assert 0 <= found.ran <= found.builds <= len({number for number, _, _ in history})
    assert 0 <= found.days <= max(hours for _, hours, _ in history) / 24 + 1e-6
    assert found.builds > 0 or found.days == 0
    assert found.known == (digest(image) in stored(history))


@given(HISTORY, st.integers(0, 25))
def test_a_new_commit_makes_the_gap_one_larger(history: list[tuple[int, int, int]], image: int) -> None:
    """Whatever runs, a commit that nobody had built before and that is built last is one build more."""
    images = stored(history)
    before = of(digest(image), images)
    after = of(digest(image), {**images, digest(99): [build_tag("staging", NOW + timedelta(minutes=1), commit(99))]})
    assert after.builds == before.builds + 1
    assert after.days == before.days
    assert after.newest.endswith(commit(99))


@given(HISTORY)
def test_who_runs_the_newest_commit_is_not_behind(history: list[tuple[int, int, int]]) -> None:
    """By digest, and by commit when it was built again here."""
    images = stored(history)
    newest = of("none", images).newest
    promoted = next(one for one, tags in images.items() if newest in tags)
    again = build_tag("production", NOW, newest.rpartition("-")[2])
    for found in (of(promoted, images), of(digest(77), images, own_tags=[again])):
        assert (found.builds, found.days, found.known) == (0, 0, True)


@given(HISTORY, st.integers(0, 20))
def test_promoting_and_building_again_are_equally_far_behind(history: list[tuple[int, int, int]], image: int) -> None:
    """An image and a build here of the same commits have the same gap."""
    images = stored(history)
    tags = images.get(digest(image), [])
    own = [build_tag("production", NOW, each.rpartition("-")[2]) for each in tags]
    one, other = of(digest(image), images), of(digest(77), images, own_tags=own)
    assert (one.builds, one.days, one.ran, one.known) == (other.builds, other.days, other.ran, other.known)


@given(HISTORY, st.integers(0, 20))
def test_waiting_changes_days_and_nothing_else(history: list[tuple[int, int, int]], image: int) -> None:
    """A day later the same builds have waited for a day more."""
    images = stored(history)
    today = of(digest(image), images)
    tomorrow = measure(
        running=digest(image), own_tags=(), images=images, releases=(), environment="production", now=NOW + DAY
    )
    assert tomorrow.builds == today.builds
    assert tomorrow.days == pytest.approx(today.days + (1 if today.builds else 0))


@given(HISTORY, st.integers(0, 20), st.data())
def test_the_order_of_what_is_listed_does_not_matter(
    history: list[tuple[int, int, int]], image: int, data: st.DataObject
) -> None:
    """ECR promises none."""
    shuffled = data.draw(st.permutations(history))
    assert of(digest(image), stored(history)) == of(digest(image), stored(shuffled))
