"""What a load balancer tells CloudWatch of one service, as data (lesson W3). Standard library only.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.alarm_spec import Metric, Statistic
from constructs_lib.checks import invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """A service behind a load balancer, by the names that its metrics have (lesson W3).

    Args:
        load_balancer: full name of the load balancer, ``app/…/…``; this and the next may be Tokens.
        target_groups: full names of the service's target group, ``targetgroup/…/…``, or of its two. Of two, only one
            has targets most of the time, and a deployment changes which: their values are added up.
        shared: whether other services are behind the same load balancer; ``False`` by default.

    Raises:
        ValueError: no target group, or a text instead of a list.
    """

    load_balancer: str
    target_groups: Sequence[str]
    shared: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.target_groups, str) or not self.target_groups:
            fix = "pass [group.target_group_full_name]"
            raise invalid("target_groups", self.target_groups, "a list of one or two full names", fix)

    def of_targets(
        self,
        name: str,
        statistic: Statistic = "Sum",
        *,
        zone: str | None = None,
        per: tuple[str, ...] = (),
        at_least: float = 0,
        period_seconds: int = 60,
    ) -> Metric:
        """A metric of the service's own targets; of two groups the sum."""
        here = {"LoadBalancer": self.load_balancer} | ({"AvailabilityZone": zone} if zone is not None else {})
        first, *others = [here | {"TargetGroup": group} for group in self.target_groups]
        also = tuple(others)
        return _metric(name, statistic, first, also=also, per=per, at_least=at_least, period_seconds=period_seconds)

    def of_balancer(
        self,
        name: str,
        *,
        plus: tuple[str, ...] = (),
        per: tuple[str, ...] = (),
        at_least: float = 0,
        period_seconds: int = 60,
    ) -> Metric:
        """A metric of the load balancer itself; of a shared one it is everybody's."""
        here = {"LoadBalancer": self.load_balancer}
        return _metric(name, "Sum", here, plus=plus, per=per, at_least=at_least, period_seconds=period_seconds)


def _metric(
    name: str,
    statistic: Statistic,
    dimensions: dict[str, str],
    *,
    also: tuple[dict[str, str], ...] = (),
    plus: tuple[str, ...] = (),
    per: tuple[str, ...] = (),
    at_least: float = 0,
    period_seconds: int = 60,
) -> Metric:
    return Metric(
        namespace="AWS/ApplicationELB",
        name=name,
        dimensions=dimensions,
        statistic=statistic,
        period_seconds=period_seconds,
        also=also,
        plus=plus,
        per=per,
        at_least=at_least,
    )
