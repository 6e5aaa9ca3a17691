"""Our model of a task's own health, without a load balancer. These tests hold the model; they say nothing about AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.local_cloud.test_cloud_health import Web, push, template

CHECK = {"Command": ["CMD", "true"]}


def worker(digest: str, *, checked: bool = True) -> dict[str, Any]:
    """The service of the other tests, without its target group."""
    made = template(digest)
    resources = made["Resources"]
    del resources["Targets"], resources["Service"]["Properties"]["LoadBalancers"], made["Outputs"]
    if checked:
        resources["Definition"]["Properties"]["ContainerDefinitions"][0]["HealthCheck"] = CHECK
    return made


@pytest.fixture
def web(aws: Any, wait_until: Callable[..., Any]) -> Web:
    return Web(aws, wait_until)


def states(web: Web) -> list[tuple[str, str]]:
    """Status and health of each running task."""
    return [(task["lastStatus"], task["healthStatus"]) for task in web.tasks()]


def test_a_task_runs_before_it_is_healthy_and_the_deployment_waits(web: Web) -> None:
    """When the service is stable, its tasks pass their check."""
    made = web.aws.deploy("app", worker(push(web.aws, "v1")))
    assert made["StackStatus"] == "CREATE_COMPLETE"
    assert states(web) == [("RUNNING", "HEALTHY")] * 2
    new = push(web.aws, "v2")
    image = web.tasks()[0]["containers"][0]["image"].split("@")[0] + f"@{new}"
    definition = web.aws("ecs").register_task_definition(
        family="web",
        networkMode="awsvpc",
        containerDefinitions=[
            {"name": "web", "image": image, "essential": True, "healthCheck": {"command": ["CMD", "true"]}}
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    web.aws("ecs").update_service(cluster="main", service="web", taskDefinition=definition)
    assert sorted(states(web)) == [("RUNNING", "HEALTHY")] * 2 + [("RUNNING", "UNKNOWN")] * 2
    web.until(lambda: web.running() == {new}, "the former tasks are gone")
    assert states(web) == [("RUNNING", "HEALTHY")] * 2


def test_a_task_that_fails_its_check_is_stopped(web: Web) -> None:
    """The reason is the container's check, and the service gives up."""
    made = web.aws.deploy("app", worker(push(web.aws, "v1", "unhealthy")))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    stopped = web.tasks("STOPPED")
    assert {task["stoppedReason"] for task in stopped} == {"Task failed container health checks"}
    assert {task["healthStatus"] for task in stopped} == {"UNHEALTHY"}


def test_without_a_check_nothing_is_known(web: Web) -> None:
    """ECS says UNKNOWN of a task that has no check."""
    assert web.aws.deploy("app", worker(push(web.aws, "v1"), checked=False))["StackStatus"] == "CREATE_COMPLETE"
    assert states(web) == [("RUNNING", "UNKNOWN")] * 2
