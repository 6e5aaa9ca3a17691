"""How many tasks run, and what makes more of them (lessons T1, T4). Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from constructs_lib.checks import invalid, is_token, name, tuple_of, whole_number
from constructs_lib.services.ports.port_budget import Connections
from constructs_lib.services.schedules.schedule import Schedule

MOST_TASKS: Final = 5000
"""A service's default quota: https://docs.aws.amazon.com/general/latest/gr/ecs-service.html"""

MOST_UTILIZATION: Final = 75
"""In percent. Above it nothing is left for a burst while new tasks start; rule MOOR-T1a says the same."""

MAXIMUM_FACTOR: Final = 3
"""``max_tasks`` of a peak, in ``min_tasks``. Twice the peak then still fits with one zone lost, and scaling may hold it
at its target: a launch that goes twice as well as hoped, or callers who all try again. More than that is rather a fault
or an attack, and the maximum is what keeps its price and what it does to a database within bounds."""


def tasks_left(tasks: int, az_count: int) -> int:
    """How many of ``tasks`` are left when a zone is lost that has as many as any: spread evenly, ``ceil(tasks / az)``.

    ECS spreads tasks over the zones as well as it can, and rebalances them
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html).
    """
    return tasks - math.ceil(tasks / az_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most that a service must serve, with one availability zone lost and without waiting for scaling (lesson T1).

    ``need = ceil(requests_per_second / per_task)`` tasks serve it. Of n tasks the loss of a zone takes
    ``ceil(n / az_count)``, so ``min_tasks = need + ceil(need / (az_count - 1))`` is the smallest n that leaves
    ``need``; it is at least one for each zone. 1000 requests per second, 80 for a task and 3 zones: 13 are needed,
    13 + 7 = 20 run, and 20 - 7 = 13 are left.

    Args:
        requests_per_second: of the whole service at its peak; above 0.
        per_task: requests per second that one task serves well, as its owner has measured; 0.1 or more.
        az_count: availability zones that the tasks run in, 2 to 6.
        connections: how connections to a dependency are used, for the port budget (lesson W1); ``None``, the default:
            unknown, and the worst is taken, one for each request.

    Raises:
        ValueError: a number out of its range, or a peak that takes more than 5000 tasks.
    """

    requests_per_second: float
    per_task: float
    az_count: int
    connections: Connections | None = None

    def __post_init__(self) -> None:
        _positive("requests_per_second", self.requests_per_second, 0, "pass what the busiest minute had, by second")
        _positive("per_task", self.per_task, 0.1, "measure a task by a load test; of slower ones, scale on CPU alone")
        whole_number("az_count", self.az_count, low=2, high=6, fix="the loss of one zone must not end the service")
        if self.connections is not None and not isinstance(self.connections, Connections):
            raise invalid("connections", self.connections, "Connections or None", "write Connections(kept='pooled', …)")
        if self.min_tasks > MOST_TASKS:
            raise invalid(
                "requests_per_second",
                self.requests_per_second,
                f"what at most {MOST_TASKS} tasks serve",
                f"at {self.per_task} each it takes {self.min_tasks}; make a task serve more, or split the service",
            )

    @property
    def tasks_needed(self) -> int:
        """Tasks that serve the peak when no zone is lost."""
        return math.ceil(Fraction(str(self.requests_per_second)) / Fraction(str(self.per_task)))

    @property
    def min_tasks(self) -> int:
        """The fewest tasks of which the loss of one zone leaves enough for the peak."""
        return max(self.tasks_needed + math.ceil(self.tasks_needed / (self.az_count - 1)), self.az_count)

    @property
    def requests_per_minute(self) -> int:
        """What scaling may let one task have, so that above the peak, too, the loss of one zone fits.

        Of n tasks ``n - ceil(n / az_count)`` are left, and have all requests. With n a multiple of the zones that is
        the share ``(az_count - 1) / az_count``; in between it is less. The least share of the next ``az_count`` numbers
        holds for all above: one task more in each zone never makes it less.
        """
        numbers = range(self.min_tasks, self.min_tasks + self.az_count)
        share = min(Fraction(tasks_left(tasks, self.az_count), tasks) for tasks in numbers)
        return math.floor(Fraction(str(self.per_task)) * 60 * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledCapacity:
    """Other limits from a time on, until another schedule sets others again (lesson T1).

    It is for what a clock knows before any metric does: an opening hour, a sale. It sets limits and not the number of
    tasks. Whoever deploys a change of :class:`Capacity` sets the limits of ``Capacity`` again until the next schedule.

    Args:
        name: what it is called among the schedules of the service, such as ``opening``.
        schedule: ``cron(…)`` with AWS's six fields, minute, hour, day of month, month, day of week and year, such as
            ``cron(0 8 ? * MON-FRI *)``
            (https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html).
        time_zone: the IANA time zone by whose clock it is meant, such as ``Europe/Dublin``; ``UTC`` by default.
        min_tasks: tasks that run at least from then on, 2 to 5000.
        max_tasks: tasks at most from then on, ``min_tasks`` to 5000.

    Raises:
        ValueError: a wrong name, schedule or zone, or a number out of its range.
    """

    name: str
    schedule: str
    time_zone: str = "UTC"
    min_tasks: int
    max_tasks: int

    def __post_init__(self) -> None:
        name("name", self.name)
        if not (isinstance(self.schedule, str) and self.schedule.startswith("cron(")):
            raise invalid("schedule", self.schedule, "'cron(…)'", "write such as 'cron(0 8 ? * MON-FRI *)'")
        Schedule(expression=self.schedule, time_zone=self.time_zone)
        _limits(self.min_tasks, self.max_tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many tasks a service has, and what it scales on (lessons T1, T4).

    Make one with :meth:`for_peak` when you know the peak. Scaling adds tasks when any of its targets asks for them, and
    takes tasks away when all agree
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html).

    Args:
        min_tasks: tasks that always run, 2 to 5000; 2 by default, one for each of two availability zones.
        max_tasks: tasks at most, ``min_tasks`` to 5000; 10 by default.
        target_cpu_percent: average CPU that scaling aims at, 10 to 75; 50 by default, so that the tasks of one lost
            zone find room on the others.
        target_memory_percent: average memory that scaling aims at, 10 to 75; ``None``, the default: none. A Python
            process rarely gives memory back, so this target rarely lets a task go; and a leak is not mended by more
            tasks that leak.
        target_requests_per_minute: requests for each task and minute that scaling aims at, 1 or more; ``None``, the
            default: none. It needs a load balancer.
        scale_out_cooldown_seconds: how long scaling waits for new tasks to take effect before it adds more, 0 to 3600;
            60 by default.
        scale_in_cooldown_seconds: how long it waits after it took tasks away before it takes more, 60 to 3600 and at
            least as long as it waits to add; 300 by default.
        scheduled: limits at other times of the day or week; none by default.
        peak: what ``min_tasks`` was computed from; ``None``, the default: unknown.

    Raises:
        ValueError: a number out of its range, cool-downs that let the number of tasks flap, two schedules of one name,
            or fewer tasks than the peak takes with one zone lost.
    """

    min_tasks: int = 2
    max_tasks: int = 10
    target_cpu_percent: int = 50
    target_memory_percent: int | None = None
    target_requests_per_minute: int | None = None
    scale_out_cooldown_seconds: int = 60
    scale_in_cooldown_seconds: int = 300
    scheduled: tuple[ScheduledCapacity, ...] = ()
    peak: Peak | None = None

    def __post_init__(self) -> None:
        _limits(self.min_tasks, self.max_tasks)
        _utilization("target_cpu_percent", self.target_cpu_percent)
        if self.target_memory_percent is not None:
            _utilization("target_memory_percent", self.target_memory_percent)
        if self.target_requests_per_minute is not None:
            fix = "count them by minute, or pass None to scale on CPU alone"
            whole_number(
                "target_requests_per_minute", self.target_requests_per_minute, low=1, high=1_000_000_000, fix=fix
            )
        self._check_cooldowns()
        self._check_schedules()
        if self.peak is not None:
            self._check_peak(self.peak)

    @classmethod
    def for_peak(
        cls,
        *,
        requests_per_second: float,
        per_task: float,
        az_count: int,
        max_tasks: int | None = None,
        target_cpu_percent: int = 50,
        scheduled: tuple[ScheduledCapacity, ...] = (),
        connections: Connections | None = None,
    ) -> Capacity:
        """As many tasks as serve a peak with one availability zone lost; :class:`Peak` has the arithmetic.

        Args:
            requests_per_second: of the whole service at its peak; above 0.
            per_task: requests per second that one task serves well, as its owner has measured; 0.1 or more.
            az_count: availability zones that the tasks run in, 2 to 6.
            max_tasks: tasks at most; ``None``, the default: three times the minimum, 5000 at most. Twice the peak fits
                then, one zone lost.
            target_cpu_percent: average CPU that scaling aims at beside the requests, 10 to 75; 50 by default.
            scheduled: limits at other times; none by default.
            connections: how connections to a dependency are used, for the port budget (lesson W1); ``None``, the
                default: unknown, and the worst is taken, one for each request.

        Raises:
            ValueError: as :class:`Peak` and :class:`Capacity` say.
        """
        peak = Peak(
            requests_per_second=requests_per_second, per_task=per_task, az_count=az_count, connections=connections
        )
        return cls(
            min_tasks=peak.min_tasks,
            max_tasks=min(MAXIMUM_FACTOR * peak.min_tasks, MOST_TASKS) if max_tasks is None else max_tasks,
            target_cpu_percent=target_cpu_percent,
            target_requests_per_minute=peak.requests_per_minute,
            scheduled=scheduled,
            peak=peak,
        )

    @property
    def lowest_min_tasks(self) -> int:
        """The fewest tasks that are right at any time of the day."""
        return min([self.min_tasks, *(one.min_tasks for one in self.scheduled)])

    @property
    def highest_max_tasks(self) -> int:
        """The most tasks that scaling ever makes."""
        return max([self.max_tasks, *(one.max_tasks for one in self.scheduled)])

    @property
    def always_scales(self) -> bool:
        """Whether the highest maximum is never also a minimum: then being there means something."""
        return self.highest_max_tasks > max([self.min_tasks, *(one.min_tasks for one in self.scheduled)])

    def _check_cooldowns(self) -> None:
        out, into = self.scale_out_cooldown_seconds, self.scale_in_cooldown_seconds
        whole_number("scale_out_cooldown_seconds", out, low=0, high=3600, fix="60 is a good start")
        whole_number("scale_in_cooldown_seconds", into, low=60, high=3600, fix="300 is a good start")
        if into < out:
            raise invalid(
                "scale_in_cooldown_seconds",
                into,
                f"at least scale_out_cooldown_seconds ({out})",
                "tasks that go faster than they come flap; raise it, or lower the other",
            )

    def _check_schedules(self) -> None:
        tuple_of("scheduled", self.scheduled, ScheduledCapacity, "(ScheduledCapacity(…),)")
        names = [one.name for one in self.scheduled]
        for one in names:
            if names.count(one) > 1:
                raise invalid("scheduled", names, "of different names", f"rename one of the {one!r}")

    def _check_peak(self, peak: Peak) -> None:
        if self.min_tasks < peak.min_tasks:
            raise invalid(
                "min_tasks",
                self.min_tasks,
                f"at least {peak.min_tasks} for this peak",
                f"the loss of one of {peak.az_count} zones must leave {peak.tasks_needed}; lower the peak instead",
            )
        most = math.floor(Fraction(str(peak.per_task)) * 60)
        if self.target_requests_per_minute is not None and self.target_requests_per_minute > most:
            raise invalid(
                "target_requests_per_minute",
                self.target_requests_per_minute,
                f"at most {most}, which one task serves",
                "a task would be full before another starts; lower it",
            )


def _limits(low: int, high: int) -> None:
    whole_number("min_tasks", low, low=2, high=MOST_TASKS, fix="one task is an outage at every failure (lesson T4)")
    whole_number("max_tasks", high, low=2, high=MOST_TASKS, fix="5000 is a service's default quota")
    if high < low:
        raise invalid("max_tasks", high, f"at least min_tasks ({low})", "raise it, or lower min_tasks")


def _utilization(what: str, value: int) -> None:
    fix = f"above {MOST_UTILIZATION} nothing is left for a burst or a lost zone (lesson T1)"
    whole_number(what, value, low=10, high=MOST_UTILIZATION, fix=fix)


def _positive(what: str, value: float, low: float, fix: str) -> None:
    if is_token(value):
        raise invalid(what, value, "known before deployment, not a Token", fix)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (value >= low if low else value > 0) or value > 1e9:
        raise invalid(what, value, f"a number {f'of {low} or more' if low else 'above 0'}", fix)
