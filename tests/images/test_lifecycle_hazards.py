"""Which policies can take an image in use, and which are proved not to (lesson Q2)."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.images.lifecycle import Hazard, endangers, evaluate
from constructs_lib.images.policy import RetentionPolicy
from tests.images.naive import fits, outcomes
from tests.images.test_lifecycle import ARCHIVE, policy, rule

COUNT, PUSHED, PULLED, MOVED = "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"
SHIELD = rule(1, COUNT, 9999, tagPatternList=["pin-*"])
KEEP_TEN = rule(99, COUNT, 10)
LATE = policy(rule(2, PUSHED, 1, tagPrefixList=["v"]), {**SHIELD, "rulePriority": 3})
BOTH = rule(1, COUNT, 9999, tagPatternList=["pin-*", "ok-*"])
HALVES = [rule(n, COUNT, 999, tagPrefixList=[f"pin-{letter}"]) for n, letter in enumerate("ab", 1)]
WORDY = rule(1, COUNT, 9, tagPrefixList=["0123456789abcdefghijklmnopqrstuvwxyz"])


def rules_of(hazards: list[Hazard]) -> list[int]:
    """The rules that were named."""
    return [hazard.rule_priority for hazard in hazards]


def test_our_own_policy_is_proved_safe_for_pinned_images() -> None:
    """No history whatever makes our policy take an image with a pin, for the smallest and the largest numbers."""
    for ours in (RetentionPolicy(), RetentionPolicy(keep_days=14), RetentionPolicy(keep_days=3650)):
        assert endangers(ours.text(), pinned="pin-*") == []


def test_our_own_policy_takes_images_that_are_not_pinned() -> None:
    """Without a pin each of our rules can take an image in use, so the pin is what keeps it."""
    assert rules_of(endangers(RetentionPolicy().text(), pinned=None)) == [1, 2, 3]


def test_our_own_policy_does_not_protect_children_of_an_index() -> None:
    """The untagged rule can take a child of a pinned index, which is why our builds push single manifests."""
    (hazard,) = endangers(RetentionPolicy().text(), multi_arch=True)
    child, index = hazard.images
    assert (hazard.rule_priority, hazard.digest, child.tags, index.children) == (3, child.digest, (), (child.digest,))
    assert fits("pin-*", *index.tags)
    assert "child of an index" in hazard.reason


def test_cdks_one_liner_is_a_hazard_with_eleven_images() -> None:
    """`LifecycleRule(max_image_count=10)` takes the pinned image after ten more pushes, and no fewer (incident Q)."""
    of = policy(rule(1, COUNT, 10))
    (hazard,) = endangers(of)
    assert (hazard.rule_priority, hazard.action, len(hazard.images)) == (1, "expire", 11)
    verdict = evaluate(of, hazard.images, now=hazard.now)[hazard.digest]
    assert verdict.action == "expire"
    assert evaluate(of, hazard.images[:-1], now=hazard.now)[hazard.digest].action == "keep"


def test_the_reason_says_why_use_does_not_help() -> None:
    """A hazard explains itself in one sentence."""
    (hazard,) = endangers(policy(rule(1, PULLED, 90, action=ARCHIVE)))
    assert hazard.action == "archive"
    assert hazard.reason == "rule 1 acts 90 days after the last pull, and a task that keeps running pulls nothing"


SAFE: list[tuple[str, dict[str, Any], str | None]] = [
    ("a shield before any", policy(SHIELD, KEEP_TEN), "pin-*"),
    ("a shield by prefix", policy(rule(1, COUNT, 9999, tagPrefixList=["pin-"]), KEEP_TEN), "pin-*"),
    ("a wider shield", policy(rule(1, COUNT, 200_000, tagPatternList=["p*n*"]), KEEP_TEN), "pin-*"),
    ("a shield of two entries", policy(rule(1, COUNT, 9999, tagPatternList=["pin-*", "p*"]), KEEP_TEN), "pin-*"),
    ("a shield for a century", policy(rule(1, PUSHED, 4_000_000, tagPatternList=["pin-*"]), KEEP_TEN), "pin-*"),
    ("one tag, which is on one image at a time", policy(rule(1, COUNT, 1, tagPatternList=["prod"])), None),
    ("one tag shields itself", policy(rule(1, COUNT, 1, tagPatternList=["prod"]), KEEP_TEN), "prod"),
    ("untagged images alone", policy(rule(1, PUSHED, 1, tagStatus="untagged")), "pin-*"),
    ("more images than ECR allows", policy(rule(1, COUNT, 100_000)), None),
]
HAZARDS: list[tuple[str, dict[str, Any], str | None, list[int]]] = [
    ("no shield", policy(KEEP_TEN), "pin-*", [99]),
    ("a shield that comes too late", LATE, "pin-*", [2]),
    ("a pinned image may have other tags", policy(rule(1, COUNT, 5, tagPatternList=["prod-*"])), "pin-*", [1]),
    ("a narrower shield", policy(rule(1, COUNT, 9999, tagPatternList=["pin-release-*"]), KEEP_TEN), "pin-*", [99]),
    ("a shield that needs two tags", policy(BOTH, KEEP_TEN), "pin-*", [99]),
    ("a shield on one pin", policy(rule(1, COUNT, 1, tagPatternList=["pin-"]), KEEP_TEN), "pin-*", [99]),
    ("digits are named", policy(rule(1, COUNT, 99, tagPatternList=["pin-*0*"]), KEEP_TEN), "pin-*", [1, 99]),
    ("two halves are no shield", policy(*HALVES, KEEP_TEN), "pin-*", [99]),
    ("a shield on a mistaken prefix", policy(rule(1, COUNT, 9999, tagPrefixList=["pin-*"]), KEEP_TEN), "pin-*", [99]),
    ("nothing is tagged so", policy(rule(1, COUNT, 9999, tagPatternList=["sha256.*"]), KEEP_TEN), "pin-*", [1, 99]),
    ("too few pins are kept", policy(rule(1, COUNT, 5, tagPatternList=["pin-*"])), "pin-*", [1]),
    ("a pattern that takes in more than the pin", policy(rule(1, COUNT, 200, tagPatternList=["prod*"])), "prod", [1]),
    ("a shield that others fill", policy(rule(1, COUNT, 9999, tagPatternList=["*"])), "pin-*", [1]),
    ("a promoted image is old", policy(rule(1, COUNT, 3, tagPatternList=["prod-*"]), KEEP_TEN), "prod-*", [1]),
    ("even a shield forgets by age", policy(rule(1, PUSHED, 10_950, tagPatternList=["pin-*"])), "pin-*", [1]),
    ("pulled long ago", policy(rule(1, PULLED, 90, action=ARCHIVE)), "pin-*", [1]),
    ("shields are per storage class", policy(SHIELD, rule(2, MOVED, 90, storageClass="archive")), "pin-*", [2]),
    ("one tag, but by age", policy(rule(1, PUSHED, 9, tagPatternList=["prod"])), "prod", [1]),
    ("untagged in use", policy(SHIELD, rule(2, COUNT, 3, tagStatus="untagged")), None, [1, 2]),
    ("all digits and letters are named", policy(WORDY, KEEP_TEN), "pin-*", [1, 99]),
]  # fmt: skip


@pytest.mark.parametrize(("of", "pinned"), [case[1:] for case in SAFE], ids=[case[0] for case in SAFE])
def test_a_policy_that_cannot_take_an_image_in_use_is_proved_so(of: dict[str, Any], pinned: str | None) -> None:
    """Shields that hold, by whichever pattern says the same, give no hazard."""
    assert endangers(of, pinned=pinned) == []


@pytest.mark.parametrize(("of", "pinned", "named"), [case[1:] for case in HAZARDS], ids=[case[0] for case in HAZARDS])
def test_a_policy_that_can_take_an_image_in_use_is_shown_doing_it(
    of: dict[str, Any], pinned: str | None, named: list[int]
) -> None:
    """Each rule that can is named, and both evaluators see it take the image of its example."""
    hazards = endangers(of, pinned=pinned)
    assert rules_of(hazards) == named
    for hazard in hazards:
        verdict = evaluate(of, hazard.images, now=hazard.now)[hazard.digest]
        assert (verdict.action, verdict.rule_priority) == (hazard.action, hazard.rule_priority)
        if len(hazard.images) < 100:
            assert outcomes(of, list(hazard.images), hazard.now)[hazard.digest] == (hazard.action, hazard.rule_priority)
        in_use = next(image for image in hazard.images if image.digest == hazard.digest)
        assert pinned is None or any(fits(pinned, tag) for tag in in_use.tags)


def test_how_many_pins_there_are_is_the_callers_to_say() -> None:
    """A shield of 999 holds for 999 pins; for a thousand it does not."""
    of = policy(rule(1, COUNT, 999, tagPatternList=["pin-*"]))
    assert endangers(of, most_pinned=999) == []
    (hazard,) = endangers(of, most_pinned=1000)
    assert len(hazard.images) == 1000


@pytest.mark.parametrize("pinned", [None, "******"])
def test_no_tag_of_an_example_is_on_two_images(pinned: str | None) -> None:
    """Even patterns that differ only in their number of stars give each image tags of its own."""
    (hazard,) = endangers(policy(rule(1, COUNT, 12, tagPatternList=["*", "**"])), pinned=pinned, most_pinned=99)
    tags = [tag for image in hazard.images for tag in image.tags]
    assert len(hazard.images) == 13
    assert len(tags) == len(set(tags))


def test_an_image_in_use_has_no_tag_more_than_the_example_needs() -> None:
    """A pin that the rule selects by itself is the only tag."""
    (hazard,) = endangers(policy(rule(1, COUNT, 3, tagPatternList=["pr*", "*d*"])), pinned="prod-*")
    assert [len(image.tags) for image in hazard.images if image.digest == hazard.digest] == [1]


def test_a_child_is_lost_under_any_even_behind_a_shield() -> None:
    """The shield selects the index by its tag; the untagged child falls to the rule on any, index counted too."""
    (hazard,) = endangers(policy(SHIELD, KEEP_TEN), multi_arch=True)
    assert (hazard.rule_priority, len(hazard.images)) == (99, 11)
    assert endangers(policy(SHIELD), multi_arch=True) == []


def test_a_large_policy_is_decided_at_once() -> None:
    """Fifty rules of long lists need no search: each set of tags is tried once."""
    lists = [[f"{n:02}*", f"*{n:02}*", f"x*{n:02}*y*"] for n in range(48)]
    rules = [rule(n, PUSHED, 5, tagPatternList=entries) for n, entries in enumerate(lists, 1)]
    of = policy(*rules[:40], rule(49, COUNT, 9999, tagPatternList=["pin-*"]), rule(50, PUSHED, 1))
    assert rules_of(endangers(of)) == list(range(1, 41))


@pytest.mark.parametrize(("keyword", "value"), [("pinned", ""), ("pinned", 5), ("most_pinned", 0)])
def test_a_question_without_meaning_is_refused(keyword: str, value: Any) -> None:
    """An empty pattern would prove nothing, so it is no question."""
    with pytest.raises(ValueError, match=f"^{keyword} must be "):
        endangers(policy(KEEP_TEN), **{keyword: value})
