"""What would make the ports hold with half of them free (lesson W1). Standard library only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from constructs_lib.services.ports.port_budget import (
    DEPENDENCY,
    FILES,
    LOAD_BALANCER,
    NAT,
    PortBudget,
)

_MOST_SESSIONS: Final = 10**12


def tasks_needed(budget: PortBudget) -> int | None:
    """The fewest tasks that leave half of each task's own paths free; ``None``: no number of tasks does.

    It is right for a pool too, which is as large in each task.
    """
    return _fewest(5000, lambda n: replace(budget, tasks=n), (LOAD_BALANCER, DEPENDENCY, FILES))


def destinations_needed(budget: PortBudget) -> int | None:
    """The fewest destinations that leave half of the ports to them free; ``None``: 1000 are too few."""
    return _fewest(1000, lambda n: replace(budget, destinations=n), (DEPENDENCY,))


def nat_gateways_needed(budget: PortBudget) -> int | None:
    """The fewest NAT gateways, each with as many addresses, that leave half free; ``None``: 60 are too few."""
    return _fewest(60, lambda n: replace(budget, nat_gateways=n), (NAT,)) if budget.nat_gateways else 0


def nat_addresses_needed(budget: PortBudget) -> int | None:
    """The fewest addresses of each NAT gateway that leave half free; ``None``: the 8 that it may have are too few."""
    return _fewest(8, lambda n: replace(budget, nat_addresses=n), (NAT,))


def sessions_held(budget: PortBudget) -> int:
    """The most sessions with which every path still holds; 0 when a pool alone is too large."""
    return bisect_left(range(1, _MOST_SESSIONS + 1), True, key=lambda n: not replace(budget, expected_sessions=n).holds)


def remedies(budget: PortBudget) -> tuple[str, ...]:
    """Sentences, the best first; none when half of each path is free already."""
    return tuple(_remedies(budget))


def _remedies(budget: PortBudget) -> Iterator[str]:
    short = {path.name for path in budget.paths if path.verdict != "holds"}
    if not short:
        return
    yield _reuse(budget)
    if short - {NAT}:
        tasks = tasks_needed(budget)
        yield "No number of tasks mends it." if tasks is None else f"Or run {tasks} tasks instead of {budget.tasks}."
    if DEPENDENCY in short:
        spread = destinations_needed(budget)
        if spread is not None:
            yield f"Or spread them over {spread} destinations instead of {budget.destinations}."
    if NAT in short:
        yield _more_nat(budget)
        yield "What goes to AWS needs no NAT gateway at all: make VPC endpoints for it."


def _reuse(budget: PortBudget) -> str:
    if budget.kept == "pooled":
        return f"Make the pool of each task smaller than {budget.pool_size}."
    smallest = replace(budget, kept="pooled", per_request=1, pool_size=1)
    enough = "" if smallest.verdict == "holds" else " It is not enough alone."
    return (
        "Keep connections open and use them again: a pool takes as many ports as it has connections. Its size is what "
        f"the dependency bears from all tasks together; above {budget.in_flight} in a task it helps no more.{enough}"
    )


def _more_nat(budget: PortBudget) -> str:
    addresses = nat_addresses_needed(budget)
    if addresses is not None:
        return f"Or give each NAT gateway {addresses} addresses instead of {budget.nat_addresses}."
    gateways = nat_gateways_needed(replace(budget, nat_addresses=8))
    if gateways is None:
        return "No number of NAT gateways mends it."
    return f"Or have {gateways} NAT gateways with 8 addresses each, in zones that tasks run in."


def _fewest(most: int, given: Callable[[int], PortBudget], names: tuple[str, ...]) -> int | None:
    """The first number with which all these paths hold well; more never holds less."""

    def fine(number: int) -> bool:
        return all(path.verdict == "holds" for path in given(number).paths if path.name in names)

    first = bisect_left(range(1, most + 1), True, key=fine) + 1
    return first if first <= most else None
