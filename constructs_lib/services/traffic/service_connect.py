"""Services that call each other through ECS Service Connect, as values (lessons T3, T2). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.checks import invalid, name, whole_number
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.ports.local_ports import WIDE
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.request_alarms import ERROR_SHARE, SERVER_ERRORS_PER_MINUTE
from constructs_lib.services.traffic.timeouts import TimeoutBudget

Protocol: TypeAlias = Literal["http", "http2", "grpc"]

RETRIES: Final = 2
"""Of the proxy, fixed: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html"""

PROXY_CPU: Final = 256
PROXY_MEMORY_MIB: Final = 64
"""What AWS recommends to add to a task for its proxy, on the same page; 512 units above 500 requests a second."""

_DEFAULT_TIMEOUTS: Final = TimeoutBudget()
_ANSWERS: Final = tuple(f"HTTPCode_Target_{first}XX_Count" for first in (2, 3, 4, 5))
_NO_CALL: Final = "without a call there is no answer that could be wrong or late"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConnect:
    """What a service offers to those that call it: a name, a port, and how long a call may take (lessons T3, T2).

    The numbers are the called service's own budget. The proxy beside each caller ends a call after
    ``longest_request_seconds``, and gives up a silent connection after ``idle_seconds``, before the application does.
    Left out, AWS takes 15 seconds and 5 minutes
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html): an application
    that ends its connections sooner then answers with errors now and then. Between TCP ports no call has a time-out, so
    there is no ``tcp`` here.

    Args:
        name: what callers call, ``http://<name>``; lower-case words joined by hyphens.
        container_port: the port that the application listens on, 1 to 65535.
        timeouts: the called service's time-outs; those of ``TimeoutBudget()`` by default.
        protocol: what the application speaks on that port: ``http`` (1.1, the default), ``http2`` or ``grpc``.
        call_port: the port that callers connect to, 1 to 65535; 80 by default.
        ingress_port: the port that the proxy of a called task listens on, 1024 to 10239; 10000 by default. Callers may
            connect to this port only, and the load balancer goes to ``container_port`` past the proxy. Higher ports
            belong to the connections that a task opens (``LocalPorts``).

    Raises:
        ValueError: no such name, protocol or port, or one port for the application and its proxy.
    """

    name: str
    container_port: int
    timeouts: TimeoutBudget = _DEFAULT_TIMEOUTS
    protocol: Protocol = "http"
    call_port: int = 80
    ingress_port: int = 10_000

    def __post_init__(self) -> None:
        name("name", self.name)
        if self.protocol not in ("http", "http2", "grpc"):
            raise invalid(
                "protocol", self.protocol, "'http', 'http2' or 'grpc'", "calls between TCP ports have no time-out"
            )
        whole_number("container_port", self.container_port, low=1, high=65535, fix="there are no others")
        whole_number("call_port", self.call_port, low=1, high=65535, fix="80 needs no port in the URL")
        whole_number(
            "ingress_port",
            self.ingress_port,
            low=1024,
            high=WIDE.low - 1,
            fix="the kernel gives higher ones to connections that the task opens",
        )
        if self.ingress_port == self.container_port:
            raise invalid(
                "ingress_port",
                self.ingress_port,
                f"another port than the application's ({self.container_port})",
                "the proxy listens beside the application; choose one that nothing in the task listens on",
            )

    @property
    def request_seconds(self) -> int:
        """When a caller's proxy ends a call."""
        return self.timeouts.longest_request_seconds

    @property
    def idle_seconds(self) -> int:
        """When a proxy ends a connection on which nothing happens."""
        return self.timeouts.idle_seconds

    @property
    def url(self) -> str:
        """Where callers reach it; of gRPC the name and port alone, as its clients take them."""
        if self.protocol == "grpc":
            return f"{self.name}:{self.call_port}"
        return f"http://{self.name}" if self.call_port == 80 else f"http://{self.name}:{self.call_port}"

    def environment(self) -> dict[str, str]:
        """Settings of a caller: where the service is, and after how many seconds its proxy ends a call.

        They also make the caller's task definition change with what it calls. A task sees only the endpoints that were
        there, and as they were, when the service's last deployment began
        (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html): without a
        change there would be no deployment, and the caller would not find what it calls.
        """
        prefix = f"MOORINGS_{self.name.upper().replace('-', '_')}"
        return {f"{prefix}_URL": self.url, f"{prefix}_CALL_SECONDS": str(self.request_seconds)}


