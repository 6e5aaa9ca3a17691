"""What holds for every policy and history: two evaluators agree, and what is proved safe stays safe (lesson Q2)."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.images.lifecycle import Hazard, Image, endangers, evaluate
from tests.images.naive import fits, outcomes
from tests.images.test_lifecycle import ARCHIVE, EXPIRE, NOW, policy, rule

TAGS = ["pin-", "pin-0", "pin-1", "pin0", "0", "1", "01", "10", "010", "001"]
COMMON = ["pin-*", "pin-*", "*", "0*", "*0", "*0*", "0*1", "1*", "pin*", "*-*", "pin-", "pin-0", "0", "01", "p*0"]
PATTERNS = st.sampled_from(COMMON) | st.text("01*", min_size=1, max_size=4)
PREFIXES = st.sampled_from(["pin-", "pin", "0", "1", "01", "*"])
PINS = st.sampled_from(["pin-*", "pin-*", None, "*", "0*", "0*1", "pin-0", "*0*", "0"])
"""Digits are the characters that the proof would fill in first, so here it must find others."""
MOST_PINNED = 2


@st.composite
def selections(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid rule, without its priority."""
    kind = draw(st.sampled_from(["tagPatternList", "tagPatternList", "tagPrefixList", "untagged", "any"]))
    if kind in ("untagged", "any"):
        tags: dict[str, Any] = {"tagStatus": kind}
    else:
        entries = PATTERNS if kind == "tagPatternList" else PREFIXES
        tags = {kind: draw(st.lists(entries, min_size=1, max_size=2, unique=True))}
    count_type = draw(st.sampled_from(["imageCountMoreThan"] * 3 + ["Pushed", "Pulled", "Transitioned"]))
    if count_type == "Transitioned":
        number = draw(st.integers(90, 92))
        return rule(1, "sinceImageTransitioned", number, storageClass="archive", **tags)
    action = ARCHIVE if count_type == "Pulled" else draw(st.sampled_from([EXPIRE, ARCHIVE]))
    if count_type == "imageCountMoreThan":
        return rule(1, count_type, draw(st.integers(1, 3)), action=action, **tags)
    return rule(1, f"sinceImage{count_type}", draw(st.sampled_from([1, 2, 3, 4, 4_000_000])), action=action, **tags)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Any valid policy of one to six rules, in any order in the text."""
    kept: dict[str, dict[str, Any]] = {}
    for drawn in draw(st.lists(selections(), min_size=1, max_size=6)):
        chosen = drawn["selection"]
        lists = [(key, sorted(chosen[key])) for key in ("tagPatternList", "tagPrefixList") if key in chosen]
        kept.setdefault(repr((chosen["tagStatus"], chosen.get("storageClass"), lists)), drawn)
    rules = sorted(kept.values(), key=lambda each: each["selection"]["tagStatus"] == "any")
    gaps = draw(st.lists(st.integers(1, 5), min_size=len(rules), max_size=len(rules)))
    numbered = [{**each, "rulePriority": sum(gaps[: place + 1])} for place, each in enumerate(rules)]
    return policy(*draw(st.permutations(numbered)))


def moments(longest: int = 6) -> st.SearchStrategy[Any]:
    """A moment before now, often a whole number of days and often shared."""
    return st.integers(0, longest * 2).map(lambda half_days: NOW - timedelta(days=half_days / 2))


@st.composite
def histories(draw: st.DrawFn) -> list[Image]:
    """What any history can leave: each tag on one image at most, archived, restored and pulled at any time."""
    size = draw(st.integers(1, 7))
    places = draw(st.lists(st.integers(-size, size - 1), min_size=len(TAGS), max_size=len(TAGS)))
    images = []
    for number in range(size):
        archived = draw(st.integers(0, 3)) == 0
        images.append(
            Image(
                digest=f"d{number}",
                tags=tuple(tag for tag, place in zip(TAGS, places, strict=True) if place == number),
                pushed_at=draw(moments()),
                last_pulled_at=draw(st.none() | moments()),
                storage_class="archive" if archived else "standard",
                archived_at=draw(moments(95)) if archived else None,
                last_activated_at=draw(st.none() | st.none() | moments()),
            )
        )
    return images


def is_pinned(image: Image, pinned: str | None) -> bool:
    """Whether an image carries a pin."""
    return pinned is not None and any(fits(pinned, tag) for tag in image.tags)


@settings(max_examples=600)
@given(of=policies(), images=histories())
def test_two_evaluators_agree(of: dict[str, Any], images: list[Image]) -> None:
    """Ours and the naive one give each image the same end by the same rule, for any policy and history."""
    verdicts = evaluate(of, images, now=NOW)
    assert {digest: (verdict.action, verdict.rule_priority) for digest, verdict in verdicts.items()} == outcomes(
        of, images, NOW
    )


@settings(max_examples=600)
@given(of=policies(), images=histories(), pinned=PINS, multi_arch=st.booleans())
def test_no_history_takes_an_image_in_use_by_a_rule_that_is_no_hazard(
    of: dict[str, Any], images: list[Image], pinned: str | None, multi_arch: bool
) -> None:
    """Whatever took an image in use is a rule that was named; so where none is named, none is taken."""
    pins = [image for image in images if is_pinned(image, pinned)]
    images = [image for image in images if image not in pins[MOST_PINNED:]]
    named = {hazard.rule_priority for hazard in endangers(
        of, pinned=pinned, multi_arch=multi_arch, most_pinned=MOST_PINNED
    )}  # fmt: skip
    ends = outcomes(of, images, NOW)
    for image in images:
        if pinned is None or is_pinned(image, pinned) or (multi_arch and not image.tags):
            action, by = ends[image.digest]
            assert action == "keep" or by in named, (image, by)


@settings(max_examples=150)
@given(of=policies(), pinned=PINS)
def test_every_set_of_tags_was_thought_of(of: dict[str, Any], pinned: str | None) -> None:
    """An image alone, old, with any set of up to four tags: the rule that takes it was named."""
    named = {hazard.rule_priority for hazard in endangers(of, pinned=pinned, most_pinned=MOST_PINNED)}
    old = NOW - timedelta(days=1000)
    for tags in (tags for size in range(4) for tags in combinations(TAGS, size)):
        for image in (
            Image(digest="a", tags=tags, pushed_at=old),
            Image(digest="a", tags=tags, pushed_at=old, storage_class="archive", archived_at=old),
        ):
            if pinned is None or is_pinned(image, pinned):
                action, by = outcomes(of, [image], NOW)["a"]
                assert action == "keep" or by in named, (tags, by)


def check_example(of: dict[str, Any], hazard: Hazard, pinned: str | None) -> None:
    """Both evaluators confirm the example, the repository is a possible one, and no image in it is idle."""
    images = list(hazard.images)
    expected = (hazard.action, hazard.rule_priority)
    verdict = evaluate(of, images, now=hazard.now)[hazard.digest]
    assert (verdict.action, verdict.rule_priority) == expected == outcomes(of, images, hazard.now)[hazard.digest]
    (in_use,) = (image for image in images if image.digest == hazard.digest)
    indexes = [image for image in images if in_use.digest in image.children]
    assert pinned is None or any(is_pinned(image, pinned) for image in [in_use, *indexes])
    tags = [tag for image in images for tag in image.tags]
    assert len(tags) == len(set(tags))
    assert sum(is_pinned(image, pinned) for image in images) <= max(MOST_PINNED, 1)
    for idle in images:
        if idle is not in_use and idle not in indexes:
            fewer = [image for image in images if image is not idle]
            assert outcomes(of, fewer, hazard.now)[hazard.digest] != expected


@settings(max_examples=500)
@given(of=policies(), pinned=PINS, multi_arch=st.booleans())
def test_every_hazard_comes_with_an_example_that_is_one(
    of: dict[str, Any], pinned: str | None, multi_arch: bool
) -> None:
    """A hazard's example takes an image in use, as `evaluate` and the naive one see it, and is as small as can be."""
    for hazard in endangers(of, pinned=pinned, multi_arch=multi_arch, most_pinned=MOST_PINNED):
        check_example(of, hazard, pinned)
