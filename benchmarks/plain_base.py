"""What the plain CDK app's stacks have in common: names, statements, and alarms as one writes them by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from aws_cdk import IResolvable, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

ROOT: Final = Path(__file__).parent.parent
APPLICATION: Final = "shop"
REGION: Final = "eu-west-1"
ZONES: Final = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
KEEP: Final = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE

_NEVER: Final = 10**15
_NEVER_BELOW: Final = -1
_RUNBOOK: Final = "Runbook: docs/runbooks/"


def repository_name(environment: str, service: str) -> str:
    """ECR's name of a service's repository."""
    return f"{APPLICATION}/{environment}/{service}"


def parameter_name(environment: str, service: str) -> str:
    """The parameter that holds the digest of a service."""
    return f"/moorings/{APPLICATION}/{environment}/{service}/digest"


def evidence_name(environment: str) -> str:
    """The log group of the environment's events."""
    return f"/aws/events/moorings/{APPLICATION}/{environment}"


def allow(resources: Sequence[str], *actions: str) -> iam.PolicyStatement:
    """A statement without a condition."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


class Topics(NamedTuple):
    """The ARNs of the topics, read once."""

    page: str
    notice: str


class Watched(NamedTuple):
    """What the dashboard must know of an alarm."""

    component: str
    what: str
    pages: bool
    """By itself; what is felt pages through its component's composite alarm."""


class PlainStack(Stack):
    """A stack with a name that does not collide."""

    def __init__(self, scope: Construct, id: str, environment: str) -> None:
        super().__init__(
            scope,
            id,
            stack_name=f"{APPLICATION}--{environment}--{id}",
            description=f"{APPLICATION}, {environment}: {id}",
        )
        self.env_name = environment
        self.watched: list[Watched] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """A service before its first release: its alarms notify nobody and are never red."""

    released: str
    enabled: IResolvable
    breaching: str


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """An expression over ``m0``, ``m1`` and so on: each a name with its dimensions."""

    namespace: str
    metrics: Sequence[tuple[str, Mapping[str, str]]]
    statistic: str
    expression: str
    period: int = 60


WarmUp: TypeAlias = "cloudwatch.CfnAlarm.WarmUpConfigurationProperty | IResolvable"


def warm_up(minutes: int) -> cloudwatch.CfnAlarm.WarmUpConfigurationProperty:
    """So long after it was made an alarm judges nothing."""
    return cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=minutes, only_start_evaluating_after_warm_up_period_ends=True
    )


def alarm(
    stack: PlainStack,
    component: str,
    what: str,
    *,
    metric: One | Reckoned,
    threshold: float,
    periods: int = 1,
    below: bool = False,
    missing: str = "notBreaching",
    warm: WarmUp | None = None,
    topics: Topics,
    pages: bool = True,
    felt: bool = False,
    until: Until | None = None,
    runbook: str | None = None,
) -> cloudwatch.CfnAlarm:
    """An L1: the L2 alarm takes no condition for its actions, and no warm-up; and it costs more calls.

    An alarm that is ``felt`` has no actions: its component's composite alarm pages.
    """
    percentile = isinstance(metric, One) and metric.statistic.startswith("p")
    one = metric if isinstance(metric, One) else None
    made = cloudwatch.CfnAlarm(
        stack,
        f"{component}-{what}",
        alarm_name=f"{APPLICATION}/{stack.env_name}/{component}/{what}",
        alarm_description=f"[{'page' if pages else 'notice'}] {what}. {_RUNBOOK}{runbook or what}.md",
        actions_enabled=True if until is None else until.enabled,
        alarm_actions=None if felt else [topics.page if pages else topics.notice],
        ok_actions=None if felt else [topics.notice],
        namespace=one.namespace if one else None,
        metric_name=one.name if one else None,
        dimensions=dimensions_of(one.dimensions) if one else None,
        statistic=one.statistic if one and not percentile else None,
        extended_statistic=one.statistic if one and percentile else None,
        evaluate_low_sample_count_percentile="evaluate" if percentile else None,
        period=one.period if one else None,
        metrics=None if isinstance(metric, One) else _queries(metric),
        threshold=threshold if until is None else None,
        comparison_operator="LessThanThreshold" if below else "GreaterThanOrEqualToThreshold",
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
        treat_missing_data=missing,
        warm_up_configuration=warm,
    )
    if until is not None:
        never = _NEVER_BELOW if below else _NEVER
        made.add_property_override("Threshold", {"Fn::If": [until.released, threshold, never]})
    stack.watched.append(Watched(component, what, pages and not felt))
    return made


def _queries(metric: Reckoned) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    queries = [
        cloudwatch.CfnAlarm.MetricDataQueryProperty(
            id=f"m{number}",
            metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                metric=cloudwatch.CfnAlarm.MetricProperty(
                    namespace=metric.namespace, metric_name=name, dimensions=dimensions_of(dimensions)
                ),
                period=metric.period,
                stat=metric.statistic,
            ),
            return_data=False,
        )
        for number, (name, dimensions) in enumerate(metric.metrics)
    ]
    (first, _), *_ = metric.metrics
    total = cloudwatch.CfnAlarm.MetricDataQueryProperty(id="total", expression=metric.expression, label=first)
    return [*queries, total]


def dimensions_of(values: Mapping[str, str]) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    """The dimensions of a metric."""
    return [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in values.items()]


def one_line(value: object) -> str:
    """JSON. What CDK fills in later are names and ARNs, which have no character that JSON escapes."""
    return json.dumps(value, separators=(",", ":"))
