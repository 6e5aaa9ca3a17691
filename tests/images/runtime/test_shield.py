"""Which lifecycle policies spare images with a pin: the function's own test, held against the evaluator's proof."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.images.lifecycle import endangers
from constructs_lib.images.lifecycle_policy import InvalidLifecyclePolicy, parse
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.runtime.shield import spares_pins


def rule(
    priority: int, status: str, count: str = "imageCountMoreThan", number: int = 10, **more: Any
) -> dict[str, Any]:
    """A rule."""
    unit = {} if count == "imageCountMoreThan" else {"countUnit": "days"}
    selection = {"tagStatus": status, "countType": count, "countNumber": number, **unit, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


SHIELD = rule(1, "tagged", number=9999, tagPatternList=["pin-*"])
ANY = rule(9, "any")


def text(*rules: dict[str, Any]) -> str:
    """A policy of these rules."""
    return json.dumps({"rules": rules})


def test_our_own_policy_spares_pins() -> None:
    """The policy of ``PinnedRepository``."""
    assert spares_pins(RetentionPolicy().text())


@pytest.mark.parametrize(
    "policy",
    [
        text(SHIELD, ANY),
        text(ANY, SHIELD),  # the priority decides, not the place in the text
        text(rule(1, "untagged"), {**SHIELD, "rulePriority": 2}, ANY),
        text(rule(1, "untagged", "sinceImagePushed", 1)),
        text(rule(1, "tagged", number=5000, tagPrefixList=["pin-"]), ANY),
        text(rule(1, "tagged", number=100_000, tagPatternList=["*"])),
        text(rule(1, "any", "sinceImageTransitioned", 90, storageClass="archive"), {**SHIELD, "rulePriority": 2}, ANY),
    ],
)
def test_a_shield_in_front_spares_pins(policy: str) -> None:
    """Whatever comes after a rule that selects all pins and keeps very many."""
    assert spares_pins(policy)


@pytest.mark.parametrize(
    "policy",
    [
        text(ANY),
        text(rule(1, "tagged", tagPrefixList=["dev-"]), {**SHIELD, "rulePriority": 2}),  # an image may have both tags
        text({**SHIELD, "rulePriority": 3}, rule(2, "tagged", "sinceImagePushed", 30, tagPatternList=["*"])),
        text(rule(1, "tagged", number=10, tagPatternList=["pin-*"])),
        text(rule(1, "tagged", number=9999, tagPatternList=["pin-*", "build-*"]), ANY),
        text(rule(1, "tagged", number=9999, tagPatternList=["pin-release-*"]), ANY),
        text(rule(1, "tagged", "sinceImagePushed", 9999, tagPatternList=["pin-*"])),
        text(rule(1, "tagged", number=9999, tagPatternList=["*"])),  # other images could be so many
        text(rule(1, "tagged", number=9999), ANY),
        "",
        "[]",
        '{"rules": [1]}',
        '{"rules": [{"rulePriority": "first", "selection": {}}]}',
    ],
)
def test_everything_else_does_not(policy: str) -> None:
    """Incident Q's own rule, a shield that comes too late or is too small, and what cannot be understood."""
    assert not spares_pins(policy)


RULES = st.lists(
    st.builds(
        lambda status, count, number, tags: rule(
            0, status, count, number, **({"tagPatternList": tags} if status == "tagged" else {})
        ),
        st.sampled_from(["tagged", "untagged", "any"]),
        st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]),
        st.sampled_from([1, 100, 1000, 100_000]),
        st.lists(st.sampled_from(["pin-*", "*", "pin-use-*", "p*", "build-*", "pin-"]), min_size=1, max_size=2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300)
@given(rules=RULES)
def test_what_passes_is_proved_safe(rules: list[dict[str, Any]]) -> None:
    """The evaluator of the library, which reasons about every history, finds no hazard in what this test lets pass."""
    policy = text(*({**one, "rulePriority": number} for number, one in enumerate(rules, 1)))
    try:
        parse(policy)
    except InvalidLifecyclePolicy:
        return
    if spares_pins(policy):
        assert not all(endangers(policy, pinned=pins) for pins in ("pin-*", "pin-use-*"))
