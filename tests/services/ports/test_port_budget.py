"""What each path holds and what the peak needs (lesson W1), against connections opened and closed one by one."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.ports import port_budget
from constructs_lib.services.ports.local_ports import KERNEL, LocalPorts
from constructs_lib.services.ports.port_budget import Connections, PortBudget, PortPath
from tests.support import TOKEN, refused, run_without_cdk


def budget(**given_: Any) -> PortBudget:
    """The case of the write-up: 50,000 sessions; the other numbers are ours."""
    numbers: dict[str, Any] = {"expected_sessions": 50_000, "requests_per_session": 6, "tasks": 20}
    return PortBudget(**numbers | given_)


def needs(made: PortBudget) -> list[int]:
    return [path.needs for path in made.paths]


def path(made: PortBudget, name: str) -> PortPath:
    """The path of that name."""
    (found,) = (one for one in made.paths if one.name.startswith(name))
    return found


def test_before_an_update_that_opens_twice_the_connections_the_ports_run_out() -> None:
    """28,232 ports held 50,000 sessions for months; with two connections a request 37,500 are needed (W1)."""
    before = budget(local_ports=KERNEL)
    updated = budget(local_ports=KERNEL, per_request=2)
    assert (path(before, "task to").needs, path(before, "task to").holds, before.verdict) == (18_750, 28_232, "tight")
    assert (path(updated, "task to").needs, updated.verdict, updated.holds) == (37_500, "runs out", False)
    assert updated.tightest is not None
    assert updated.tightest.name == "task to database or cache"
    assert updated.headroom == pytest.approx(-0.328, abs=0.001)


def test_after_the_wide_range_holds_the_same_update() -> None:
    """55,296 ports: the update is tight and not an outage; without it two thirds are free (W1)."""
    assert (budget(per_request=2).verdict, budget(per_request=2).holds) == ("tight", True)
    assert budget().verdict == "holds"
    assert budget().headroom == pytest.approx(0.661, abs=0.001)


def test_every_sentence_has_its_arithmetic_in_it() -> None:
    """Anybody can do it again with a pencil."""
    made = budget(nat_gateways=2, nat_addresses=3)
    assert made.load == "50000 sessions x 6 requests a minute = 5000 requests a second for 20 tasks."
    assert [path.sentence for path in made.paths] == [
        "load balancer to task: 5000 requests a second / 20 tasks x 15 s open = 3750 of 64512 ports of one node: 6 % "
        "is used, it holds.",
        "task to database or cache: 5000 requests a second / 20 tasks x (15 s open + 60 s in TIME_WAIT) = 18750 of "
        "55296 ports (10240 to 65535) to 1 destination: 34 % is used, it holds.",
        "open files of a task: 3750 from the load balancer + 3750 to the dependency = 7500 of 65535 files: 12 % is "
        "used, it holds.",
        "tasks to the internet through NAT: 5000 requests a second x (15 s open + 60 s in TIME_WAIT) = 375000 of "
        "330000 connections of 2 NAT gateways with 3 addresses to 1 destination: 114 % is used, it runs out.",
    ]


def test_several_connections_of_a_request_take_ports_and_files_and_no_more_of_the_load_balancer() -> None:
    """One and a half on average; visitors do not see it, and neither does the load balancer (W1)."""
    made = budget(per_request=1.5, nat_gateways=1)
    assert needs(made) == [3750, 28_125, 3750 + 5625, 562_500]
    assert path(made, "task to").arithmetic.startswith(
        "5000 requests a second / 20 tasks x 1.5 connections x (15 s open + 60 s in TIME_WAIT) = 28125 of 55296"
    )


def test_connections_kept_for_a_session_are_counted_by_session() -> None:
    """2,500 sessions a task; the load balancer has at least as many, and each is two open files."""
    made = budget(kept="per-session", nat_gateways=1)
    assert needs(made) == [3750, 2500, 6250, 50_000]
    assert path(made, "task to").arithmetic.startswith("50000 sessions / 20 tasks = 2500 of 55296 ports")
    many = budget(kept="per-session", requests_per_session=1)
    assert needs(many) == [2500, 2500, 5000]
    assert path(many, "load").arithmetic.startswith("50000 sessions / 20 tasks = 2500 of")
    assert needs(budget(kept="per-session", expected_sessions=50_001, requests_per_session=1)) == [2501, 2501, 5002]


def test_a_pool_needs_what_it_has_however_many_ask() -> None:
    """Through a NAT gateway go the pools of all tasks."""
    made = budget(kept="pooled", pool_size=40, nat_gateways=1)
    assert needs(made) == [3750, 40, 3790, 800]
    assert path(made, "task to").arithmetic.startswith("a pool of 40 = 40 of 55296")
    assert path(made, "tasks to").arithmetic.startswith("20 tasks x a pool of 40 = 800 of 55000 connections of 1 NAT")
    assert needs(replace(made, expected_sessions=100_000))[1] == 40


def test_destinations_are_counted_by_address() -> None:
    """Linux takes the same port again for another destination; a NAT gateway may have all of them to one."""
    made = budget(destinations=3, nat_gateways=1)
    assert path(made, "task to").holds == 165_888
    assert "to 3 destinations" in path(made, "task to").sentence
    assert path(made, "tasks to").holds == 55_000


def test_one_task_says_no_division() -> None:
    """And half a request a minute is a number too."""
    one = budget(tasks=1, expected_sessions=10, requests_per_session=0.5, upstream_seconds=30)
    assert one.load == "10 sessions x 0.5 requests a minute = 0.0833333 requests a second for 1 task."
    assert path(one, "task to").arithmetic.startswith("0.0833333 requests a second x (30 s open")
    assert needs(one) == [3, 8, 6]


@pytest.mark.parametrize(
    ("needed", "verdict", "percent"),
    [(49, "holds", 49), (50, "holds", 50), (51, "tight", 51), (100, "tight", 100), (101, "runs out", 101)],
)
def test_half_of_a_path_must_be_free(needed: int, verdict: str, percent: int) -> None:
    """Callers who all ask again need twice as much; the edges belong to the better side."""
    made = PortPath(name="a path", holds=100, needs=needed, arithmetic="x")
    assert (made.verdict, made.used_percent) == (verdict, percent)
    assert made.headroom == pytest.approx(1 - needed / 100)
    said = {"holds": "holds", "tight": "is tight", "runs out": "runs out"}[verdict]
    assert made.sentence == f"a path: x: {percent} % is used, it {said}."


def test_a_share_is_rounded_up() -> None:
    """One port of many is not nothing, and one too many is not 100 %."""
    assert PortPath(name="p", holds=55_296, needs=1, arithmetic="x").used_percent == 1
    assert PortPath(name="p", holds=55_296, needs=55_297, arithmetic="x").used_percent == 101


@pytest.mark.parametrize(
    ("wrong", "what", "value", "allowed"),
    [
        ({"expected_sessions": 0}, "expected_sessions", 0, "a whole number from 1"),
        ({"requests_per_session": 0}, "requests_per_session", 0, "above 0"),
        ({"requests_per_session": float("nan")}, "requests_per_session", float("nan"), "above 0"),
        ({"requests_per_session": True}, "requests_per_session", True, "above 0"),
        ({"requests_per_session": TOKEN}, "requests_per_session", TOKEN, "above 0"),
        ({"tasks": 0}, "tasks", 0, "from 1 to 5000"),
        ({"upstream_seconds": 0}, "upstream_seconds", 0, "from 1 to 3999"),
        ({"destinations": 0}, "destinations", 0, "from 1 to 1000"),
        ({"nat_gateways": -1}, "nat_gateways", -1, "from 0 to 60"),
        ({"nat_addresses": 9}, "nat_addresses", 9, "from 1 to 8"),
        ({"kept": "forever"}, "kept", "forever", "'per-request', 'per-session' or 'pooled'"),
        ({"kept": "pooled"}, "pool_size", None, "given when kept is 'pooled'"),
        ({"kept": "pooled", "pool_size": 0}, "pool_size", 0, "from 1"),
        ({"per_request": 0}, "per_request", 0, "a number from 0.001 to 1000"),
        ({"per_request": 1001}, "per_request", 1001, "a number from 0.001 to 1000"),
        ({"per_request": "2"}, "per_request", "2", "a number from 0.001 to 1000"),
        ({"per_request": 2, "kept": "per-session"}, "per_request", 2, "1 when kept is 'per-session'"),
        ({"requests_per_session": 2e9}, "requests_per_session", 2e9, "above 0"),
        ({"pool_size": 5}, "pool_size", 5, "None unless kept is 'pooled'"),
    ],
)
def test_a_number_that_cannot_be_is_refused(wrong: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """In one sentence, with what is allowed and what to do."""
    refused(lambda: budget(**wrong), what, value, allowed)


def test_connections_check_their_sessions_too() -> None:
    """They are the same numbers in another place."""
    refused(lambda: Connections(kept="per-session", sessions=0), "sessions", 0, "a whole number from 1")
    assert Connections() == Connections(kept="per-request", destinations=1, nat_gateways=0)


def test_wrong_numbers_are_refused_without_node() -> None:
    """The module is plain Python."""
    said = run_without_cdk(
        "from constructs_lib.services.ports.port_budget import PortBudget\n"
        "PortBudget(expected_sessions=0, requests_per_session=1, tasks=1)"
    )
    assert "expected_sessions must be" in said


def simulated(per_minute: int, seconds: Fraction, *, slots: int, places: int) -> tuple[int, int]:
    """Opens connections one after the other for five minutes, each to the next place, and gives slots back.

    Returns the most that were held at once, and how many could not be opened: a small TCP of our own, that knows
    neither rates nor products.
    """
    free = [list(range(slots)) for _ in range(places)]
    held: list[tuple[Fraction, int, int]] = []
    most = failed = 0
    for number in range(5 * per_minute):
        now = Fraction(60 * number, per_minute)
        while held and held[0][0] <= now:
            _, place, slot = heapq.heappop(held)
            free[place].append(slot)
        place = number % places
        if free[place]:
            heapq.heappush(held, (now + seconds, place, free[place].pop()))
            most = max(most, len(held))
        else:
            failed += 1
    return most, failed


rates = st.integers(1, 80)
waits = st.integers(1, 90)


@given(rates, waits, st.integers(1, 30).map(lambda pairs: 2 * pairs), st.integers(1, 4), st.integers(1, 3))
def test_a_task_runs_out_exactly_when_the_budget_says_so(
    rate: int, wait: int, slots: int, places: int, several: int
) -> None:
    """Ports of a small range are taken and given back one by one; the count and the first failure are the budget's."""
    made = PortBudget(
        expected_sessions=rate,
        requests_per_session=1,
        tasks=1,
        destinations=places,
        upstream_seconds=wait,
        local_ports=LocalPorts(2000, 2000 + slots - 1),
        per_request=several,
    )
    found = path(made, "task to")
    most, failed = simulated(rate * several, Fraction(wait + 60), slots=slots, places=places)
    assert (failed > 0) == (found.needs > found.holds)
    if not failed:
        assert most == found.needs


