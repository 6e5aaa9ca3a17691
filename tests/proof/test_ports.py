"""The port budget against this kernel: connections are opened until it refuses, and the counts must be the budget's.

Each case runs in a network namespace of its own (`port_counter.py`), which knows no formula. What is expected is always
asked of `PortBudget`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts, above
from constructs_lib.services.ports.port_budget import (
    DEPENDENCY,
    FILES,
    TIME_WAIT_SECONDS,
    Kept,
    PortBudget,
    PortPath,
)

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
FEW, MORE, ODD = LocalPorts(20000, 20099), LocalPorts(30001, 30400), LocalPorts(20000, 20120)
"""Small ranges, so that a case takes no second; the last has an odd number of ports."""

REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS)
"""What somebody who may not do this is told. Any other failure is one of the counter, and no reason to skip."""

ONE = [("10.0.0.1", 8000)]
PORTS = [("10.0.0.1", 8000), ("10.0.0.1", 8001), ("10.0.0.1", 8002)]
HOSTS = [("10.0.0.1", 8000), ("10.0.0.2", 8000), ("10.0.0.3", 8000), ("10.0.0.3", 8001)]


def path(
    name: str,
    local_ports: LocalPorts,
    *,
    sessions: int = 1,
    per_minute: int = 1,
    destinations: int = 1,
    kept: Kept = "per-session",
) -> PortPath:
    """One path of the budget of one task that answers within a second."""
    budget = PortBudget(
        expected_sessions=sessions,
        requests_per_session=per_minute,
        tasks=1,
        destinations=destinations,
        kept=kept,
        upstream_seconds=1,
        local_ports=local_ports,
    )
    (found,) = [one for one in budget.paths if one.name == name]
    return found


def holds(local_ports: LocalPorts, destinations: int = 1) -> int:
    """Connections to a dependency that fit, by the budget."""
    return path(DEPENDENCY, local_ports, destinations=destinations).holds


@cache
def unable() -> str | None:
    """Why there is no network namespace here, in one sentence, or None."""
    if sys.platform != "linux":
        return f"this is {sys.platform}: the ports of a Linux kernel are counted"
    if os.geteuid() != 0:
        return "not root: a network namespace and its settings need it"
    if shutil.which("unshare") is None:
        return "unshare is missing: it is in the package util-linux"
    done = called("probe", FEW, {})
    said = (done.stderr.strip().splitlines() or [""])[-1]
    refused = done.returncode and ("unshare:" in said or any(f"[Errno {number}]" in said for number in REFUSED))
    return f"no network namespace here, or its settings are read-only: {said}" if refused else None


def called(case: str, local_ports: LocalPorts, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Runs one case in a new network namespace."""
    command = ["unshare", "--net", sys.executable, "-m", "tests.proof.port_counter", case, str(local_ports.low)]
    command += [str(local_ports.high), json.dumps(arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def count(case: str, local_ports: LocalPorts, **arguments: Any) -> Any:
    """What a case counted."""
    done = called(case, local_ports, arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def _kernel() -> None:
    reason = unable()
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.parametrize("local_ports", [FEW, MORE], ids=lambda ports: str(ports.count))
@pytest.mark.parametrize("destinations", [ONE, PORTS, HOSTS], ids=["one", "ports", "addresses"])
def test_the_kernel_refuses_where_the_budget_says(local_ports: LocalPorts, destinations: list[tuple[str, int]]) -> None:
    """To each destination, an address with a port, as many connections as the range has ports, and not one more."""
    counted = count("fill", local_ports, destinations=destinations)
    assert set(counted["refused"]) == {"EADDRNOTAVAIL"}
    assert set(counted["opened"]) == {holds(local_ports)}
    assert sum(counted["opened"]) == counted["held"] == holds(local_ports, len(destinations))


def test_of_an_odd_number_one_port_may_not_be_found() -> None:
    """The kernel looks at an even number of ports for each connection, so the last one of an odd number may be refused
    though it is free: the budget does not count it."""
    counted = count("fill", ODD, destinations=PORTS)
    assert holds(ODD) == ODD.high - ODD.low
    assert set(counted["opened"]) <= {holds(ODD), holds(ODD) + 1}


def test_a_wrong_range_is_seen() -> None:
    """The proof can fail: a kernel that has two ports less, or more, than the budget was told, does not agree."""
    for wrong in (LocalPorts(FEW.low, FEW.high - 2), LocalPorts(FEW.low, FEW.high + 2), LocalPorts(20010, 20099)):
        assert count("fill", wrong, destinations=ONE)["opened"] != [holds(FEW)]


def test_the_containers_of_a_task_share_one_range() -> None:
    """Two processes that open connections at the same time have together what one would have."""
    counted = count("processes", FEW, number=2)
    assert sum(counted["opened"]) == counted["held"] == holds(FEW)


def test_a_closed_connection_keeps_its_port_and_no_file() -> None:
    """Open ones and those in TIME_WAIT share the range. A full range to one destination is none to another."""
    counted = count("client_closes", FEW, kept=40, most=1000)
    assert (counted["refused"], counted["elsewhere"]) == ("EADDRNOTAVAIL", None)
    assert 40 + counted["closed"] == counted["held"] == holds(FEW)
    assert (counted["time_wait"], counted["files"]) == (counted["closed"], 0)


def test_it_keeps_it_as_long_as_the_budget_says() -> None:
    """The kernel's own timer of the newest socket in TIME_WAIT stands at 60 seconds, less what the test took."""
    counted = count("client_closes", FEW, kept=0, most=50)
    assert counted["refused"] is None
    assert TIME_WAIT_SECONDS - 5 < counted["longest_seconds"] <= TIME_WAIT_SECONDS


@pytest.mark.parametrize("sessions", [2, 4])
def test_a_minute_of_requests_takes_what_the_budget_needs(sessions: int) -> None:
    """Sessions that ask 60 times a minute, for a second each, fit a range of just as many ports. With two ports less
    the kernel refuses, and the budget says that it runs out."""
    needs = path(DEPENDENCY, FEW, sessions=sessions, per_minute=60, kept="per-request").needs
    full, short = LocalPorts(20000, 20000 + needs - 1), LocalPorts(20002, 20000 + needs - 1)
    for local_ports, verdict, refused in ((full, "tight", None), (short, "runs out", "EADDRNOTAVAIL")):
        budget = path(DEPENDENCY, local_ports, sessions=sessions, per_minute=60, kept="per-request")
        counted = count("client_closes", local_ports, kept=sessions, most=60 * sessions)
        assert (budget.verdict, counted["refused"]) == (verdict, refused)
        assert counted["held"] == min(needs, budget.holds)


def test_ports_come_back_after_a_second_where_the_kernel_is_told_so() -> None:
    """With ``tcp_tw_reuse`` a port in TIME_WAIT is taken again when it is a second old. The default does so on the
    loopback alone, so on this network it does not, at the same age."""
    counted = count("reuse", FEW)
    assert (counted["closed"], counted["refused"]) == (holds(FEW), "EADDRNOTAVAIL")
    assert counted["default"] == [2]
    assert counted["refused_by_default"] == "EADDRNOTAVAIL"
    assert (counted["again"], counted["time_wait"]) == (holds(FEW), 0)


def test_who_closes_first_keeps_the_port() -> None:
    """When the server closes first, the client has no port in TIME_WAIT, and three times its range fits one after the
    other: the budget, which always counts the minute, is too strict there and never too lax."""
    most = 3 * holds(FEW)
    counted = count("server_closes", FEW, most=most)
    assert (counted["closed"], counted["refused"]) == (most, None)
    assert counted["time_wait_ours"] == 0
    assert counted["time_wait_servers"] > 0
    assert path(DEPENDENCY, FEW, per_minute=most, kept="per-request").verdict == "runs out"


def test_what_comes_in_takes_no_port_of_ours() -> None:
    """More connections come in than the range has ports, and all ports are still there for those that go out."""
    counted = count("inbound", FEW, number=150)
    assert counted["in_range"] == 0
    assert counted["inbound"] > holds(FEW) == counted["opened"]


def test_before_a_server_below_the_range_finds_its_port_taken() -> None:
    """A range that holds a container's port: an outgoing connection has it, and the server cannot start."""
    assert count("late_server", FEW, container_port=20050) == {"opened": holds(FEW), "server": "EADDRINUSE"}


def test_after_the_range_begins_above_every_server() -> None:
    """Ours begins above the container's port, so the server starts however many connections there are."""
    ours = above([20050])
    assert ours is not None
    first = LocalPorts(ours.low, ours.low + 99)
    assert count("late_server", first, container_port=20050) == {"opened": holds(first), "server": "listens"}


def test_the_wide_range_is_one_that_the_kernel_takes() -> None:
    """The kernel's own range is what we take it for. It reads ours back as written, and takes ports below its own."""
    counted = count("fresh", WIDE, destinations=60)
    assert counted["default"] == [KERNEL.low, KERNEL.high]
    assert counted["range"] == [WIDE.low, WIDE.high] == [int(word) for word in WIDE.setting.split()]
    assert WIDE.low <= counted["low"] < KERNEL.low
    assert counted["high"] <= WIDE.high
    assert counted["range"][1] - counted["range"][0] + 1 == holds(WIDE) == 55_296


def test_from_half_on_the_kernel_must_search() -> None:
    """The first half of the connections gets ports of one parity, the rest the other: from half on, each new one
    looks at a taken half first. So half is where we warn."""
    counted = count("fill", MORE, destinations=ONE)
    half = holds(MORE) // 2
    first, rest = counted["ports"][:half], counted["ports"][half:]
    assert {port % 2 for port in first} != {port % 2 for port in rest}
    assert (len(set(first)), len(set(rest))) == (half, half)
    assert (len({port % 2 for port in first}), len({port % 2 for port in rest})) == (1, 1)


def test_a_client_that_binds_first_has_one_range_for_all() -> None:
    """What the budget does not know: who binds an address before connecting, without IP_BIND_ADDRESS_NO_PORT, has a
    port for one destination only. Then pass one destination."""
    counted = count("bound_first", FEW, destinations=PORTS)
    assert counted["refused"] == ["EADDRINUSE"] * len(PORTS)
    assert sum(counted["opened"]) == holds(FEW) < holds(FEW, len(PORTS))


@pytest.mark.parametrize("incoming", [0, 20])
def test_open_files_are_a_limit_of_their_own(incoming: int) -> None:
    """Connections of both directions are files of the process. The limit ends them with ports left; the budget counts
    both directions too."""
    limit = 60
    counted = count("files", MORE, limit=limit, incoming=incoming)
    assert (counted["refused"], counted["incoming"]) == ("EMFILE", incoming)
    assert counted["opened"] + incoming == limit
    assert counted["ports_left"] == holds(MORE) - counted["opened"] > 0
    # The budget's two directions are as many: sessions that come in, and one connection of each that goes out.
    assert path(FILES, MORE, sessions=limit // 2).needs == limit
