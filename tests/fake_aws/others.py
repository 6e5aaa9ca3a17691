"""EventBridge, its Scheduler, Step Functions and Parameter Store, as far as they name what is in use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params, page

NOW = 1_790_000_000
"""A time, where AWS's answers must have one."""

MOST_LEVELS = 15
LARGEST = {"Standard": 4096, "Advanced": 8192}
TEN = 10


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


@dataclass(slots=True)
class Version:
    """One version of a parameter."""

    number: int
    value: str
    labels: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Parameter:
    """One parameter as it is stored."""

    name: str
    kind: str = "String"
    tier: str = "Standard"
    description: str = ""
    allowed: str = ""
    versions: list[Version] = field(default_factory=list)

    def write(self, value: str, kept: int) -> int:
        """A new version; its number. Over ``kept`` versions the oldest goes, if it has no label."""
        if len(self.versions) == kept:
            if self.versions[0].labels:
                raise Fault(
                    "ParameterMaxVersionLimitExceeded",
                    f"Version {self.versions[0].number}, the oldest version, can't be deleted because it has a label",
                )
            del self.versions[0]
        self.versions.append(Version(self.versions[-1].number + 1 if self.versions else 1, value))
        return self.versions[-1].number

    def shown(self, version: Version | None = None) -> dict[str, Any]:
        """How the API shows one version, the current one by default."""
        one = version or self.versions[-1]
        arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{self.name}"
        shown = {"Name": self.name, "Type": self.kind, "Value": one.value, "Version": one.number}
        return {**shown, "ARN": arn, "DataType": "text", "LastModifiedDate": NOW}


