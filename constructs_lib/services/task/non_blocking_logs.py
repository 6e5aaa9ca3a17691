"""No container of a scope waits for its logs, whoever added it (lesson W2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import jsii
from aws_cdk import (
    AspectPriority,
    Aspects,
    CfnResource,
    IAnyProducer,
    IAspect,
    IResolveContext,
    Lazy,
    Stage,
)
from aws_cdk import aws_ecs as ecs
from constructs import IConstruct, IValidation

from constructs_lib.checks import invalid
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_options import SafeLogs, crowded, safe_logs

_DEFAULT_DELIVERY = LogDelivery()
_TASK_DEFINITION: Final = "AWS::ECS::TaskDefinition"
_LOGS: Final = "logConfiguration"


def keep_logs_non_blocking(task: ecs.CfnTaskDefinition, delivery: LogDelivery = _DEFAULT_DELIVERY) -> None:
    """One task definition has non-blocking logs when its template is written, or the synthesis fails (lesson W2).

    The containers are read as late as that, so one that is added later, by an Aspect or by CDK itself, is covered too.

    Args:
        task: the task definition; of a higher construct ``task.node.default_child``.
        delivery: size of the buffers where they are missing or below 25 MiB.
    """
    look = _Look(task, delivery)
    task.container_definitions = Lazy.uncached_any(look)
    task.node.add_validation(look)


def keep_proxy_logs_non_blocking(service: ecs.CfnService, delivery: LogDelivery = _DEFAULT_DELIVERY) -> None:
    """A service's Service Connect proxy has non-blocking logs when its template is written, if it logs (lesson W2).

    ECS puts the proxy into each task and calls through it stop when it does, but its logs are no task definition's.

    Args:
        service: the service; of a higher construct ``service.node.default_child``.
        delivery: size of the buffer where it is missing or below 25 MiB.
    """
    look = _ProxyLook(service, delivery)
    service.service_connect_configuration = Lazy.uncached_any(look)
    service.node.add_validation(look)


@jsii.implements(IAspect)
class NonBlockingLogs:
    """An Aspect: the logs of every task definition in a scope are non-blocking, or the synthesis fails (lesson W2).

    Those of Service Connect's proxies too, which are written in the services. It writes ``mode`` and
    ``max-buffer-size`` where they are missing, blocking or below 25 MiB. What it cannot make safe fails the
    synthesis with a sentence: a container without a log driver, a driver that ECS does not name, a value that only
    CloudFormation knows, buffers of more than a quarter of the task's memory.

    The order of Aspects does not matter: the containers are not read at the visit, because others may add one later,
    but when the template is written. When somebody has put other containers in their place by then, a last look fails
    the synthesis unless those are safe.

    It does not see what ``add_property_override`` wrote; the rules W2a to W2d do, in the finished template.

    Args:
        delivery: size of the buffers that it writes. Its retention and key are for log groups, which stay as they are.
    """

    def __init__(self, *, delivery: LogDelivery = _DEFAULT_DELIVERY) -> None:
        self._delivery = delivery

    def apply_to(self, scope: IConstruct) -> None:
        """Covers everything in an app, a stage, a stack or a task definition, what is added later included.

        CDK does not pass the Aspects of an app on to its stages: it is applied to those that exist, and one that is
        made later with a task definition fails the synthesis.
        """
        for place in _places(scope):
            Aspects.of(place).add(self, priority=AspectPriority.MUTATING)

    def visit(self, node: IConstruct) -> None:
        """Covers one task definition or service; called by CDK for each construct."""
        if isinstance(node, ecs.CfnTaskDefinition):
            keep_logs_non_blocking(node, self._delivery)
        elif isinstance(node, ecs.CfnService):
            keep_proxy_logs_non_blocking(node, self._delivery)
        elif isinstance(node, Stage):
            for stage in filter(_forgotten, _places(node)):
                fix = "call NonBlockingLogs.apply_to for it too: Aspects of an app stop at its stages (lesson W2)"
                _refuse(node, invalid("a stage with task definitions", stage.node.path, "covered by itself", fix))
        elif type(node) is CfnResource and node.cfn_resource_type == _TASK_DEFINITION:
            fix = "NonBlockingLogs cannot read the properties of a CfnResource (lesson W2)"
            _refuse(node, invalid("a task definition", "a CfnResource", "an ecs.CfnTaskDefinition or above", fix))


@jsii.implements(IAnyProducer, IValidation)
class _Look:
    def __init__(self, task: ecs.CfnTaskDefinition, delivery: LogDelivery) -> None:
        self._task, self._containers, self._delivery = task, task.container_definitions, delivery
        self._seen: SafeLogs | None = None

    def produce(self, context: IResolveContext) -> object:
        """The containers, made safe; called by CDK whenever it reads the template, before the validations too."""
        self._seen = safe_logs(context.resolve(self._containers), self._delivery)
        return self._seen.containers

    def validate(self) -> list[str]:
        """What is not safe after all; called by CDK once, after all Aspects."""
        seen, now = self._seen, self._task.container_definitions
        if seen is None or isinstance(now, list):
            # Somebody has put others in their place.
            seen = _as_they_are(self._task.stack.resolve(now), self._delivery)
        return [*seen.refusals, *crowded(seen.buffers, self._task.memory)]


@jsii.implements(IAnyProducer, IValidation)
class _ProxyLook:
    """The proxy's logs are judged as those of a container; one that logs nowhere waits for nothing."""

    def __init__(self, service: ecs.CfnService, delivery: LogDelivery) -> None:
        self._service, self._delivery = service, delivery
        self._given = _connect(service)

    def produce(self, context: IResolveContext) -> object:
        """The configuration, made safe; called by CDK whenever it reads the template."""
        given = context.resolve(self._given)
        proxy = _proxy(given)
        if proxy is None:
            return given
        safe = safe_logs([proxy], self._delivery).containers
        assert isinstance(safe, list)
        return {**given, _LOGS: safe[0][_LOGS]}

    def validate(self) -> list[str]:
        """What is not safe after all; called by CDK once, after all Aspects."""
        proxy = _proxy(self._service.stack.resolve(_connect(self._service)))
        return [] if proxy is None else list(_as_they_are([proxy], self._delivery).refusals)


