"""Tasks that run by the clock, as an environment describes them: values that refuse what could not be deployed.

Pure Python, as ``stacks/config.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import invalid, name
from constructs_lib.services.policy import TaskSize, command_words
from constructs_lib.services.schedules.schedule import Schedule

_LONGEST: Final = 18
"""With ``-failed-runs`` it is the name of an alarm."""

_TAKEN: Final = "before-release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTaskConfig:
    """A task with the image, settings and secrets of its service. A release of the service brings it the new image.

    Args:
        name: the task's name, at most 18 characters.
        schedule: when it is run.
        command: a program of the image and its arguments.
        size: a size of its own; ``None``, the default: that of the service's tasks.

    Raises:
        ValueError: a wrong name, a schedule that is none, or a command that is no list of words.
    """

    name: str
    schedule: Schedule
    command: tuple[str, ...]
    size: TaskSize | None = None

    def __post_init__(self) -> None:
        name("name", self.name, longest=_LONGEST)
        if self.name == _TAKEN:
            raise invalid("name", self.name, f"another name than {_TAKEN!r}", "that is what a release runs first")
        if not isinstance(self.schedule, Schedule):
            raise invalid("schedule", self.schedule, "a Schedule", "write such as Schedule.cron('0 3 * * ? *')")
        command_words("command", self.command)


def check_scheduled(services: Sequence[tuple[str, Sequence[ScheduledTaskConfig], TaskSize]]) -> list[str]:
    """The names of all scheduled tasks, with their service's name before them.

    Args:
        services: each one's name, scheduled tasks and the size of its tasks.

    Raises:
        ValueError: a name that is too long, or an architecture that the image is not built for.
    """
    names = []
    for service, tasks, own in services:
        for task in tasks:
            names.append(name("scheduled_tasks", f"{service}-{task.name}"))
            if task.size is not None and task.size.architecture != own.architecture:
                raise invalid(
                    f"size of {names[-1]}",
                    task.size.architecture,
                    f"{own.architecture}, as the service",
                    "both run the same image, which is built for one architecture",
                )
    return names
