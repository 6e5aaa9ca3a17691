"""One metric with its threshold as a CloudWatch alarm; of several, their sum or share (lessons W3, T4, W1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import IResolvable
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_spec import Metric, Threshold


def metric_alarm(
    scope: Construct,
    id: str,
    *,
    metric: Metric,
    threshold: Threshold,
    description: str,
    name: str | None = None,
    actions: Sequence[str] = (),
    actions_enabled: bool | IResolvable | None = None,
    missing: str | None = None,
) -> cloudwatch.CfnAlarm:
    """The alarm; ``missing`` takes the place of the threshold's own word when a condition decides."""
    one = not (metric.also or metric.plus or metric.per)
    return cloudwatch.CfnAlarm(
        scope,
        id,
        alarm_name=name,
        alarm_description=description,
        actions_enabled=actions_enabled,
        alarm_actions=list(actions) or None,
        ok_actions=list(actions) or None,
        namespace=metric.namespace if one else None,
        metric_name=metric.name if one else None,
        dimensions=_dimensions(metric.dimensions) if one else None,
        statistic=metric.statistic if one else None,
        period=metric.period_seconds if one else None,
        metrics=None if one else _reckoned(metric),
        threshold=threshold.value,
        comparison_operator=threshold.comparison,
        evaluation_periods=threshold.out_of,
        datapoints_to_alarm=threshold.periods,
        treat_missing_data=missing or threshold.missing,
    )


def _reckoned(metric: Metric) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    """``m0+m1``: where only one has a value, CloudWatch takes the other for 0; where none has one, the sum is missing.

    Not ``FILL``, which would also fill a minute that is late, and not ``SUM``, which AWS does not recommend in alarms
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
    """
    sets = [metric.dimensions, *metric.also]
    series = [(name, dimensions) for name in (metric.name, *metric.plus, *metric.per) for dimensions in sets]
    queries = [
        cloudwatch.CfnAlarm.MetricDataQueryProperty(
            id=f"m{number}",
            metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                metric=cloudwatch.CfnAlarm.MetricProperty(
                    namespace=metric.namespace, metric_name=name, dimensions=_dimensions(dimensions)
                ),
                period=metric.period_seconds,
                stat=metric.statistic,
            ),
            return_data=False,
        )
        for number, (name, dimensions) in enumerate(series)
    ]
    added = (1 + len(metric.plus)) * len(sets)
    expression = _sum(range(added))
    if metric.per:
        expression = f"({expression})/({_sum(range(added, len(series)))})"
    total = cloudwatch.CfnAlarm.MetricDataQueryProperty(id="total", expression=expression, label=metric.name)
    return [*queries, total]


def _sum(numbers: Iterable[int]) -> str:
    return "+".join(f"m{number}" for number in numbers)


def _dimensions(dimensions: Mapping[str, str]) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in dimensions.items()]
