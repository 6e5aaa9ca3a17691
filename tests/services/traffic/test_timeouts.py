"""Time-outs are one budget, in order from the inside to the outside (lesson T3)."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.guardrails.check import check
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.services.conftest import parts
from tests.support import Template, containers, only, refused, run_without_cdk, stack

SECONDS = st.integers(-1, 130) | st.integers(3590, 4010)
NAMES = [field.name for field in fields(TimeoutBudget)]


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, SECONDS)))
def test_a_budget_that_exists_is_ordered(values: dict[str, int]) -> None:
    """Whatever is asked for, either it is refused or every wait is shorter than the one around it (T3)."""
    try:
        budget = TimeoutBudget(**values)
    except ValueError:
        return
    assert 0 < budget.upstream_seconds < budget.idle_seconds < budget.caller_seconds
    assert budget.idle_seconds < budget.keep_alive_seconds
    assert budget.upstream_seconds <= budget.longest_request_seconds <= min(budget.idle_seconds, budget.drain_seconds)
    assert budget.shutdown_seconds <= budget.stop_seconds <= 120
    assert 2 <= budget.idle_seconds <= 4000
    assert 0 <= budget.drain_seconds <= 3600


@given(st.tuples(*[st.integers(0, 50)] * 6), st.integers(1, 50))
def test_every_ordered_budget_is_accepted(steps: tuple[int, ...], upstream: int) -> None:
    """A budget whose waits enclose each other is taken as it is, so the checks refuse nothing that is right (T3)."""
    request, keep_alive, caller, drain, stop, shutdown = steps
    idle = upstream + request + 1
    budget = TimeoutBudget(
        upstream_seconds=upstream,
        longest_request_seconds=upstream + request,
        idle_seconds=idle,
        caller_seconds=idle + 1 + caller,
        keep_alive_seconds=idle + 1 + keep_alive,
        drain_seconds=upstream + request + drain,
        shutdown_seconds=min(shutdown, stop + 2),
        stop_seconds=stop + 2,
    )
    assert budget.idle_seconds == idle


@pytest.mark.parametrize(
    ("changes", "what", "allowed", "why"),
    [
        (
            {"upstream_seconds": 60, "longest_request_seconds": 60, "drain_seconds": 60},
            "upstream_seconds",
            "less than idle_seconds (60)",
            "504",
        ),
        ({"keep_alive_seconds": 60}, "idle_seconds", "less than keep_alive_seconds (60)", "in use"),
        ({"caller_seconds": 60}, "idle_seconds", "less than caller_seconds (60)", "ask again"),
        (
            {"longest_request_seconds": 61, "drain_seconds": 99},
            "longest_request_seconds",
            "at most idle_seconds (60)",
            "the load balancer would cut off",
        ),
        ({"drain_seconds": 29}, "longest_request_seconds", "at most drain_seconds (29)", "a deployment would cut off"),
        ({"stop_seconds": 19}, "shutdown_seconds", "at most stop_seconds (19)", "kill"),
        ({"upstream_seconds": 31}, "upstream_seconds", "at most longest_request_seconds (30)", "would end before"),
    ],
)
def test_unordered_timeouts_are_refused(changes: dict[str, int], what: str, allowed: str, why: str) -> None:
    """The sentence names both time-outs, what would go wrong, and what to do (T3)."""
    value = {"upstream_seconds": 60, "idle_seconds": 60, "longest_request_seconds": 30, "shutdown_seconds": 20}
    value |= changes
    fix = refused(lambda: TimeoutBudget(**changes), what, value[what], allowed)
    assert why in fix
    assert fix.endswith("change one of the two")


@pytest.mark.parametrize(
    "changes",
    [
        {"caller_seconds": 61},
        {"keep_alive_seconds": 61},
        {"longest_request_seconds": 45},
        {"upstream_seconds": 30},
        {"stop_seconds": 20},
    ],
)
def test_the_last_that_fits_is_accepted(changes: dict[str, int]) -> None:
    """One second from the fault there is none."""
    ((name, value),) = changes.items()
    assert getattr(TimeoutBudget(**changes), name) == value


LIMITS = {
    "upstream_seconds": (1, 3999),
    "idle_seconds": (2, 4000),
    "caller_seconds": (3, 86400),
    "keep_alive_seconds": (3, 86400),
    "longest_request_seconds": (1, 3600),
    "drain_seconds": (0, 3600),
    "shutdown_seconds": (0, 120),
    "stop_seconds": (2, 120),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_has_the_range_that_aws_has(name: str) -> None:
    """Outside of it the sentence names the range; inside, only the order can be wrong."""
    low, high = LIMITS[name]
    for value in (low - 1, high + 1, "30", True):
        changes: dict[str, Any] = {name: value}
        refused(lambda changes=changes: TimeoutBudget(**changes), name, value, f"a whole number from {low} to {high}")  # type: ignore[misc]
    for value in (low, high):
        assert f"from {low} to {high}" not in said({name: value})


def said(changes: dict[str, int]) -> str:
    """What is said of a budget; nothing when it is right."""
    try:
        TimeoutBudget(**changes)
    except ValueError as error:
        return str(error)
    return ""


def test_the_defaults_are_these() -> None:
    """They fit each other and AWS's own: 60 s idle, and 120 s to stop at most."""
    budget = TimeoutBudget()
    assert [getattr(budget, name) for name in NAMES] == [15, 60, 90, 75, 30, 45, 20, 30]


