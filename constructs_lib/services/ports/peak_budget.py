"""The port budget of a service whose peak is known (lesson W1). Standard library only."""

from __future__ import annotations

import math
from fractions import Fraction

from constructs_lib.checks import invalid
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.local_ports import WIDE, LocalPorts
from constructs_lib.services.ports.port_budget import Connections, PortBudget
from constructs_lib.services.ports.port_remedies import remedies
from constructs_lib.services.scaling.capacity import Peak, tasks_left
from constructs_lib.services.traffic.timeouts import TimeoutBudget

_WORST = Connections()


def budget_of_peak(peak: Peak, timeouts: TimeoutBudget, local_ports: LocalPorts = WIDE) -> PortBudget:
    """What the ports must hold at the peak with the tasks that the loss of a zone leaves.

    Args:
        peak: the peak; without ``peak.connections`` each request is taken to open one, the worst.
        timeouts: how long a request waits for a dependency at worst.
        local_ports: from which ports a task opens connections; 10240 to 65535 by default.

    Raises:
        ValueError: connections kept for each session, and no number of sessions.
    """
    used = peak.connections or _WORST
    per_minute = Fraction(str(peak.requests_per_second)) * 60
    if used.kept == "per-session" and used.sessions is None:
        raise invalid("sessions", None, "given with kept='per-session'", "pass the open sessions of the peak")
    # Without sessions, a session is what asks once a minute: the arithmetic is the same.
    sessions = used.sessions or math.ceil(per_minute)
    return PortBudget(
        expected_sessions=sessions,
        requests_per_session=per_minute / sessions,
        tasks=tasks_left(peak.min_tasks, peak.az_count),
        destinations=used.destinations,
        nat_gateways=_left(used.nat_gateways, peak.az_count),
        kept=used.kept,
        pool_size=used.pool_size,
        nat_addresses=used.nat_addresses,
        upstream_seconds=timeouts.upstream_seconds,
        local_ports=local_ports,
        per_request=used.per_request,
    )


def checked(
    peak: Peak | None, timeouts: TimeoutBudget, kernel: KernelSettings, container_port: int
) -> tuple[PortBudget | None, str | None]:
    """The budget, if the peak is known, and what to warn of, if anything: less than half of a path is free.

    Args:
        peak: the peak; ``None``: unknown.
        timeouts: how long a request waits for a dependency at worst.
        kernel: from which ports a task opens connections.
        container_port: the port that the application listens on.

    Raises:
        ValueError: it cannot hold, by connections that were given; or the range of ports has the container's own.
    """
    local_ports = kernel.ports_beside((container_port,))
    if peak is None:
        return None, None
    budget = budget_of_peak(peak, timeouts, local_ports)
    if budget.verdict == "holds":
        return budget, None
    said = shortage(budget)
    if peak.connections is None:
        said += " How connections are used is not known, so each request is taken to open one; say it by connections=…"
    elif not budget.holds:
        raise invalid("connections", peak.connections.kept, "what the ports hold at the peak", said)
    return budget, f"Lesson W1: the ports at the peak. {said}"


def shortage(budget: PortBudget) -> str:
    """The arithmetic of each path of which less than half is free, and what mends it."""
    short = [path.sentence for path in budget.paths if path.verdict != "holds"]
    return " ".join((*short, *remedies(budget)))


def _left(gateways: int, zones: int) -> int:
    """NAT gateways that are left with the tasks; with a single one it is the zone of another that is lost."""
    return gateways if gateways < 2 else gateways - math.ceil(gateways / zones)
