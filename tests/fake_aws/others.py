"""EventBridge, its Scheduler, Step Functions and Parameter Store, as far as they name what is in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params, page

NOW = 1_790_000_000
"""A time, where AWS's answers must have one."""


class FakeEvents:
    """EventBridge's buses, rules and targets. The bus ``default`` is always there.

    Attributes:
        rules: by bus and rule name, in AWS's field names.
        targets: by bus and rule name.
    """

    name = "events"

    def __init__(self) -> None:
        self.buses = ["default"]
        self.rules: dict[tuple[str, str], dict[str, Any]] = {}
        self.targets: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def bus(self, name: str) -> str:
        """A new bus."""
        self.buses.append(name)
        return name

    def rule(self, name: str, *, bus: str = "default", state: str = "ENABLED") -> None:
        """A new rule without targets."""
        arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{bus}/{name}"
        self.rules[bus, name] = {"Name": name, "Arn": arn, "State": state, "EventBusName": bus}
        self.targets[bus, name] = []

    def target(self, rule: str, arn: str, task_definition: str | None = None, *, bus: str = "default") -> None:
        """A target of a rule; with a task definition it is an ECS task in the cluster ``arn``."""
        target: dict[str, Any] = {"Id": str(len(self.targets[bus, rule])), "Arn": arn}
        if task_definition is not None:
            target["EcsParameters"] = {"TaskDefinitionArn": task_definition, "LaunchType": "FARGATE"}
        self.targets[bus, rule].append(target)

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        size = _size(params, "Limit", 100, code="ValidationException")
        bus = params.get("EventBusName", "default")
        if bus not in self.buses:
            raise Fault("ResourceNotFoundException", f"Event bus {bus} does not exist.")
        items: list[Any]
        match operation:
            case "ListEventBuses":
                key, items = "EventBuses", [{"Name": name} for name in self.buses]
            case "ListRules":
                key, items = "Rules", [rule for (of, _), rule in self.rules.items() if of == bus]
            case "ListRuleNamesByTarget":
                aimed = params["TargetArn"]
                key, items = (
                    "RuleNames",
                    [
                        name
                        for (of, name), targets in self.targets.items()
                        if of == bus and any(target["Arn"] == aimed for target in targets)
                    ],
                )
            case "ListTargetsByRule":
                if (bus, params["Rule"]) not in self.rules:
                    raise Fault("ResourceNotFoundException", f"Rule {params['Rule']} does not exist.")
                key, items = "Targets", self.targets[bus, params["Rule"]]
            case _:
                raise NotImplementedError(operation)
        found, rest = page(items, params, size=size, token="NextToken")
        return {key: found, **rest}


class FakeScheduler:
    """EventBridge Scheduler, a REST API.

    Attributes:
        schedules: by group and name, in AWS's field names.
    """

    name = "scheduler"

    def __init__(self) -> None:
        self.schedules: dict[tuple[str, str], dict[str, Any]] = {}

    def schedule(self, name: str, target: Mapping[str, Any], *, group: str = "default", state: str = "ENABLED") -> str:
        """A schedule with any target."""
        arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{group}/{name}"
        role = f"arn:aws:iam::{ACCOUNT}:role/scheduler"
        self.schedules[group, name] = {
            "Arn": arn,
            "GroupName": group,
            "Name": name,
            "State": state,
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"RoleArn": role, **target},
        }
        return arn

    def task(
        self, name: str, cluster: str, task_definition: str, *, group: str = "default", state: str = "ENABLED"
    ) -> str:
        """A schedule that starts a task in a cluster."""
        target = {"Arn": cluster, "EcsParameters": {"TaskDefinitionArn": task_definition}}
        return self.schedule(name, target, group=group, state=state)

    def run_task(self, name: str, request: Mapping[str, Any] | str) -> str:
        """A schedule that calls ``RunTask`` as a universal target, with the request as its input."""
        text = request if isinstance(request, str) else json.dumps(request)
        return self.schedule(name, {"Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask", "Input": text})

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        url = urlsplit(params["url"])
        query: dict[str, Any] = dict(parse_qsl(url.query))
        if operation == "GetSchedule":
            key = query.get("groupName", "default"), unquote(url.path.rpartition("/")[2])
            if key not in self.schedules:
                raise Fault("ResourceNotFoundException", f"Schedule {key[1]} does not exist.", 404)
            return self.schedules[key]
        if operation != "ListSchedules":
            raise NotImplementedError(operation)
        size = _size(query, "MaxResults", 100, code="ValidationException")
        found, rest = page(list(self.schedules.values()), query, size=size, token="NextToken")
        summary = [
            {
                **{key: one[key] for key in ("Arn", "GroupName", "Name", "State")},
                "Target": {"Arn": one["Target"]["Arn"]},
            }
            for one in found
        ]
        return {"Schedules": summary, **rest}


class FakeStepFunctions:
    """Step Functions' state machines.

    Attributes:
        machines: the definition of each, as JSON text, by ARN.
    """

    name = "stepfunctions"

    def __init__(self) -> None:
        self.machines: dict[str, str] = {}

    def state_machine(self, name: str, definition: Mapping[str, Any] | str) -> str:
        """A state machine."""
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
        self.machines[arn] = definition if isinstance(definition, str) else json.dumps(definition)
        return arn

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation == "DescribeStateMachine":
            arn = params["stateMachineArn"]
            if arn not in self.machines:
                raise Fault("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
            return {**self._summary(arn), "definition": self.machines[arn], "roleArn": "role", "status": "ACTIVE"}
        if operation != "ListStateMachines":
            raise NotImplementedError(operation)
        size = _size(params, "maxResults", 1000, code="ValidationException", default=100)
        found, rest = page(list(self.machines), params, size=size)
        return {"stateMachines": [self._summary(arn) for arn in found], **rest}

    def _summary(self, arn: str) -> dict[str, Any]:
        name = arn.rpartition(":")[2]
        return {"stateMachineArn": arn, "name": name, "type": "STANDARD", "creationDate": NOW}


class FakeSsm:
    """Parameter Store.

    Attributes:
        values: all values of each parameter, oldest first; the last is the current one.
    """

    name = "ssm"
    KEPT = 100

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}

    def put(self, name: str, *values: str) -> None:
        """Writes one value after the other."""
        self.values.setdefault(name, []).extend(values)

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation != "GetParameterHistory":
            raise NotImplementedError(operation)
        if params["Name"] not in self.values:
            raise Fault("ParameterNotFound")
        versions = [
            {"Name": params["Name"], "Type": "String", "Value": value, "Version": number, "LastModifiedDate": NOW}
            for number, value in enumerate(self.values[params["Name"]], 1)
        ][-self.KEPT :]
        size = _size(params, "MaxResults", 50, code="ValidationException")
        found, rest = page(versions, params, size=size, token="NextToken")
        return {"Parameters": found, **rest}


def _size(params: Params, key: str, most: int, *, code: str, default: int | None = None) -> int:
    size = int(params.get(key, default or most))
    if not 1 <= size <= most:
        raise Fault(code, f"{key} must be from 1 to {most}, got {size}")
    return size