def test_before_an_application_does_not_know_its_load_balancers_numbers() -> None:
    """A web server's own keep-alive is shorter than the load balancer's idle timeout of 60 s; that is refused (T3)."""
    own_of_uvicorn = 5  # https://www.uvicorn.org/settings/#timeouts
    refused(
        lambda: TimeoutBudget(keep_alive_seconds=own_of_uvicorn),
        "idle_seconds",
        60,
        f"less than keep_alive_seconds ({own_of_uvicorn})",
    )


def test_after_the_application_is_told_the_same_numbers() -> None:
    """Four settings, which no other setting may shadow (T3)."""
    budget = TimeoutBudget(upstream_seconds=14, longest_request_seconds=29, keep_alive_seconds=76, shutdown_seconds=19)
    expected = {
        "MOORINGS_UPSTREAM_TIMEOUT_SECONDS": "14",
        "MOORINGS_REQUEST_TIMEOUT_SECONDS": "29",
        "MOORINGS_KEEP_ALIVE_SECONDS": "76",
        "MOORINGS_SHUTDOWN_SECONDS": "19",
    }
    assert budget.environment() == expected
    told = ContainerSettings(environment={"MODE": "shop"}).with_environment(budget.environment())
    assert told.environment == {"MODE": "shop", **expected}
    taken = ContainerSettings(environment={"MOORINGS_KEEP_ALIVE_SECONDS": "5"})
    name = "MOORINGS_KEEP_ALIVE_SECONDS"
    refused(lambda: taken.with_environment(budget.environment()), "environment", name, "without MOORINGS_")


def attributes(template: Template, kind: str) -> dict[str, str]:
    """What a load balancer or target group is set to."""
    made = only(template, f"AWS::ElasticLoadBalancingV2::{kind}")
    return {row["Key"]: row["Value"] for row in made.get(f"{kind}Attributes", [])}


def test_before_nothing_in_the_template_says_how_long_anybody_waits(pattern: Template) -> None:
    """Plain CDK leaves 60 s of idling and 300 s of draining to AWS, and tells the application neither (T3)."""
    assert "idle_timeout.timeout_seconds" not in attributes(pattern, "LoadBalancer")
    assert "deregistration_delay.timeout_seconds" not in attributes(pattern, "TargetGroup")
    (container,) = containers(pattern).values()
    assert "Environment" not in container
    assert "StopTimeout" not in container


def test_after_load_balancer_ecs_and_application_have_one_budget(web: Template) -> None:
    """All numbers are in the template, and in order (T3)."""
    container = containers(web)["web"]
    told = {row["Name"]: int(row["Value"]) for row in container["Environment"] if row["Name"].startswith("MOORINGS_")}
    idle = int(attributes(web, "LoadBalancer")["idle_timeout.timeout_seconds"])
    drain = int(attributes(web, "TargetGroup")["deregistration_delay.timeout_seconds"])
    assert told["MOORINGS_UPSTREAM_TIMEOUT_SECONDS"] < told["MOORINGS_REQUEST_TIMEOUT_SECONDS"] <= drain
    assert told["MOORINGS_REQUEST_TIMEOUT_SECONDS"] <= idle < told["MOORINGS_KEEP_ALIVE_SECONDS"]
    assert told["MOORINGS_SHUTDOWN_SECONDS"] <= container["StopTimeout"]
    assert (idle, drain, container["StopTimeout"]) == (60, 45, 30)
    assert {"Name": "MODE", "Value": "shop"} in container["Environment"]


def test_before_a_quick_drain_cuts_requests_off_and_our_rule_says_so(tmp_path: Path) -> None:
    """A deregistration delay of 20 s makes deployments quick, and ends what takes longer; a budget refuses it (T3)."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    scope = stack(app)
    cluster, repository = parts(scope)
    made = patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository)
        ),
    )
    made.target_group.set_attribute("deregistration_delay.timeout_seconds", "20")
    app.synth()
    assert "MOOR-T3a" in {one.rule for one in check([Path(app.outdir)]).findings}
    refused(lambda: TimeoutBudget(drain_seconds=20), "longest_request_seconds", 30, "at most drain_seconds (20)")


def test_the_lesson_documents_every_name() -> None:
    """Whoever writes an application finds the names, and who reads them, on one page."""
    page = next((Path(__file__).parents[3] / "docs" / "lessons").glob("T3-*.md")).read_text()
    assert set(re.findall(r"MOORINGS_[A-Z_]+", page)) == set(TimeoutBudget().environment())


def test_a_wrong_budget_fails_before_node_starts() -> None:
    """Time-outs are described without loading CDK."""
    code = "from constructs_lib.services.traffic.timeouts import TimeoutBudget\nTimeoutBudget(caller_seconds=60)"
    assert run_without_cdk(code).startswith("idle_seconds must be")
