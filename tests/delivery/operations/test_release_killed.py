"""A release whose process ends at any of its calls: the next command finishes it or brings the former image back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from constructs_lib.delivery.ledger import RELEASES_KEPT, Action, Entry, successful
from constructs_lib.delivery.operations.outcomes import Interrupted, NothingToDo
from tests.delivery.operations.cuts import Cut, Killed
from tests.delivery.operations.shop import FAMILY, Shop
from tests.fake_aws.ecs_one_off import Ending
from tests.fake_aws.ecs_scheduler import Behaviour

WRITING = (
    *("PutParameter", "UpdateStack", "PutImage", "UpdateService", "DeleteParameters", "CancelUpdateStack"),
    *("RegisterTaskDefinition", "RunTask", "StopTask", "DeregisterTaskDefinition"),
)


class Story(NamedTuple):
    """What is broken off, and what comes next; and how the task before the release ends, if there is one."""

    given: int
    image: Behaviour
    first: Action
    then: Action
    migration: Ending | None = None


STORIES = [
    Story(2, "good", "release", "release"),
    Story(2, "good", "release", "rollback"),
    Story(2, "cannot start", "release", "rollback"),
    Story(2, "never healthy", "release", "restart"),
    Story(0, "good", "release", "release"),
    Story(3, "good", "rollback", "release"),
    Story(2, "good", "restart", "restart"),
    Story(0, "good", "release", "release", "good"),
    Story(2, "good", "release", "release", "hangs"),
    Story(2, "cannot start", "release", "rollback", "good"),
    Story(2, "good", "release", "restart", "fails"),
]


def begun(story: Story) -> Shop:
    """The world before the first command."""
    shop = Shop(tasks=1, migrates=story.migration is not None)
    if story.migration == "hangs":
        before = shop.settings("staging").before_release
        assert before is not None
        shop.change("staging", before_release=replace(before, minutes=1))
    if story.given:
        shop.given("staging", story.given)
    if story.first == "release":
        shop.build(behaviour=story.image, migration=story.migration or "good")
    return shop


def next_command(shop: Shop, action: Action) -> Entry | None:
    """What somebody types when the lease has run out; None when there is nothing to do."""
    newest = list(shop.ecr.repositories["shop/staging/web"].images)[
        -1
    ]  # named, for without DIGEST nothing is brought that was gone back from
    try:
        return shop.run("staging", action, newest if action == "release" else None)
    except NothingToDo:
        return None


def check(shop: Shop, where: str) -> None:
    """The world is in order: nothing is open, and what runs is what the ledger says, pinned and steady."""
    entries = shop.entries("staging")
    assert [entry for entry in entries if entry.open] == [], where
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1)), where
    good = successful(entries)
    expected = good[0].digest if good else "none"
    assert shop.parameter("staging") == shop.running("staging") == shop.stack("staging").value == expected, where
    assert {one.digest for one in good[: RELEASES_KEPT + 1]} <= shop.pinned("staging"), where
    if good:
        assert shop.ecs.states(shop.stack("staging").service) == ["healthy"], where
    family = FAMILY.format("staging")
    assert shop.ecs.unfinished_at_start == [0] * len(shop.ecs.runs), where
    assert len(shop.ecs.of_family(family)) == int(shop.migrates), where
    released = {one.digest for one in good if one.action == "release" and not one.token.startswith("given")}
    assert not shop.migrates or released <= shop.ecs.ended_well(family), where


def broken_off(story: Story, at: int, error: type[BaseException], *, after: bool = False) -> tuple[Shop, Cut, bool]:
    """The world after the first command ended at a call, and whether it did."""
    shop = begun(story)
    cut = shop.cut(at, error, after=after)
    ended = False
    try:
        shop.run("staging", story.first)
    except (error, Interrupted):
        ended = True
    shop.connect(0)
    return shop, cut, ended


def every_cut(story: Story, error: type[BaseException], *, after: bool = False) -> Iterator[tuple[Shop, str]]:
    """The world after each cut, and at last without one.

    When a call only read, and no time passed, a cut before it and one after it leave the same world: one is enough.
    """
    _, whole, ended = broken_off(story, 10_000, error)
    assert not ended
    changes = [
        at
        for at, call in enumerate(whole.calls)
        if call.endswith(WRITING) or whole.times[at + 1 : at + 2] != [whole.times[at]]
    ]
    assert len(changes) > 5, "hardly anything could be broken off, so this shows nothing"
    for at in changes if after else [0, *(one + 1 for one in changes)]:
        shop, cut, ended = broken_off(story, at, error, after=after)
        assert ended or at == len(whole.calls)
        yield shop, f"{error.__name__} at call {at}, the last was {cut.calls[-1:]}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: "-".join(map(str, story)))
def test_the_next_command_mends_what_a_kill_left(story: Story) -> None:
    """Killed at each call in turn, after which the lease runs out: the next command ends with a world in order."""
    for shop, where in every_cut(story, Killed):
        shop.clock.sleep(240)
        entry = next_command(shop, story.then)
        if story.then == "release" and story.image == "good" and story.migration in (None, "good"):
            assert entry is None or entry.state == "successful", where
        check(shop, where)


@pytest.mark.parametrize(
    "story", [STORIES[0], STORIES[2], STORIES[6], STORIES[8]], ids=lambda story: "-".join(map(str, story))
)
@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after a call"])
def test_the_next_command_mends_what_ctrl_c_left_at_once(story: Story, after: bool) -> None:
    """Interrupted at each call: nobody waits for a lease, and the next command brings the world in order."""
    for shop, where in every_cut(story, KeyboardInterrupt, after=after):
        next_command(shop, story.then)
        check(shop, where)
