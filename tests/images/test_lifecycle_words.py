"""A hazard's example as a person would tell it (lesson Q2)."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.images.lifecycle import endangers
from constructs_lib.images.lifecycle_words import example
from tests.images.test_lifecycle import ARCHIVE, policy, rule

COUNT, PUSHED, PULLED, MOVED = "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"
OF_ARCHIVE = {"storageClass": "archive"}


@pytest.mark.parametrize(
    ("of", "options", "words"),
    [
        (rule(1, COUNT, 10), {}, "an image in use tagged pin-0, then 10 newer ones"),
        (rule(1, COUNT, 1), {}, "an image in use tagged pin-0, then 1 newer one"),
        (rule(1, COUNT, 10), {"pinned": None}, "an image in use without tags, then 10 newer ones"),
        (rule(1, PUSHED, 1), {}, "an image in use tagged pin-0, a little more than 1 day later"),
        (rule(1, PULLED, 90, action=ARCHIVE), {}, "an image in use tagged pin-0, a little more than 90 days later"),
        (
            rule(1, MOVED, 90, **OF_ARCHIVE),
            {},
            "an image in use tagged pin-0, archived, a little more than 90 days later",
        ),
        (
            rule(1, COUNT, 1, tagStatus="untagged"),
            {"multi_arch": True},
            "an untagged child of an index in use, then its index, then 1 newer one",
        ),
    ],
)
def test_the_history_of_each_kind_of_rule(of: dict[str, Any], options: dict[str, Any], words: str) -> None:
    """The image in use, what happened to it, and how many images or days it took, are told in one line."""
    (hazard,) = endangers(policy(of), **options)
    assert example(hazard) == words
