"""A service without a load balancer is released like one with it: tasks that ECS calls healthy stand for targets."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.delivery.operations.facts import healthy, healthy_tasks
from tests.delivery.operations.shop import Shop
from tests.delivery.operations.test_release_takeover import killed_at
from tests.fake_aws.ecs_scheduler import HEALTHY_AFTER, START


def worker(tasks: int = 2) -> Shop:
    """A shop whose staging has a worker: no target group."""
    shop = Shop(tasks)
    shop.elbv2.targets.clear()
    shop.change("staging", target_group="")
    return shop


def test_a_first_release_waits_for_tasks_that_pass_their_check() -> None:
    """From zero tasks, where the deployment is complete at once and running tasks are not healthy yet."""
    shop = worker()
    digest = shop.build()
    entry = shop.run("staging", "release")
    assert (entry.state, shop.running("staging")) == ("successful", digest)
    assert shop.aws.calls["elbv2.DescribeTargetHealth"] == 0
    assert shop.ecs.states(shop.stack("staging").service) == ["healthy", "healthy"]
    first, second = (line for line in shop.lines if line.startswith("tasks 2/2"))
    assert "healthy tasks 0" in first
    assert "healthy tasks 2" in second
    assert not any("healthy targets" in line for line in shop.lines)


@pytest.mark.parametrize("behaviour", ["cannot start", "never healthy"])
def test_a_release_whose_tasks_fail_goes_back(behaviour: Any) -> None:
    """ECS's breaker sees the first kind, and ours the tasks that are never healthy."""
    shop = worker()
    _, before = shop.given("staging")
    shop.build(behaviour=behaviour)
    entry = shop.run("staging", "release")
    assert (entry.state, shop.running("staging")) == ("failed", before)


@pytest.mark.parametrize("behaviour", ["cannot start", "never healthy"])
def test_a_first_release_that_fails_stands_with_zero_tasks_again(behaviour: Any) -> None:
    """Nothing ran before, so nothing runs after."""
    shop = worker()
    shop.build(behaviour=behaviour)
    assert shop.run("staging", "release").state == "failed"
    assert shop.running("staging") == "none"
    assert shop.ecs.scheduled[shop.stack("staging").service].desired == 0


def test_tasks_that_run_and_are_never_healthy_are_no_success() -> None:
    """All tasks run the image for the whole time, and the reason says how many of them passed their check."""
    shop = worker()
    _, before = shop.given("staging")
    shop.ecs.unwell.add(shop.build())
    entry = shop.run("staging", "release")
    assert (entry.state, shop.running("staging")) == ("failed", before)
    assert "2 of 2 tasks run the new image and 0 tasks are healthy" in entry.reason.replace("After", "after")


@pytest.mark.parametrize(("unwell", "state"), [(False, "successful"), (True, "failed")])
def test_a_release_that_was_broken_off_is_judged_by_its_tasks(unwell: bool, state: str) -> None:
    """Whoever takes over calls the older one successful only when its tasks pass their check."""
    shop = worker()
    shop.given("staging")
    digest = shop.build()
    killed_at(shop, "ecs.DescribeTasks")
    shop.clock.sleep(240)
    if unwell:
        shop.ecs.unwell.add(digest)
    shop.build()
    assert shop.run("staging", "release").state == "successful"
    assert [entry.state for entry in shop.entries("staging")][2:] == [state, "successful"]


def test_only_the_services_own_running_tasks_are_counted() -> None:
    """Not those of other services of the cluster, not one that starts, not one that is stopped."""
    shop = worker(tasks=3)
    shop.given("staging")
    shop.clock.sleep(60)
    clients, settings = shop.world().clients, shop.settings("staging")
    assert healthy_tasks(clients, settings) == healthy(clients, settings) == 3
    cluster = shop.ecs.services[shop.stack("staging").service]["clusterArn"]
    definition = shop.ecs.scheduled[shop.stack("staging").service].deployments[0].task_definition
    other = shop.ecs.task(cluster, definition, service="api")
    own = shop.ecs.task(cluster, definition, service="web", status="PENDING")
    for task in (other, own):
        shop.ecs.tasks[task]["healthStatus"] = "HEALTHY"
    assert healthy_tasks(clients, settings) == 3
    shop.ecs.tasks[own]["lastStatus"] = "RUNNING"
    assert healthy_tasks(clients, settings) == 4
    shop.ecs.stop(own)
    assert healthy_tasks(clients, settings) == 3


def test_more_tasks_than_one_call_describes_are_all_counted() -> None:
    """DescribeTasks takes a hundred; the list has pages."""
    shop = worker(tasks=230)
    shop.given("staging")
    shop.clock.sleep((START + HEALTHY_AFTER).total_seconds())
    assert healthy_tasks(shop.world().clients, shop.settings("staging")) == 230
    assert shop.aws.calls["ecs.DescribeTasks"] == 3


def test_a_service_with_a_load_balancer_asks_it_alone() -> None:
    """Its targets count, as before."""
    shop = Shop()
    shop.given("staging")
    shop.clock.sleep(60)
    assert healthy(shop.world().clients, shop.settings("staging")) == 2
    assert shop.aws.calls["ecs.ListTasks"] == 0
