"""What a repository forgets: never an image in use, whatever else is pushed (lessons Q2, Q3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.images.lifecycle import Image
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.naming import build_tag
from tests.images.support import NOW, aged, expired
from tests.support import TOKEN, refused, run_without_cdk

POLICIES = st.builds(RetentionPolicy, keep_days=st.integers(14, 3650))
SMALL = st.builds(RetentionPolicy, keep_days=st.integers(14, 20))
TAGS = st.lists(
    st.sampled_from(["pin-current", "pin-previous", "staging-20260401T101500Z-0123456789ab", "x"]), unique=True
)


@st.composite
def images(draw: st.DrawFn) -> list[Image]:
    """Any history of a repository: up to forty images, pinned, tagged and untagged, in any order."""
    contents = draw(st.lists(st.tuples(st.floats(0, 4000), TAGS), max_size=40))
    return [aged(f"image-{number}", age, *tags) for number, (age, tags) in enumerate(contents)]


@given(policy=SMALL, history=images())
def test_an_image_with_a_pin_is_never_expired(policy: RetentionPolicy, history: list[Image]) -> None:
    """The negation of incident Q: whatever is pushed, an image in use stays."""
    pinned = {image.digest for image in history if any(tag.startswith("pin-") for tag in image.tags)}
    assert not expired(policy.text(), history) & pinned


@given(policy=SMALL, history=images())
def test_only_old_images_go(policy: RetentionPolicy, history: list[Image]) -> None:
    """What goes is as old as its limit and has no pin; everything else stays, however much is pushed."""
    young = {image.digest for image in history if NOW - image.pushed_at <= timedelta(days=policy.keep_days)}
    assert not expired(policy.text(), history) & young


@given(policy=SMALL)
def test_unpinned_builds_and_untagged_images_do_go(policy: RetentionPolicy) -> None:
    """A policy that kept all would pass the other properties; this one forgets the old build and the lost image."""
    tags = ("staging-20260401T101500Z-0123456789ab", "production-x", "v1.0", "latest")
    builds = [aged(f"build-{age}", age, tags[age % 4]) for age in range(policy.keep_days + 2)]
    lost = aged("lost", policy.keep_days + 1)
    assert expired(policy.text(), [*builds, lost]) == {f"build-{policy.keep_days + 1}", "lost"}


@given(policy=POLICIES, builds=st.integers(1, 500))
def test_a_week_without_pins_loses_no_new_image(policy: RetentionPolicy, builds: int) -> None:
    """However many builds follow, what is a week old is there: a guard that fails for a week loses nothing new."""
    week = [aged(f"build-{number}", 7 * number / builds, f"v{number}") for number in range(builds)]
    assert expired(policy.text(), week) == set()


def test_before_a_count_loses_a_new_image_within_the_week() -> None:
    """The usual rule, beside a shield as good as ours, takes an image that nothing pinned after thirty quick builds."""
    first, second, *_ = selections(RetentionPolicy())
    second["selection"] |= {"countType": "imageCountMoreThan", "countNumber": 30}
    del second["selection"]["countUnit"]
    week = [aged(f"build-{number}", number / 5, f"v{number}") for number in range(31)]
    assert expired(json.dumps({"rules": [first, second]}), week) == {"build-30"}


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


def test_a_child_does_not_go_before_its_index() -> None:
    """An index and the untagged images that it lists are pushed together, and are due together."""
    index, child = aged("index", 29, "v1"), aged("child", 29)
    assert expired(RetentionPolicy().text(), [index, child]) == set()


def test_the_default_is_thirty_days() -> None:
    """The documented default is what a repository gets, tagged or not."""
    counts = [rule["selection"]["countNumber"] for rule in selections(RetentionPolicy())]
    assert counts[1:] == [30, 30]


def test_a_build_tag_is_kept_by_no_shield() -> None:
    """An ordinary build is no pin: after its days it goes, be it the only image."""
    tag = build_tag("staging", datetime(2026, 4, 1, tzinfo=UTC), "0" * 40)
    assert expired(RetentionPolicy().text(), [aged("old", 31, tag)]) == {"old"}
    assert expired(RetentionPolicy().text(), [aged("old", 29, tag)]) == set()


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("keep_days", 0, "from 14 to 3650"),
        ("keep_days", 13, "from 14 to 3650"),
        ("keep_days", 3651, "from 14 to 3650"),
        ("keep_days", 30.0, "a whole number"),
        ("keep_days", -1.8881545897087626e289, "not a Token"),
        ("keep_days", TOKEN, "not a Token"),
        ("keep_days", True, "a whole number"),
    ],
)
def test_a_policy_that_forgets_too_soon_is_refused(field: str, value: Any, allowed: str) -> None:
    """Retention that would lose a late release, or a lost tag, is refused with its range."""
    refused(lambda: RetentionPolicy(**{field: value}), field, value, allowed)


def test_a_wrong_policy_fails_before_node_starts() -> None:
    """A retention is checked without loading CDK."""
    code = "from constructs_lib.images.policy import RetentionPolicy\nRetentionPolicy(keep_days=1)"
    assert run_without_cdk(code).startswith("keep_days must be")