@given(rates, waits)
def test_open_connections_and_files_are_those_of_the_simulation(rate: int, wait: int) -> None:
    """A request has one connection from the load balancer and one to the dependency, and TIME_WAIT is no open file."""
    made = PortBudget(expected_sessions=rate, requests_per_session=1, tasks=1, upstream_seconds=wait)
    most, _ = simulated(rate, Fraction(wait), slots=10_000, places=1)
    assert path(made, "load").needs == most
    assert path(made, "open files").needs == 2 * most


@given(rates, waits, st.integers(1, 20), st.integers(1, 3), st.integers(1, 2))
def test_nat_gateways_run_out_exactly_when_the_budget_says_so(
    rate: int, wait: int, each: int, gateways: int, addresses: int
) -> None:
    """With a few connections an address in place of 55,000."""
    with patch.object(port_budget, "NAT_CONNECTIONS", each):
        made = path(
            PortBudget(
                expected_sessions=rate,
                requests_per_session=1,
                tasks=3,
                nat_gateways=gateways,
                nat_addresses=addresses,
                upstream_seconds=wait,
            ),
            "tasks to",
        )
    most, failed = simulated(rate, Fraction(wait + 60), slots=each, places=gateways * addresses)
    assert (failed > 0) == (made.needs > made.holds)
    if not failed:
        assert most == made.needs