class FakeSsm:
    """Parameter Store, as its API reference and botocore's model of it say.

    What no document settles, and is our assumption:

    * lists and single readings may lag behind, which a test says with ``unlisted`` and ``unread``;
    * a name that was deleted can be created again at once, though AWS asks for 30 seconds;
    * an overwritten parameter keeps the description, the pattern and the tier that the call does not give.

    Attributes:
        parameters: by name.
        unlisted: names that lists do not show yet.
        unread: names that no reading shows yet.
        default_tier: the tier of a new parameter whose call gives none, which is a setting of the account.
    """

    name = "ssm"
    KEPT = 100

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {}
        self.unlisted: set[str] = set()
        self.unread: set[str] = set()
        self.default_tier = "Standard"

    # What a test builds.

    def put(self, name: str, *values: str) -> None:
        """Writes one value after the other."""
        held = self.parameters.setdefault(name, Parameter(name))
        for value in values:
            held.write(value, self.KEPT)

    def value(self, name: str) -> str:
        """The current value of a parameter that is there."""
        return self.parameters[name].versions[-1].value

    # What the API answers.

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        answers = {
            "PutParameter": self._put,
            "GetParameter": self._get,
            "GetParameters": self._get_several,
            "GetParametersByPath": self._by_path,
            "GetParameterHistory": self._history,
            "DescribeParameters": self._describe,
            "DeleteParameter": self._delete,
            "DeleteParameters": self._delete_several,
            "LabelParameterVersion": self._label,
        }
        if operation not in answers:
            raise NotImplementedError(operation)
        return answers[operation](params)

    def _put(self, params: Params) -> dict[str, Any]:
        name, value, held = params["Name"], params["Value"], self.parameters.get(params["Name"])
        if not re.fullmatch(r"(?!/?(aws|ssm))(?=.{1,1011}$)(/?[a-zA-Z0-9_.-]+)+", name, re.IGNORECASE):
            raise Fault("ValidationException", f"Parameter name: can't be {name!r}")
        if name.count("/") > MOST_LEVELS:
            raise Fault("HierarchyLevelLimitExceededException", f"{name} has more than {MOST_LEVELS} levels")
        if not value or "{{" in value:
            raise Fault("ValidationException", "Parameter value: can't be empty, nor nest another parameter.")
        if held is not None and not params.get("Overwrite", False):
            raise Fault(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option to true.",
            )
        if held is None and "Type" not in params:
            raise Fault("ValidationException", "A parameter type is required when you create a parameter.")
        if held is not None and "Tags" in params:
            raise Fault("ValidationException", "Tags and overwrite can't be used together.")
        kept = held or Parameter(name, params["Type"], params.get("Tier", self.default_tier))
        if params.get("Type", kept.kind) != kept.kind:
            raise Fault("HierarchyTypeMismatchException", f"{name} is of type {kept.kind}")
        tier = params.get("Tier", kept.tier)
        if len(value.encode()) > LARGEST[tier]:
            raise Fault("ValidationException", f"{tier} tier parameters support a maximum of {LARGEST[tier]} bytes")
        allowed = params.get("AllowedPattern", kept.allowed)
        if allowed and not re.search(allowed, value):
            raise Fault("ParameterPatternMismatchException", f"Parameter value, cannot be validated against {allowed}")
        number = kept.write(value, self.KEPT)
        kept.description, kept.tier, kept.allowed = params.get("Description", kept.description), tier, allowed
        self.parameters[name] = kept
        return {"Version": number, "Tier": tier}

    def _find(self, text: str) -> dict[str, Any] | None:
        """What ``name``, ``name:version`` or ``name:label`` shows."""
        name, _, selector = text.partition(":")
        held = self.parameters.get(name)
        if held is None or name in self.unread:
            return None
        if not selector:
            return held.shown()
        for version in held.versions:
            if selector == str(version.number) or selector in version.labels:
                return {**held.shown(version), "Selector": f":{selector}"}
        raise Fault("ParameterVersionNotFound", f"Systems Manager could not find version {selector} of {name}.")

    def _get(self, params: Params) -> dict[str, Any]:
        found = self._find(params["Name"])
        if found is None:
            raise Fault("ParameterNotFound")
        return {"Parameter": found}

    def _get_several(self, params: Params) -> dict[str, Any]:
        _at_most_ten(params["Names"])
        found = {name: self._find(name) for name in sorted(set(params["Names"]))}
        return {
            "Parameters": [one for one in found.values() if one is not None],
            "InvalidParameters": [name for name, one in found.items() if one is None],
        }

    def _listed(self) -> list[Parameter]:
        return [held for name, held in sorted(self.parameters.items()) if name not in self.unlisted | self.unread]

    def _by_path(self, params: Params) -> dict[str, Any]:
        path = params["Path"]
        if not path.startswith("/"):
            raise Fault("ValidationException", f"The parameter doesn't meet the parameter name requirements: {path}")
        if params.get("ParameterFilters"):
            raise NotImplementedError("ParameterFilters")
        size = _size(params, "MaxResults", 10, code="ValidationException")
        below = [held for held in self._listed() if held.name.startswith(path.rstrip("/") + "/")]
        if not params.get("Recursive", False):
            below = [held for held in below if held.name.rpartition("/")[0] == path.rstrip("/")]
        found, rest = page([held.shown() for held in below], params, size=size, token="NextToken")
        return {"Parameters": found, **rest}

    def _describe(self, params: Params) -> dict[str, Any]:
        size = _size(params, "MaxResults", 50, code="ValidationException")
        found = self._listed()
        for one in params.get("ParameterFilters", []):
            found = [held for held in found if _fits(held, one)]
        shown = [
            {
                **{key: value for key, value in held.shown().items() if key != "Value"},
                "Description": held.description,
                "AllowedPattern": held.allowed,
                "Tier": held.tier,
            }
            for held in found
        ]
        shown, rest = page(shown, params, size=size, token="NextToken")
        return {"Parameters": shown, **rest}

    def _history(self, params: Params) -> dict[str, Any]:
        if params["Name"] not in self.parameters:
            raise Fault("ParameterNotFound")
        held = self.parameters[params["Name"]]
        versions = [{**held.shown(version), "Labels": sorted(version.labels)} for version in held.versions]
        size = _size(params, "MaxResults", 50, code="ValidationException")
        found, rest = page(versions, params, size=size, token="NextToken")
        return {"Parameters": found, **rest}

    def _delete(self, params: Params) -> dict[str, Any]:
        if self.parameters.pop(params["Name"], None) is None:
            raise Fault("ParameterNotFound")
        return {}

    def _delete_several(self, params: Params) -> dict[str, Any]:
        _at_most_ten(params["Names"])
        gone = [name for name in params["Names"] if self.parameters.pop(name, None) is not None]
        return {"DeletedParameters": gone, "InvalidParameters": [name for name in params["Names"] if name not in gone]}

    def _label(self, params: Params) -> dict[str, Any]:
        held = self.parameters.get(params["Name"])
        if held is None:
            raise Fault("ParameterNotFound")
        number = params.get("ParameterVersion", held.versions[-1].number)
        if number not in {version.number for version in held.versions}:
            raise Fault("ParameterVersionNotFound")
        for version in held.versions:
            version.labels -= set(params["Labels"])
            if version.number == number:
                version.labels |= set(params["Labels"])
        return {"InvalidLabels": [], "ParameterVersion": number}


def _fits(held: Parameter, condition: Mapping[str, Any]) -> bool:
    """Whether DescribeParameters shows a parameter under one of its ``ParameterFilters``."""
    key, option, values = condition["Key"], condition.get("Option", "Equals"), condition["Values"]
    if key == "Path":
        if option not in {"Recursive", "OneLevel"}:
            raise Fault("InvalidFilterOption", f"The option {option} isn't valid for Path")
        above = held.name.rpartition("/")[0]
        return any(above == value or (option == "Recursive" and held.name.startswith(value + "/")) for value in values)
    if key not in {"Name", "Type", "Tier"}:
        raise NotImplementedError(key)
    have = {"Name": held.name, "Type": held.kind, "Tier": held.tier}[key]
    match option:
        case "Equals":
            return have in values
        case "BeginsWith":
            return have.startswith(tuple(values))
        case "Contains" if key == "Name":
            return any(value in have for value in values)
    raise Fault("InvalidFilterOption", f"The option {option} isn't valid for {key}")


def _at_most_ten(names: list[str]) -> None:
    if not 1 <= len(names) <= TEN:
        raise Fault("ValidationException", f"names must be from 1 to {TEN}, got {len(names)}")


def _size(params: Params, key: str, most: int, *, code: str, default: int | None = None) -> int:
    size = int(params.get(key, default or most))
    if not 1 <= size <= most:
        raise Fault(code, f"{key} must be from 1 to {most}, got {size}")
    return size
