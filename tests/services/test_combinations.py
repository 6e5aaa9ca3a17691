"""Whatever values a web service is described with, its template keeps the promises of T1, T3 and T4."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck as Hurry
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest
from constructs_lib.services.scaling.capacity import Capacity, Peak, ScheduledCapacity, tasks_left
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.services.conftest import PARAMETER, parts
from tests.support import DIGEST, Template, containers, only, stack, synthesize

PEAKS = st.builds(Peak, requests_per_second=st.integers(1, 3000), per_task=st.integers(1, 90), az_count=st.just(2))
LIMITS = st.tuples(st.integers(2, 50), st.integers(0, 100))
SCHEDULES = st.lists(LIMITS, max_size=3).map(
    lambda found: tuple(
        ScheduledCapacity(name=f"s-{number}", schedule=f"cron({number} 8 * * ? *)", min_tasks=low, max_tasks=low + more)
        for number, (low, more) in enumerate(found)
    )
)
PERCENT = st.integers(10, 75)


@st.composite
def capacities(draw: st.DrawFn) -> Capacity:
    """Any capacity, with a peak or without."""
    peak = draw(st.none() | PEAKS)
    low = (peak.min_tasks if peak else 2) + draw(st.integers(0, 20))
    return Capacity(
        min_tasks=low,
        max_tasks=low + draw(st.integers(0, 900)),
        target_cpu_percent=draw(PERCENT),
        target_memory_percent=draw(st.none() | PERCENT),
        target_requests_per_minute=draw(st.none() | st.integers(1, 60)),
        scheduled=draw(SCHEDULES),
        peak=peak,
    )


@st.composite
def budgets(draw: st.DrawFn) -> TimeoutBudget:
    """Any budget that is in order."""
    more = st.integers(0, 40)
    upstream = draw(st.integers(1, 60))
    request = upstream + draw(more)
    idle = request + 1 + draw(more)
    stop = draw(st.integers(2, 120))
    return TimeoutBudget(
        upstream_seconds=upstream,
        longest_request_seconds=request,
        idle_seconds=idle,
        caller_seconds=idle + 1 + draw(more),
        keep_alive_seconds=idle + 1 + draw(more),
        drain_seconds=request + draw(more),
        shutdown_seconds=draw(st.integers(0, stop)),
        stop_seconds=stop,
    )


CHECKS = st.builds(
    HealthCheck.http,
    st.just("/healthz"),
    port=st.integers(1, 65535),
    program=st.sampled_from(["curl", "python3", "wget"]),
    interval_seconds=st.integers(10, 60),
    timeout_seconds=st.integers(2, 9),
    healthy_after=st.integers(2, 10),
    unhealthy_after=st.integers(2, 10),
    start_seconds=st.integers(0, 300),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[Hurry.too_slow])
@given(capacities(), budgets(), CHECKS, st.booleans())
def test_no_combination_breaks_a_promise(
    capacity: Capacity, timeouts: TimeoutBudget, check: HealthCheck, fixed: bool
) -> None:
    """Enough tasks when a zone is lost, time-outs in order and two health checks are in every template (T1, T3, T4)."""
    scope = stack()
    cluster, repository = parts(scope)
    FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST) if fixed else ReleasedDigest(PARAMETER),
        health_check=check,
        capacity=capacity,
        timeouts=timeouts,
    )
    template = synthesize(scope)
    _tasks(template, capacity.peak)
    _waits(template)
    _checks(template)


def _tasks(template: Template, peak: Peak | None) -> None:
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    low, high = (_released(target[limit]) for limit in ("MinCapacity", "MaxCapacity"))
    assert 2 <= low <= high
    if peak is not None:
        assert tasks_left(low, peak.az_count) * peak.per_task >= peak.requests_per_second
    for action in target.get("ScheduledActions", []):
        limits = action["ScalableTargetAction"]
        assert 2 <= _released(limits["MinCapacity"]) <= _released(limits["MaxCapacity"])
    assert "DesiredCount" not in only(template, "AWS::ECS::Service") or "Conditions" in template


def _waits(template: Template) -> None:
    container = containers(template)["web"]
    told = {row["Name"].removeprefix("MOORINGS_"): int(row["Value"]) for row in container["Environment"]}
    upstream, request = told["UPSTREAM_TIMEOUT_SECONDS"], told["REQUEST_TIMEOUT_SECONDS"]
    balancer, group = (
        {
            row["Key"]: row["Value"]
            for row in only(template, f"AWS::ElasticLoadBalancingV2::{kind}")[f"{kind}Attributes"]
        }
        for kind in ("LoadBalancer", "TargetGroup")
    )
    idle = int(balancer["idle_timeout.timeout_seconds"])
    assert upstream <= request <= idle < told["KEEP_ALIVE_SECONDS"]
    assert upstream < idle
    assert request <= int(group["deregistration_delay.timeout_seconds"])
    assert told["SHUTDOWN_SECONDS"] <= container["StopTimeout"] <= 120


def _checks(template: Template) -> None:
    inside = containers(template)["web"]["HealthCheck"]
    outside = only(template, "AWS::ElasticLoadBalancingV2::TargetGroup")
    interval, timeout = outside["HealthCheckIntervalSeconds"], outside["HealthCheckTimeoutSeconds"]
    assert inside["Command"][0] == "CMD"
    assert inside["Timeout"] < inside["Interval"]
    assert timeout < interval
    grace = only(template, "AWS::ECS::Service")["HealthCheckGracePeriodSeconds"]
    assert grace >= inside["StartPeriod"] + interval * outside["HealthyThresholdCount"] + timeout


def _released(value: Any) -> int:
    """A number after the first release; before it, it is zero."""
    if isinstance(value, dict):
        _, value, before = value["Fn::If"]
        assert before == 0
    assert isinstance(value, int)
    return value
