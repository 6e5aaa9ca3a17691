"""When a release opens too many sockets, and who is told, as data (lesson W1). Standard library only.

The metric is written every 15 minutes, as long as a release is compared and something is known. Half an hour without
it, after a rollback or when the week is over, ends the page; one lost run alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.checks import invalid, is_token, whole_number

NAMESPACE: Final = "Moorings"
"""CloudWatch's namespace of what is written here; that of the sockets themselves is another one."""

COMPONENT: Final = "ports"
"""What the alarm on silence speaks for; the others speak for their service."""

EVERY_MINUTES: Final = 15

_SILENT_RUNS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketChange:
    """From which change on somebody is paged (lesson W1).

    Args:
        times: so many times the sockets per request, and the sockets, of before the release, 1.1 to 10; 1.5 by default.
            A task that behaves as before has 1 at most, so what is above is room for chance.
        requests: so many requests each task must have had, before and after, 100 to 1000000; 1000 by default. With
            fewer it tells sooner at night, and chance takes part.

    Raises:
        ValueError: a number out of its range.
    """

    times: float = 1.5
    requests: int = 1000

    def __post_init__(self) -> None:
        fix = "1.5 is half as many again, 2 is twice as many"
        if is_token(self.times):
            raise invalid("times", self.times, "known before deployment, not a Token", fix)
        number = isinstance(self.times, int | float) and not isinstance(self.times, bool)
        if not number or not 1.1 <= self.times <= 10:
            raise invalid("times", self.times, "a number from 1.1 to 10", fix)
        whole_number("requests", self.requests, low=100, high=1_000_000, fix="1000 is some 30 visitors of 30 requests")


def comparison_alarms(
    *, application: str, environment: str, rollbacks: Mapping[str, str], change: SocketChange
) -> tuple[AlarmSpec, ...]:
    """A page for each service, and a notice when nobody compares.

    Args:
        application: a dimension of the metrics.
        environment: a dimension of the metrics.
        rollbacks: for each service the command that goes back to what ran before.
        change: from which change on.
    """
    names = {"Application": application, "Environment": environment}
    pages = [_page({**names, "Service": service}, rollback, change) for service, rollback in rollbacks.items()]
    silent = AlarmSpec(
        component=COMPONENT,
        what="sockets-not-compared",
        meaning=f"For {_SILENT_RUNS * EVERY_MINUTES} minutes the sockets of a service could not be compared with those "
        "before its last release: the function did not run, or AWS refused it something. Its log says which service "
        "and why.",
        severity="notice",
        metric=Metric(
            namespace=NAMESPACE,
            name="SocketComparisonsFailed",
            dimensions=names,
            statistic="Maximum",
            period_seconds=EVERY_MINUTES * 60,
        ),
        threshold=Threshold(
            value=1,
            periods=_SILENT_RUNS,
            out_of=_SILENT_RUNS,
            missing="breaching",
            warm_up_minutes=_SILENT_RUNS * EVERY_MINUTES,
            missing_because="silence is the fault: the function that compares did not run",
        ),
        fault_seconds=EVERY_MINUTES * 60,
    )
    return (*pages, silent)


def _page(names: Mapping[str, str], rollback: str, change: SocketChange) -> AlarmSpec:
    spec = partial(AlarmSpec, component=names["Service"], what="more-sockets-than-before")
    return spec(
        meaning=f"Since its last release each request takes {change.times:g} times the sockets or more: at the peak "
        "the ports can run out, though all is well now. Longer response times are taken into account, as far as the "
        f"load balancer tells them. Go back before the next peak: `{rollback}`; a change of settings since is not "
        "taken back by it. The log of the function that compares says both images, the hours and the numbers.",
        severity="page",
        metric=Metric(
            namespace=NAMESPACE,
            name="SocketsPerRequestChange",
            dimensions=names,
            statistic="Maximum",
            period_seconds=2 * EVERY_MINUTES * 60,
        ),
        threshold=Threshold(
            value=change.times, missing_because="nothing is written when no release is compared any more"
        ),
        fault_seconds=EVERY_MINUTES * 60,
        slower_because="it tells of ports that would run out at the next peak, hours before they do",
    )
