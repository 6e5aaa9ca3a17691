"""When a service is steady, when it can no more become so, and when it is ECS that would not notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.delivery.operations.facts import Service
from constructs_lib.delivery.operations.waiting import Watched, hopeless, is_steady

DIGEST = "sha256:" + "a" * 64
STEADY = Service(
    digest=DIGEST,
    task_definition="td:1",
    desired=2,
    running=2,
    deployment="ecs-svc/1",
    rollout="COMPLETED",
    rollout_reason="",
    primary_running=2,
    failed_tasks=0,
    deployments=1,
    alarms=(),
    goes_back=True,
    gives_up_after=3,
)
WATCHED = Watched(digest=DIGEST)


def test_all_tasks_on_the_digest_and_as_many_healthy_targets_are_steady() -> None:
    """More healthy targets do no harm: those of former tasks drain for minutes."""
    assert is_steady(STEADY, 2, WATCHED)
    assert is_steady(STEADY, 3, WATCHED)
    assert is_steady(STEADY, 2, replace(WATCHED, deployment="ecs-svc/1"))


@pytest.mark.parametrize(
    ("service", "healthy", "watched"),
    [
        (STEADY, 1, WATCHED),
        (replace(STEADY, digest="none"), 2, WATCHED),
        (replace(STEADY, rollout="IN_PROGRESS"), 2, WATCHED),
        (replace(STEADY, deployments=2), 2, WATCHED),
        (replace(STEADY, running=3), 3, WATCHED),
        (replace(STEADY, primary_running=1), 2, WATCHED),
        (replace(STEADY, running=1, primary_running=1), 2, WATCHED),
        (replace(STEADY, desired=0, running=0, primary_running=0), 0, WATCHED),
        (STEADY, 2, replace(WATCHED, deployment="ecs-svc/2")),
    ],
)
def test_anything_less_is_not(service: Service, healthy: int, watched: Watched) -> None:
    """One task too few or too many, another digest, another deployment, or zero tasks."""
    assert not is_steady(service, healthy, watched)


@pytest.mark.parametrize(("allowed", "failed", "gives_up"), [(3, 2, False), (3, 3, True), (2, 2, True), (5, 4, False)])
def test_tasks_fail_as_often_as_ecs_allows(allowed: int, failed: int, gives_up: bool) -> None:
    """The limit is that of the service's circuit breaker."""
    assert replace(STEADY, gives_up_after=allowed, failed_tasks=failed).keeps_failing is gives_up


@pytest.mark.parametrize(
    ("service", "deployment", "said"),
    [
        (STEADY, "", ""),
        (replace(STEADY, failed_tasks=2), "", ""),
        (replace(STEADY, failed_tasks=3), "", "3 tasks failed one after the other"),
        (replace(STEADY, rollout="FAILED", rollout_reason="no room."), "", "ECS gave the deployment up: no room"),
        (replace(STEADY, digest="sha256:" + "b" * 64), "", "names sha256:bbbbbbbbbbbb instead of sha256:aaaaaaaaaaaa"),
        (STEADY, "ecs-svc/0", "another deployment has replaced it"),
    ],
)
def test_what_cannot_come_about_is_not_waited_for(service: Service, deployment: str, said: str) -> None:
    """The reason is a sentence for whoever is paged."""
    found = hopeless(service, replace(WATCHED, deployment=deployment))
    assert said in found
    assert bool(said) == bool(found)
