"""What stack, parameter and service are at this moment. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from constructs_lib.checks import is_digest
from constructs_lib.delivery.neighbours import Neighbour
from constructs_lib.delivery.operations.clients import Clients
from constructs_lib.delivery.operations.errors import code, failures, message
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.delivery.stack_status import CAN_BE_CANCELLED, MISSING
from constructs_lib.naming import NO_IMAGE, NOT_RELEASED, release_parameter_name

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import DeploymentCircuitBreakerTypeDef, DeploymentTypeDef, ServiceTypeDef


_LEAST_FAILURES: Final = 3
_MOST_FAILURES: Final = 200
_BATCH: Final = 10  # names that GetParameters takes
_TASKS: Final = 100  # tasks that DescribeTasks takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The services' stack (lesson W4).

    Args:
        status: CloudFormation's; empty when there is no such stack.
        parameters: the keys of its parameters.
        reason: CloudFormation's reason for the status; often empty.
        resolved: the parameters of Parameter Store that it reads, each with the value that it had at the last update.
    """

    status: str
    parameters: tuple[str, ...] = ()
    reason: str = ""
    resolved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The ECS service, and what it is doing (lessons W4, T4).

    Args:
        digest: what its task definition names; ``none`` before the first release.
        task_definition: its ARN.
        desired: how many tasks it should have.
        running: how many it has, of all deployments.
        deployment: id of the primary deployment.
        rollout: its state, such as ``COMPLETED``.
        rollout_reason: ECS's reason for it.
        primary_running: how many tasks of it run.
        failed_tasks: how many of its tasks failed one after the other.
        deployments: how many deployments there are; one when it is steady.
        alarms: names of the deployment alarms.
        goes_back: whether the circuit breaker takes a failing deployment back.
        gives_up_after: so many failed tasks are a failure to the circuit breaker.
        shifts: whether a deployment shifts requests from one target group to another.
        events: newest first, with their times.
        sidecar_images: images of the other containers of its task definition.
    """

    digest: str
    task_definition: str
    desired: int
    running: int
    deployment: str
    rollout: str
    rollout_reason: str
    primary_running: int
    failed_tasks: int
    deployments: int
    alarms: tuple[str, ...]
    goes_back: bool
    gives_up_after: int
    shifts: bool = False
    events: tuple[tuple[datetime, str], ...] = ()
    sidecar_images: tuple[str, ...] = ()

    def runs(self, digest: str) -> bool:
        """Whether all its tasks run this digest, and none is missing.

        AWS promises a rollout's state for rolling deployments only
        (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html). Where it says none, one that
        shifts requests is over when the old tasks are gone, which comes after the baking.
        """
        return (
            self.digest == digest
            and self.rollout in (("COMPLETED", "") if self.shifts else ("COMPLETED",))
            and self.deployments == 1
            and self.running == self.primary_running == self.desired >= 1
        )

    @property
    def keeps_failing(self) -> bool:
        """Whether as many tasks failed as ECS's circuit breaker takes for a failure."""
        return self.failed_tasks >= self.gives_up_after


def stack_of(clients: Clients, settings: DeliverySettings) -> Stack:
    """The stack; one call."""
    try:
        found = clients.cloudformation.describe_stacks(StackName=settings.stack)["Stacks"][0]
    except failures() as error:
        if code(error) == "ValidationError" and "does not exist" in message(error):
            return Stack(status=MISSING)
        raise
    keys = tuple(one["ParameterKey"] for one in found.get("Parameters", ()) if "ParameterKey" in one)
    resolved = tuple(
        (one["ParameterValue"], one["ResolvedValue"])
        for one in found.get("Parameters", ())
        if "ParameterValue" in one and "ResolvedValue" in one
    )
    reason = found.get("StackStatusReason", "")
    return Stack(status=found["StackStatus"], parameters=keys, reason=reason, resolved=resolved)


def neighbours(clients: Clients, settings: DeliverySettings, stack: Stack) -> tuple[Neighbour, ...]:
    """Other services of the stack whose release parameter says something else than the stack has of it.

    A call for ten services, and none for a stack with one.
    """
    own = release_parameter_name(settings.application, settings.environment, settings.service)
    before, _, after = own.rpartition(f"/{settings.service}/")
    has = {
        name: value
        for name, value in stack.resolved
        if name != own and name.startswith(f"{before}/") and name.endswith(f"/{after}")
    }
    names, written = sorted(has), dict[str, str]()
    for start in range(0, len(names), _BATCH):
        answer = clients.ssm.get_parameters(Names=names[start : start + _BATCH])
        written |= {one["Name"]: one["Value"] for one in answer["Parameters"]}
    return tuple(
        Neighbour(parameter=name, has=has[name], written=written.get(name))
        for name in names
        if written.get(name) != has[name]
    )


def update_token(clients: Clients, settings: DeliverySettings) -> str:
    """By which token the stack's update that is under way was asked for; empty when that does not show."""
    events = clients.cloudformation.describe_stack_events(StackName=settings.stack)["StackEvents"]  # newest first
    of_stack = (one for one in events if one.get("ResourceType") == "AWS::CloudFormation::Stack")
    newest = next((one.get("ResourceStatus") for one in of_stack), CAN_BE_CANCELLED)
    return events[0].get("ClientRequestToken", "") if events and newest == CAN_BE_CANCELLED else ""


def released(clients: Clients, settings: DeliverySettings) -> str | None:
    """What the release parameter holds; ``None`` when it does not exist."""
    name = release_parameter_name(settings.application, settings.environment, settings.service)
    try:
        return clients.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except clients.ssm.exceptions.ParameterNotFound:
        return None


