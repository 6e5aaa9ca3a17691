"""The names of pins, and which repositories let them move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib import naming
from constructs_lib.images.lifecycle_policy import TagPattern
from constructs_lib.images.runtime.pins import PIN_PREFIX, Slot, can_move, is_pin, slot_name, slot_of

OWNERS = st.text(st.characters(codec="ascii", categories=("Ll", "Lu", "Nd"), include_characters="-_"), min_size=1)


@given(owner=OWNERS, number=st.integers(0, 100_000))
def test_a_slot_is_a_tag_that_can_be_read_back(owner: str, number: int) -> None:
    """Every owner gives a tag that ECR takes, that the shield selects, and that says which slot it is."""
    slot = Slot(namespace="use", writer="0a1b2c", name=slot_name(owner), number=number)
    assert len(slot.tag) <= 128
    assert all(character.isalnum() or character in "_.-" for character in slot.tag)
    assert TagPattern.glob(naming.PIN_PATTERN).matches(slot.tag)
    assert slot_of(slot.tag) == slot


@given(first=OWNERS, second=OWNERS)
def test_two_owners_never_share_a_slot(first: str, second: str) -> None:
    """Names that are cut to the same text still differ."""
    assert (slot_name(first) == slot_name(second)) == (first == second)


def test_long_names_that_begin_alike_differ() -> None:
    """The hash is of the whole name."""
    assert slot_name("a" * 50 + "1") != slot_name("a" * 50 + "2")


def test_the_prefix_is_the_shields() -> None:
    """What the guard writes is what the lifecycle policy's first rule selects."""
    assert naming.PIN_PATTERN == PIN_PREFIX + "*"


@pytest.mark.parametrize(
    "tag",
    [
        "pin-verify-canary",
        "pin-use-web-1",
        "pin-use-0a1b2c--1",
        "pin-use-0a1b2c-web-01",
        "use-0a1b2c-web-1",
        "pin-",
        "pin-use-0a1b2-web-1",
    ],
)
def test_other_tags_are_no_slots(tag: str) -> None:
    """The guard moves nothing that it did not name."""
    assert slot_of(tag) is None


def test_every_pin_keeps_its_image_whoever_put_it() -> None:
    """A pin of a release or of a person counts as a pin."""
    assert is_pin("pin-release-web-1")
    assert is_pin("pin-by-hand")
    assert not is_pin("spin-1")


@pytest.mark.parametrize(
    ("mutability", "filters", "expected"),
    [
        ("MUTABLE", (), True),
        ("IMMUTABLE", (), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("pin-*",), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest", "pin-use-*"), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("*",), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest",), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("pin-release-*",), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("pin-*-1",), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("pin-use-",), False),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), True),
        ("MUTABLE_WITH_EXCLUSION", ("p",), True),
        ("MUTABLE_WITH_EXCLUSION", ("pin-*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("p*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("*-1",), False),
        ("MUTABLE_WITH_EXCLUSION", ("pin-use-web-*",), False),
        ("SOMETHING_NEW", (), False),
    ],
)
def test_which_repositories_let_pins_move(mutability: str, filters: Sequence[str], *, expected: bool) -> None:
    """Mutable tags move, immutable ones do not, and exclusions turn that round; what is unknown does not move."""
    entries: list[Mapping[str, str]] = [{"filterType": "WILDCARD", "filter": text} for text in filters]
    assert can_move(mutability, entries) == expected
