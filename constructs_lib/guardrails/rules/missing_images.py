"""Q4: an image that disappears is noticed before a task needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_actions import silence
from constructs_lib.guardrails.rules.alarms import ALARM
from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.rules.watchers import in_all_worlds, look
from constructs_lib.guardrails.rules.written import REPOSITORY
from constructs_lib.guardrails.templates.assembly import Assembly
from constructs_lib.guardrails.templates.node import Node

_METRIC: Final = "ImagesMissing"
"""Of Moorings' retention guard."""


def unwatched(repository: Node) -> Fault | None:
    """Q4a."""
    told = repository.world.assembly.remember(_alarm)
    if told == "" or heard(repository, [_deletion(repository)]):
        return None
    rule = "no EventBridge rule of the templates passes on that an image of this repository was deleted"
    return Fault(repository, f"{rule}, and {told or f'no alarm is on {_METRIC}'}")


def _deletion(repository: Node) -> Event:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html"""
    name = Named(resources=(repository.resource,), name=repository.get("Properties", "RepositoryName"))
    return {
        "source": "aws.ecr",
        "detail-type": "ECR Image Action",
        "detail": {"action-type": "DELETE", "result": "SUCCESS", "repository-name": name},
    }


def _alarm(assembly: Assembly) -> str | None:
    """Why the alarms on missing images tell nobody; empty when one tells, None when there is none."""
    told: str | None = None
    for alarm in in_all_worlds(assembly, ALARM):
        if _METRIC in _metrics(alarm):
            silent = silence(alarm)
            told = silent and f"alarm {alarm.resource.logical_id} is on {_METRIC}, but {silent}"
            if not told:
                return ""
    return told


def _metrics(alarm: Node) -> Iterator[str]:
    """The names of an alarm's metrics, as far as they are known."""
    queries = look(alarm, "Properties", "Metrics")
    found = [look(alarm, "Properties", "MetricName")]
    if queries is not None and isinstance(queries.value, list):
        found += [look(query, "MetricStat", "Metric", "MetricName") for query in queries.items()]
    return (metric.value for metric in found if metric is not None and isinstance(metric.value, str))


RULES: Final = (
    Rule(
        id="MOOR-Q4a",
        severity="notice",
        types=(REPOSITORY,),
        title="something watches for images that disappear",
        why="ECS web application, April 2025: that an image was gone was noticed days later, when a task was replaced"
        " and users saw 504.",
        fix="Add an AWS::Events::Rule with Targets and an EventPattern of source aws.ecr and detail-type ECR Image"
        " Action, or Moorings' RetentionGuard with an alarm on ImagesMissing.",
        judge=unwatched,
    ),
)
