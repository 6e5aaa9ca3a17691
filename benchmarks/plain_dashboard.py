"""The dashboard of an environment as one L1 with its JSON, written by hand. The L2 would be an object for each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from aws_cdk import aws_cloudwatch as cloudwatch

from benchmarks.plain_base import APPLICATION, REGION, ZONES, PlainStack, Watched, evidence_name, one_line

Widget: TypeAlias = dict[str, object]

_RED: Final = "#d13212"
_BALANCER: Final = "AWS/ApplicationELB"
_DEPLOYMENTS: Final = 'filter `detail-type` = "ECS Deployment State Change"'
_GATEWAYS: Final = ("nat-ports-", "nat-drops-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown of a service."""

    name: str
    balancer: str
    targets: str
    on_service: Mapping[str, str]
    slow_seconds: int
    fewest: int
    sockets: Sequence[str] = ()
    used_up: int = 0
    half_used: int = 0


def dashboard(stack: PlainStack, services: Sequence[Shown], watched: Sequence[Watched]) -> None:
    """Makes it."""
    account = stack.account

    def arn(component: str, what: str) -> str:
        return f"arn:aws:cloudwatch:{REGION}:{account}:alarm:{APPLICATION}/{stack.env_name}/{component}/{what}"

    pages = [arn(service.name, kind) for service in services for kind in ("degraded", "outage")]
    pages += [arn(one.component, one.what) for one in watched if one.pages]
    every = [arn(one.component, one.what) for one in watched]
    rows: list[list[Widget]] = [
        [_text(f"# {APPLICATION} {stack.env_name}")],
        *(
            [_states("Does it work? What pages", part, 24, 1 + -(-len(part) // 6))]
            for part in (pages[start : start + 100] for start in range(0, len(pages), 100))
        ),
        _red(every),
        _deployments(stack.env_name),
    ]
    for service in services:
        rows += [[_text(f"## {service.name}")], _service(stack.env_name, service)]
    rows.append([_text("## network")])
    gateways = [one for one in watched if one.what.startswith(_GATEWAYS)]
    rows.append([_of_alarm(one.what, arn(one.component, one.what)) for one in gateways])
    rows += [[_text("## images and releases")], [_images(stack.env_name)]]
    cloudwatch.CfnDashboard(
        stack,
        "Dashboard",
        dashboard_name=f"{APPLICATION}--{stack.env_name}",
        dashboard_body=one_line({"start": "-PT3H", "periodOverride": "inherit", "widgets": _placed(rows)}),
    )


def _placed(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    placed: list[Widget] = []
    top = 0
    for row in rows:
        left = height = 0
        for widget in row:
            placed.append({**widget, "x": left, "y": top})
            left += int(str(widget["width"]))
            height = max(height, int(str(widget["height"])))
        top += height
    return placed


def _widget(kind: str, width: int, height: int, properties: Widget) -> Widget:
    return {"type": kind, "width": width, "height": height, "properties": properties}


def _text(markdown: str) -> Widget:
    return _widget("text", 24, 1, {"markdown": markdown, "background": "transparent"})


def _states(title: str, arns: Sequence[str], width: int, height: int) -> Widget:
    shown: Widget = {"title": title, "alarms": list(arns), "sortBy": "stateUpdatedTimestamp"}
    return _widget("alarm", width, height, shown)


def _red(arns: Sequence[str]) -> list[Widget]:
    parts = [arns[start : start + 100] for start in range(0, len(arns), 100)]
    widgets = [_states("Red now, notices too", part, 24 // len(parts), 3) for part in parts]
    return [{**one, "properties": {**_properties(one), "states": ["ALARM"]}} for one in widgets]


def _properties(widget: Widget) -> Widget:
    properties = widget["properties"]
    assert isinstance(properties, dict)
    return properties


def _deployments(environment: str) -> list[Widget]:
    source = f"SOURCE '{evidence_name(environment)}' | {_DEPLOYMENTS}"
    by_minute = f"{source}\n| stats count(*) as deployments by bin(1m)"
    last = f"{source}\n| fields @timestamp, resources.0, detail.eventName, detail.reason\n"
    last += "| sort @timestamp desc\n| limit 20"
    return [
        _widget("log", 12, 4, {"title": title, "region": REGION, "query": query, "view": view})
        for title, query, view in (
            ("Deployments by minute", by_minute, "timeSeries"),
            ("Last deployments", last, "table"),
        )
    ]


def _service(environment: str, service: Shown) -> list[Widget]:
    balancer = ["LoadBalancer", service.balancer]
    targets = [*balancer, "TargetGroup", service.targets]
    on_service = [part for pair in service.on_service.items() for part in pair]

    def line(name: str, dimensions: Sequence[str], stat: str, label: str, space: str = _BALANCER) -> list[object]:
        return [space, name, *dimensions, {"stat": stat, "label": label}]

    graphs = [
        _graph("Requests a minute", [line("RequestCount", targets, "Sum", "requests")]),
        _graph(
            "Errors a minute",
            [
                line("HTTPCode_ELB_5XX_Count", balancer, "Sum", "load balancer 5xx"),
                line("HTTPCode_ELB_504_Count", balancer, "Sum", "load balancer 504"),
                line("HTTPCode_Target_5XX_Count", targets, "Sum", "application 5xx"),
                line("TargetConnectionErrorCount", targets, "Sum", "connection errors"),
                line("RejectedConnectionCount", balancer, "Sum", "rejected connections"),
            ],
        ),
        _graph(
            "Latency",
            [line("TargetResponseTime", targets, stat, stat) for stat in ("p50", "p99")],
            limits=[(service.slow_seconds, "page: slow-responses", "above")],
            unit="seconds",
        ),
        _graph(
            "Healthy tasks by zone",
            [line("HealthyHostCount", ["AvailabilityZone", zone, *targets], "Minimum", zone) for zone in ZONES],
            limits=[(service.fewest, "page: too-few-healthy-targets", "below")],
            stacked=True,
        ),
        _graph(
            "CPU and memory",
            [
                line("CPUUtilization", on_service, "Average", "CPU", "AWS/ECS"),
                line("MemoryUtilization", on_service, "Average", "memory", "AWS/ECS"),
            ],
            limits=[(70, "notice: scaling-cannot-keep-up", "above")],
            unit="percent",
        ),
    ]
    if service.sockets:
        on_task = ["Application", APPLICATION, "Environment", environment, "Service", service.name]
        graphs.append(
            _graph(
                "Ports in use",
                [
                    line(name, on_task, "Maximum", name.removeprefix("Sockets"), "Moorings/Sockets")
                    for name in service.sockets
                ],
                limits=[
                    (service.used_up, "page: ports-nearly-used-up", "above"),
                    (service.half_used, "notice: ports-half-used", "above"),
                ],
                stacked=True,
            )
        )
    return [{**one, "width": 24 // len(graphs)} for one in graphs]


def _graph(
    title: str,
    lines: Sequence[list[object]],
    *,
    limits: Sequence[tuple[float, str, str]] = (),
    stacked: bool = False,
    period: int = 60,
    unit: str = "",
) -> Widget:
    shown: Widget = {
        "title": title,
        "region": REGION,
        "view": "timeSeries",
        "stacked": stacked,
        "period": period,
        "metrics": list(lines),
        "yAxis": {"left": {"min": 0, "showUnits": False, **({"label": unit} if unit else {})}},
    }
    if limits:
        marks = [{"value": value, "label": label, "color": _RED, "fill": fill} for value, label, fill in limits]
        shown["annotations"] = {"horizontal": marks}
    return _widget("metric", 24, 6, shown)


def _of_alarm(title: str, arn: str) -> Widget:
    return _widget("metric", 4, 6, {"title": title, "region": REGION, "annotations": {"alarms": [arn]}})


def _images(environment: str) -> Widget:
    lines: list[list[object]] = [
        ["Moorings", name, "Application", APPLICATION, "Environment", environment, {"stat": "Maximum", "label": label}]
        for name, label in (
            ("ImagesInUse", "in use"),
            ("ImagesAtRisk", "in use without a pin"),
            ("ImagesMissing", "in use and missing"),
        )
    ]
    return _graph("Images in use", lines, period=900)
