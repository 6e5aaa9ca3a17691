"""CloudFormation, as far as a release updates a services' stack.

From its documentation: an update resolves SSM parameters anew; without a change it is refused; while one is under way,
and after a rollback that failed, there is no other; a rollback takes the values that the stack had before, not those
that Parameter Store has now; what is being updated can be cancelled, and then goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fake_aws.clock import Clock
from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params
from tests.fake_aws.ecs_scheduler import FakeEcsWithScheduler
from tests.fake_aws.others import FakeSsm

NO_IMAGE = "sha256:" + "0" * 64
CLEANUP = timedelta(seconds=5)
SCALING = timedelta(seconds=10)
TAKES_UPDATES = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


@dataclass(slots=True)
class Another:
    """Another service of a stack."""

    key: str
    name: str
    parameter: str
    service: str
    image: str
    value: str
    before: str = ""
    deployment: str = ""


@dataclass(slots=True)
class ServicesStack:
    """A stack with a service, whose image's digest is the value of a parameter, and perhaps others like it.

    Attributes:
        stuck: no rollback can end well.
        slow: how long an update takes before it reaches the service.
        shows_late: how long the stack is described as it was before an update.
        reads_late: how many of the next readings of the parameter give what the stack has.
        others: further services; they have no scaling.
        keys: parameters of its template, besides those of services.
    """

    name: str
    parameter: str
    service: str
    family: str
    image: str
    tasks: int
    value: str
    status: str = "CREATE_COMPLETE"
    before: str = ""
    deployment: str = ""
    since: datetime | None = None
    scaling_due: datetime | None = None
    token: str = ""
    role: str = ""
    stuck: bool = False
    slow: timedelta = timedelta(0)
    shows_late: timedelta = timedelta(0)
    reads_late: int = 0
    others: list[Another] = field(default_factory=list)
    keys: list[str] = field(default_factory=lambda: ["BootstrapVersion"])
    status_before: str = ""
    updated: datetime | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.name}/1"


class FakeCloudFormation:
    """Services' stacks, whose updates go on as time passes.

    Attributes:
        stacks: by name.
        updates: stack, digest and role of each update that was accepted.
        sidecars: images of the containers beside each application, by name.
    """

    name = "cloudformation"

    def __init__(self, clock: Clock, ssm: FakeSsm, ecs: FakeEcsWithScheduler) -> None:
        self.clock, self.ssm, self.ecs = clock, ssm, ecs
        self.stacks: dict[str, ServicesStack] = {}
        self.updates: list[tuple[str, str, str]] = []
        self.sidecars: dict[str, str] = {}
        self._number = 0
        clock.listeners.append(self._tick)

    def make(
        self, name: str, *, parameter: str, cluster: str, image: str, tasks: int, alarms: tuple[str, ...]
    ) -> ServicesStack:
        """A stack that was deployed before the first release."""
        family = f"{name}-web"
        held = ServicesStack(name, parameter, "", family, image, tasks, "none")
        held.service = self.ecs.make(cluster, "web", self._task_definition(held, "none"), alarms=alarms)
        self.stacks[name] = held
        return held

    def given(self, held: ServicesStack, value: str) -> None:
        """The stack as it is long after an update to this value."""
        held.value, held.status = value, "UPDATE_COMPLETE"
        self.ecs.change(held.service, self._task_definition(held, value), desired=held.tasks)
        self.clock.sleep(120)

    def deploy(self, name: str) -> None:
        """What ``cdk deploy`` does to it: an update from elsewhere, accepted now."""
        self._begin(self.stacks[name], self._resolve(self.stacks[name]), "", "cdk")

    def join(self, name: str, *, parameter: str, service: str, image: str, tasks: int) -> Another:
        """Another service of a stack, which runs what its parameter says."""
        cluster = self.stacks[name].service.split("/")[1]
        cluster = next(arn for arn in self.ecs.clusters if arn.endswith(f"/{cluster}"))
        made = Another("ApiDigest", service, parameter, "", image, self.ssm.value(parameter))
        definition = self.ecs.task_definition(made.key, {service: f"{image}@{made.value}"})
        made.service = self.ecs.make(cluster, service, definition)
        self.ecs.scale(made.service, tasks)
        self.stacks[name].others.append(made)
        return made

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        held = self.stacks.get(params["StackName"])
        if held is None:
            raise Fault("ValidationError", f"Stack with id {params['StackName']} does not exist")
        match operation:
            case "DescribeStacks":
                digests = [("WebDigest", held.parameter, held.value)]
                digests += [(one.key, one.parameter, one.value) for one in held.others]
                version = "/cdk-bootstrap/hnb659fds/version"
                late = held.updated is not None and self.clock.now() - held.updated < held.shows_late
                return {
                    "Stacks": [
                        {
                            "StackId": held.id,
                            "StackName": held.name,
                            "CreationTime": datetime(2026, 1, 1),
                            "StackStatus": held.status_before if late else held.status,
                            "Parameters": [
                                *(
                                    {"ParameterKey": key, "ParameterValue": name, "ResolvedValue": value}
                                    for key, name, value in digests
                                ),
                                *({"ParameterKey": key, "ParameterValue": version} for key in held.keys),
                            ],
                        }
                    ]
                }
            case "DescribeStackEvents":
                return {"StackEvents": held.events}
            case "UpdateStack":
                return self._update(held, params)
            case "CancelUpdateStack":
                if held.status != "UPDATE_IN_PROGRESS":
                    raise Fault(
                        "ValidationError", f"CancelUpdateStack cannot be called from current stack status {held.status}"
                    )
                self._event(held, "WebService", "AWS::ECS::Service", "UPDATE_FAILED", "Resource update cancelled")
                self._go_back(held, "User Initiated")
                return {}
        raise Fault("AccessDenied", operation, 403)

    def _update(self, held: ServicesStack, params: Params) -> dict[str, Any]:
        if held.token and params["ClientRequestToken"] == held.token:
            return {"StackId": held.id}
        if held.status not in TAKES_UPDATES:
            raise Fault("ValidationError", f"Stack:{held.id} is in {held.status} state and can not be updated.")
        if not params["UsePreviousTemplate"] or not {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"} <= {
            *params["Capabilities"]
        }:
            raise Fault("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
        given = {one["ParameterKey"]: one.get("UsePreviousValue") for one in params["Parameters"]}
        if given != dict.fromkeys(("WebDigest", *(one.key for one in held.others), *held.keys), True):
            raise Fault("ValidationError", f"Parameters: {given} would fall back to their defaults")
        value = self._resolve(held)
        if value == held.value and all(self.ssm.value(one.parameter) == one.value for one in held.others):
            raise Fault("ValidationError", "No updates are to be performed.")
        self.updates.append((held.name, value, params.get("RoleARN", "")))
        self._begin(held, value, params["ClientRequestToken"], params.get("RoleARN", ""))
        return {"StackId": held.id}

    def _resolve(self, held: ServicesStack) -> str:
        if held.parameter not in self.ssm.parameters:
            raise Fault("ValidationError", f"Unable to fetch parameters [{held.parameter}] from parameter store")
        if held.reads_late:
            held.reads_late -= 1
            return held.value
        return self.ssm.value(held.parameter)

    def _begin(self, held: ServicesStack, value: str, token: str, role: str) -> None:
        held.before, held.value, held.token, held.role = held.value, value, token, role
        held.deployment, held.since = "", self.clock.now()
        for one in held.others:
            one.before, one.value, one.deployment = one.value, self.ssm.value(one.parameter), ""
        held.status_before, held.updated = held.status, self.clock.now()
        self._set(held, "UPDATE_IN_PROGRESS", "User Initiated")
        self._advance(held)

    def _task_definition(self, held: ServicesStack, value: str) -> str:
        own = {"web": f"{held.image}@{NO_IMAGE if value == 'none' else value}"}
        return self.ecs.task_definition(held.family, own | self.sidecars)

    def _change_service(self, held: ServicesStack) -> None:
        for one in held.others:
            primary = self.ecs.scheduled[one.service].deployments[0]
            changed = self.ecs.digest(primary.task_definition) != one.value
            one.deployment = self._bring(one) if changed else primary.id
        primary = self.ecs.scheduled[held.service].deployments[0]
        if held.others and self.ecs.digest(primary.task_definition) == held.value:
            held.deployment = primary.id
            return
        desired = 0 if held.value == "none" else None
        held.deployment = self.ecs.change(held.service, self._task_definition(held, held.value), desired=desired)
        self._event(held, "WebService", "AWS::ECS::Service", held.status, "")

    def _bring(self, one: Another) -> str:
        return self.ecs.change(one.service, self.ecs.task_definition(one.key, {one.name: f"{one.image}@{one.value}"}))

    def _outcome(self, held: ServicesStack) -> str:
        found = {self.ecs.outcome(held.service, held.deployment)}
        found |= {self.ecs.outcome(one.service, one.deployment) for one in held.others}
        return "failed" if "failed" in found else "pending" if "pending" in found else "completed"

    def _tick(self, now: datetime) -> None:
        for held in self.stacks.values():
            self._advance(held)
            if held.scaling_due is not None and now >= held.scaling_due:
                held.scaling_due = None
                if held.value != "none" and self.ecs.scheduled[held.service].desired < held.tasks:
                    self.ecs.scale(held.service, held.tasks)

    def _advance(self, held: ServicesStack) -> None:
        now, since = self.clock.now(), held.since or self.clock.now()
        match held.status:
            case "UPDATE_IN_PROGRESS" | "UPDATE_ROLLBACK_IN_PROGRESS":
                if not held.deployment:
                    if held.status == "UPDATE_ROLLBACK_IN_PROGRESS" or now - since >= held.slow:
                        self._change_service(held)
                    return
                outcome = self._outcome(held)
                if outcome == "completed":
                    held.scaling_due = now + SCALING if held.value != "none" else None
                    word = "UPDATE_ROLLBACK" if "ROLLBACK" in held.status else "UPDATE"
                    self._set(held, f"{word}_COMPLETE_CLEANUP_IN_PROGRESS", "")
                elif outcome == "failed":
                    reason = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
                    self._event(held, "WebService", "AWS::ECS::Service", "UPDATE_FAILED", reason)
                    self._event(
                        held, "WebScaling", "AWS::CloudWatch::Alarm", "UPDATE_FAILED", "Resource update cancelled"
                    )
                    if "ROLLBACK" in held.status:
                        self._set(held, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed: [WebService].")
                    else:
                        self._go_back(held, "The following resource(s) failed to update: [WebService].")
            case "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
                if now - since >= CLEANUP:
                    self._set(held, held.status.removesuffix("_CLEANUP_IN_PROGRESS"), "")

    def _go_back(self, held: ServicesStack, reason: str) -> None:
        held.value = held.before
        for one in held.others:
            one.value = one.before
        untouched, held.deployment = not held.deployment, ""
        if held.stuck:
            self._set(held, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed: [WebService].")
        elif untouched:
            self._set(held, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", reason)
        else:
            self._set(held, "UPDATE_ROLLBACK_IN_PROGRESS", reason)

    def _set(self, held: ServicesStack, status: str, reason: str) -> None:
        held.status, held.since = status, self.clock.now()
        self._event(held, held.name, "AWS::CloudFormation::Stack", status, reason)

    def _event(self, held: ServicesStack, logical: str, kind: str, status: str, reason: str) -> None:
        self._number += 1
        event = {
            "StackId": held.id,
            "EventId": str(self._number),
            "StackName": held.name,
            "LogicalResourceId": logical,
            "ResourceType": kind,
            "Timestamp": self.clock.now(),
            "ResourceStatus": status,
            **({"ResourceStatusReason": reason} if reason else {}),
            **({"ClientRequestToken": held.token} if held.token else {}),
        }
        held.events.insert(0, event)
