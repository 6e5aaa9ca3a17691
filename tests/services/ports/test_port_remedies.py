"""What would make the ports hold (lesson W1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given

from constructs_lib.services.ports.local_ports import KERNEL
from constructs_lib.services.ports.port_budget import PortBudget
from constructs_lib.services.ports.port_remedies import (
    destinations_needed,
    nat_addresses_needed,
    nat_gateways_needed,
    remedies,
    sessions_held,
    tasks_needed,
)
from tests.services.ports.test_port_budget import budget, budgets, path

IN_TASK = ("load", "task to", "open files")


def test_what_holds_needs_no_remedy() -> None:
    """Half of each path is free."""
    assert remedies(budget()) == ()


def test_the_best_remedy_comes_first() -> None:
    """Connections that are used again, then more tasks, then more destinations (W1)."""
    assert remedies(budget(local_ports=KERNEL, per_request=2)) == (
        "Keep connections open and use them again: a pool takes as many ports as it has connections. Its size is what "
        "the dependency bears from all tasks together; above 3750 in a task it helps no more.",
        "Or run 54 tasks instead of 20.",
        "Or spread them over 3 destinations instead of 1.",
    )


def test_nat_gateways_are_mended_by_addresses_and_endpoints() -> None:
    """Up to 8 addresses each; then more gateways; and more tasks mend nothing there."""
    made = budget(nat_gateways=3)
    assert (nat_addresses_needed(made), nat_gateways_needed(made)) == (5, 14)
    assert remedies(made)[1:] == (
        "Or give each NAT gateway 5 addresses instead of 1.",
        "What goes to AWS needs no NAT gateway at all: make VPC endpoints for it.",
    )
    one = budget(nat_gateways=1)
    assert nat_addresses_needed(one) is None
    assert "Or have 2 NAT gateways with 8 addresses each, in zones that tasks run in." in remedies(one)
    assert "No number of NAT gateways mends it." in remedies(budget(nat_gateways=1, expected_sessions=10_000_000))
    assert nat_gateways_needed(budget()) == 0


def test_a_pool_that_is_too_large_is_mended_by_a_smaller_one() -> None:
    """More tasks have more pools."""
    made = budget(kept="pooled", pool_size=40_000)
    assert tasks_needed(made) is None
    assert remedies(made) == (
        "Make the pool of each task smaller than 40000.",
        "No number of tasks mends it.",
        "Or spread them over 2 destinations instead of 1.",
    )
    assert sessions_held(budget(kept="pooled", pool_size=60_000)) == 0


def test_a_pool_that_would_be_too_large_is_no_promise() -> None:
    """When the requests that wait at once are too many with the smallest pool too, the sentence says so."""
    first = remedies(budget(requests_per_session=60))[0]
    assert first.startswith("Keep connections open and use them again: ")
    assert first.endswith("; above 37500 in a task it helps no more. It is not enough alone.")


def test_a_small_pool_may_mend_what_one_for_all_requests_would_not() -> None:
    """One NAT gateway bears 50 connections of each of 30 tasks, and not the 1,500 requests that wait in each."""
    made = budget(expected_sessions=180_000, requests_per_session=1, tasks=30, nat_gateways=1)
    assert made.in_flight == 1500
    assert replace(made, kept="pooled", pool_size=1500).verdict == "tight"
    assert replace(made, kept="pooled", pool_size=50).verdict == "holds"
    assert remedies(made)[0].endswith("together; above 1500 in a task it helps no more.")


def test_a_load_beyond_every_number_is_told() -> None:
    """1,000 destinations are the most that are counted."""
    made = budget(expected_sessions=1_000_000_000)
    assert (tasks_needed(made), destinations_needed(made)) == (None, None)
    assert remedies(made)[1:] == ("No number of tasks mends it.",)


def test_sessions_that_fit_are_the_last_that_hold() -> None:
    """Of the write-up's 50,000 the kernel's ports would have held 37,642 after the update (W1)."""
    updated = budget(local_ports=KERNEL, per_request=2)
    assert sessions_held(updated) == 37_642
    assert replace(updated, expected_sessions=37_642).holds
    assert not replace(updated, expected_sessions=37_643).holds
    assert sessions_held(budget(per_request=2)) == 73_728


@given(budgets)
def test_the_numbers_are_the_fewest_that_do(made: PortBudget) -> None:
    """With them half is free, and with one less it is not."""
    rows: list[tuple[int | None, str, tuple[str, ...]]] = [
        (tasks_needed(made), "tasks", IN_TASK),
        (destinations_needed(made), "destinations", ("task to",)),
    ]
    if made.nat_gateways:
        rows.append((nat_gateways_needed(made), "nat_gateways", ("tasks to",)))
        rows.append((nat_addresses_needed(made), "nat_addresses", ("tasks to",)))
    for number, name, paths in rows:
        if number is None:
            continue
        assert all(path(changed(made, name, number), one).verdict == "holds" for one in paths)
        if number > 1:
            assert any(path(changed(made, name, number - 1), one).verdict != "holds" for one in paths)


def changed(made: PortBudget, name: str, number: int) -> PortBudget:
    """The budget with another number."""
    change: dict[str, Any] = {name: number}
    return replace(made, **change)


@given(budgets)
def test_what_is_short_is_answered(made: PortBudget) -> None:
    """There are remedies exactly when less than half of something is free."""
    assert bool(remedies(made)) == (made.verdict != "holds")
