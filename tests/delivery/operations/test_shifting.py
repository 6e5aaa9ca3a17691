"""A release of a service whose deployments shift requests: not steady too early, nor given up too early (T4, W4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from constructs_lib.delivery.operations.facts import Service, healthy_targets, service_of
from constructs_lib.delivery.operations.waiting import Watched, hopeless, is_steady, stack_limit
from constructs_lib.delivery.settings import DeliverySettings
from tests.delivery.operations.shop import Shop

DIGEST, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
WATCHED = Watched(digest=DIGEST)
SETTINGS = DeliverySettings(
    application="shop",
    environment="staging",
    service="web",
    account="111111111111",
    region="eu-west-1",
    stack="shop--staging--services",
    role="arn:aws:iam::111111111111:role/release",
    cluster="shop",
    ecs_service="web",
    target_group="arn:first",
    alternate_target_group="arn:second",
    repository="web",
    platform="linux/arm64",
    deployment_minutes=30,
)


def deployment(task_definition: str, running: int, status: str, rollout: str = "", failed: int = 0) -> dict[str, Any]:
    """A deployment, as DescribeServices has it."""
    known = {"rolloutState": rollout} if rollout else {}
    return {
        "id": f"ecs-svc/{task_definition}",
        "status": status,
        "taskDefinition": task_definition,
        "runningCount": running,
        "failedTasks": failed,
        **known,
    }


def described(*deployments: dict[str, Any], desired: int = 2, **how: Any) -> Service:
    """What the release makes of a service with these deployments; the task definition `td:1` has the old digest."""
    answer = {
        "status": "ACTIVE",
        "desiredCount": desired,
        "runningCount": sum(one["runningCount"] for one in deployments),
        "deployments": list(deployments),
        "deploymentConfiguration": how,
    }

    def task_definition(taskDefinition: str) -> dict[str, Any]:  # noqa: N803
        digest = DIGEST if taskDefinition == "td:2" else OLD
        return {"taskDefinition": {"containerDefinitions": [{"name": "web", "image": f"web@{digest}"}]}}

    ecs = SimpleNamespace(
        describe_services=lambda **_: {"services": [answer]}, describe_task_definition=task_definition
    )
    clients: Any = SimpleNamespace(ecs=ecs)
    found = service_of(clients, SETTINGS)
    assert found is not None
    return found


SHIFTING: dict[str, Any] = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10}


@pytest.mark.parametrize("rollout", ["", "IN_PROGRESS"])
def test_a_deployment_that_bakes_is_neither_steady_nor_hopeless(rollout: str) -> None:
    """All requests go to the new tasks, all targets are healthy, and the old tasks still run: not yet (T4)."""
    baking = described(deployment("td:2", 2, "PRIMARY", rollout), deployment("td:1", 2, "ACTIVE"), **SHIFTING)
    assert not is_steady(baking, 4, WATCHED)
    assert hopeless(baking, WATCHED) == ""


@pytest.mark.parametrize("rollout", ["", "COMPLETED"])
def test_it_is_steady_when_the_old_tasks_are_gone(rollout: str) -> None:
    """AWS promises a rollout's state for rolling deployments only, so its absence stops no release for ever (T4)."""
    service = described(deployment("td:2", 2, "PRIMARY", rollout), **SHIFTING)
    assert is_steady(service, 2, WATCHED)


@pytest.mark.parametrize("rollout", ["IN_PROGRESS", "FAILED"])
def test_a_state_that_is_told_is_believed(rollout: str) -> None:
    """One deployment with all its tasks is not steady while ECS says that it is not over (T4)."""
    assert not is_steady(described(deployment("td:2", 2, "PRIMARY", rollout), **SHIFTING), 2, WATCHED)


def test_a_rolling_deployment_without_a_state_is_not_steady() -> None:
    """There AWS promises one, so its absence means that nothing is known yet (T4)."""
    service = described(deployment("td:2", 2, "PRIMARY"), strategy="ROLLING")
    assert not is_steady(service, 2, WATCHED)
    assert not is_steady(described(deployment("td:2", 2, "PRIMARY")), 2, WATCHED)


