"""Widgets have the form that AWS documents, and never lie over each other (lesson W3)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.observability.dashboard.widgets import (
    Limit,
    Line,
    Widget,
    alarm_graph,
    alarm_states,
    graph,
    lay_out,
    log_query,
    metric_count,
    text,
)
from tests.observability.dashboard.body_structure import overlap, problems
from tests.support import refused

ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:shop/staging/web/degraded"
ONE = Line(
    namespace="AWS/ECS",
    name="CPUUtilization",
    dimensions={"ClusterName": "c", "ServiceName": "web"},
    statistic="Average",
    label="CPU",
)


def example(**changes: Any) -> Widget:
    """A graph of one line."""
    return graph("CPU", [ONE], "eu-west-1", **{"width": 6, "height": 6, **changes})


sizes = st.tuples(st.integers(1, 24), st.integers(1, 8))


@st.composite
def grids(draw: st.DrawFn) -> list[list[Widget]]:
    """Rows of widgets that fit the grid."""
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        row: list[Widget] = []
        left = 24
        while left and draw(st.booleans()):
            width = draw(st.integers(1, left))
            row.append(text("## web", width=width, height=draw(st.integers(1, 8))))
            left -= width
        rows.append(row)
    return rows


@given(grids())
def test_no_widget_lies_over_another(rows: list[list[Widget]]) -> None:
    """Whatever the sizes, each has its own fields of the grid, inside its 24 columns."""
    placed: list[Any] = lay_out(rows)
    assert problems({"widgets": placed}) == []
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    assert len(placed) == sum(map(len, rows))


@given(grids())
def test_rows_stay_in_their_order(rows: list[list[Widget]]) -> None:
    """What stands in an earlier row stands higher, and in a row everything has one top."""
    placed: list[Any] = lay_out(rows)
    tops = iter(placed)
    above = -1
    for row in filter(None, rows):
        (top,) = {next(tops)["y"] for _ in row}
        assert top > above
        above = top


def test_a_row_that_is_too_wide_is_refused() -> None:
    """CloudWatch would move its last widget somewhere."""
    refused(lambda: lay_out([[text("a", width=20), text("b", width=5)]]), "width of a row", 25, "0 to 24")


def test_more_than_a_dashboard_takes_is_refused() -> None:
    """PutDashboard would refuse it in the middle of a deployment: 500 widgets, 2,500 metrics."""
    refused(lambda: lay_out([[text("a")]] * 501), "widgets", 501, "0 to 500")
    full = [[graph("a", [ONE] * 500, "eu-west-1", width=6, height=6)]] * 5
    assert metric_count(lay_out(full)) == 2500
    refused(lambda: lay_out([*full, [example()]]), "metrics", 2501, "0 to 2500")


@pytest.mark.parametrize(
    ("make", "what", "value"),
    [
        (lambda: text("a", width=25), "width", 25),
        (lambda: text("a", height=0), "height", 0),
        (lambda: alarm_states("a", [], width=6, height=2), "alarms of a widget", 0),
        (lambda: alarm_states("a", [ARN] * 101, width=6, height=2), "alarms of a widget", 101),
    ],
)
def test_a_wrong_size_is_refused(make: Callable[[], object], what: str, value: int) -> None:
    """In one sentence, before CloudFormation."""
    refused(make, what, value, "")


def test_a_line_is_namespace_name_and_dimensions() -> None:
    """The form of a metric on AWS's page, with its own statistic and label."""
    shown: Any = example()["properties"]
    named = ["AWS/ECS", "CPUUtilization", "ClusterName", "c", "ServiceName", "web"]
    assert shown["metrics"] == [[*named, {"stat": "Average", "label": "CPU"}]]
    assert (shown["period"], shown["view"], shown["region"]) == (60, "timeSeries", "eu-west-1")
    assert shown["yAxis"]["left"]["min"] == 0
    assert "annotations" not in shown


def test_lines_that_belong_together_are_added() -> None:
    """Of two target groups one has targets most of the time, so the sum is one line and its parts are hidden."""
    also = ({"ClusterName": "c", "ServiceName": "api"},)
    both = Line(
        namespace=ONE.namespace,
        name=ONE.name,
        dimensions=ONE.dimensions,
        statistic="Sum",
        label="both",
        also=also,
    )
    shown: Any = graph("Sum", [ONE, both], "eu-west-1", width=6, height=6)["properties"]
    first, *parts, total = shown["metrics"]
    assert first[-1] == {"stat": "Average", "label": "CPU"}
    assert [part[-1] for part in parts] == [
        {"stat": "Sum", "id": "m1x0", "visible": False},
        {"stat": "Sum", "id": "m1x1", "visible": False},
    ]
    assert [part[5] for part in parts] == ["web", "api"]
    assert total == [{"expression": "m1x0+m1x1", "label": "both", "id": "e1"}]


def test_a_limit_is_a_red_line_with_its_wrong_side() -> None:
    """Above for too much, below for too little."""
    made = example(limits=[Limit(value=3, label="page"), Limit(value=2, label="notice", below=True)])
    shown: Any = made["properties"]
    assert shown["annotations"]["horizontal"] == [
        {"value": 3, "label": "page", "color": "#d13212", "fill": "above"},
        {"value": 2, "label": "notice", "color": "#d13212", "fill": "below"},
    ]


def test_an_alarms_own_graph_names_the_alarm_and_nothing_else() -> None:
    """CloudWatch takes metric and threshold from it; beside ``metrics`` it is refused."""
    shown: Any = alarm_graph("ports", ARN, "eu-west-1", width=4, height=6)["properties"]
    assert shown == {"title": "ports", "region": "eu-west-1", "annotations": {"alarms": [ARN]}}


def test_red_alarms_alone() -> None:
    """One widget shows all states, red first; the other what is red."""
    everything: Any = alarm_states("a", [ARN], width=6, height=2)["properties"]
    red: Any = alarm_states("a", [ARN], width=6, height=2, red_only=True)["properties"]
    assert "states" not in everything
    assert red["states"] == ["ALARM"]
    assert everything["sortBy"] == red["sortBy"] == "stateUpdatedTimestamp"


def test_a_query_begins_with_its_log_group() -> None:
    """In the form of AWS's example: SOURCE, a pipe, and each further stage on a line of its own."""
    made = log_query("a", "/aws/events/shop", ("filter x = 1", "limit 5"), "eu-west-1", view="table", width=6, height=4)
    shown: Any = made["properties"]
    assert shown["query"] == "SOURCE '/aws/events/shop' | filter x = 1\n| limit 5"
    assert shown["view"] == "table"
