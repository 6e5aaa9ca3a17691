"""Incident W1: 50,000 sessions, by the port budget, with the kernel's range and with ours.

The write-up says that more than 50,000 sessions were open, that internal ports ran out, and that an updated library was
why. How many tasks there were and what a session asked for, it does not say: each row is a guess of ours, said in full.

``python -m tests.incidents.ports_cases`` prints the table as it is in docs/lessons/W1-when-the-page-comes.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from rich.table import Table

from constructs_lib.services.ports.local_ports import KERNEL, WIDE
from constructs_lib.services.ports.port_budget import PortBudget, PortPath
from constructs_lib.services.ports.port_remedies import nat_addresses_needed, sessions_held, tasks_needed
from tests.incidents.ports_day import at, minutes, sessions

SESSIONS: Final = 50_000
QUICK, HANGS = 1, 15
"""Seconds that a request waits for the database: on a good day, and when it hangs, as `TimeoutBudget` allows."""

TASK_USD: Final = 14.42
"""A task of the default size for a month (docs/lessons/T1-capacity-for-the-peak.md)."""

ADDRESS_USD: Final = 3.65
"""A public IPv4 address for a month: https://aws.amazon.com/vpc/pricing/."""

COLUMNS: Final = (
    *("assumed", "before: the kernel's range, 28,232 ports", "after: ours, 55,296 ports, with 50,000 sessions"),
    *("ours holds", "half stays free with, for USD a month more"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One guess at what the update did, with the kernel's range and a database that answers quickly."""

    name: str
    budget: PortBudget

    @property
    def ours(self) -> PortBudget:
        """The same with our range."""
        return replace(self.budget, local_ports=WIDE)

    @property
    def planned(self) -> PortBudget:
        """What a plan must bear: ours, when the database hangs."""
        return replace(self.ours, upstream_seconds=HANGS)


def _budget(**given: object) -> PortBudget:
    start = PortBudget(
        expected_sessions=SESSIONS, requests_per_session=2.2, tasks=4, upstream_seconds=QUICK, local_ports=KERNEL
    )
    return replace(start, **given)  # type: ignore[arg-type]


CASES: Final = (
    Case(name="before the update: 4 tasks, each with a pool of 60", budget=_budget(kept="pooled", pool_size=60)),
    Case(name="a connection for each request: 4 tasks, 2.2 requests of a session a minute", budget=_budget()),
    Case(
        name="two connections for each request: 3 tasks, 1.5 requests a minute",
        budget=_budget(tasks=3, requests_per_session=1.5, per_request=2),
    ),
    Case(name="a connection kept for each session: 2 tasks", budget=_budget(tasks=2, kept="per-session")),
    Case(name="as the second row, through one NAT gateway with one address", budget=_budget(nat_gateways=1)),
)


def runs_out(budget: PortBudget) -> tuple[int, datetime | None]:
    """From how many sessions on, and when the morning of the 26th has as many by the assumed curve; None: never."""
    first = sessions_held(budget) + 1
    return first, next((moment for moment in minutes(at(26, 0), at(26, 12)) if sessions(moment) >= first), None)


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """The table, a case a row."""
    for case in CASES:
        pooled = case.budget.kept == "pooled"  # a request waits for its turn, and takes no port
        held = "ports are no limit" if pooled else f"{sessions_held(case.ours):,} sessions"
        yield case.name, _out(case.budget), _used(case), held, _mended(case.planned)


def cases_table() -> Table:
    """For the terminal."""
    made = Table(*COLUMNS, title="50,000 sessions: what the update may have done, by the port budget", show_lines=True)
    for row in rows():
        made.add_row(*row)
    return made


def markdown() -> str:
    """For the page."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _out(budget: PortBudget) -> str:
    first, when = runs_out(budget)
    if budget.kept == "pooled":
        return "holds"
    if when is None:
        return f"held on that morning; out from {first:,} sessions"
    return f"out from {first:,} sessions, at {when:%H:%M}"


def _used(case: Case) -> str:
    quick, slow = case.ours.tightest, case.planned.tightest
    return f"{quick.name}: {_percent(quick)} used, it {_words(quick)}; {_percent(slow)} when the database hangs"


def _percent(path: PortPath) -> str:
    return f"{math.ceil(100 * path.needs / path.holds)} %"


def _words(path: PortPath) -> str:
    return "is tight" if path.verdict == "tight" else path.verdict


def _mended(budget: PortBudget) -> str:
    """What leaves half of each path free when the database hangs. Going back costs nothing."""
    if budget.verdict == "holds":
        return "nothing more: 0"
    tasks = tasks_needed(budget)
    assert tasks is not None
    more = (tasks - budget.tasks) * TASK_USD
    said = f"{tasks} tasks"
    if budget.nat_gateways:
        addresses = nat_addresses_needed(budget)
        assert addresses is not None
        said += f" and {addresses} addresses"
        more += (addresses - budget.nat_addresses) * ADDRESS_USD
    return f"the library of before: 0; or {said}: {more:.2f}"


if __name__ == "__main__":
    sys.stdout.write(markdown())