def service_of(clients: Clients, settings: DeliverySettings, known: Service | None = None) -> Service | None:
    """The service; ``None`` when there is none. The task definition is read only when ``known`` had another."""
    answer = clients.ecs.describe_services(cluster=settings.cluster, services=[settings.ecs_service])
    found = next((one for one in answer["services"] if one.get("status") == "ACTIVE"), None)
    if found is None:
        return None
    primary = next((one for one in found.get("deployments", ()) if one.get("status") == "PRIMARY"), None)
    task_definition = (primary or {}).get("taskDefinition") or found.get("taskDefinition", "")
    if known is not None and known.task_definition == task_definition:
        named = Images(known.digest, known.sidecar_images)
    else:
        named = images_of(clients, settings, task_definition)
    return _service(found, primary or {}, task_definition, named)


class Images(NamedTuple):
    """What a task definition names (lesson Q3)."""

    digest: str
    """Of the service's container; ``none`` when it names no image's."""
    sidecars: tuple[str, ...]
    """References of the other containers' images."""


def images_of(clients: Clients, settings: DeliverySettings, task_definition: str) -> Images:
    """The images that a task definition names; one call."""
    answer = clients.ecs.describe_task_definition(taskDefinition=task_definition)
    containers = answer["taskDefinition"].get("containerDefinitions", [])
    own = next((one for one in containers if one.get("name") == settings.service), None)
    digest = own.get("image", "").partition("@")[2] if own else ""
    others = tuple(one["image"] for one in containers if one is not own and "image" in one)
    return Images(digest if is_digest(digest) and digest != NO_IMAGE else NOT_RELEASED, others)


def healthy_targets(clients: Clients, settings: DeliverySettings) -> int:
    """How many targets are healthy, in both target groups where there are two: requests are in one or the other."""
    states: list[str | None] = []
    for group in filter(None, (settings.target_group, settings.alternate_target_group)):
        answer = clients.elbv2.describe_target_health(TargetGroupArn=group)
        states += [one.get("TargetHealth", {}).get("State") for one in answer.get("TargetHealthDescriptions", ())]
    return states.count("healthy")


def healthy(clients: Clients, settings: DeliverySettings) -> int:
    """How many tasks are healthy: to the load balancer, or where there is none to ECS."""
    return healthy_targets(clients, settings) if settings.target_group else healthy_tasks(clients, settings)


def counted_as_healthy(settings: DeliverySettings) -> str:
    """What :func:`healthy` counts."""
    return "targets" if settings.target_group else "tasks"


def healthy_tasks(clients: Clients, settings: DeliverySettings) -> int:
    """How many tasks pass their container check. A task runs before it is healthy, and while it is no more.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    """
    cluster, pages = settings.cluster, clients.ecs.get_paginator("list_tasks")
    listing = pages.paginate(cluster=cluster, serviceName=settings.ecs_service, desiredStatus="RUNNING")
    arns = [arn for page in listing for arn in page["taskArns"]]
    found = 0
    for start in range(0, len(arns), _TASKS):
        answer = clients.ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + _TASKS])
        states = [(one.get("lastStatus"), one.get("healthStatus")) for one in answer["tasks"]]
        found += states.count(("RUNNING", "HEALTHY"))
    return found


def red_alarms(clients: Clients, names: Sequence[str]) -> tuple[str, ...]:
    """Which of these alarms are red."""
    if not names:
        return ()
    answer = clients.cloudwatch.describe_alarms(AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    return tuple(sorted(one["AlarmName"] for one in alarms if one.get("StateValue") == "ALARM" and "AlarmName" in one))


def _service(found: ServiceTypeDef, primary: DeploymentTypeDef, task_definition: str, named: Images) -> Service:
    how = found.get("deploymentConfiguration", {})
    alarms = how.get("alarms")
    breaker = how.get("deploymentCircuitBreaker")
    return Service(
        digest=named.digest,
        sidecar_images=named.sidecars,
        task_definition=task_definition,
        desired=found.get("desiredCount", 0),
        running=found.get("runningCount", 0),
        deployment=primary.get("id", ""),
        rollout=primary.get("rolloutState", ""),
        rollout_reason=primary.get("rolloutStateReason", ""),
        primary_running=primary.get("runningCount", 0),
        failed_tasks=primary.get("failedTasks", 0),
        deployments=len(found.get("deployments", ())),
        alarms=tuple(alarms["alarmNames"]) if alarms and alarms.get("enable") else (),
        goes_back=bool(breaker and breaker.get("enable") and breaker.get("rollback")),
        gives_up_after=_gives_up_after(breaker, found.get("desiredCount", 0)),
        shifts=how.get("strategy", "ROLLING") != "ROLLING",
        events=tuple((one["createdAt"], one["message"]) for one in found.get("events", ())),
    )


def _gives_up_after(breaker: DeploymentCircuitBreakerTypeDef | None, desired: int) -> int:
    """After how many failed tasks the circuit breaker gives a deployment up; by AWS's default where there is none.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ThresholdConfiguration.html
    """
    given = breaker.get("thresholdConfiguration") if breaker else None
    kind, value = (given["type"], given["value"]) if given else ("BOUNDED_PERCENT", 50)
    if kind == "COUNT":
        return value
    share = max(1, -(-value * desired // 100))
    return share if kind == "UNBOUNDED_PERCENT" else min(max(_LEAST_FAILURES, share), _MOST_FAILURES)
