"""An alarm as plain data: each slice says what to watch, ``observability`` makes the alarms. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from constructs_lib.checks import invalid, tuple_of, whole_number

Severity: TypeAlias = Literal["page", "notice"]
Statistic: TypeAlias = Literal["Average", "Maximum", "Minimum", "SampleCount", "Sum", "p99"]
Felt: TypeAlias = Literal["degraded", "outage"]
Comparison: TypeAlias = Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]

METRICS_OF_AN_ALARM: Final = 10
"""The most that one may reckon with: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is measured, and how one period of it becomes a number (lesson W3).

    Args:
        namespace: CloudWatch's namespace of the metric.
        name: AWS's name of the metric.
        dimensions: the metric's dimensions; the values may be Tokens.
        statistic: CloudWatch's statistic over one period.
        period_seconds: the length of a period; 60 by default.
        also: more dimension sets of the metric, whose values are added to the first's; none by default. One without a
            value counts as zero while another has one: of two target groups, only one has targets most of the time.
        plus: names of more metrics, with the same dimension sets, whose values are added too; none by default.
        per: names of metrics, with the same dimension sets, by whose sum the whole is divided; none by default. We
            take it that a period in which that sum is zero or missing has no value; no AWS page says.
        at_least: with ``per``: while the whole before the division is less than this, the value is 0, so that one of
            three requests is no share; 0 by default, which leaves the share as it is.

    Raises:
        ValueError: a period that CloudWatch does not know, one name twice, or more than ten metrics in all.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: Statistic
    period_seconds: int = 60
    also: tuple[Mapping[str, str], ...] = ()
    plus: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    at_least: float = 0

    def __post_init__(self) -> None:
        if self.at_least and not self.per:
            raise invalid("at_least", self.at_least, "given beside per", "only a share has a floor")
        tuple_of("plus", self.plus, str, "('PacketsInFromSource',)")
        tuple_of("per", self.per, str, "('PacketsInFromSource',)")
        names = [self.name, *self.plus]
        for what, given in (("plus", names), ("per", list(self.per))):
            if len(set(given)) < len(given):
                raise invalid(what, given, "all different", "each is counted once")
        count = (len(names) + len(self.per)) * (1 + len(self.also))
        if count > METRICS_OF_AN_ALARM:
            fix = "an alarm takes no more; leave some out"
            raise invalid("plus, per and also", count, f"at most {METRICS_OF_AN_ALARM} metrics together", fix)
        if self.period_seconds not in (10, 20, 30) and (self.period_seconds < 60 or self.period_seconds % 60):
            raise invalid("period_seconds", self.period_seconds, "10, 20, 30 or whole minutes", "60 is a good start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """When a metric is wrong (lesson W3).

    Args:
        value: compared with the statistic, in the metric's own unit.
        comparison: how it is compared; at least the value by default.
        periods: how many of the last ``out_of`` periods must be wrong; 1 of 1 by default.
        out_of: see ``periods``.
        missing: what a period without data means; ``notBreaching`` by default. ``ignore`` leaves the alarm as it is:
            for a metric that has data only now and then.
        missing_because: why a period without data means that.

    Raises:
        ValueError: more wrong periods than are looked at.
    """

    value: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    periods: int = 1
    out_of: int = 1
    missing: Literal["breaching", "notBreaching", "ignore"] = "notBreaching"
    missing_because: str = ""

    def __post_init__(self) -> None:
        whole_number("periods", self.periods, low=1, high=self.out_of, fix="look at as many periods as must be wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """What is watched, when it is wrong, and what it means to the person who is paged (lesson W3).

    Args:
        component: the service that it speaks for, such as ``web``.
        what: the fault in a few words joined by hyphens, such as ``unhealthy-targets``.
        meaning: one or two sentences for the person who reads the page: what is wrong, and where to look.
        severity: ``page`` wakes somebody, ``notice`` does not.
        metric: what is measured.
        threshold: when it is wrong.
        acts_if: logical id of a CloudFormation condition of the same stack; while it is false the alarm notifies
            nobody, and missing data is no fault: an alarm that is red already would not tell when it begins to act.
            ``None``, the default: it always acts.
        felt: what those who use the component notice while the alarm is red: the status page says it, and the page to
            the operator comes from the component's composite alarm, once for all of them (lesson T5). ``None``, the
            default: nothing yet; such an alarm pages by itself.
        runbook: the page of ``docs/runbooks`` that it opens; ``None``, the default: the one named like ``what``.
        fault_seconds: how long a fault lasts before the metric shows it, such as a health check's interval times its
            count; 0 by default.
        slower_because: why a page may come later than 120 s after the fault, and what stands in until then; needed
            where the worst time is longer (:mod:`constructs_lib.observability.detection.detection_budget`).
    """

    component: str
    what: str
    meaning: str
    severity: Severity
    metric: Metric
    threshold: Threshold
    acts_if: str | None = None
    felt: Felt | None = None
    runbook: str | None = None
    fault_seconds: int = 0
    slower_because: str | None = None
