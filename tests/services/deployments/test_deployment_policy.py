"""How a deployment goes forward and back, as a value (lesson T4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.deployments.deployment_policy import (
    DeploymentPolicy,
    DeploymentStrategy,
    default_threshold,
    refuse_with_request_scaling,
    refuse_without_load_balancer,
)
from constructs_lib.services.task.restart_policy import RestartPolicy
from tests.support import TOKEN, refused, run_without_cdk

ROLLING, BLUE_GREEN, CANARY, LINEAR = DeploymentStrategy
SHIFTING = (BLUE_GREEN, CANARY, LINEAR)


@pytest.mark.parametrize(("desired", "failures"), [(1, 3), (2, 3), (6, 3), (7, 4), (25, 13), (60, 30), (400, 200)])
def test_before_the_limit_grows_with_scaling(desired: int, failures: int) -> None:
    """ECS's own default is half of the desired tasks, from 3 to 200: of 60 at noon, 30 must fail first (T4)."""
    assert default_threshold(desired) == failures
    assert default_threshold(5000) == 200


@pytest.mark.parametrize(("min_tasks", "failures"), [(2, 3), (6, 3), (7, 4), (10, 5), (399, 200), (5000, 200)])
def test_after_the_limit_is_that_of_the_tasks_that_always_run(min_tasks: int, failures: int) -> None:
    """A service of at least two tasks goes back after three failures, however many run at the moment (T4)."""
    assert DeploymentPolicy().breaker_threshold(min_tasks) == failures


@given(min_tasks=st.integers(2, 5000), scaled_by=st.integers(0, 5000))
def test_our_limit_never_exceeds_that_of_ecs(min_tasks: int, scaled_by: int) -> None:
    """However many tasks scaling has added, ours goes back at least as early as ECS's default would (T4)."""
    ours = DeploymentPolicy().breaker_threshold(min_tasks)
    assert 3 <= ours <= default_threshold(min_tasks + scaled_by) <= 200


def test_a_limit_that_is_given_is_taken() -> None:
    """Whoever knows better says how many."""
    assert DeploymentPolicy(failed_tasks=2).breaker_threshold(100) == 2
    assert DeploymentPolicy(failed_tasks=200).breaker_threshold(2) == 200


@pytest.mark.parametrize(
    ("policy", "bake", "step", "minutes"),
    [
        (DeploymentPolicy(), None, None, 0),
        (DeploymentPolicy(strategy=BLUE_GREEN), 10, None, 10),
        (DeploymentPolicy(strategy=BLUE_GREEN, bake_minutes=0), 0, None, 0),
        (DeploymentPolicy(strategy=CANARY), 10, (10, 10), 20),
        (DeploymentPolicy(strategy=CANARY, step_percent=0.1, step_minutes=3, bake_minutes=4), 4, (0.1, 3), 7),
        (DeploymentPolicy(strategy=LINEAR), 10, (20, 5), 30),
        (DeploymentPolicy(strategy=LINEAR, step_percent=50, step_minutes=6), 10, (50, 6), 16),
        (DeploymentPolicy(strategy=LINEAR, step_percent=11, step_minutes=1), 10, (11, 1), 19),
        (DeploymentPolicy(strategy=LINEAR, step_percent=33.3, step_minutes=1, bake_minutes=0), 0, (33.3, 1), 3),
        (DeploymentPolicy(strategy=LINEAR, step_percent=3, step_minutes=0, bake_minutes=1), 1, (3, 0), 1),
    ],
)
def test_steps_and_baking_add_up(
    policy: DeploymentPolicy, bake: int | None, step: tuple[float, int] | None, minutes: int
) -> None:
    """100 by 20 waits four times before the last step, 100 by 11 nine times, as CloudFormation counts (T4)."""
    assert (policy.bake, policy.step, policy.minutes) == (bake, step, minutes)
    assert policy.shifts_traffic is (policy.strategy is not ROLLING)


