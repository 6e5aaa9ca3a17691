"""Texts of which some parts are not known, compared (lesson Q1)."""

from __future__ import annotations

import time

import pytest

from constructs_lib.guardrails.rules.written import NAMED, different, ends_open, literal, mark, matches, shown

X, Y = mark("0:X"), mark("0:Y")
OURS, THEIRS = f"{NAMED}0.Ours\ue001", f"{NAMED}0.Theirs\ue001"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", False),
        ("a", "b", True),
        ("a", "ab", True),
        ("", "a", True),
        (X, "a", False),
        (X, Y, False),
        (X, "", False),
        (f"a-{X}", "b", True),
        (f"a-{X}", "a-b", False),
        (f"a-{X}", "a", True),
        (f"{X}-a", f"{X}-b", True),
        (f"{X}/a", f"{Y}/b", False),
        (f"a{X}", f"a{X}b", True),
        (OURS, THEIRS, True),
        (OURS, "name", True),
        (OURS, X, False),
        (f"{X}/{OURS}", f"{X}/{THEIRS}", True),
    ],
)
def test_what_surely_differs(one: str, other: str, expected: bool) -> None:
    """An unknown part may be anything, the empty text too; a resource's own name is nobody else's."""
    assert different(one, other) == different(other, one) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("a*c", "abbbc", True),
        ("a*c", "abbb", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*", X, False),
        ("*", X, True),
        ("a-*", f"a-{X}", True),
        (X, X, True),
        (X, "a", False),
        ("a*", "a*b", True),
        ("a?", "a*", True),
        ("a", "*", False),
    ],
)
def test_what_a_pattern_covers(pattern: str, text: str, expected: bool) -> None:
    """A pattern covers a text for sure, and a narrower pattern."""
    assert matches(pattern, text) == expected


def test_long_texts_take_little_time() -> None:
    """Neither comparison grows faster than it must."""
    start = time.process_time()
    assert different("a" * 100_000 + "b", "a" * 100_000 + "c")
    assert not matches("*a" * 30 + "b", "a" * 10_000)
    assert time.process_time() - start < 5


def test_what_is_shown_and_known() -> None:
    """Names of what is not known, as CloudFormation writes them; a mere expression is three dots."""
    text = f"{mark('0:AWS::Region')}/{X}/{OURS}/{mark('Fn::Select [1]')}"
    assert shown(text) == "${AWS::Region}/${X}/${Ours}/${…}"
    assert literal(text) == "///"
    assert ends_open(f"a{X}")
    assert not ends_open(f"{X}a")
    assert not ends_open(f"{X}{OURS}")
