"""One metric with its threshold as a CloudWatch alarm; of several, their sum or share (lessons W3, T4, W1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import IResolvable
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_spec import Metric, Threshold

_PERCENTILES: Final = ("p99",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How an alarm judges where a condition decides (lesson W3); each takes the place of the threshold's own.

    Args:
        enabled: whether it acts.
        value: what the metric is compared with; perhaps a Token.
        missing: what missing data mean; perhaps a Token.
        warm_up: for how long it judges nothing; ``None``, the default: it judges at once.
    """

    enabled: bool | IResolvable
    value: float
    missing: str
    warm_up: cloudwatch.CfnAlarm.WarmUpConfigurationProperty | IResolvable | None = None


def metric_alarm(
    scope: Construct,
    id: str,
    *,
    metric: Metric,
    threshold: Threshold,
    description: str,
    name: str | None = None,
    actions: Sequence[str] = (),
    ended: Sequence[str] = (),
    judging: Judging | None = None,
) -> cloudwatch.CfnAlarm:
    """The alarm; ``judging`` takes the place of the threshold's own words where a condition decides.

    A percentile is judged however few samples a period has (``evaluate``). With ``ignore`` the alarm keeps its state
    below 1,000 of them in a period, for p99: a quieter service would never be told, and one that is red when the
    evening comes would stay red all night
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#percentiles-with-low-samples).
    Of fewer than 100 samples p99 is the largest, so a threshold on it asks for several periods in a row.
    """
    one = not (metric.also or metric.plus or metric.per)
    percentile = one and metric.statistic in _PERCENTILES
    return cloudwatch.CfnAlarm(
        scope,
        id,
        alarm_name=name,
        alarm_description=description,
        actions_enabled=None if judging is None else judging.enabled,
        alarm_actions=list(actions) or None,
        ok_actions=list(ended) or None,
        namespace=metric.namespace if one else None,
        metric_name=metric.name if one else None,
        dimensions=_dimensions(metric.dimensions) if one else None,
        statistic=metric.statistic if one and not percentile else None,
        extended_statistic=metric.statistic if percentile else None,
        evaluate_low_sample_count_percentile="evaluate" if percentile else None,
        period=metric.period_seconds if one else None,
        metrics=None if one else _reckoned(metric),
        threshold=threshold.value if judging is None else judging.value,
        comparison_operator=threshold.comparison,
        evaluation_periods=threshold.out_of,
        datapoints_to_alarm=threshold.periods,
        treat_missing_data=threshold.missing if judging is None else judging.missing,
        warm_up_configuration=warm_up(threshold) if judging is None else judging.warm_up,
    )


def warm_up(threshold: Threshold) -> cloudwatch.CfnAlarm.WarmUpConfigurationProperty | None:
    """For how long an alarm judges nothing at first; it waits to the end, because what starts sends data already."""
    if not threshold.warm_up_minutes:
        return None
    return cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=threshold.warm_up_minutes,
        only_start_evaluating_after_warm_up_period_ends=True,
    )


def _reckoned(metric: Metric) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    """``m0+m1``: where only one has a value, CloudWatch takes the other for 0; where none has one, the sum is missing.

    *Unverified on AWS*: nobody here has seen an alarm do so. If one missing value made the sum missing, a share would
    have no value in a minute that lacks one of its kinds, such as 5xx of the tasks while the load balancer answers 503
    by itself, and such an alarm would stay green; docs/lessons/W3-seen-before-customers.md has a drill.

    Not ``FILL``, which would also fill a minute that is late, and not ``SUM``, which AWS does not recommend in alarms
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
    """
    sets = [metric.dimensions, *metric.also]
    names = tuple(dict.fromkeys((metric.name, *metric.plus, *metric.per)))  # one that is on both sides costs once
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
        for number, (name, dimensions) in enumerate((name, dimensions) for name in names for dimensions in sets)
    ]
    total = cloudwatch.CfnAlarm.MetricDataQueryProperty(
        id="total", expression=_expression(metric, names), label=metric.name
    )
    return [*queries, total]


def _expression(metric: Metric, names: Sequence[str]) -> str:
    """The sum, the share, or the share of a sum that is not below its floor.

    ``IF`` asks what is divided, not what it is divided by: a minute without errors has no value at all, or 0, and
    neither is a fault.
    """

    def added(some: Iterable[str]) -> str:
        sets = 1 + len(metric.also)
        return "+".join(f"m{names.index(name) * sets + number}" for name in some for number in range(sets))

    whole = added((metric.name, *metric.plus))
    if not metric.per:
        return whole
    share = f"({whole})/({added(metric.per)})"
    return f"IF(({whole})>={metric.at_least:g},{share},0)" if metric.at_least else share


def _dimensions(dimensions: Mapping[str, str]) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in dimensions.items()]
