"""An alarm as plain data: each slice says what to watch, ``observability`` makes the alarms. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["page", "notice"]
Comparison: TypeAlias = Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """What is watched, when it is wrong, and what it means to the person who is paged (lesson W3).

    Args:
        component: the service that it speaks for, such as ``web``.
        what: the fault in a few words joined by hyphens, such as ``unhealthy-targets``.
        meaning: one or two sentences for the person who reads the page: what is wrong, and where to look.
        severity: ``page`` wakes somebody, ``notice`` does not.
        namespace: CloudWatch's namespace of the metric.
        metric_name: AWS's name of the metric.
        dimensions: the metric's dimensions; the values may be Tokens.
        statistic: CloudWatch's statistic over one period.
        threshold: compared with the statistic, in the metric's own unit.
        comparison: how it is compared.
        period_seconds: the length of a period; 60 by default.
        periods: how many of the last ``out_of`` periods must be wrong; 1 of 1 by default.
        out_of: see ``periods``.
        missing: what a period without data means; ``notBreaching`` by default.
        acts_if: logical id of a CloudFormation condition of the same stack; while it is false the alarm notifies
            nobody. ``None``, the default: it always acts.
    """

    component: str
    what: str
    meaning: str
    severity: Severity
    namespace: str
    metric_name: str
    dimensions: Mapping[str, str]
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"]
    threshold: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    period_seconds: int = 60
    periods: int = 1
    out_of: int = 1
    missing: Literal["breaching", "notBreaching"] = "notBreaching"
    acts_if: str | None = None
