"""ECS with tasks that run by themselves: started once by their token, they come to an end or are stopped.

From ECS's documentation: a token starts one task, also when the answer was lost, and the same token with other
parameters is a conflict (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html); an INACTIVE
definition starts nothing; a task that is stopped gets SIGTERM, and has the stop code ``UserInitiated``; one whose image
cannot be pulled has no exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from tests.fake_aws.clock import Clock
from tests.fake_aws.core import ACCOUNT, Fault, Params
from tests.fake_aws.ecs_scheduler import FakeEcsWithScheduler

Ending: TypeAlias = Literal["good", "fails", "cannot pull", "hangs", "ends with 0 when stopped", "sidecar ends first"]

NO_IMAGE = "sha256:" + "0" * 64
STARTS = timedelta(seconds=10)
RUNS = timedelta(seconds=20)
STOPS = timedelta(seconds=10)
TASK_ROLE, EXECUTION_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("migrates", "starts"))


@dataclass(slots=True)
class OneOff:
    """A task that was run by itself."""

    arn: str
    began: datetime
    how: Ending
    stopped: datetime | None = None


class FakeEcsWithOneOffTasks(FakeEcsWithScheduler):
    """ECS that runs tasks by themselves.

    Attributes:
        endings: how the task of an image ends, by its digest; ``good`` by default.
        runs: what ``RunTask`` was asked for, one for each task that was started.
        unfinished_at_start: how many tasks of the family were there when one was started.
        lag: how long a new task does not show.
        full: what ``RunTask`` gives as its failure; empty while there is room.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.endings: dict[str, Ending] = {}
        self.runs: list[Params] = []
        self.unfinished_at_start: list[int] = []
        self.lag = timedelta(0)
        self.full = ""
        self._tokens: dict[tuple[str, str], tuple[Params, str]] = {}
        self._one_offs: dict[str, OneOff] = {}
        clock.listeners.append(self._advance_one_offs)

    # ------------------------------------------------------------ the world

    def template(self, family: str, container: str, image: str, command: Sequence[str]) -> str:
        """The stack's own definition, with what ``DescribeTaskDefinition`` adds to what was registered."""
        arn = self.task_definition(family, {container: f"{image}@{NO_IMAGE}", "agent": "agent@sha256:" + "a" * 64})
        definition = self.task_definitions[arn]
        definition["containerDefinitions"][0] |= {
            "command": list(command),
            "essential": True,
            "readonlyRootFilesystem": True,
            "secrets": [{"name": "DATABASE_URL", "valueFrom": "url"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": f"/{family}", "awslogs-stream-prefix": container, "mode": "non-blocking"},
            },
        }
        definition |= {
            "cpu": "512",
            "memory": "1024",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "taskRoleArn": TASK_ROLE,
            "executionRoleArn": EXECUTION_ROLE,
            "volumes": [{"name": "tmp", "host": {}}],
            "placementConstraints": [],
            "compatibilities": ["EC2", "FARGATE"],
            "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
            "registeredAt": self.clock.now().timestamp(),
            "registeredBy": "cloudformation",
        }
        return arn

    def of_family(self, family: str, status: str = "ACTIVE") -> list[dict[str, Any]]:
        """The definitions of a family, oldest first."""
        return [one for one in self.task_definitions.values() if (one["family"], one["status"]) == (family, status)]

    def ended_well(self, family: str) -> set[str]:
        """The digests of which a task of the family came to a good end by itself."""
        return {
            task["containers"][0]["image"].partition("@")[2]
            for task in self.tasks.values()
            if self._family(task) == family
            and task["containers"][0].get("exitCode") == 0
            and task.get("stopCode") == "EssentialContainerExited"
        }

    def unfinished(self, family: str) -> list[str]:
        """Tasks of a family that have not stopped."""
        return [
            arn for arn, task in self.tasks.items() if self._family(task) == family and task["lastStatus"] != "STOPPED"
        ]

    def _family(self, task: Params) -> str:
        family: str = self.task_definitions[task["taskDefinitionArn"]]["family"]
        return family

    # ------------------------------------------------------------ as time passes

    def _advance_one_offs(self, now: datetime) -> None:
        for one in self._one_offs.values():
            if self.tasks[one.arn]["lastStatus"] != "STOPPED":
                self._advance_one_off(one, now)

    def _advance_one_off(self, one: OneOff, now: datetime) -> None:
        age = now - one.began
        if one.stopped is not None:
            if now - one.stopped >= STOPS:
                code = 0 if one.how == "ends with 0 when stopped" else 137
                self._end(one, "UserInitiated", self.tasks[one.arn]["stoppedReason"], code)
        elif one.how == "cannot pull" and age >= STARTS:
            self._end(one, "TaskFailedToStart", "CannotPullContainerError: not found", None)
        elif one.how in ("good", "fails") and age >= STARTS + RUNS:
            reason = "Essential container in task exited"
            self._end(one, "EssentialContainerExited", reason, 0 if one.how == "good" else 1)
        elif one.how == "sidecar ends first" and age >= STARTS + RUNS:
            self._end(one, "EssentialContainerExited", "Essential container in task exited", 143)
        elif age >= STARTS:
            self.tasks[one.arn]["lastStatus"] = "RUNNING"

    def _end(self, one: OneOff, code: str, reason: str, exit_code: int | None) -> None:
        self.stop(one.arn)
        self.tasks[one.arn] |= {
            "stopCode": code,
            "stoppedReason": reason,
            "stoppedAt": self.clock.now().timestamp(),
        }
        if exit_code is not None:
            self.tasks[one.arn]["containers"][0]["exitCode"] = exit_code

    # ------------------------------------------------------------ the API

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        match operation:
            case "RegisterTaskDefinition":
                return self._register(params)
            case "DeregisterTaskDefinition":
                self.deregister(params["taskDefinition"])
                return {"taskDefinition": self.task_definitions[params["taskDefinition"]]}
            case "RunTask":
                return self._run_task(params)
            case "StopTask":
                return self._stop_task(params)
            case _:
                return super().answer(operation, params)

    def _register(self, params: Params) -> dict[str, Any]:
        images = {one["name"]: one["image"] for one in params["containerDefinitions"]}
        arn = self.task_definition(params["family"], images)
        self.task_definitions[arn] |= {**params, "compatibilities": ["FARGATE"], "registeredBy": "somebody"}
        return {"taskDefinition": self.task_definitions[arn]}

    def _run_task(self, params: Params) -> dict[str, Any]:
        cluster, token = self._in_cluster(params), params["clientToken"]
        if len(token) > 64 or len(params["startedBy"]) > 128:
            raise Fault("InvalidParameterException", "too long")
        if (cluster, token) in self._tokens:
            asked, arn = self._tokens[cluster, token]
            if asked != params:
                raise Fault("ConflictException", "The provided clientToken is already in use.")
            return {"tasks": [self.tasks[arn]], "failures": []}
        definition = self.task_definitions[params["taskDefinition"]]
        if definition["status"] != "ACTIVE":
            raise Fault("ClientException", "TaskDefinition is inactive")
        if not params["networkConfiguration"]["awsvpcConfiguration"]["subnets"] or params["launchType"] != "FARGATE":
            raise Fault("InvalidParameterException", "Network Configuration must be provided on Fargate")
        if self.full:
            return {"tasks": [], "failures": [{"reason": self.full}]}
        self.runs.append(params)
        self.unfinished_at_start.append(len(self.unfinished(definition["family"])))
        arn = self.task(cluster, params["taskDefinition"], status="PENDING")
        now, digest = self.clock.now(), self.digest(params["taskDefinition"])
        self.tasks[arn] |= {"startedBy": params["startedBy"], "createdAt": now.timestamp()}
        self._one_offs[arn] = OneOff(arn, now, self.endings.get(digest, "good"))
        self._tokens[cluster, token] = (params, arn)
        return {"tasks": [self.tasks[arn]], "failures": []}

    def _stop_task(self, params: Params) -> dict[str, Any]:
        one = self._one_offs[params["task"]]
        if one.stopped is None:
            one.stopped = self.clock.now()
            self.tasks[one.arn] |= {
                "desiredStatus": "STOPPED",
                "lastStatus": "DEACTIVATING",
                "stoppedReason": params["reason"],
            }
        return {"task": self.tasks[one.arn]}

    def _shows(self, arn: str) -> bool:
        one = self._one_offs.get(arn)
        return one is None or self.clock.now() - one.began >= self.lag

    def _list_tasks(self, params: Params) -> dict[str, Any]:
        answer = super()._list_tasks(params)
        found = [arn for arn in answer["taskArns"] if self._shows(arn)]
        if "family" in params:
            found = [arn for arn in found if self._family(self.tasks[arn]) == params["family"]]
        if "serviceName" in params:
            found = [arn for arn in found if self.tasks[arn]["group"] == f"service:{params['serviceName']}"]
        return {**answer, "taskArns": found}

    def _describe_tasks(self, params: Params) -> dict[str, Any]:
        answer = super()._describe_tasks(params)
        shown = [task for task in answer["tasks"] if self._shows(task["taskArn"])]
        # In no order that anybody promises.
        return {**answer, "tasks": [{**task, "containers": task["containers"][::-1]} for task in shown]}