def _connect(service: ecs.CfnService) -> object:
    """What is set, perhaps not known yet: that the property of the same name cannot give back to Python."""
    return service._cfn_properties.get("serviceConnectConfiguration")


def _proxy(configuration: object) -> dict[str, object] | None:
    """The proxy as a container, for the same judgment."""
    logs = configuration.get(_LOGS) if isinstance(configuration, Mapping) else None
    return None if logs is None else {"name": "service-connect", _LOGS: logs}


def _as_they_are(containers: object, delivery: LogDelivery) -> SafeLogs:
    safe = safe_logs(containers, delivery)
    if safe.refusals or safe.containers == containers:
        return safe
    fix = "give them non-blocking logs where they are written (lesson W2)"
    refused = invalid("the containers", "others, with blocking logs", "those that NonBlockingLogs found", fix)
    return SafeLogs(containers=containers, refusals=(str(refused),), buffers=safe.buffers)


@jsii.implements(IValidation)
class _Refusal:
    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def validate(self) -> list[str]:
        """The sentence; called by CDK once, after all Aspects."""
        return [self._sentence]


def _refuse(place: IConstruct, error: ValueError) -> None:
    place.node.add_validation(_Refusal(str(error)))


def _places(scope: IConstruct) -> list[IConstruct]:
    """Where CDK takes an Aspect from: the scope, and of a stage every stage in it."""
    if not isinstance(scope, Stage):
        return [scope]
    return [below for below in scope.node.find_all() if isinstance(below, Stage)]


def _forgotten(stage: IConstruct) -> bool:
    """Whether task definitions of a stage were not looked at."""
    if any(isinstance(aspect, NonBlockingLogs) for aspect in Aspects.of(stage).all):
        return False
    return any(isinstance(below, ecs.CfnTaskDefinition) for below in stage.node.find_all())
