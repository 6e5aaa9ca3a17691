"""How a new release takes over from the last one, and when it goes back (lesson T4). Standard library only.

ECS has four strategies of its own
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html); CodeDeploy is not used.
Three of them need a second target group, because the load balancer shifts requests from one group to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from constructs_lib.checks import invalid, whole_number

_LEAST_FAILURES: Final = 3
_MOST_FAILURES: Final = 200
_BAKE_MINUTES: Final = 10
_DAY: Final = 24 * 60
_LONGEST: Final = 33 * 60
"""CloudFormation refuses a longer deployment, because its own limit is 36 hours
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ecs-service-linearconfiguration.html)."""


class DeploymentStrategy(Enum):
    """ECS's deployment strategies (lesson T4).

    ``ROLLING`` replaces tasks in one target group. The others start as many tasks again in a second group and shift the
    requests: ``BLUE_GREEN`` all at once, ``CANARY`` a small share first, ``LINEAR`` in equal steps.
    """

    ROLLING = "ROLLING"
    BLUE_GREEN = "BLUE_GREEN"
    CANARY = "CANARY"
    LINEAR = "LINEAR"


# Percent and minutes of a step, and the least percent that ECS takes.
_STEPS: Final[dict[DeploymentStrategy, tuple[float, int, float]]] = {
    DeploymentStrategy.CANARY: (10, 10, 0.1),
    DeploymentStrategy.LINEAR: (20, 5, 3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPolicy:
    """How a deployment goes forward, and when it goes back (lesson T4).

    Args:
        strategy: ``DeploymentStrategy.ROLLING`` by default.
        bake_minutes: how long ECS goes on watching the alarms when all requests go to the new tasks, 0 to 1440; where
            requests are shifted the old tasks still run then, and going back takes seconds. ``None``, the default: 10
            where requests are shifted. ``ROLLING`` has none: ECS takes a time of its own from the alarms
            (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html).
        step_percent: the share of requests in the first step of ``CANARY`` (10 by default) or in each of ``LINEAR`` (20
            by default), in tenths of a percent, below 100.
        step_minutes: how long each step lasts, 0 to 1440; 10 with ``CANARY`` and 5 with ``LINEAR`` by default.
        failed_tasks: with ``ROLLING``: so many tasks that do not start or do not become healthy end a deployment, 2 to
            200. ``None``, the default: half of the tasks that always run, at least 3 (:meth:`breaker_threshold`).

    Raises:
        ValueError: a number out of AWS's range, one that the strategy has no use for, or more than 33 hours together.
    """

    strategy: DeploymentStrategy = DeploymentStrategy.ROLLING
    bake_minutes: int | None = None
    step_percent: float | None = None
    step_minutes: int | None = None
    failed_tasks: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, DeploymentStrategy):
            raise invalid("strategy", self.strategy, "a DeploymentStrategy", "write such as DeploymentStrategy.CANARY")
        if self.bake_minutes is not None:
            if not self.shifts_traffic:
                raise invalid(
                    "bake_minutes",
                    self.bake_minutes,
                    f"left out with {self.strategy.value}",
                    "ECS takes the time for which it watches a rolling deployment's alarms from the alarms",
                )
            whole_number("bake_minutes", self.bake_minutes, low=0, high=_DAY, fix="10 is a good start")
        self._check_steps()
        if self.failed_tasks is not None:
            if self.shifts_traffic:
                raise invalid(
                    "failed_tasks",
                    self.failed_tasks,
                    f"left out with {self.strategy.value}",
                    "AWS promises a circuit breaker for ROLLING only",
                )
            whole_number(
                "failed_tasks", self.failed_tasks, low=2, high=_MOST_FAILURES, fix="one failed task is an accident"
            )
        if self.minutes > _LONGEST:
            raise invalid(
                "bake_minutes and step_minutes",
                self.minutes,
                f"at most {_LONGEST} minutes together",
                "CloudFormation refuses longer deployments; shorten one of them",
            )

    @property
    def shifts_traffic(self) -> bool:
        """Whether requests go from one target group to another."""
        return self.strategy is not DeploymentStrategy.ROLLING

    @property
    def bake(self) -> int | None:
        """Minutes of baking that are set; ``None`` with ``ROLLING``."""
        return _BAKE_MINUTES if self.bake_minutes is None and self.shifts_traffic else self.bake_minutes

    @property
    def step(self) -> tuple[float, int] | None:
        """Percent and minutes of a step; ``None`` without steps."""
        if self.strategy not in _STEPS:
            return None
        percent, minutes, _ = _STEPS[self.strategy]
        return (
            percent if self.step_percent is None else self.step_percent,
            minutes if self.step_minutes is None else self.step_minutes,
        )

    @property
    def minutes(self) -> int:
        """How long a deployment takes beside starting its tasks: the steps before the last, and the baking.

        ``CANARY`` has one such step. ``LINEAR`` has 100 / percent - 1, or the whole part of 100 / percent when that
        leaves a rest; CloudFormation counts so too.
        """
        baking = self.bake or 0
        if self.step is None:
            return baking
        percent, minutes = self.step
        if self.strategy is DeploymentStrategy.CANARY:
            return minutes + baking
        tenths = round(percent * 10)
        return (1000 // tenths - (1000 % tenths == 0)) * minutes + baking

    def breaker_threshold(self, min_tasks: int) -> int:
        """So many failed tasks end a rolling deployment, however many tasks run at the moment.

        ECS's own default is half of the *desired* tasks, rounded up, from 3 to 200
        (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html). It grows when the
        service is scaled out: with 2 tasks it is 3, and with 60 tasks at noon 30 must fail first. Here it is half of
        the tasks that *always* run, so a service of at least 2 tasks goes back after 3, at noon too.
        """
        return default_threshold(min_tasks) if self.failed_tasks is None else self.failed_tasks

    def _check_steps(self) -> None:
        given = {"step_percent": self.step_percent, "step_minutes": self.step_minutes}
        if self.strategy not in _STEPS:
            for what, value in given.items():
                if value is not None:
                    raise invalid(
                        what, value, f"left out with {self.strategy.value}", "only CANARY and LINEAR have steps"
                    )
            return
        if self.step_minutes is not None:
            whole_number("step_minutes", self.step_minutes, low=0, high=_DAY, fix="5 or 10 is a good start")
        percent, least = self.step_percent, _STEPS[self.strategy][2]
        if percent is None:
            return
        number = isinstance(percent, int | float) and not isinstance(percent, bool)
        if not number or not least <= percent < 100 or abs(percent * 10 - round(percent * 10)) > 1e-6:
            raise invalid(
                "step_percent",
                percent,
                f"{least:g} or more and less than 100, in tenths, with {self.strategy.value}",
                "10 is a good start; all at once is BLUE_GREEN",
            )


def default_threshold(tasks: int) -> int:
    """How many failed tasks ECS's circuit breaker takes for a failure by itself: half of them, from 3 to 200."""
    return min(max(_LEAST_FAILURES, (tasks + 1) // 2), _MOST_FAILURES)


def refuse_without_load_balancer(policy: DeploymentPolicy) -> None:
    """For whatever has no load balancer, such as a worker: there are no requests to shift.

    Raises:
        ValueError: a strategy that shifts requests.
    """
    if policy.shifts_traffic:
        raise invalid(
            "strategy",
            policy.strategy.value,
            "ROLLING without a load balancer",
            "the other strategies shift requests from one target group to another; leave it out",
        )


def refuse_with_request_scaling(policy: DeploymentPolicy) -> None:
    """For a service that is scaled by requests per target.

    The metric belongs to one target group, and after a shift the requests are in the other one. AWS does not support it
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html).

    Raises:
        ValueError: a strategy that shifts requests.
    """
    if policy.shifts_traffic:
        raise invalid(
            "strategy",
            policy.strategy.value,
            "ROLLING when tasks are scaled by requests",
            "requests per target are counted in one target group, and the others use two; scale on CPU and memory, "
            "with target_requests_per_minute=None",
        )
