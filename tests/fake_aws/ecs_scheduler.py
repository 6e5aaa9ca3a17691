"""ECS with its scheduler: deployments start tasks, wait for health, and go back, as time passes.

From ECS's documentation: with a minimum of 100 percent old tasks stay until new ones are healthy; the circuit breaker
acts when as many tasks failed one after the other as half of those desired, and three at least, and only while the
deployment is in progress; a deployment at zero tasks is complete at once; an update of a service makes a new primary
deployment and leaves the others to drain (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from tests.fake_aws.clock import Clock
from tests.fake_aws.core import Fault, Params
from tests.fake_aws.ecs import FakeEcs

Behaviour: TypeAlias = Literal["good", "cannot start", "never healthy"]

START = timedelta(seconds=5)
HEALTHY_AFTER = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(seconds=15)


@dataclass(slots=True)
class Deployment:
    """One deployment of a service."""

    id: str
    task_definition: str
    created: datetime
    tasks: dict[str, datetime] = field(default_factory=dict)
    failed: int = 0
    rollout: str = "IN_PROGRESS"
    reason: str = ""


@dataclass(slots=True)
class Running:
    """A service as the scheduler sees it, its primary deployment first.

    Attributes:
        least_failures: what the circuit breaker allows at least; it can be set.
    """

    arn: str
    desired: int
    deployments: list[Deployment]
    alarms: Sequence[str] = ()
    breaker: bool = True
    least_failures: int = 3
    completed: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


class FakeEcsWithScheduler(FakeEcs):
    """ECS whose services start and stop tasks.

    Attributes:
        behaviour: how the tasks of an image behave, by its digest; ``good`` by default.
        scheduled: the services, by ARN.
        unwell: digests whose tasks run and fail their container check.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.behaviour: dict[str, Behaviour] = {}
        self.scheduled: dict[str, Running] = {}
        self.unwell: set[str] = set()
        clock.listeners.append(self._tick)

    # ------------------------------------------------------------ what CloudFormation and scaling do

    def make(self, cluster: str, name: str, task_definition: str, *, alarms: Sequence[str] = ()) -> str:
        """A new service with zero tasks."""
        arn = self.service(cluster, name, task_definition, desired=0)
        self.scheduled[arn] = Running(arn, 0, [], alarms)
        self.change(arn, task_definition)
        return arn

    def change(self, service: str, task_definition: str, *, desired: int | None = None) -> str:
        """A new deployment; its id."""
        held = self.scheduled[service]
        self._number += 1
        deployment = Deployment(f"ecs-svc/{self._number}", task_definition, self.clock.now())
        held.deployments.insert(0, deployment)
        held.desired = held.desired if desired is None else desired
        self._advance(held)
        return deployment.id

    def scale(self, service: str, desired: int) -> None:
        """Sets the desired count."""
        self.scheduled[service].desired = desired

    def outcome(self, service: str, deployment: str) -> Literal["pending", "completed", "failed"]:
        """What became of a deployment."""
        for one in self.scheduled[service].deployments:
            if one.id == deployment:
                return {"COMPLETED": "completed", "FAILED": "failed"}.get(one.rollout, "pending")  # type: ignore[return-value]
        return "failed"

    def states(self, service: str) -> list[str]:
        """The state of each target."""
        held = self.scheduled[service]
        return [
            "healthy" if self._healthy(one, at) else "unhealthy"
            for one in held.deployments
            for task, at in one.tasks.items()
            if self.tasks[task]["lastStatus"] == "RUNNING"
        ]

    def digest(self, task_definition: str) -> str:
        """The digest that a task definition names."""
        image: str = self.task_definitions[task_definition]["containerDefinitions"][0]["image"]
        return image.partition("@")[2]

    # ------------------------------------------------------------ the scheduler

    def _tick(self, _now: datetime) -> None:
        for held in self.scheduled.values():
            self._advance(held)

    def _healthy(self, deployment: Deployment, started: datetime) -> bool:
        good = self.behaviour.get(self.digest(deployment.task_definition), "good") == "good"
        return good and self.clock.now() - started >= START + HEALTHY_AFTER

    def _advance(self, held: Running) -> None:
        primary = held.deployments[0]
        self._age(held, primary)
        while len(primary.tasks) < held.desired:
            cluster = self.services[held.arn]["clusterArn"]
            task = self.task(cluster, primary.task_definition, status="PENDING", service=held.arn.rpartition("/")[2])
            self.tasks[task]["createdAt"] = self.clock.now().timestamp()
            primary.tasks[task] = self.clock.now()
        healthy = sum(self._healthy(primary, at) for at in primary.tasks.values())
        while len(primary.tasks) > held.desired:
            self._stop(primary, next(iter(primary.tasks)), "Scaling activity initiated by deployment")
        if primary.rollout == "IN_PROGRESS" and healthy >= held.desired:
            primary.rollout, primary.failed = "COMPLETED", 0
            held.completed = primary.task_definition
            self._event(held, "(service web) has reached a steady state.")
        if primary.rollout == "COMPLETED" and healthy >= held.desired:
            for former in held.deployments[1:]:
                for task in list(former.tasks):
                    self._stop(former, task, "Scaling activity initiated by deployment")
            del held.deployments[1:]
        limit = min(max(held.least_failures, (held.desired + 1) // 2), 200)
        if primary.rollout == "IN_PROGRESS" and held.breaker and primary.failed >= limit:
            primary.rollout, primary.reason = "FAILED", "ECS deployment circuit breaker: tasks failed to start."
            self._event(held, "(service web) deployment failed: tasks failed to start.")
            if held.completed and held.completed != primary.task_definition:
                self.change(held.arn, held.completed)

    def _age(self, held: Running, primary: Deployment) -> None:
        how = self.behaviour.get(self.digest(primary.task_definition), "good")
        for task, at in list(primary.tasks.items()):
            age = self.clock.now() - at
            if how == "cannot start" and age >= START:
                self._fail(held, primary, task, "Essential container in task exited", 1)
            elif how == "never healthy" and age >= GIVEN_UP_AFTER:
                self._fail(held, primary, task, "Task failed ELB health checks in (target-group web)", None)
            elif age >= START:
                self.tasks[task]["lastStatus"] = "RUNNING"

    def _fail(self, held: Running, primary: Deployment, task: str, reason: str, code: int | None) -> None:
        primary.failed += 1
        self._stop(primary, task, reason)
        if code is not None:
            self.tasks[task]["containers"][0]["exitCode"] = code
        self._event(held, f"(service web) (task {task[-4:]}) is unhealthy: {reason}")

    def _stop(self, deployment: Deployment, task: str, reason: str) -> None:
        del deployment.tasks[task]
        self.stop(task)
        self.tasks[task] |= {"stoppedReason": reason, "stoppedAt": self.clock.now().timestamp()}

    def _event(self, held: Running, text: str) -> None:
        self._number += 1
        held.events.insert(0, {"id": str(self._number), "createdAt": self.clock.now().timestamp(), "message": text})
        del held.events[100:]

    # ------------------------------------------------------------ the API

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        for held in self.scheduled.values():
            self._show(held)
        if operation == "UpdateService":
            return self._update_service(params)
        return super().answer(operation, params)

    def _update_service(self, params: Params) -> dict[str, Any]:
        if set(params) - {"cluster", "service", "forceNewDeployment"} or not params["forceNewDeployment"]:
            raise Fault("InvalidParameterException", f"only a new deployment can be forced here, got {params}")
        found = [arn for arn in self.scheduled if arn.endswith(f"/{params['cluster']}/{params['service']}")]
        if not found:
            raise Fault("ServiceNotFoundException", "Service not found.")
        held = self.scheduled[found[0]]
        self.change(held.arn, held.deployments[0].task_definition)
        self._show(held)
        return {"service": self.services[held.arn]}

    def _describe_services(self, params: Params) -> dict[str, Any]:
        cluster = self._in_cluster(params)
        by_name = {each["serviceName"]: arn for arn, each in self.services.items() if each["clusterArn"] == cluster}
        return super()._describe_services({**params, "services": [by_name.get(one, one) for one in params["services"]]})

    def _show(self, held: Running) -> None:
        for one in held.deployments:
            for task, at in one.tasks.items():
                seen = "UNHEALTHY" if self.digest(one.task_definition) in self.unwell else "HEALTHY"
                self.tasks[task]["healthStatus"] = seen if self._healthy(one, at) else "UNKNOWN"
        running = [sum(self.tasks[task]["lastStatus"] == "RUNNING" for task in one.tasks) for one in held.deployments]
        self.services[held.arn] |= {
            "desiredCount": held.desired,
            "runningCount": sum(running),
            "taskDefinition": held.deployments[0].task_definition,
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": held.breaker, "rollback": held.breaker},
                "alarms": {"alarmNames": list(held.alarms), "enable": bool(held.alarms), "rollback": True},
            },
            "events": held.events,
            "deployments": [
                {
                    "id": one.id,
                    "status": "ACTIVE" if number else "PRIMARY",
                    "taskDefinition": one.task_definition,
                    "desiredCount": held.desired,
                    "runningCount": running[number],
                    "failedTasks": one.failed,
                    "rolloutState": one.rollout,
                    "rolloutStateReason": one.reason,
                    "createdAt": one.created.timestamp(),
                }
                for number, one in enumerate(held.deployments)
            ],
        }
