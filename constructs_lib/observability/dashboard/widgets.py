"""Widgets of a CloudWatch dashboard as plain data, and their places on its grid (lesson W3). Standard library only.

Their form: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from constructs_lib.checks import invalid, whole_number

Widget: TypeAlias = dict[str, object]

COLUMNS: Final = 24
WIDGETS_AT_MOST: Final = 500
METRICS_AT_MOST: Final = 2500
"""Of all graphs of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""

ALARMS_AT_MOST: Final = 100
"""Of one widget."""

HIGH: Final = 6
"""Rows of the grid that a graph takes."""

RED: Final = "#d13212"
"""Of a line at which an alarm begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a graph (lesson W3).

    Args:
        namespace: CloudWatch's namespace of the metric.
        name: AWS's name of the metric.
        dimensions: the metric's dimensions; the values may be Tokens.
        statistic: CloudWatch's statistic over a minute.
        label: what the legend says.
        also: more dimension sets whose values are added; none by default. One without a value counts as zero while
            another has one.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    label: str
    also: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A level line across a graph: from there on an alarm is red (lesson W3).

    Args:
        value: in the unit of the graph.
        label: what it says.
        below: whether it is wrong below the line; ``False``, the default: above.
    """

    value: float
    label: str
    below: bool = False


def text(markdown: str, *, width: int = COLUMNS, height: int = 1) -> Widget:
    """A heading."""
    return _widget("text", width, height, {"markdown": markdown, "background": "transparent"})


def alarm_states(title: str, arns: Sequence[str], *, width: int, height: int, red_only: bool = False) -> Widget:
    """The states of up to 100 alarms, red ones first; or of the red ones alone."""
    if not 1 <= len(arns) <= ALARMS_AT_MOST:
        raise invalid("alarms of a widget", len(arns), f"1 to {ALARMS_AT_MOST}", "make another widget of the rest")
    shown: Widget = {"title": title, "alarms": list(arns), "sortBy": "stateUpdatedTimestamp"}
    return _widget("alarm", width, height, shown | ({"states": ["ALARM"]} if red_only else {}))


def alarm_graph(title: str, arn: str, region: str, *, width: int, height: int) -> Widget:
    """The metric of one alarm, with its threshold: CloudWatch takes both from the alarm, which may be of any stack."""
    return _widget("metric", width, height, {"title": title, "region": region, "annotations": {"alarms": [arn]}})


def graph(
    title: str,
    lines: Sequence[Line],
    region: str,
    *,
    width: int,
    height: int,
    limits: Sequence[Limit] = (),
    stacked: bool = False,
    period_seconds: int = 60,
    unit: str = "",
) -> Widget:
    """Lines over time, from zero, one point each period."""
    metrics: list[list[object]] = []
    for number, line in enumerate(lines):
        metrics.extend(_metrics(line, number))
    shown: Widget = {
        "title": title,
        "region": region,
        "view": "timeSeries",
        "stacked": stacked,
        "period": period_seconds,
        "metrics": metrics,
        "yAxis": {"left": {"min": 0, "showUnits": False} | ({"label": unit} if unit else {})},
    }
    if limits:
        shown["annotations"] = {"horizontal": [_annotation(limit) for limit in limits]}
    return _widget("metric", width, height, shown)


def log_query(
    title: str, log_group: str, query: Sequence[str], region: str, *, view: str, width: int, height: int
) -> Widget:
    """What a query of Logs Insights finds, as a ``table`` or a ``timeSeries``. Each look scans the log."""
    stages = " | ".join((f"SOURCE '{log_group}'", query[0])) + "".join(f"\n| {stage}" for stage in query[1:])
    return _widget("log", width, height, {"title": title, "region": region, "query": stages, "view": view})


def lay_out(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Gives each widget its place: rows from top to bottom, and in a row from left to right.

    Raises:
        ValueError: a row wider than the grid, or more widgets or metrics than a dashboard takes.
    """
    placed: list[Widget] = []
    top = 0
    for row in rows:
        left = height = 0
        for widget in row:
            width = _number(widget, "width")
            placed.append({"type": widget["type"], "x": left, "y": top, **widget})
            left, height = left + width, max(height, _number(widget, "height"))
        whole_number("width of a row", left, low=0, high=COLUMNS, fix="make another row of it")
        top += height
    whole_number("widgets", len(placed), low=0, high=WIDGETS_AT_MOST, fix="show fewer services")
    whole_number("metrics", metric_count(placed), low=0, high=METRICS_AT_MOST, fix="show fewer services")
    return placed


def metric_count(widgets: Sequence[Widget]) -> int:
    """How many metrics the graphs have, expressions not counted."""
    return sum(1 for widget in widgets for metric in _metrics_of(widget) if isinstance(metric[0], str))


def _metrics_of(widget: Widget) -> list[list[object]]:
    properties = widget["properties"]
    found = properties.get("metrics", []) if isinstance(properties, dict) else []
    return list(found)


def _metrics(line: Line, number: int) -> Iterator[list[object]]:
    if not line.also:
        yield [*_named(line, line.dimensions), {"stat": line.statistic, "label": line.label}]
        return
    ids = [f"m{number}x{part}" for part in range(1 + len(line.also))]
    for named, dimensions in zip(ids, (line.dimensions, *line.also), strict=True):
        yield [*_named(line, dimensions), {"stat": line.statistic, "id": named, "visible": False}]
    yield [{"expression": "+".join(ids), "label": line.label, "id": f"e{number}"}]


def _named(line: Line, dimensions: Mapping[str, str]) -> list[str]:
    return [line.namespace, line.name, *(part for pair in dimensions.items() for part in pair)]


def _annotation(limit: Limit) -> Widget:
    return {"value": limit.value, "label": limit.label, "color": RED, "fill": "below" if limit.below else "above"}


def _widget(kind: str, width: int, height: int, properties: Widget) -> Widget:
    whole_number("width", width, low=1, high=COLUMNS, fix="the grid has 24 columns")
    whole_number("height", height, low=1, high=1000, fix="6 is a graph that can be read")
    return {"type": kind, "width": width, "height": height, "properties": properties}


def _number(widget: Widget, what: str) -> int:
    value = widget[what]
    assert isinstance(value, int), "each widget is made by this module"
    return value
