"""What is measured of a task's sockets, and under which names (lesson W1). Standard library only.

Each task sends one sample of each metric a minute, without its own name: so ``Maximum`` is the task with the most,
``Sum`` all tasks together, ``Average`` a task as it is on average, and ``SampleCount`` the tasks that sent something. A
dimension with the task's name would cost 0.30 USD a month for each metric of each task that ever ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from constructs_lib.alarm_spec import Metric, Statistic
from constructs_lib.checks import environment_name, invalid, whole_number
from constructs_lib.checks import name as check_name
from constructs_lib.services.policy import pinned_image

NAMESPACE: Final = "Moorings/Sockets"
"""Not ``Moorings``: the application's role may write to it, and must not be able to write anything else of ours."""

PERIOD_SECONDS: Final = 60

REQUESTS_FLOOR: Final = 1000
"""In a period with fewer requests, sockets per request say nothing: the idle sockets weigh too much."""


class Socket(NamedTuple):
    """A state in which a socket holds a local port (lesson W1)."""

    measurement: str
    """The agent's name for their number."""
    metric: str
    """CloudWatch's name for it."""


HOLDING: Final = (
    Socket("tcp_established", "SocketsEstablished"),
    Socket("tcp_time_wait", "SocketsTimeWait"),
    Socket("tcp_close_wait", "SocketsCloseWait"),
    Socket("tcp_syn_sent", "SocketsSynSent"),
    Socket("tcp_fin_wait1", "SocketsFinWait1"),
    Socket("tcp_fin_wait2", "SocketsFinWait2"),
    Socket("tcp_last_ack", "SocketsLastAck"),
    Socket("tcp_closing", "SocketsClosing"),
)
"""All states but three: LISTEN is a server's, CLOSE holds no port, and SYN_RECV is of connections that others open.

The agent does not tell who opened a connection: those of the load balancer are in these numbers too, although they take
none of the task's own ports. So their sum is an upper bound of the ports in use, and of those to one destination.
"""

METRIC_NAMES: Final = tuple(one.metric for one in HOLDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSource:
    """Whose sockets they are: the dimensions of the metrics (lesson W1).

    Args:
        application: the application's name.
        environment: the environment's name.
        service: the service's name, which is its component in alarms.

    Raises:
        ValueError: a name that is none.
    """

    application: str
    environment: str
    service: str

    def __post_init__(self) -> None:
        check_name("application", self.application)
        environment_name("environment", self.environment)
        check_name("service", self.service)

    @property
    def dimensions(self) -> dict[str, str]:
        """CloudWatch's dimensions: three of them, and no task or host."""
        return {"Application": self.application, "Environment": self.environment, "Service": self.service}


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketMetrics:
    """A CloudWatch agent beside each task, which counts its sockets (lesson W1).

    Args:
        image: the agent's image by digest. A task whose sidecar cannot be pulled does not start, so keep it in a
            registry of your own.
        destinations: addresses, each with its port, that the task's connections are spread over, 1 to 1000; 1 by
            default, the most careful. The alarms multiply the task's ports by it.
        memory_mib: what the agent may take of the task's memory in MiB, 128 to 4096; 256 by default. It reads all
            sockets at once, so it needs most when there are most: about 14 MiB for each 10,000, measured on a program
            that reads as it does. Above the limit the agent is killed and started again, and the task goes on.

    Raises:
        ValueError: an image without a digest, or a number out of its range.
    """

    image: str
    destinations: int = 1
    memory_mib: int = 256

    def __post_init__(self) -> None:
        pinned_image("image", self.image)
        whole_number("destinations", self.destinations, low=1, high=1000, fix="count addresses, not their names")
        fix = "a minute with many sockets needs the most; 256 is enough for some 60,000"
        whole_number("memory_mib", self.memory_mib, low=128, high=4096, fix=fix)

    def check_task(self, task_memory_mib: int) -> None:
        """Refuses a task that is too small for it.

        Raises:
            ValueError: the agent could take more than half of the task's memory.
        """
        if self.memory_mib * 2 > task_memory_mib:
            raise invalid(
                "memory_mib",
                self.memory_mib,
                f"at most half of the task's {task_memory_mib} MiB",
                "make the task larger, or leave its sockets unseen",
            )


def sockets(source: SocketSource, statistic: Statistic, *, period_seconds: int = PERIOD_SECONDS) -> Metric:
    """All sockets that hold a port, added up over the states.

    With ``Maximum`` it is each state's fullest task, added up: as much as the fullest task has, or more.
    """
    first, *others = METRIC_NAMES
    return Metric(
        namespace=NAMESPACE,
        name=first,
        dimensions=source.dimensions,
        statistic=statistic,
        period_seconds=period_seconds,
        plus=tuple(others),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Metrics reckoned with, for a dashboard or a question to CloudWatch (lesson W1).

    Args:
        text: CloudWatch's metric math over the ids of ``metrics``.
        metrics: by id.
    """

    text: str
    metrics: Mapping[str, Metric]

    def queries(self, id: str) -> list[dict[str, object]]:
        """As ``GetMetricData`` takes them, the result as ``id``."""
        found: list[dict[str, object]] = [{"Id": id, "Expression": self.text, "ReturnData": True}]
        for key, metric in self.metrics.items():
            dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
            stat = {
                "Metric": {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions},
                "Period": metric.period_seconds,
                "Stat": metric.statistic,
            }
            found.append({"Id": key, "MetricStat": stat, "ReturnData": False})
        return found


def sockets_per_request(
    source: SocketSource,
    *,
    load_balancer: str,
    target_groups: Sequence[str],
    period_seconds: int = 300,
    requests_floor: int = REQUESTS_FLOOR,
) -> Expression:
    """All tasks' sockets, of each minute, by the requests of the same time: what one request costs.

    A library that opens a connection for each request shows here at once, whatever the traffic. It has no value in a
    period with fewer requests than the floor.

    Args:
        source: whose sockets.
        load_balancer: full name of the load balancer, ``app/…/…``.
        target_groups: full names of the service's target group, ``targetgroup/…/…``, or of its two.
        period_seconds: 300 by default. CloudWatch keeps periods of 60 for 15 days, and of 300 for 63.
        requests_floor: requests in a period; 1000 by default.

    Raises:
        ValueError: a text instead of a list of target groups, or no requests as floor.
    """
    if isinstance(target_groups, str) or not 1 <= len(target_groups) <= 2:
        raise invalid("target_groups", target_groups, "a list of one or two full names", "pass [full_name]")
    whole_number("requests_floor", requests_floor, low=1, high=10**9, fix="nothing is divided by no requests")

    def one(namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        return Metric(
            namespace=namespace, name=name, dimensions=dimensions, statistic="Sum", period_seconds=period_seconds
        )

    held = {f"s{number}": one(NAMESPACE, name, source.dimensions) for number, name in enumerate(METRIC_NAMES)}
    asked = {
        f"r{number}": one("AWS/ApplicationELB", "RequestCount", {"LoadBalancer": load_balancer, "TargetGroup": group})
        for number, group in enumerate(target_groups)
    }
    requests = "+".join(asked)
    return Expression(text=f"IF({requests}>={requests_floor},({'+'.join(held)})/({requests}))", metrics=held | asked)