budgets = st.builds(
    PortBudget,
    expected_sessions=st.integers(1, 200_000),
    requests_per_session=st.sampled_from([0.5, 1, 6, 7.25, 60]),
    tasks=st.integers(1, 200),
    destinations=st.integers(1, 5),
    nat_gateways=st.integers(0, 3),
    nat_addresses=st.integers(1, 7),
    kept=st.sampled_from(["per-request", "per-session"]),
    upstream_seconds=st.integers(1, 100),
    local_ports=st.sampled_from([KERNEL, LocalPorts(20_000, 60_000)]),
)


@given(budgets, st.integers(1, 50))
def test_more_of_anything_that_holds_is_never_worse(made: PortBudget, more: int) -> None:
    """Tasks, destinations, gateways, addresses and ports: no path has less headroom with more of one."""
    others = [
        replace(made, tasks=made.tasks + more),
        replace(made, destinations=made.destinations + more),
        replace(made, nat_addresses=made.nat_addresses + 1),
        replace(made, local_ports=LocalPorts(made.local_ports.low - more, made.local_ports.high + more)),
    ]
    if made.nat_gateways:
        others.append(replace(made, nat_gateways=min(60, made.nat_gateways + more)))
    for other in others:
        for before, after in zip(made.paths, other.paths, strict=True):
            assert after.headroom >= before.headroom, after.sentence