@given(percent=st.integers(30, 999), minutes=st.integers(0, 40))
def test_a_linear_deployment_waits_before_each_step_but_the_last(percent: int, minutes: int) -> None:
    """Adding up the steps one by one until all requests are shifted gives the same time (T4)."""
    policy = DeploymentPolicy(strategy=LINEAR, step_percent=percent / 10, step_minutes=minutes, bake_minutes=0)
    shifted, waited = percent, 0
    while shifted < 1000:
        waited += minutes
        shifted += percent
    assert policy.minutes == waited


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"strategy": "CANARY"}, "strategy", "a DeploymentStrategy"),
        ({"bake_minutes": 5}, "bake_minutes", "left out with ROLLING"),
        ({"strategy": BLUE_GREEN, "bake_minutes": -1}, "bake_minutes", "from 0 to 1440"),
        ({"strategy": BLUE_GREEN, "bake_minutes": 1441}, "bake_minutes", "from 0 to 1440"),
        ({"strategy": BLUE_GREEN, "bake_minutes": True}, "bake_minutes", "a whole number"),
        ({"step_percent": 10}, "step_percent", "left out with ROLLING"),
        ({"step_minutes": 0}, "step_minutes", "left out with ROLLING"),
        ({"strategy": BLUE_GREEN, "step_percent": 10}, "step_percent", "left out with BLUE_GREEN"),
        ({"strategy": BLUE_GREEN, "step_minutes": 1}, "step_minutes", "left out with BLUE_GREEN"),
        ({"strategy": CANARY, "step_percent": 0}, "step_percent", "0.1 or more and less than 100"),
        ({"strategy": CANARY, "step_percent": 0.15}, "step_percent", "in tenths"),
        ({"strategy": CANARY, "step_percent": 100}, "step_percent", "less than 100"),
        ({"strategy": CANARY, "step_percent": "10"}, "step_percent", "0.1 or more"),
        ({"strategy": CANARY, "step_percent": True}, "step_percent", "0.1 or more"),
        ({"strategy": LINEAR, "step_percent": 2.9}, "step_percent", "3 or more and less than 100"),
        ({"strategy": LINEAR, "step_minutes": 1441}, "step_minutes", "from 0 to 1440"),
        ({"strategy": LINEAR, "step_minutes": TOKEN}, "step_minutes", "not a Token"),
        ({"failed_tasks": 1}, "failed_tasks", "from 2 to 200"),
        ({"failed_tasks": 201}, "failed_tasks", "from 2 to 200"),
        ({"strategy": CANARY, "failed_tasks": 3}, "failed_tasks", "left out with CANARY"),
    ],
)
def test_what_ecs_would_refuse_or_ignore_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """A number out of AWS's range, and one that the strategy has no use for (T4)."""
    refused(lambda: DeploymentPolicy(**changes), what, changes[what], allowed)


def test_what_cloudformation_would_not_wait_for_is_refused() -> None:
    """33 hours together is its limit; one minute more is refused before anything is deployed (T4)."""
    longest: dict[str, Any] = {"strategy": CANARY, "step_minutes": 1440}
    assert DeploymentPolicy(**longest, bake_minutes=540).minutes == 33 * 60
    refused(
        lambda: DeploymentPolicy(**longest, bake_minutes=541),
        "bake_minutes and step_minutes",
        1981,
        "at most 1980 minutes together",
    )


@pytest.mark.parametrize("check", [refuse_without_load_balancer, refuse_with_request_scaling])
@pytest.mark.parametrize("strategy", SHIFTING)
def test_what_shifts_requests_needs_requests_and_both_groups(check: Any, strategy: DeploymentStrategy) -> None:
    """A worker has none to shift, and requests per target are counted in one group only (T4, T1)."""
    refused(lambda: check(DeploymentPolicy(strategy=strategy)), "strategy", strategy.value, "ROLLING")
    check(DeploymentPolicy(failed_tasks=5))


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"attempt_seconds": 59}, "attempt_seconds", 59, "from 60 to 1800"),
        ({"attempt_seconds": 1801}, "attempt_seconds", 1801, "from 60 to 1800"),
        ({"ignored_exit_codes": [0]}, "ignored_exit_codes", [0], "a tuple of int"),
        ({"ignored_exit_codes": (256,)}, "ignored_exit_codes", 256, "from 0 to 255"),
        ({"ignored_exit_codes": tuple(range(51))}, "ignored_exit_codes", 51, "at most 50"),
    ],
)
def test_a_restart_out_of_the_range_of_ecs_is_refused(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """ECS takes 60 to 1800 seconds and 50 exit codes (T4)."""
    refused(lambda: RestartPolicy(**changes), what, value, allowed)
    assert RestartPolicy(attempt_seconds=1800, ignored_exit_codes=tuple(range(50))).attempt_seconds == 1800


def test_a_wrong_policy_fails_before_node_starts() -> None:
    """The values are checked without loading CDK."""
    code = (
        "from constructs_lib.services.deployments.deployment_policy import *\n"
        "DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN, failed_tasks=3)"
    )
    assert run_without_cdk(code).startswith("failed_tasks must be left out")
