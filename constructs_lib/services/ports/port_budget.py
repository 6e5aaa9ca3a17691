"""Whether the ports hold at the peak, as arithmetic that anybody can do again (lesson W1). Standard library only.

What is from AWS or Linux has its source beside it. All else is a model of ours, and docs/ports.md says which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from constructs_lib.checks import invalid, is_token, whole_number
from constructs_lib.services.ports.local_ports import WIDE, LocalPorts
from constructs_lib.services.ports.port_path import PortPath as PortPath
from constructs_lib.services.ports.port_path import Verdict as Verdict

Kept = Literal["per-request", "per-session", "pooled"]

TIME_WAIT_SECONDS: Final = 60
"""How long the side that closes first keeps the port of a closed connection: ``TCP_TIMEWAIT_LEN``, which no setting
changes (https://github.com/torvalds/linux/blob/master/include/net/tcp.h)."""

OPEN_FILES: Final = 65535
"""Fargate's limit, soft and hard: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html"""

NODE_PORTS: Final = 65535 - 1024 + 1
"""A load balancer node's ports, by the range that AWS asks network ACLs to let through
(https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-vpc-network-acls.html). That one node may use all
of them towards one target is our model: no AWS page gives a number."""

NAT_CONNECTIONS: Final = 55_000
"""For each address of a NAT gateway and each destination: an address, a port and a protocol
(https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html)."""

LOAD_BALANCER: Final = "load balancer to task"
DEPENDENCY: Final = "task to database or cache"
FILES: Final = "open files of a task"
NAT: Final = "tasks to the internet through NAT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How an application uses connections to one kind of dependency, such as its database (lesson W1).

    Ports are counted by destination, so another kind of dependency is another budget.

    Args:
        kept: how long a connection stays open. ``"per-request"``, the default and the worst: one is opened for each
            request and closed after it. ``"per-session"``: one for each open session, a WebSocket's for example.
            ``"pooled"``: a pool in each task, opened once.
        pool_size: connections of one task's pool, all its processes together; required for ``"pooled"``.
        sessions: open sessions of the whole service at its peak; required for ``"per-session"`` with a ``Peak``.
        per_request: connections that one request opens on average, with ``"per-request"``, 0.001 to 1000; 1 by
            default. It is what an update may change unseen.
        destinations: addresses, each with its port, that the connections are spread over evenly, 1 to 1000: read
            replicas, cache nodes. 1 by default. Two names of one address are one.
        nat_gateways: NAT gateways that the connections go through, in zones that the tasks are spread over, 0 to 60;
            0 by default: they stay in the VPC.
        nat_addresses: addresses of each NAT gateway, 1 to 8; 1 by default.

    Raises:
        ValueError: a number out of its range, a pool without its size, or a size without a pool.
    """

    kept: Kept = "per-request"
    pool_size: int | None = None
    sessions: int | None = None
    per_request: float = 1
    destinations: int = 1
    nat_gateways: int = 0
    nat_addresses: int = 1

    def __post_init__(self) -> None:
        if self.kept not in ("per-request", "per-session", "pooled"):
            fix = "take 'per-request' when unsure: it is the worst"
            raise invalid("kept", self.kept, "'per-request', 'per-session' or 'pooled'", fix)
        if self.kept != "pooled" and self.pool_size is not None:
            raise invalid("pool_size", self.pool_size, "None unless kept is 'pooled'", "pass kept='pooled' with it")
        if self.kept == "pooled":
            fix = "pass the pools of all processes of one task together"
            if self.pool_size is None:
                raise invalid("pool_size", None, "given when kept is 'pooled'", fix)
            whole_number("pool_size", self.pool_size, low=1, high=1_000_000, fix=fix)
        if self.sessions is not None:
            whole_number("sessions", self.sessions, low=1, high=10**9, fix="pass those of the busiest minute")
        _within("per_request", self.per_request, 0.001, 1000, "count the connections of one request")
        if self.kept != "per-request" and self.per_request != 1:
            fix = "only connections that a request opens are counted by request"
            raise invalid("per_request", self.per_request, f"1 when kept is {self.kept!r}", fix)
        whole_number("destinations", self.destinations, low=1, high=1000, fix="count addresses, not their names")
        whole_number("nat_gateways", self.nat_gateways, low=0, high=60, fix="0 when no connection leaves the VPC")
        whole_number("nat_addresses", self.nat_addresses, low=1, high=8, fix="a NAT gateway has 8 at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBudget:
    """What each path of a service can hold, and what its peak needs (lesson W1).

    Requests are taken as spread evenly over the tasks, and connections over the destinations.

    Args:
        expected_sessions: open sessions of the whole service at its peak, 1 or more.
        requests_per_session: requests of one session in a minute, above 0. It is a minute because a closed connection
            keeps its port for one.
        tasks: tasks that serve them, 1 to 5000; those left when a zone is lost.
        destinations: addresses that the connections are spread over; 1 by default, as in :class:`Connections`.
        nat_gateways: NAT gateways that they go through; 0 by default, as in :class:`Connections`.
        kept: how long a connection stays open; ``"per-request"`` by default, as in :class:`Connections`.
        pool_size: connections of one task's pool; required for ``"pooled"``.
        nat_addresses: addresses of each NAT gateway; 1 by default.
        upstream_seconds: how long a request waits for the dependency at worst, 1 to 3999; 15 by default, as in
            ``TimeoutBudget``. When the dependency hangs, all requests wait as long.
        local_ports: from which ports a task opens connections; 10240 to 65535 by default, as in ``KernelSettings``.
        per_request: connections that one request opens; 1 by default, as in :class:`Connections`.

    Raises:
        ValueError: a number out of its range.
    """

    expected_sessions: int
    requests_per_session: float | Fraction
    tasks: int
    destinations: int = 1
    nat_gateways: int = 0
    kept: Kept = "per-request"
    pool_size: int | None = None
    nat_addresses: int = 1
    upstream_seconds: int = 15
    local_ports: LocalPorts = WIDE
    per_request: float = 1

    def __post_init__(self) -> None:
        fix = "pass those of the busiest minute"
        whole_number("expected_sessions", self.expected_sessions, low=1, high=10**12, fix=fix)
        fix = "count what one session asks in a minute"
        _within("requests_per_session", self.requests_per_session, 0, 1e9, fix)
        whole_number("tasks", self.tasks, low=1, high=5000, fix="5000 is a service's default quota")
        whole_number("upstream_seconds", self.upstream_seconds, low=1, high=3999, fix="15 is a good start")
        Connections(
            kept=self.kept,
            pool_size=self.pool_size,
            destinations=self.destinations,
            nat_gateways=self.nat_gateways,
            nat_addresses=self.nat_addresses,
            per_request=self.per_request,
        )

    @property
    def requests_per_second(self) -> Fraction:
        """Of the whole service."""
        return self.expected_sessions * Fraction(str(self.requests_per_session)) / 60

    @property
    def load(self) -> str:
        """What the service is asked, as a line."""
        return (
            f"{self.expected_sessions} sessions x {_number(Fraction(str(self.requests_per_session)))} requests a "
            f"minute = {_number(self.requests_per_second)} requests a second for {_count(self.tasks, 'task')}."
        )

    @property
    def paths(self) -> tuple[PortPath, ...]:
        """Every path, in the order in which a request takes it."""
        return tuple(self._paths())

    @property
    def holds(self) -> bool:
        """Whether every path holds the peak, however little is left."""
        return self.verdict != "runs out"

    @property
    def verdict(self) -> Verdict:
        """The worst of all paths."""
        return self.tightest.verdict

    @property
    def tightest(self) -> PortPath:
        """The path with the smallest headroom; the first of several."""
        return max(self.paths, key=lambda path: Fraction(path.needs, path.holds))

    @property
    def headroom(self) -> float:
        """The smallest headroom of all paths."""
        return self.tightest.headroom

    @property
    def in_flight(self) -> int:
        """Requests that one task has at once when each waits for the dependency as long as it may."""
        return math.ceil(self.requests_per_second / self.tasks * self.upstream_seconds)

    def _paths(self) -> Iterator[PortPath]:
        incoming, said = self._incoming()
        yield _path(LOAD_BALANCER, NODE_PORTS, incoming, said, "ports of one node")
        outgoing, said = self._outgoing(self.tasks)
        ports = f"ports ({self.local_ports.low} to {self.local_ports.high})"
        to = f"{ports} to {_count(self.destinations, 'destination')}"
        yield _path(DEPENDENCY, self.local_ports.count * self.destinations, outgoing, said, to)
        # A socket in TIME_WAIT holds its port and is no open file.
        opened = (
            math.ceil(self._opened / self.tasks * self.upstream_seconds) if self.kept == "per-request" else outgoing
        )
        said = f"{incoming} from the load balancer + {opened} to the dependency"
        yield _path(FILES, OPEN_FILES, incoming + opened, said, "files")
        if self.nat_gateways:
            yield self._nat()

    def _nat(self) -> PortPath:
        if self.kept == "pooled":
            needs, said = self._pool * self.tasks, f"{_count(self.tasks, 'task')} x a pool of {self._pool}"
        else:
            needs, said = self._outgoing(1)
        addresses = _count(self.nat_addresses, "address", "addresses")
        of = f"connections of {_count(self.nat_gateways, 'NAT gateway')} with {addresses} to 1 destination"
        return _path(NAT, NAT_CONNECTIONS * self.nat_gateways * self.nat_addresses, needs, said, of)

    def _incoming(self) -> tuple[int, str]:
        """Connections that are open from the load balancer to one task, and how they are counted."""
        sessions = math.ceil(Fraction(self.expected_sessions, self.tasks))
        if self.kept == "per-session" and sessions >= self.in_flight:
            return sessions, f"{self.expected_sessions} sessions{_shared(self.tasks)}"
        return self.in_flight, f"{self._rate(self.tasks)} x {self.upstream_seconds} s open"

    def _outgoing(self, tasks: int) -> tuple[int, str]:
        """Ports held by one of ``tasks`` for the dependency, and how they are counted."""
        if self.kept == "pooled":
            return self._pool, f"a pool of {self._pool}"
        if self.kept == "per-session":
            needs = math.ceil(Fraction(self.expected_sessions, tasks))
            return needs, f"{self.expected_sessions} sessions{_shared(tasks)}"
        needs = math.ceil(self._opened / tasks * (self.upstream_seconds + TIME_WAIT_SECONDS))
        each = "" if self.per_request == 1 else f"{self.per_request:g} connections x "
        held = f"({self.upstream_seconds} s open + {TIME_WAIT_SECONDS} s in TIME_WAIT)"
        return needs, f"{self._rate(tasks)} x {each}{held}"

    @property
    def _opened(self) -> Fraction:
        """Connections a second that requests of the whole service open."""
        return self.requests_per_second * Fraction(str(self.per_request))

    @property
    def _pool(self) -> int:
        return self.pool_size or 0

    def _rate(self, tasks: int) -> str:
        return f"{_number(self.requests_per_second)} requests a second{_shared(tasks)}"


def _within(what: str, value: float | Fraction, low: float, high: float, fix: str) -> None:
    number = isinstance(value, int | float | Fraction) and not isinstance(value, bool) and not is_token(value)
    if not number or not low <= value <= high or not value:
        raise invalid(what, value, f"a number {f'from {low:g} to {high:g}' if low else 'above 0'}", fix)


def _path(name: str, holds: int, needs: int, said: str, of: str) -> PortPath:
    return PortPath(name=name, holds=holds, needs=needs, arithmetic=f"{said} = {needs} of {holds} {of}")


def _shared(tasks: int) -> str:
    return "" if tasks == 1 else f" / {tasks} tasks"


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _number(value: Fraction) -> str:
    """Whole numbers as they are, others with the digits that matter."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
