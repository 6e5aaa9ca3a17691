"""Incident W1: a service of that size, minute by minute. How many tasks and requests it had, the write-up does not say.

Everything here but the formula (`PortBudget`) is assumed: four tasks, one address of the database, 2.2 requests of each
session a minute, answers within a second. With them, and the kernel's own range, ports run out a little above 50,000
sessions when each request opens a connection, as told. Before the update a pool was kept in each task.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from constructs_lib.services.ports.local_ports import KERNEL, LocalPorts
from constructs_lib.services.ports.port_budget import DEPENDENCY, Kept, PortBudget
from tests.incidents.ports_day import CHANGED, sessions

TASKS: Final = 4
REQUESTS_PER_SESSION: Final = 2.2
SECONDS: Final = 1
"""How long the database takes at most."""

IDLE: Final = 40
"""Connections that the load balancer keeps open to a task for later."""

ROLLBACK: Final = timedelta(minutes=15)
"""From the command until the last task runs the former image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One version of the library: how the application uses connections with it.

    Attributes:
        image: digest of the image that has it.
        kept: as in `PortBudget`.
        pool_size: as in `PortBudget`.
        opened: connections that one request opens; 1 of a pool.
        hidden_below: with fewer sessions than these it behaves as February's; 0: never.
    """

    image: str
    kept: Kept
    pool_size: int | None = None
    opened: float = 1
    hidden_below: int = 0


FEBRUARY: Final = Library(image="february", kept="pooled", pool_size=60)
MARCH: Final = Library(image="march", kept="per-request")
FIFTH_LESS: Final = Library(image="february", kept="per-request", opened=1 / 1.2)
"""To which March's adds 20 %."""

LARGE_POOL: Final = Library(image="february", kept="pooled", pool_size=5_000)
"""Sockets that are there all night; beside them those of a night's requests are few."""

HIDDEN: Final = Library(image="march", kept="per-request", hidden_below=20_000)
"""Its pool is enough at night, and no use by day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task in one minute.

    Attributes:
        incoming: connections from the load balancer.
        opened: connections to the database that are open.
        time_wait: those in TIME_WAIT, each with a port.
        requests: that it got.
        refused: of them, those for which no port was left.
    """

    incoming: int
    opened: int
    time_wait: int
    requests: float
    refused: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service with one range of ports and two versions of a library.

    Attributes:
        local_ports: from which ports its tasks open connections.
        before: what ran before the night.
        after: what was put in that night.
        changed: when the update was put in, task by task, the last one at the end.
        went_back: when somebody ran the rollback command, or None.
    """

    local_ports: LocalPorts = KERNEL
    before: Library = FEBRUARY
    after: Library = MARCH
    changed: tuple[datetime, datetime] = CHANGED
    went_back: datetime | None = None

    def tasks(self, moment: datetime) -> list[Task]:
        """All tasks, in the minute that begins then."""
        count = sessions(moment)
        return [task(library, count, self.local_ports) for library in self.running(moment)]

    def running(self, moment: datetime) -> Sequence[Library]:
        """What each task runs."""
        if self.went_back is not None and moment >= self.went_back + ROLLBACK:
            return [self.before] * TASKS
        begins, ends = self.changed
        changed = max(0, min(TASKS, (moment - begins) * TASKS // (ends - begins)))
        return [self.after] * changed + [self.before] * (TASKS - changed)


@cache
def task(library: Library, count: int, local_ports: LocalPorts) -> Task:
    """What the formula says of one task with that many sessions of the whole service; the kernel has no more ports."""
    if count < library.hidden_below:
        return task(FEBRUARY, count, local_ports)
    budget = PortBudget(
        expected_sessions=count,
        requests_per_session=REQUESTS_PER_SESSION,
        tasks=TASKS,
        kept=library.kept,
        per_request=library.opened,
        pool_size=library.pool_size,
        upstream_seconds=SECONDS,
        local_ports=local_ports,
    )
    (path,) = [one for one in budget.paths if one.name == DEPENDENCY]
    held = min(path.needs, path.holds)
    opened = min(held, math.ceil(budget.in_flight * library.opened)) if library.kept == "per-request" else held
    requests = count * REQUESTS_PER_SESSION / TASKS
    return Task(
        incoming=IDLE + budget.in_flight,
        opened=opened,
        time_wait=held - opened,
        requests=requests,
        refused=requests * (path.needs - held) / path.needs,
    )
