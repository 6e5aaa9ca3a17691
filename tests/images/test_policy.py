"""What a repository forgets: never an image in use, whatever else is pushed (lessons Q2, Q3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.naming import build_tag
from tests.images.evaluator import Image, expired
from tests.support import TOKEN, refused, run_without_cdk

POLICIES = st.builds(RetentionPolicy, keep_builds=st.integers(10, 9999), untagged_days=st.integers(7, 3650))
SMALL = st.builds(RetentionPolicy, keep_builds=st.integers(10, 15), untagged_days=st.integers(7, 30))
TAGS = st.lists(
    st.sampled_from(["pin-current", "pin-previous", "staging-20260401T101500Z-0123456789ab", "x"]), unique=True
)


@st.composite
def images(draw: st.DrawFn) -> list[Image]:
    """Any history of a repository: up to forty images, pinned, tagged and untagged, in any order."""
    contents = draw(st.lists(st.tuples(st.floats(0, 4000), TAGS), max_size=40))
    return [Image(f"image-{number}", age, tuple(tags)) for number, (age, tags) in enumerate(contents)]


def user_guide(first: str, second: str) -> list[dict[str, Any]]:
    """Two rules as the user guide's worked example has them: keep one image of each prefix."""
    return [
        {
            "rulePriority": number,
            "selection": {
                "tagStatus": "tagged",
                "tagPrefixList": [prefix],
                "countType": "imageCountMoreThan",
                "countNumber": 1,
            },
            "action": {"type": "expire"},
        }
        for number, prefix in ((1, first), (2, second))
    ]


@pytest.mark.parametrize(("order", "gone"), [(("prod", "beta"), {"A"}), (("beta", "prod"), {"A", "B"})])
def test_the_evaluator_agrees_with_the_user_guide(order: tuple[str, str], gone: set[str]) -> None:
    """Our replay gives what ECR's user guide says of its own two examples, so the other tests may rest on it."""
    guide = [Image("A", 10, ("beta-1", "prod-1")), Image("B", 9, ("beta-2", "prod-2")), Image("C", 8, ("beta-3",))]
    assert expired(user_guide(*order), guide) == gone


@given(policy=SMALL, history=images())
def test_an_image_with_a_pin_is_never_expired(policy: RetentionPolicy, history: list[Image]) -> None:
    """The negation of incident Q: whatever is pushed, an image in use stays."""
    pinned = {image.name for image in history if any(tag.startswith("pin-") for tag in image.tags)}
    assert not expired(policy.rules(), history) & pinned


@given(policy=SMALL, history=images())
def test_only_old_builds_and_old_untagged_images_go(policy: RetentionPolicy, history: list[Image]) -> None:
    """What goes is outside the last builds, or without a tag for longer than the limit; everything else stays."""
    tagged = sorted((image for image in history if image.tags), key=lambda image: image.age)
    kept = {image.name for image in tagged[: policy.keep_builds]}
    kept |= {image.name for image in history if not image.tags and image.age <= policy.untagged_days}
    assert not expired(policy.rules(), history) & kept


@given(policy=SMALL)
def test_unpinned_builds_and_untagged_images_do_go(policy: RetentionPolicy) -> None:
    """A policy that kept all would pass the other properties; this one forgets the oldest build and the lost image."""
    tags = ("staging-20260401T101500Z-0123456789ab", "production-x", "v1.0", "latest")
    builds = [Image(f"build-{age}", age, (tags[age % 4],)) for age in range(policy.keep_builds + 1)]
    lost = Image("lost", policy.untagged_days + 1)
    assert expired(policy.rules(), [*builds, lost]) == {f"build-{policy.keep_builds}", "lost"}


@given(policy=POLICIES)
def test_no_rule_selects_any_image(policy: RetentionPolicy) -> None:
    """`any` is the selection of incident Q; each rule says tagged or untagged instead."""
    assert [rule["selection"]["tagStatus"] for rule in selections(policy)] == ["tagged", "tagged", "untagged"]


@given(policy=POLICIES)
def test_the_shield_is_first(policy: RetentionPolicy) -> None:
    """The rule on pins has the highest priority and a count that no repository reaches, so it only protects."""
    first, *others = sorted(selections(policy), key=lambda rule: int(rule["rulePriority"]))
    assert first["selection"]["tagPatternList"] == ["pin-*"]
    assert first["selection"]["countNumber"] == 9999
    assert all(rule["rulePriority"] > first["rulePriority"] for rule in others)


@given(policy=POLICIES)
def test_the_text_is_what_ecr_takes(policy: RetentionPolicy) -> None:
    """The JSON text says the rules, in fewer characters than ECR's limit, with priorities and patterns used once."""
    assert json.loads(policy.text()) == {"rules": selections(policy)}
    assert len(policy.text()) <= 30_720
    priorities = [rule["rulePriority"] for rule in selections(policy)]
    patterns = [tuple(rule["selection"].get("tagPatternList", ())) for rule in selections(policy)]
    assert len(set(priorities)) == len(set(patterns)) == 3


def selections(policy: RetentionPolicy) -> list[dict[str, Any]]:
    """The rules as plain data."""
    return [json.loads(json.dumps(rule)) for rule in policy.rules()]


def test_the_defaults_are_thirty_builds_and_two_weeks() -> None:
    """The documented defaults are what a repository gets."""
    counts = [rule["selection"]["countNumber"] for rule in selections(RetentionPolicy())]
    assert counts[1:] == [30, 14]


def test_a_build_tag_is_kept_by_the_second_rule_only() -> None:
    """An ordinary build is no pin: after enough others it may go."""
    tag = build_tag("staging", datetime(2026, 4, 1, tzinfo=UTC), "0" * 40)
    others = [Image(f"new-{age}", age, (f"staging-{age}",)) for age in range(30)]
    assert expired(RetentionPolicy().rules(), [Image("old", 100, (tag,)), *others]) == {"old"}


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("keep_builds", 0, "from 10 to 9999"),
        ("keep_builds", 9, "from 10 to 9999"),
        ("keep_builds", 10_000, "from 10 to 9999"),
        ("keep_builds", 30.0, "a whole number"),
        ("keep_builds", -1.8881545897087626e289, "not a Token"),
        ("keep_builds", TOKEN, "not a Token"),
        ("untagged_days", 6, "from 7 to 3650"),
        ("untagged_days", 3651, "from 7 to 3650"),
        ("untagged_days", True, "a whole number"),
    ],
)
def test_a_policy_that_forgets_too_soon_is_refused(field: str, value: Any, allowed: str) -> None:
    """Retention that would lose a late release, or a lost tag, is refused with its range."""
    refused(lambda: RetentionPolicy(**{field: value}), field, value, allowed)


def test_a_wrong_policy_fails_before_node_starts() -> None:
    """A retention is checked without loading CDK."""
    code = "from constructs_lib.images.policy import RetentionPolicy\nRetentionPolicy(keep_builds=1)"
    assert run_without_cdk(code).startswith("keep_builds must be")
