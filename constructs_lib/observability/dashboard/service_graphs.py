"""The graphs of one service (lesson W3). Standard library only."""

from __future__ import annotations

from functools import partial
from typing import Final

from constructs_lib.observability.dashboard.contents import Contents, DashboardService
from constructs_lib.observability.dashboard.widgets import COLUMNS, HIGH, Line, Widget, graph

_LOAD_BALANCER: Final = "AWS/ApplicationELB"
_ECS: Final = "AWS/ECS"
_SOCKETS: Final = "Moorings/Sockets"
_SOCKET_METRICS: Final = (
    *("SocketsEstablished", "SocketsTimeWait", "SocketsCloseWait", "SocketsSynSent"),
    *("SocketsFinWait1", "SocketsFinWait2", "SocketsLastAck", "SocketsClosing"),
)
"""Of socket_metrics.py; a slice does not import another."""


def service_graphs(contents: Contents, service: DashboardService) -> list[Widget]:
    """The graphs of one service, in one row."""
    graphs = _web(contents, service) if service.load_balancer is not None else _worker(contents, service)
    graphs += [_cpu(contents, service)]
    if service.sockets:
        graphs += [_ports(contents, service)]
    width = COLUMNS // len(graphs)
    return [{**one, "width": width} for one in graphs]


def _web(contents: Contents, service: DashboardService) -> list[Widget]:
    assert service.load_balancer is not None, "a service without one is a worker here"
    balancer = {"LoadBalancer": service.load_balancer}
    first, *others = [{**balancer, "TargetGroup": group} for group in service.target_groups]

    def targets(metric: str, statistic: str, label: str, **zone: str) -> Line:
        rest = tuple({**zone, **other} for other in others)
        return Line(
            namespace=_LOAD_BALANCER,
            name=metric,
            dimensions={**zone, **first},
            statistic=statistic,
            label=label,
            also=rest,
        )

    def on_balancer(metric: str, label: str) -> Line:
        return Line(namespace=_LOAD_BALANCER, name=metric, dimensions=balancer, statistic="Sum", label=label)

    latency = [
        Line(
            namespace=_LOAD_BALANCER, name="TargetResponseTime", dimensions=group, statistic=statistic, label=statistic
        )
        for group in (first, *others)
        for statistic in ("p50", "p99")
    ]
    zones = [targets("HealthyHostCount", "Minimum", zone, AvailabilityZone=zone) for zone in service.zones]
    errors = [
        on_balancer("HTTPCode_ELB_5XX_Count", "load balancer 5xx"),
        on_balancer("HTTPCode_ELB_504_Count", "load balancer 504"),
        targets("HTTPCode_Target_5XX_Count", "Sum", "application 5xx"),
        targets("TargetConnectionErrorCount", "Sum", "connection errors"),
        on_balancer("RejectedConnectionCount", "rejected connections"),
    ]
    limits = partial(contents.limits, service.component)
    made = partial(graph, region=contents.region, width=1, height=HIGH)
    return [
        made("Requests a minute", [targets("RequestCount", "Sum", "requests")]),
        made("Errors a minute", errors),
        made("Latency", latency, limits=limits("TargetResponseTime", "p99"), unit="seconds"),
        made(
            "Healthy tasks by zone" if zones else "Healthy tasks",
            zones or [targets("HealthyHostCount", "Minimum", "healthy")],
            limits=limits("HealthyHostCount", "Minimum"),
            stacked=True,
        ),
    ]


def _worker(contents: Contents, service: DashboardService) -> list[Widget]:
    """ECS sends one sample of a task's CPU a minute, so their number is that of the running tasks."""
    return [
        graph(
            "Running tasks",
            [_of_service(service, "CPUUtilization", "SampleCount", "running")],
            contents.region,
            width=1,
            height=HIGH,
            limits=contents.limits(service.component, "CPUUtilization", "SampleCount"),
        )
    ]


def _cpu(contents: Contents, service: DashboardService) -> Widget:
    lines = [
        _of_service(service, "CPUUtilization", "Average", "CPU"),
        _of_service(service, "MemoryUtilization", "Average", "memory"),
    ]
    limits = contents.limits(service.component, "CPUUtilization", "Average")
    return graph("CPU and memory", lines, contents.region, width=1, height=HIGH, limits=limits, unit="percent")


def _of_service(service: DashboardService, metric: str, statistic: str, label: str) -> Line:
    dimensions = {"ClusterName": service.cluster, "ServiceName": service.service}
    return Line(namespace=_ECS, name=metric, dimensions=dimensions, statistic=statistic, label=label)


def _ports(contents: Contents, service: DashboardService) -> Widget:
    """Sockets by state of the fullest task; their sum is what the alarms watch."""
    dimensions = {
        "Application": contents.application,
        "Environment": contents.environment,
        "Service": service.component,
    }
    lines = [
        Line(
            namespace=_SOCKETS,
            name=metric,
            dimensions=dimensions,
            statistic="Maximum",
            label=metric.removeprefix("Sockets"),
        )
        for metric in _SOCKET_METRICS
    ]
    limits = contents.limits(service.component, _SOCKET_METRICS[0], "Maximum")
    return graph("Ports in use", lines, contents.region, width=1, height=HIGH, limits=limits, stacked=True)
