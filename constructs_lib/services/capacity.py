"""How many tasks run, and what makes more of them (lessons T1, T4). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.checks import invalid, whole_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Target-tracking limits of a service (lessons T1, T4).

    Args:
        min_tasks: tasks that always run, 2 to 5000; 2 by default, one for each of two availability zones.
        max_tasks: tasks at most, ``min_tasks`` to 5000; 10 by default.
        target_cpu_percent: average CPU that scaling aims at, 10 to 80; 50 by default, so that the tasks of one lost
            zone find room on the others.

    Raises:
        ValueError: a number out of its range.
    """

    min_tasks: int = 2
    max_tasks: int = 10
    target_cpu_percent: int = 50

    def __post_init__(self) -> None:
        whole_number(
            "min_tasks", self.min_tasks, low=2, high=5000, fix="one task is an outage at every failure (lesson T4)"
        )
        whole_number("max_tasks", self.max_tasks, low=2, high=5000, fix="5000 is a service's default quota")
        whole_number(
            "target_cpu_percent",
            self.target_cpu_percent,
            low=10,
            high=80,
            fix="above 80 nothing is left for a burst or a lost zone (lesson T1)",
        )
        if self.max_tasks < self.min_tasks:
            raise invalid(
                "max_tasks", self.max_tasks, f"at least min_tasks ({self.min_tasks})", "raise it, or lower min_tasks"
            )
