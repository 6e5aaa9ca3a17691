"""The three write-ups as minutes: who knew and who was told when, and what each minute's metrics may have been.

Facts are the write-ups'. **Assumed**, and said with each story: what the metrics were. No write-up gives a curve, nor a
number of tasks, nor, for the third, an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.images.alarms import guard_alarms
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.incidents.ports_day import ASKED, ERRORS, FIRST_ERROR, at
from tests.incidents.ports_service import Service

TASKS: Final = 4
ZONES: Final = ("a", "b")
BEFORE: Final = 20
"""Minutes before the first error, in which all is well: no alarm may be red then."""

_CHECK: Final = HealthCheck.http("/healthz", port=8080, program="curl")
_BUDGET: Final = TimeoutBudget()
_ORDINARY: Final = 0.2
"""Seconds that nearly all answers take."""


def alarms() -> tuple[AlarmSpec, ...]:
    """Those of a web service with our defaults and four tasks, and of the guard of its images."""
    web = web_service_alarms(
        "web",
        cluster="cluster",
        service="web",
        balanced=Balanced(load_balancer="app/web/1", target_groups=["targetgroup/web/1"]),
        zones=ZONES,
        capacity=Capacity(min_tasks=TASKS),
        check=_CHECK,
        timeouts=_BUDGET,
        deployment_seconds=600,
        acts_if=None,
        after=None,
    )
    return (*web, *guard_alarms(application="shop", environment="production", interval_minutes=15))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What CloudWatch gets of one minute; by default all is well.

    Attributes:
        requests: that reached a target.
        application: 5xx of the tasks.
        balancer: 5xx of the load balancer itself, time-outs included.
        timeouts: of them, 504.
        refused: connections that tasks refused.
        unhealthy: targets that fail their check at the end of the minute, all in zone ``a``.
        healthy: the fewest and the most healthy targets that a node of the load balancer counted.
        slowest: seconds that the slowest hundredth takes.
        missing: images in use that are gone, where the guard has scanned in this minute.
    """

    requests: float = 6_000
    application: float = 0
    balancer: float = 0
    timeouts: float = 0
    refused: float = 0
    unhealthy: int = 0
    healthy: tuple[int, int] = (TASKS, TASKS)
    slowest: float = _ORDINARY
    missing: int | None = None

    def samples(self, name: str, zone: str | None) -> Sequence[float]:
        """What was sent under a name; counts of nothing are not sent."""
        sent: dict[str, Sequence[float]] = {
            "RequestCount": _some(self.requests),
            "HTTPCode_Target_5XX_Count": _some(self.application),
            "HTTPCode_ELB_5XX_Count": _some(self.balancer),
            "HTTPCode_ELB_503_Count": _some(self.balancer - self.timeouts if not self.healthy[1] else 0),
            "HTTPCode_ELB_504_Count": _some(self.timeouts),
            "TargetConnectionErrorCount": _some(self.refused),
            "RejectedConnectionCount": (),
            "UnHealthyHostCount": (self.unhealthy if zone in (None, "a") else 0,),
            "HealthyHostCount": self.healthy,
            "TargetResponseTime": (_ORDINARY,) * 98 + (self.slowest,) * 2 if self.requests else (),
            "CPUUtilization": (30.0,) * TASKS,
            "ImagesMissing": () if self.missing is None else (self.missing,),
            "ImagesAtRisk": () if self.missing is None else (0,),
            "ScanIncomplete": (0,),
        }
        return sent[name]


def _some(count: float) -> Sequence[float]:
    return (count,) if count > 0 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One incident with one guess at its metrics.

    Attributes:
        lesson: its letter.
        name: what is assumed to have gone wrong, in a few words.
        first: the first error, or what stands for it.
        known: until the operators knew of it; None: the write-up does not say.
        how: by whom.
        told: until all users were told; None: the write-up does not say.
        where: by what.
        fault: the minutes from the first error on; after them all is well.
        assumed: what of it is ours.
        unfelt: how long after ``first`` users get no errors yet.
    """

    lesson: str
    name: str
    first: datetime
    known: timedelta | None
    how: str
    told: timedelta | None
    where: str
    fault: Sequence[Minute]
    assumed: str
    unfelt: timedelta = timedelta(0)

    @property
    def felt(self) -> datetime:
        """When users got the first error."""
        return self.first + self.unfelt

    def samples(self, name: str, moment: datetime, zone: str | None) -> Sequence[float]:
        """What was sent in the minute that begins then."""
        number = (moment - self.first) // timedelta(minutes=1)
        minute = self.fault[number] if 0 <= number < len(self.fault) else Minute(missing=0 if number < 0 else None)
        return minute.samples(name, zone)


def _w(name: str, fault: Sequence[Minute], assumed: str) -> Story:
    return Story(
        lesson="W",
        name=name,
        first=FIRST_ERROR,
        known=ASKED - FIRST_ERROR,
        how="a vendor asked support",
        told=at(26, 18, 18) - FIRST_ERROR,
        where="announcement of a maintenance",
        fault=fault,
        assumed=assumed,
    )


_W_MINUTES: Final = (ERRORS[0][1] - ERRORS[0][0]) // timedelta(minutes=1)


def _out_of_ports(minute: Callable[[float, float], Minute]) -> list[Minute]:
    """Requests for which no port was left, by the model of W1 with the kernel's range, in the first time of errors."""
    found = []
    for number in range(_W_MINUTES):
        tasks = Service().tasks(FIRST_ERROR + timedelta(minutes=number))
        found.append(minute(sum(task.requests for task in tasks), sum(task.refused for task in tasks)))
    return found


