"""Q4: an image that disappears is noticed before a task needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.alarm_actions import silence
from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.rules.watchers import ALARM, exists_with, in_all_worlds, look, undecided
from constructs_lib.guardrails.rules.written import REPOSITORY
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown

_METRIC: Final = "ImagesMissing"
"""Of Moorings' retention guard."""


def unwatched(repository: Node) -> Fault | None:
    """Q4a."""
    silent, doubt = "", ""
    for alarm, why in repository.world.assembly.remember(_alarms):
        exists = exists_with(repository.resource, alarm, repository.world.assembly)
        if exists and not why:
            return None
        silent = silent or (f"alarm {alarm.logical_id!r} is on {_METRIC}, but {why}" if why and exists else "")
        doubt = doubt or (undecided(alarm) if exists is None and not why else "")
    if heard(repository, [_deletion(repository)]):
        return None
    if doubt:
        raise NotKnown(repository, doubt)
    rule = "no EventBridge rule of the templates passes on that an image of this repository was deleted"
    return Fault(repository, f"{rule}, and {silent or f'no alarm is on {_METRIC}'}")


def _deletion(repository: Node) -> Event:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html"""
    name = Named(resources=(repository.resource,), name=repository.get("Properties", "RepositoryName"))
    return {
        "source": "aws.ecr",
        "detail-type": "ECR Image Action",
        "detail": {"action-type": "DELETE", "result": "SUCCESS", "repository-name": name},
    }


def _alarms(assembly: Assembly) -> Sequence[tuple[Resource, str]]:
    """The alarms on missing images, and why one tells nobody; that is empty when it tells."""
    return [(alarm.resource, silence(alarm)) for alarm in in_all_worlds(assembly, ALARM) if _METRIC in _metrics(alarm)]


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
