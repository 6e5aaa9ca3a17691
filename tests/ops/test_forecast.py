"""How builds are assumed to go on, and what becomes of the images then."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from constructs_lib.images.lifecycle import Image
from constructs_lib.ops.forecast import PACE_OF_ONE, Pattern, forecast, pattern_of
from tests.ops.support import NOW, SHIELD, newest, policy

DAY = timedelta(days=1)


def image(digest: str, *tags: str, days: float = 0) -> Image:
    return Image(digest=digest, tags=tags, pushed_at=NOW - days * DAY)


def immutable(_tag: str) -> bool:
    return False


def test_the_pace_is_the_median_of_the_repositorys_own() -> None:
    """One long holiday among daily builds does not slow the model; images without a build tag do not count."""
    builds = [image(str(days), f"b-{days}", days=days) for days in (60, 3, 2, 1, 0)]
    others = [image("untagged", days=0.5), image("pinned", "pin-use-web-0", days=0.25)]
    assert pattern_of([*others, *builds], moves=immutable).pace == DAY


def test_a_pace_that_cannot_be_seen_is_a_day() -> None:
    """With one build or none there is no interval."""
    assert pattern_of([image("one", "b-1")], moves=immutable).pace == PACE_OF_ONE == DAY
    assert pattern_of([], moves=immutable) == Pattern(pace=DAY, tags=())


def test_builds_in_the_same_second_are_a_second_apart() -> None:
    """So that they have an order."""
    assert pattern_of([image("a", "b-1"), image("b", "b-2")], moves=immutable).pace == timedelta(seconds=1)


def test_tags_are_those_of_the_newest_build_without_its_pins() -> None:
    """A newest image that has only a pin is no build."""
    images = [image("old", "v1.9", days=3), image("new", "pin-use-web-0", "v1.10", days=2), image("pin", "pin-x")]
    assert pattern_of(images, moves=immutable).tags == ("v1.10",)


def taken(text: str, images: list[Image], builds: int, *, moves: bool = False) -> dict[str, int | None]:
    """After how many builds each image is taken."""
    pattern = pattern_of(images, moves=lambda _tag: moves)
    fates = forecast(text, images, pattern=pattern, builds=builds, now=NOW)
    return {digest: fate.after_builds for digest, fate in fates.items()}


def test_a_count_takes_one_more_with_each_build() -> None:
    """'Keep 3' of three images takes the oldest at the next build, and so on."""
    images = [image("a", "b-1", days=2), image("b", "b-2", days=1), image("c", "b-3")]
    assert taken(policy(newest(3)), images, 2) == {"a": 1, "b": 2, "c": None}
    assert taken(policy(newest(2)), images, 0) == {"a": 0, "b": None, "c": None}


def test_an_age_is_reached_at_the_pace_of_the_builds() -> None:
    """With a build a day, an image of two days is older than ten days after nine builds."""
    rule = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 10}
    images = [image("a", "b-1", days=2), image("b", "b-2", days=1), image("c", "b-3")]
    assert taken(policy(rule), images, 10) == {"a": 9, "b": 10, "c": None}


def test_a_pin_outlives_any_number_of_builds() -> None:
    """The shield holds in the model as in the evaluator."""
    images = [image("a", "b-1", "pin-use-web-0", days=2), image("b", "b-2", days=1)]
    assert taken(policy(SHIELD, newest(1)), images, 50) == {"a": None, "b": 1}


def test_new_builds_have_tags_of_the_newest_builds_shape() -> None:
    """A rule on 'prod-*' counts builds that go on from 'prod-7', and none that go on from 'dev-7'."""
    rule = newest(1, tagStatus="tagged", tagPatternList=["prod-*"])
    for tag, gone in (("prod-7", 1), ("dev-7", None)):
        images = [image("a", "prod-6", days=2), image("b", tag)]
        expected = {"a": 0 if tag == "prod-7" else None, "b": gone}
        assert taken(policy(rule), images, 3) == expected


@pytest.mark.parametrize(("tag", "second"), [("v1.07-rc", "v1.09-rc"), ("prod-9", "prod-11"), ("release", "release-2")])
def test_the_last_number_of_a_tag_is_counted_on(tag: str, second: str) -> None:
    """The second build after ``tag`` is ``second``, as wide as it was: then a rule on that very tag counts two."""
    rule = newest(1, tagStatus="tagged", tagPatternList=[second])
    images = [image("holder", second, days=2), image("newest", tag, days=1)]
    assert taken(policy(rule), images, 5) == {"holder": 2, "newest": None}


def test_a_tag_without_a_number_moves_where_it_may() -> None:
    """'latest' leaves its image untagged at the next build in a mutable repository, and stays in another."""
    rule = newest(1, tagStatus="untagged")
    images = [image("old", days=2), image("new", "latest")]
    assert taken(policy(rule), images, 1, moves=True) == {"old": 1, "new": None}
    assert taken(policy(rule), images, 1, moves=False) == {"old": None, "new": None}


def test_what_is_taken_no_longer_counts() -> None:
    """ECR has acted between two builds: an image that an earlier rule took makes room for another."""
    prod = newest(1, tagStatus="tagged", tagPatternList=["prod-*"])
    images = [image("x", "other-1", days=9), image("a", "prod-1", days=2), image("b", "prod-2", days=1)]
    # Now: rule 1 takes a; rule 2 counts x, a and b. Later a is gone, so x and the newest two prod builds are three.
    assert taken(policy(prod, newest(3)), images, 1) == {"x": None, "a": 0, "b": 1}


def archiving(then: dict[str, Any]) -> str:
    """A policy that archives ``b-*`` five days after the last pull, and then has another rule that expires."""
    selection = {"tagStatus": "tagged", "tagPatternList": ["b-*"], "countType": "sinceImagePulled"}
    archive = {
        "rulePriority": 1,
        "selection": {**selection, "countUnit": "days", "countNumber": 5},
        "action": {"type": "transition", "targetStorageClass": "archive"},
    }
    return json.dumps({"rules": [archive, {"rulePriority": 2, "selection": then, "action": {"type": "expire"}}]})


def test_archiving_is_told_with_its_build() -> None:
    """A transition counts as taken: an archived image cannot be pulled."""
    images = [image("a", "b-1", days=4), image("b", "b-2", days=3)]
    fates = forecast(archiving(newest(9)), images, pattern=pattern_of(images, moves=immutable), builds=3, now=NOW)
    assert {digest: (fate.later.action, fate.after_builds) for digest, fate in fates.items()} == {
        "a": ("archive", 2),
        "b": ("archive", 3),
    }


def test_an_archived_image_no_longer_counts() -> None:
    """Each build is archived before the next but one, so three images are never exceeded and ``x`` stays."""
    images = [image("x", days=10), image("a", "b-1", days=6), image("b", "b-2")]
    assert taken(archiving(newest(3)), images, 5) == {"x": None, "a": 0, "b": 1}
