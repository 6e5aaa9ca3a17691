"""The budget of a peak, and what a service says of it before it is made (lesson W1)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Annotations, App, Stack
from aws_cdk.assertions import Annotations as Said
from aws_cdk.assertions import Match
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts
from constructs_lib.services.ports.peak_budget import budget_of_peak, checked, shortage
from constructs_lib.services.ports.port_budget import Connections
from constructs_lib.services.ports.port_warning import warn_of_ports
from constructs_lib.services.scaling.capacity import Capacity, Peak, tasks_left
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.services.conftest import CHECK, parts
from tests.support import DIGEST, FLAG_SETS, refused, stack, synthesize

HEAVY: dict[str, Any] = {"requests_per_second": 2000, "per_task": 1000, "az_count": 2}
"""Four tasks, two with one zone lost; 1000 requests a second in each."""


def peak(**given_: Any) -> Peak:
    """A peak with what a test changes."""
    return Peak(**HEAVY | given_)


def service(scope: Stack, capacity: Capacity, **given_: Any) -> FargateWebService:
    """A web service with a peak."""
    cluster, repository = parts(scope)
    return FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        capacity=capacity,
        **given_,
    )


def warnings(scope: Stack) -> list[str]:
    """What would be printed as a warning about ports."""
    found = Said.from_stack(scope).find_warning("*", Match.string_like_regexp("Lesson W1"))
    return [str(one.entry.data) for one in found]


def test_the_tasks_are_those_that_a_lost_zone_leaves() -> None:
    """Of 20 in three zones 13; each has a thirteenth of the peak, and waits as long as the time-outs say."""
    made = budget_of_peak(Peak(requests_per_second=1000, per_task=80, az_count=3), TimeoutBudget(upstream_seconds=20))
    assert (made.tasks, float(made.requests_per_second), made.upstream_seconds) == (13, 1000.0, 20)
    assert made.local_ports == WIDE
    needs = {path.name: path.needs for path in made.paths}
    assert needs == {
        "load balancer to task": 1539,  # 1000 / 13 x 20 = 1538.46
        "task to database or cache": 6154,  # 1000 / 13 x 80 = 6153.8
        "open files of a task": 3078,
    }


def test_connections_of_the_peak_are_used() -> None:
    """Sessions, pools, destinations and NAT gateways; of three gateways in three zones two are left."""
    used = Connections(kept="pooled", pool_size=40, destinations=2, nat_gateways=3, nat_addresses=2)
    made = budget_of_peak(
        Peak(requests_per_second=60, per_task=30, az_count=3, connections=used), TimeoutBudget(), KERNEL
    )
    assert (made.kept, made.pool_size, made.destinations, made.nat_gateways, made.nat_addresses) == (
        "pooled",
        40,
        2,
        2,
        2,
    )
    assert made.local_ports == KERNEL
    for gateways, left in ((0, 0), (1, 1), (2, 1), (4, 2)):
        some = Connections(nat_gateways=gateways)
        peak_ = Peak(requests_per_second=60, per_task=30, az_count=3, connections=some)
        assert budget_of_peak(peak_, TimeoutBudget()).nat_gateways == left
    several = budget_of_peak(peak(connections=Connections(per_request=1.5)), TimeoutBudget())
    assert {path.name: path.needs for path in several.paths}["task to database or cache"] == 112_500
    sessions = Connections(kept="per-session", sessions=50_000)
    made = budget_of_peak(peak(connections=sessions), TimeoutBudget())
    assert made.expected_sessions == 50_000
    assert made.requests_per_second == 2000
    assert {path.name: path.needs for path in made.paths}["task to database or cache"] == 25_000


def test_sessions_must_be_told_when_each_keeps_a_connection() -> None:
    """Requests a second do not say how many sessions there are."""
    unknown = peak(connections=Connections(kept="per-session"))
    refused(lambda: budget_of_peak(unknown, TimeoutBudget()), "sessions", None, "given with kept='per-session'")


def test_connections_of_another_kind_are_refused() -> None:
    """A word is no value."""
    refused(lambda: peak(connections="pooled"), "connections", "pooled", "Connections or None")


@given(st.floats(0.5, 2000), st.floats(1, 500), st.integers(2, 6), st.integers(1, 40))
def test_the_rate_is_the_peaks(requests: float, per_task: float, zones: int, wait: int) -> None:
    """However the load is told, a task has its share of it, and no more than it is measured to serve."""
    given_ = Peak(requests_per_second=requests, per_task=per_task, az_count=zones)
    made = budget_of_peak(given_, TimeoutBudget(upstream_seconds=wait, longest_request_seconds=40, drain_seconds=60))
    assert float(made.requests_per_second) == pytest.approx(requests)
    assert made.tasks == tasks_left(given_.min_tasks, zones)
    assert float(made.requests_per_second / made.tasks) <= per_task * (1 + 1e-9)


def test_what_holds_is_silent() -> None:
    """Half of each path is free, whether connections were told or not; and without a peak there is no budget."""
    light = Peak(requests_per_second=60, per_task=30, az_count=3)
    budget, said = checked(light, TimeoutBudget(), KernelSettings(), 8080)
    assert budget is not None
    assert (budget.verdict, said) == ("holds", None)
    assert checked(None, TimeoutBudget(), KernelSettings(), 8080) == (None, None)


def test_the_range_of_ports_is_the_tasks_own() -> None:
    """What the kernel settings say is what the budget counts with."""
    ports = KernelSettings(local_ports=LocalPorts(60_000, 60_999))
    budget, _ = checked(peak(requests_per_second=1, per_task=1), TimeoutBudget(), ports, 8080)
    assert budget is not None
    assert budget.local_ports.count == 1000
    budget, _ = checked(peak(requests_per_second=1, per_task=1), TimeoutBudget(), KernelSettings(), 30_000)
    assert budget is not None
    assert budget.local_ports == LocalPorts(30_002, 65_535)


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_before_nothing_is_said_and_after_the_arithmetic_is(flags: dict[str, object]) -> None:
    """A peak whose ports may not hold is a warning with every number in it, which can be acknowledged (W1)."""
    scope = stack(App(context=flags))
    made = service(scope, Capacity.for_peak(**HEAVY))
    (said,) = warnings(scope)
    assert "2000 requests a second / 2 tasks x (15 s open + 60 s in TIME_WAIT) = 75000 of 55296 ports" in said
    assert "Keep connections open and use them again" in said
    assert "Or run 6 tasks instead of 2." in said
    assert "How connections are used is not known, so each request is taken to open one" in said
    Annotations.of(made).acknowledge_warning("moorings:ports", "each request uses a pool, measured in May")
    assert warnings(scope) == []


def test_connections_that_cannot_hold_stop_before_anything_is_made() -> None:
    """Whoever says how connections are used is told at synthesis, not at noon (W1)."""
    scope = stack()
    used = Connections(kept="per-request")
    cluster, repository = parts(scope)
    before = [child.node.path for child in scope.node.find_all()]
    fix = refused(
        lambda: FargateWebService(
            scope,
            "Web",
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            capacity=Capacity.for_peak(**HEAVY, connections=used),
        ),
        "connections",
        "per-request",
        "what the ports hold at the peak",
    )
    assert "= 75000 of 55296 ports (10240 to 65535) to 1 destination: 136 % is used, it runs out." in fix
    assert "Or spread them over 3 destinations instead of 1." in fix
    assert [child.node.path for child in scope.node.find_all()] == before


def test_connections_that_are_tight_are_a_warning() -> None:
    """They hold, and less than half is free for callers who ask again."""
    scope = stack()
    used = Connections(destinations=2)
    service(scope, Capacity.for_peak(**HEAVY, connections=used))
    (said,) = warnings(scope)
    assert "= 75000 of 110592 ports (10240 to 65535) to 2 destinations: 68 % is used, it is tight." in said
    assert "not known" not in said


@pytest.mark.parametrize(
    "capacity",
    [
        pytest.param(Capacity(), id="no peak"),
        pytest.param(Capacity.for_peak(requests_per_second=60, per_task=30, az_count=2), id="the app's"),
        pytest.param(
            Capacity.for_peak(**HEAVY, connections=Connections(kept="pooled", pool_size=40)),
            id="a heavy one with pools",
        ),
    ],
)
def test_a_service_that_holds_says_nothing(capacity: Capacity) -> None:
    """A warning that always comes is read by nobody."""
    scope = stack()
    service(scope, capacity)
    assert warnings(scope) == []


def test_the_sentences_are_in_the_metadata() -> None:
    """Whoever halves the tasks finds what they were for (Q8, W1)."""
    scope = stack()
    capacity = Capacity.for_peak(requests_per_second=60, per_task=30, az_count=2)
    service(scope, capacity, settings=ContainerSettings(kernel=KernelSettings(local_ports=KERNEL)))
    template = synthesize(scope)
    (resource,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::ECS::Service")
    said = resource["Metadata"]["moorings:why"]["ports"]
    assert said == [
        "Connections are opened from ports 32768 to 60999, 28232 to each destination.",
        "load balancer to task: 60 requests a second / 2 tasks x 15 s open = 450 of 64512 ports of one node: 1 % is "
        "used, it holds.",
        "task to database or cache: 60 requests a second / 2 tasks x (15 s open + 60 s in TIME_WAIT) = 2250 of 28232 "
        "ports (32768 to 60999) to 1 destination: 8 % is used, it holds.",
        "open files of a task: 450 from the load balancer + 450 to the dependency = 900 of 65535 files: 2 % is used, "
        "it holds.",
    ]


def test_any_construct_can_be_warned() -> None:
    """A service of somebody else gets the same sentence."""
    scope = stack()
    budget = budget_of_peak(peak(), TimeoutBudget())
    warn_of_ports(scope, f"Lesson W1: {shortage(budget)}")
    (said,) = warnings(scope)
    assert said.startswith("Lesson W1: task to database or cache: 2000 requests a second / 2 tasks")
