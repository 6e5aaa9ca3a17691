"""An alarm as plain data: each slice says what to watch, ``observability`` makes the alarms. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from constructs_lib.checks import invalid, name, tuple_of, whole_number

Severity: TypeAlias = Literal["page", "notice"]
Statistic: TypeAlias = Literal["Average", "Maximum", "Minimum", "SampleCount", "Sum", "p99"]
Felt: TypeAlias = Literal["degraded", "outage"]
Comparison: TypeAlias = Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]

METRICS_OF_AN_ALARM: Final = 10
"""The most that one may reckon with: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html"""

_LONGEST_MEANING: Final = 700
"""CloudWatch's description has 1,024 characters, and the runbook's address must fit."""

_LONGEST_REASON: Final = 120
"""A row of a table must hold it."""


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
            three requests is no share; 0 by default, which leaves the share as it is. Count what is divided among
            ``per`` too where the rest of it may be missing: a load balancer that finds no target for a request answers
            503, and counts no request.

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
        count = len({*names, *self.per}) * (1 + len(self.also))
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
        missing_because: why a period without data means that, in at most 120 characters.
        warm_up_minutes: so long after the alarm was made, or began to act, it judges nothing and is in
            ``INSUFFICIENT_DATA``, 0 to 2880; 0 by default. For what must start first
            (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-warmupconfiguration.html).

    Raises:
        ValueError: more wrong periods than are looked at, no reason for missing data, or too long a warm-up.
    """

    value: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    periods: int = 1
    out_of: int = 1
    missing: Literal["breaching", "notBreaching", "ignore"] = "notBreaching"
    missing_because: str
    warm_up_minutes: int = 0

    def __post_init__(self) -> None:
        fix = "say what a period without data means here, and why"
        _line("missing_because", self.missing_because, _LONGEST_REASON, fix)
        whole_number(
            "warm_up_minutes", self.warm_up_minutes, low=0, high=2880, fix="as long as what is watched takes to start"
        )
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
            nobody and is never red, whatever the data or their absence say: the component's composite alarm and the
            status page look at states, and an alarm that is red already would not tell when it begins to act. ``None``,
            the default: it always acts.
        after: logical id of a resource of the same stack that CloudFormation makes or changes before the alarm, such as
            what starts the tasks; ``None``, the default: it waits for nothing.
        felt: what those who use the component notice while the alarm is red: the status page says it, and the page to
            the operator comes from the component's composite alarm, once for all of them (lesson T5). ``None``, the
            default: nothing yet; such an alarm pages by itself.
        runbook: the page of ``docs/runbooks`` that it opens; ``None``, the default: the one named like ``what``.
        fault_seconds: how long a fault lasts before the metric shows it, such as a health check's interval times its
            count; 0 by default.
        slower_because: what stands in where a page may come later than 120 s after the fault, or that nothing does, in
            at most 120 characters; needed where the worst time is longer
            (:mod:`constructs_lib.observability.detection.detection_budget`). ``None``, the default: it is not slower,
            or a notice.

    Raises:
        ValueError: a fault or runbook that is no name, a text that is empty, too long or of more than one line, or a
            notice of what is felt.
    """

    component: str
    what: str
    meaning: str
    severity: Severity
    metric: Metric
    threshold: Threshold
    acts_if: str | None = None
    after: str | None = None
    felt: Felt | None = None
    runbook: str | None = None
    fault_seconds: int = 0
    slower_because: str | None = None

    def __post_init__(self) -> None:
        name("what", self.what, longest=60)
        if self.felt is not None and self.severity != "page":
            raise invalid(
                "severity", self.severity, "'page' where felt is set", "users notice it, so somebody is paged"
            )
        if self.runbook is not None:
            name("runbook", self.runbook, longest=60)
        _line("meaning", self.meaning, _LONGEST_MEANING, "say what is wrong and where to look; more is in the runbook")
        if self.slower_because is not None:
            _line("slower_because", self.slower_because, _LONGEST_REASON, "say what tells of the fault sooner")
        whole_number("fault_seconds", self.fault_seconds, low=0, high=7 * 86_400, fix="0 is a fault that shows at once")


def _line(what: str, value: str, longest: int, fix: str) -> None:
    """Refuses a text that would break a message, a table or an alarm's description."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise invalid(what, value, f"one line of text, at most {longest} characters", fix)