WORSE: list[Callable[[PortBudget, int], PortBudget]] = [
    lambda made, more: replace(made, expected_sessions=made.expected_sessions * more),
    lambda made, more: replace(made, requests_per_session=made.requests_per_session * more),
    lambda made, more: replace(made, upstream_seconds=made.upstream_seconds + more),
    lambda made, more: replace(made, per_request=more) if made.kept == "per-request" else made,
]


@given(budgets, st.integers(2, 20), st.sampled_from(WORSE))
def test_more_load_is_never_better(
    made: PortBudget, more: int, change: Callable[[PortBudget, int], PortBudget]
) -> None:
    """Sessions, requests of each, and how long each waits."""
    for before, after in zip(made.paths, change(made, more).paths, strict=True):
        assert after.needs >= before.needs


@given(budgets, st.integers(2, 20))
def test_needs_grow_as_sessions_do(made: PortBudget, times: int) -> None:
    """So many times the sessions take so many times the connections, but for what was rounded up."""
    for before, after in zip(
        made.paths, replace(made, expected_sessions=made.expected_sessions * times).paths, strict=True
    ):
        assert before.needs * times - 2 * times <= after.needs <= before.needs * times


@given(budgets)
def test_the_whole_is_as_good_as_its_worst_path(made: PortBudget) -> None:
    """Holding, the verdict and the headroom are those of the tightest path."""
    assert made.holds == all(path.needs <= path.holds for path in made.paths)
    assert made.headroom == min(path.headroom for path in made.paths)
    order = ["holds", "tight", "runs out"]
    assert made.verdict == max((path.verdict for path in made.paths), key=order.index)
    assert len(made.paths) == (4 if made.nat_gateways else 3)
