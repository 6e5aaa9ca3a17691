"""W5: evidence that ECS forgets within an hour."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import SERVICE
from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.templates.node import Node

_FAILED_ACTIONS: Final = (
    ("ERROR", "SERVICE_TASK_PLACEMENT_FAILURE"),
    ("ERROR", "SERVICE_TASK_CONFIGURATION_FAILURE"),
    ("WARN", "SERVICE_TASK_START_IMPAIRED"),
)
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html"""


def unheard(service: Node) -> Fault | None:
    """W5a."""
    if heard(service, _events(service)):
        return None
    return Fault(
        service,
        "no EventBridge rule of the templates passes on that a task of this service stopped or a release failed",
    )


def _events(service: Node) -> list[Event]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html"""
    properties = service.get("Properties")
    itself = Named(resources=(service.resource,), name=properties.get("ServiceName"))
    cluster = _named(properties.get("Cluster"), "ClusterName")
    task_definition = _named(properties.get("TaskDefinition"), "Family")
    of_task: Event = {"taskDefinitionArn": task_definition} if task_definition.resources else {}
    stopped: Event = {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "clusterArn": cluster,
            "group": itself,
            **of_task,
        },
    }
    failed: Event = {
        "source": "aws.ecs",
        "detail-type": "ECS Deployment State Change",
        "resources": itself,
        "detail": {"eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED"},
    }
    actions: list[Event] = [
        {
            "source": "aws.ecs",
            "detail-type": "ECS Service Action",
            "resources": itself,
            "detail": {"eventType": kind, "eventName": name, "clusterArn": cluster},
        }
        for kind, name in _FAILED_ACTIONS
    ]
    return [stopped, failed, *actions]


def _named(reference: Node, name: str) -> Named:
    """What a property refers to, or the name that it gives."""
    resource = reference.target()
    if resource is None:
        return Named(name=reference)
    return Named(resources=(resource,), name=Node.of(reference.world, resource).get("Properties", name))


RULES: Final = (
    Rule(
        id="MOOR-W5a",
        severity="warning",
        types=(SERVICE,),
        title="an EventBridge rule passes on stopped tasks or failed deployments of a service",
        why="WebORCA, March 2025: that AWS was at fault became known three weeks later, by asking; ECS itself forgets a"
        " stopped task, and why it stopped, within about an hour.",
        fix="Add an AWS::Events::Rule with Targets and an EventPattern of source aws.ecs and detail-type"
        " ECS Task State Change (lastStatus STOPPED), ECS Deployment State Change and ECS Service Action.",
        judge=unheard,
    ),
)
