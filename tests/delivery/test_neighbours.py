"""Whether an update of a stack would bring another service's digest, and what is said then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.delivery.neighbours import Neighbour, neighbours_check
from constructs_lib.naming import NOT_RELEASED, release_parameter_name
from tests.delivery.test_readiness import DIGEST, OTHER, SETTINGS

API = release_parameter_name("shop", "production", "api")
NAMES = st.sampled_from(["api", "worker", "mail", "search"])
DIGESTS = st.sampled_from([DIGEST, OTHER, NOT_RELEASED])


def test_without_others_an_update_may_begin() -> None:
    """It changes this service only."""
    check = neighbours_check(SETTINGS, ())
    assert (check.name, check.result, check.fix) == ("neighbours", "OK", "")


@pytest.mark.parametrize(
    ("has", "written", "seen", "command"),
    [
        (DIGEST, OTHER, "sha256:bbbbbbbbbbbb is written, sha256:aaaaaaaaaaaa is in the stack", "rollback"),
        (DIGEST, NOT_RELEASED, "none is written, sha256:aaaaaaaaaaaa is in the stack", "rollback"),
        (DIGEST, None, "gone is written, sha256:aaaaaaaaaaaa is in the stack", "rollback"),
        # There is nothing to go back to before the first release, so it is released.
        (NOT_RELEASED, DIGEST, "sha256:aaaaaaaaaaaa is written, none is in the stack", "release"),
    ],
)
def test_one_that_differs_stops_it_with_the_command_that_ends_it(
    has: str, written: str | None, seen: str, command: str
) -> None:
    """What is written and what the stack has, and both ways on: the command, and the parameter by hand."""
    check = neighbours_check(SETTINGS, [Neighbour(parameter=API, has=has, written=written)])
    assert check.result == "NG"
    assert check.seen == (
        f"an update of shop--production--services would bring what was written for shop/production/api ({seen})"
    )
    assert check.fix == (
        f"wait if that is being released, else `moorings {command} shop/production/api` first; if two services stop "
        f"each other, `aws ssm put-parameter --overwrite --name {API} --value {has} --region eu-west-1`"
    )


@given(st.lists(st.builds(Neighbour, parameter=NAMES, has=DIGESTS, written=DIGESTS | st.none()), max_size=4))
def test_every_neighbour_is_named_once_with_both_ways_on(found: list[Neighbour]) -> None:
    """However many there are; none stops what is not there."""
    found = [
        Neighbour(
            parameter=release_parameter_name("shop", "production", one.parameter), has=one.has, written=one.written
        )
        for one in {one.parameter: one for one in found}.values()
    ]
    check = neighbours_check(SETTINGS, found)
    assert check.result == ("NG" if found else "OK")
    for one in found:
        place = one.parameter.removeprefix("/moorings/").removesuffix("/digest")
        assert check.seen.count(f"{place} (") == 1
        assert check.fix.count(f" {place}`") == 1
        assert check.fix.count(f"--name {one.parameter} --value {one.has} ") == 1
