"""A small model of what an alarm's metric math makes of one period, after what AWS says and what we take it to do.

A sum takes a missing value for 0 while another has one, and is missing when all are
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html). That a share is missing where
what it is divided by is missing or 0, and what ``IF`` asks is missing where its sum is, no AWS page says: a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support import Template, of_type

Values = Callable[[str, Mapping[str, Any]], float | None]
"""What was measured under a metric's name and dimensions; ``None`` for nothing."""

_SUM = r"m\d+(?:\+m\d+)*"
_FLOOR = rf"IF\(\((?P<asked>{_SUM})\)>=(?P<floor>[\d.]+),"
_SHARE = re.compile(rf"(?:{_FLOOR})?\((?P<whole>{_SUM})\)/\((?P<by>{_SUM})\)(?:,0\))?")


def by_name(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms of a template that have a name of their own, by its last part."""
    found = of_type(template, "AWS::CloudWatch::Alarm").values()
    return {one["AlarmName"].rpartition("/")[2]: one for one in found if "AlarmName" in one}


def decided(value: Any, released: bool = True) -> Any:
    """What CloudFormation makes of an Fn::If."""
    if isinstance(value, dict) and set(value) == {"Fn::If"}:
        _, yes, no = value["Fn::If"]
        chosen = yes if released else no
        return None if chosen == {"Ref": "AWS::NoValue"} else chosen
    return value


def red(alarm: Mapping[str, Any], values: Values, *, released: bool = True) -> bool:
    """Whether a period with these values is breaching."""
    found = measured(alarm, values)
    if found is None:
        return bool(decided(alarm["TreatMissingData"], released) == "breaching")
    threshold = decided(alarm["Threshold"], released)
    if alarm["ComparisonOperator"] == "LessThanThreshold":
        return bool(found < threshold)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    return bool(found >= threshold)


def measured(alarm: Mapping[str, Any], values: Values) -> float | None:
    """The value of one period of an alarm."""
    if "Metrics" not in alarm:
        return values(alarm["MetricName"], _dimensions(alarm))
    *queries, total = alarm["Metrics"]
    assert total.get("ReturnData", True) is True
    assert all(query["ReturnData"] is False for query in queries)
    series = {query["Id"]: _of(query["MetricStat"]["Metric"], values) for query in queries}
    return _worth(total["Expression"], series)


def _worth(expression: str, series: Mapping[str, float | None]) -> float | None:
    if re.fullmatch(_SUM, expression):
        return _sum(expression, series)
    share = _SHARE.fullmatch(expression)
    assert share is not None, expression
    if share["asked"] is not None:
        assert share["asked"] == share["whole"]
        asked = _sum(share["asked"], series)
        if asked is None or asked < float(share["floor"]):
            return None if asked is None else 0
    whole, by = _sum(share["whole"], series), _sum(share["by"], series)
    return whole / by if whole is not None and by else None


def _sum(names: str, series: Mapping[str, float | None]) -> float | None:
    known = [value for name in names.split("+") if (value := series[name]) is not None]
    return sum(known) if known else None


def _of(metric: Mapping[str, Any], values: Values) -> float | None:
    return values(metric["MetricName"], _dimensions(metric))


def _dimensions(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {row["Name"]: row["Value"] for row in metric["Dimensions"]}