def test_tasks_that_start_are_not_the_old_ones() -> None:
    """At its beginning a deployment has no task, and as many run as are desired: the old ones (T4)."""
    service = described(deployment("td:2", 0, "PRIMARY"), deployment("td:1", 2, "ACTIVE"), **SHIFTING)
    assert not is_steady(service, 2, WATCHED)
    assert hopeless(service, WATCHED) == ""


def test_what_went_back_is_hopeless() -> None:
    """When ECS has gone back, the service names the old image again (T4)."""
    assert "instead of" in hopeless(described(deployment("td:1", 2, "PRIMARY"), **SHIFTING), WATCHED)


@pytest.mark.parametrize(
    ("breaker", "desired", "limit"),
    [
        (None, 2, 3),
        ({}, 60, 30),
        ({"thresholdConfiguration": {"type": "COUNT", "value": 3}}, 60, 3),
        ({"thresholdConfiguration": {"type": "COUNT", "value": 2}}, 1, 2),
        ({"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50}}, 25, 13),
        ({"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 10}}, 25, 3),
        ({"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 100}}, 900, 200),
        ({"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 50}}, 900, 450),
        ({"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 10}}, 4, 1),
        ({"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 50}}, 0, 1),
    ],
)
def test_failures_are_counted_as_the_services_own_breaker_counts(
    breaker: dict[str, Any] | None, desired: int, limit: int
) -> None:
    """A release gives up neither earlier nor later than ECS, by AWS's own arithmetic (T4)."""
    how = {} if breaker is None else {"deploymentCircuitBreaker": {"enable": True, "rollback": True, **breaker}}
    failing = [deployment("td:2", 0, "PRIMARY", "IN_PROGRESS", failed) for failed in (limit - 1, limit)]
    fewer, enough = (described(one, desired=desired, **how) for one in failing)
    assert (fewer.keeps_failing, enough.keeps_failing) == (False, True)
    assert enough.goes_back is (breaker is not None)


def test_without_a_breaker_the_release_itself_goes_back() -> None:
    """Where ECS promises no breaker, failed tasks are counted by its default, and the update is cancelled (T4)."""
    failing = described(deployment("td:2", 0, "PRIMARY", "", 3), deployment("td:1", 2, "ACTIVE"), **SHIFTING)
    assert failing.keeps_failing
    assert not failing.goes_back


@pytest.mark.parametrize(("alternate", "asked"), [("arn:second", ["arn:first", "arn:second"]), ("", ["arn:first"])])
def test_targets_are_healthy_in_either_group(alternate: str, asked: list[str]) -> None:
    """After each release the tasks are in the other group; what drains does not count (T4)."""
    states = {"arn:first": ["draining", "unhealthy"], "arn:second": ["healthy", "healthy", "initial"]}
    seen: list[str] = []

    def health(TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        seen.append(TargetGroupArn)
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states[TargetGroupArn]]}

    clients: Any = SimpleNamespace(elbv2=SimpleNamespace(describe_target_health=health))
    found = healthy_targets(clients, replace(SETTINGS, alternate_target_group=alternate))
    assert (found, seen) == (2 if alternate else 0, asked)


@pytest.mark.parametrize(("minutes", "limit"), [(0, 60), (30, 90)])
def test_steps_and_baking_are_not_taken_for_a_hang(minutes: int, limit: int) -> None:
    """CloudFormation waits for them, so a release waits longer by as much before it cancels the update (T4)."""
    assert stack_limit(replace(SETTINGS, deployment_minutes=minutes)) == timedelta(minutes=limit)


@pytest.mark.parametrize(("minutes", "said"), [(0, "after 5 minutes"), (3, "after 8 minutes")])
def test_tasks_have_as_much_longer_to_become_steady(minutes: int, said: str) -> None:
    """A restart shifts and bakes too, and no stack update has waited for it before (T4, W4)."""
    shop = Shop(tasks=0)
    shop.change("staging", deployment_minutes=minutes)
    shop.build()
    assert said in shop.run("staging", "release").reason.lower()