def _frozen() -> list[Minute]:
    """One of four tasks answers nothing, and is not replaced before the end.

    Until it is out of rotation it gets its share of the requests; each ends with 504 when the load balancer has waited.
    """
    share = Minute().requests / TASKS / 60
    late = _BUDGET.idle_seconds // 60
    found = [Minute(unhealthy=1, healthy=(TASKS - 1, TASKS - 1)) for _ in range(_W_MINUTES)]
    errors = share * _CHECK.out_of_rotation_seconds
    found[late] = Minute(unhealthy=1, healthy=(TASKS - 1, TASKS - 1), balancer=errors, timeouts=errors)
    return found


def _t(name: str, shares: Sequence[float], assumed: str) -> Story:
    shares = (*shares, *(shares[-1] for _ in range(110 - len(shares))))
    requests = Minute().requests
    return Story(
        lesson="T",
        name=name,
        first=datetime(2021, 2, 26, 13, 25, tzinfo=UTC),
        known=timedelta(minutes=1),
        how="paged",
        told=timedelta(minutes=25),
        where="status page",
        fault=[
            Minute(application=share * requests, slowest=_BUDGET.upstream_seconds if share >= 0.01 else _ORDINARY)
            for share in shares
        ],
        assumed=assumed,
    )


_SCANNED: Final = 1
_REPLACED: Final = (60, 90)
"""Minutes after the deletion at which a task is lost; the incident had days."""


def _deleted() -> list[Minute]:
    """An image is deleted; the guard hears of it; later two pairs of tasks are lost, and none can start again."""
    found = []
    for number in range(120):
        left = TASKS - sum(TASKS // 2 for lost in _REPLACED if number >= lost)
        down = {"requests": 0.0, "balancer": 6_000.0} if not left else {}
        missing = {"missing": 1} if number >= _SCANNED and (number - _SCANNED) % 15 == 0 else {}
        found.append(Minute(healthy=(left, left), **down, **missing))  # type: ignore[arg-type]
    return found


_Q: Final = Story(
    lesson="Q",
    name="the image in use is deleted; an hour later tasks are lost",
    first=datetime(2025, 4, 1, 0, 0, tzinfo=UTC),
    known=None,
    how="a customer called; no hour is told",
    told=None,
    where="nothing is told of it",
    fault=_deleted(),
    unfelt=timedelta(minutes=_REPLACED[-1]),
    assumed="The guard scans in the minute after ECR's event of the deletion (without it within 15). Two of four tasks "
    "are lost after 60 minutes, the others after 90, none can start again, and only then users get errors.",
)

STORIES: Final = (
    _w(
        "ports ran out between load balancer and tasks",
        _out_of_ports(lambda requests, refused: Minute(requests=requests, refused=refused, balancer=refused)),
        "The sessions of W1's model; a request without a port is a refused connection and a 502.",
    ),
    _w(
        "ports ran out between tasks and database",
        _out_of_ports(lambda requests, refused: Minute(requests=requests, application=refused)),
        "The sessions of W1's model; a request without a port is a 500 of the application.",
    ),
    _w(
        "a task of four froze, for its logs could not be written",
        _frozen(),
        "It hangs from the first minute on, fails its health check, and is well again at the end.",
    ),
    _t(
        "most requests fail at once",
        (0.6,),
        "60 % of the requests fail for 110 minutes, and the slowest take as long as a call may.",
    ),
    _t(
        "errors double each minute",
        (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.6),
        "From 1 % to 60 %; the slowest requests take as long as a call may.",
    ),
    _Q,
)
