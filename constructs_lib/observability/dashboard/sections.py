"""What a dashboard shows, in which order (lesson W3). Standard library only.

The first rows are for whoever is woken: which component is degraded, and which alarms are red. Then what was deployed
when, and a row for each service. What grows over days stands last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from constructs_lib.observability.composites import composites
from constructs_lib.observability.dashboard.contents import Contents
from constructs_lib.observability.dashboard.service_graphs import service_graphs
from constructs_lib.observability.dashboard.widgets import (
    ALARMS_AT_MOST,
    COLUMNS,
    HIGH,
    Limit,
    Line,
    Widget,
    alarm_graph,
    alarm_states,
    graph,
    log_query,
    text,
)

_Item = TypeVar("_Item")

_OURS: Final = "Moorings"
_TILES_A_ROW: Final = 6
"""So many alarms stand side by side in a widget as wide as the dashboard; no AWS page says, and screens differ."""

_DEPLOYMENTS: Final = 'filter `detail-type` = "ECS Deployment State Change"'


def rows(contents: Contents) -> Iterator[list[Widget]]:
    """The rows of the dashboard, from top to bottom."""
    yield [text(f"# {contents.application} {contents.environment}")]
    yield from _alarm_rows(contents)
    if contents.evidence_log is not None:
        yield _deployments(contents, contents.evidence_log)
    for service in contents.services:
        yield [text(f"## {service.component}")]
        yield service_graphs(contents, service)
    yield from _shared_rows(contents)


def _alarm_rows(contents: Contents) -> Iterator[list[Widget]]:
    """What pages, red or not; and below it all that is red, notices too."""
    pages = [contents.arn(one.component, one.kind) for one in composites(contents.alarms)]
    alone = [one for one in contents.alarms if one.severity == "page" and one.felt is None]
    pages += [contents.arn(one.component, one.what) for one in alone]
    for part in _parts(pages, ALARMS_AT_MOST):
        height = 1 + math.ceil(len(part) / _TILES_A_ROW)
        yield [alarm_states("Does it work? What pages", part, width=COLUMNS, height=height)]
    every = [contents.arn(one.component, one.what) for one in contents.alarms]
    parts = _parts(every, ALARMS_AT_MOST)
    if parts:
        width = COLUMNS // len(parts)
        yield [alarm_states("Red now, notices too", part, width=width, height=3, red_only=True) for part in parts]


def _deployments(contents: Contents, log: str) -> list[Widget]:
    by_time = (_DEPLOYMENTS, "stats count(*) as deployments by bin(1m)")
    last = (
        _DEPLOYMENTS,
        "fields @timestamp, resources.0, detail.eventName, detail.reason",
        "sort @timestamp desc",
        "limit 20",
    )
    region = contents.region
    return [
        log_query("Deployments by minute", log, by_time, region, view="timeSeries", width=12, height=4),
        log_query("Last deployments", log, last, region, view="table", width=12, height=4),
    ]


def _shared_rows(contents: Contents) -> Iterator[list[Widget]]:
    """What the environment has once: NAT gateways, images in use, and how far releases are behind."""
    gateways = [spec for spec in contents.alarms if spec.metric.namespace == "AWS/NATGateway"]
    if gateways:
        yield [text("## network")]
    for part in _parts(gateways, 6):
        yield [
            alarm_graph(one.what, contents.arn(one.component, one.what), contents.region, width=4, height=HIGH)
            for one in part
        ]
    over_days = [*_images(contents), *_gap(contents)]
    if over_days:
        yield [text("## images and releases")]
        yield [{**one, "width": COLUMNS // len(over_days)} for one in over_days]


def _images(contents: Contents) -> Iterator[Widget]:
    if not contents.watching("ImagesAtRisk"):
        return
    environment = {"Application": contents.application, "Environment": contents.environment}
    lines = [
        Line(namespace=_OURS, name=metric, dimensions=environment, statistic="Maximum", label=label)
        for metric, label in (
            ("ImagesInUse", "in use"),
            ("ImagesAtRisk", "in use without a pin"),
            ("ImagesMissing", "in use and missing"),
        )
    ]
    yield graph("Images in use", lines, contents.region, width=1, height=HIGH, period_seconds=900)


def _gap(contents: Contents) -> Iterator[Widget]:
    for metric, title in (("BuildsBehind", "Builds that wait for a release"), ("DaysBehind", "Days that they wait")):
        specs = contents.watching(metric)
        if specs:
            lines = [
                Line(
                    namespace=_OURS,
                    name=metric,
                    dimensions=spec.metric.dimensions,
                    statistic="Maximum",
                    label=spec.component,
                )
                for spec in specs
            ]
            limits = [Limit(value=specs[0].threshold.value, label=f"{specs[0].severity}: {specs[0].what}")]
            yield graph(title, lines, contents.region, width=1, height=HIGH, limits=limits, period_seconds=3600)


def _parts(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