def check_call(
    caller: TimeoutBudget, callee: TimeoutBudget, *, names: tuple[str, str] = ("the caller", "the called service")
) -> None:
    """Refuses two budgets of which the outer one gives up first (lesson T3).

    ``callee.longest_request_seconds < caller.upstream_seconds``: the proxy's answer that a call took too long comes
    while the caller still waits. The retries are inside: Service Connect's proxy is Envoy, whose time-out for a request
    includes them
    (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-max-retries). No
    AWS page says so of ``PerRequestTimeout``.

    Args:
        caller: time-outs of the service that calls.
        callee: time-outs of the service that it calls.
        names: what the two are called, for the sentence.

    Raises:
        ValueError: a call may take as long as the caller waits, or longer.
    """
    calling, called = names
    if callee.longest_request_seconds >= caller.upstream_seconds:
        raise invalid(
            f"longest_request_seconds of {called}",
            callee.longest_request_seconds,
            f"less than upstream_seconds of {calling} ({caller.upstream_seconds})",
            f"{calling} would give up first, and ask again while {called} still works; "
            f"let {called} take less, or {calling} wait longer",
        )


def check_proxy(size: TaskSize, delivery: LogDelivery, *, containers: int = 1) -> None:
    """Refuses a task without room for the proxy that ECS puts into it (lessons T2, W2).

    AWS recommends 256 CPU units and 64 MiB more than the application needs. Fargate's smallest task has 256 units, so a
    task with a proxy has at least 512; the least memory of those, 1 GiB, has room for 64 MiB. The proxy's log buffer is
    one more in the task's memory.

    Args:
        size: the task's size.
        delivery: the buffers of its containers, and of the proxy.
        containers: how many others there are; 1 by default.

    Raises:
        ValueError: fewer than 512 CPU units, or log buffers too large for the task.
    """
    if size.cpu < 2 * PROXY_CPU:
        raise invalid(
            "cpu",
            size.cpu,
            f"at least {2 * PROXY_CPU} with Service Connect",
            f"its proxy needs {PROXY_CPU} of them, as AWS recommends, and the application the rest",
        )
    delivery.check_memory(containers + 1, size.memory_mib)


def most_tries(calls: int) -> int:
    """How often the last service of a chain may be tried for one request, when each call in it may be tried again.

    Each proxy tries 1 + 2 times, and no proxy knows of the others' tries: 3, 9, 27. A retry budget would bound it;
    Service Connect has none (https://github.com/aws/containers-roadmap/issues/1963).

    Args:
        calls: how many calls one after the other lead to it, 1 to 16.
    """
    whole_number("calls", calls, low=1, high=16, fix="count the calls of the longest chain")
    return int((1 + RETRIES) ** calls)


def call_alarms(
    component: str, *, callee: ServiceConnect, cluster: str, service: str, acts_if: str | None = None
) -> tuple[AlarmSpec, ...]:
    """A page when calls fail, and a notice before they do; both metrics are free (lessons T2, W3).

    No load balancer sees these calls, and a caller that survives them tells nobody. The dimensions name both ends: that
    of the called name alone would add up all clusters of the account and region
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html). Errors are a share of all
    answers, 5 % and five a minute: five of a million calls are no fault that users notice. All answers are the sum of
    the four kinds, which have these dimensions; ``RequestCount`` counts under ``DiscoveryName``, whoever calls.

    Args:
        component: the caller's name.
        callee: what it calls.
        cluster: ECS's name of the cluster.
        service: ECS's name of the caller.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.
    """
    dimensions = {"ClusterName": cluster, "ServiceName": service, "TargetDiscoveryName": callee.name}
    half = callee.request_seconds / 2
    return (
        AlarmSpec(
            component=component,
            what=f"{callee.name}-answers-errors",
            meaning=f"{callee.name} answers {100 * ERROR_SHARE:g} % of the calls of {component} or more with 5xx, and "
            f"at least {SERVER_ERRORS_PER_MINUTE} a minute. Look at the logs of {callee.name}, and at what was "
            "released there last.",
            severity="page",
            metric=Metric(
                namespace="AWS/ECS",
                name="HTTPCode_Target_5XX_Count",
                dimensions=dimensions,
                statistic="Sum",
                per=_ANSWERS,
                at_least=SERVER_ERRORS_PER_MINUTE,
            ),
            threshold=Threshold(value=ERROR_SHARE, missing_because=_NO_CALL),
            acts_if=acts_if,
            runbook="called-service-answers-errors",
            slower_because="nothing sooner: ECS tells of calls by the minute; what users feel of it pages by itself",
            felt="degraded",
        ),
        # The mean: when it is half of what is allowed, the slowest calls are cut off already, and waiting piles up.
        # In milliseconds, say those who use the metric; no AWS page that we could read gives its unit.
        AlarmSpec(
            component=component,
            what=f"{callee.name}-answers-slowly",
            meaning=f"{callee.name} takes {half:g} s or more for a mean call of {component}, half of the "
            f"{callee.request_seconds} s after which calls are cut off. Look at its CPU and at what it waits for.",
            severity="notice",
            metric=Metric(namespace="AWS/ECS", name="TargetResponseTime", dimensions=dimensions, statistic="Average"),
            threshold=Threshold(value=1000 * half, periods=5, out_of=5, missing_because=_NO_CALL),
            acts_if=acts_if,
            runbook="called-service-answers-slowly",
        ),
    )
