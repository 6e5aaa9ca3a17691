"""What a build tag says: the reverse of the function that makes it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.delivery.build_tags import build_tag_of
from constructs_lib.naming import build_tag


@given(
    st.sampled_from(["staging", "production", "qa2", "pre-production"]),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.text("0123456789abcdef", min_size=40, max_size=40),
)
def test_what_is_made_is_read(environment: str, at: datetime, commit: str) -> None:
    """Environment, second and commit come back."""
    found = build_tag_of(["latest", build_tag(environment, at, commit), "pin-use-0a1b2c-web-0"])
    assert found is not None
    assert (found.environment, found.at, found.commit) == (environment, at.replace(microsecond=0), commit[:12])


@pytest.mark.parametrize(
    "tag", ["latest", "staging-20261301T000000Z-0123456789ab", "staging-20260101T000000Z-0123", "x-y"]
)
def test_other_tags_are_none(tag: str) -> None:
    """A thirteenth month, a short commit and a word are no build."""
    assert build_tag_of([tag]) is None


def test_the_newest_wins() -> None:
    """An image that was built twice is known by its later build, whatever the environments are called."""
    tags = ["production-20260102T000000Z-000000000000", "staging-20260101T000000Z-ffffffffffff"]
    found = build_tag_of(tags)
    assert found is not None
    assert found.commit == "000000000000"
    assert build_tag_of(reversed(tags)) == found
