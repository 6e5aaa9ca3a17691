"""What a dashboard is told of an environment and its services, as plain data (lesson W3). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid, name, tuple_of
from constructs_lib.naming import alarm_name
from constructs_lib.observability.dashboard.widgets import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardService:
    """A service as a dashboard shows it (lesson W3).

    Args:
        component: its name in alarms, such as ``web``.
        cluster: ECS's name of the cluster; a Token is fine, here and below.
        service: ECS's name of the service.
        load_balancer: full name of its load balancer, ``app/…/…``; ``None``, the default: it has none.
        target_groups: full names of its target group, ``targetgroup/…/…``, or of its two; none by default.
        zones: the availability zones in which its tasks run; without any, the default, targets are counted together.
        sockets: whether its sockets are counted (:class:`SocketMetrics`); ``False`` by default.

    Raises:
        ValueError: a wrong name, or a load balancer without target group or the other way round.
    """

    component: str
    cluster: str
    service: str
    load_balancer: str | None = None
    target_groups: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    sockets: bool = False

    def __post_init__(self) -> None:
        name("component", self.component)
        tuple_of("target_groups", self.target_groups, str, "(target_group.target_group_full_name,)")
        tuple_of("zones", self.zones, str, "('eu-west-1a', 'eu-west-1b')")
        if (self.load_balancer is None) != (not self.target_groups):
            allowed = "given beside a load_balancer, and only then"
            raise invalid("target_groups", self.target_groups, allowed, "pass both, or none for a worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that the dashboard of an environment shows (lesson W3).

    Args:
        application: the application's name.
        environment: the environment's name.
        region: the Region; a Token is fine.
        alarm_arn: what the ARNs of its alarms begin with; the alarm's name follows.
        services: in the order in which they are shown.
        alarms: the environment's alarms, of whatever stack; of another stack's, no dimension that may be a Token is
            used.
        evidence_log: the log group with the events of deployments; ``None``: deployments are not shown.
    """

    application: str
    environment: str
    region: str
    alarm_arn: str
    services: tuple[DashboardService, ...]
    alarms: tuple[AlarmSpec, ...]
    evidence_log: str | None

    def arn(self, component: str, what: str) -> str:
        """The ARN of an alarm."""
        return self.alarm_arn + alarm_name(self.application, self.environment, component, what)

    def limits(self, component: str, metric: str, statistic: str) -> list[Limit]:
        """Where the alarms begin that watch this metric of a component, as it is."""
        return [
            Limit(
                value=spec.threshold.value,
                label=f"{spec.severity}: {spec.what}",
                below=spec.threshold.comparison == "LessThanThreshold",
            )
            for spec in self.alarms
            if spec.component == component
            and (spec.metric.name, spec.metric.statistic, spec.metric.per) == (metric, statistic, ())
            and "AvailabilityZone" not in spec.metric.dimensions
        ]

    def watching(self, metric: str) -> list[AlarmSpec]:
        """The alarms that watch a metric, whosever."""
        return [spec for spec in self.alarms if spec.metric.name == metric]
