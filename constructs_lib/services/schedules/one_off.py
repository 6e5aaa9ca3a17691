"""What runs once before a release, such as database migrations (lesson Q5). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.checks import invalid, whole_number
from constructs_lib.services.policy import TaskSize, command_words


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffTask:
    """A program of the service's image that must end well before a release goes on (lessons Q5, T4).

    It runs as one task, with the new image, while the service still runs the old one. So what it changes must suit
    both (``docs/migrations.md``). It must bear being run again, for a release that failed later is asked for again.

    Args:
        command: a program of the image and its arguments, such as ``("python", "manage.py", "migrate")``.
        timeout_minutes: after so many minutes, the image's download included, it is stopped and the release fails, 1 to
            60; 30 by default.
        size: a size of its own; ``None``, the default: the service's.

    Raises:
        ValueError: a command that is no tuple of words, or a time out of range.
    """

    command: tuple[str, ...]
    timeout_minutes: int = 30
    size: TaskSize | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.command, tuple):
            raise invalid(
                "command",
                self.command,
                "a tuple with a program and its arguments",
                "write it as ('python', 'manage.py', 'migrate')",
            )
        command_words("command", self.command)
        whole_number(
            "timeout_minutes",
            self.timeout_minutes,
            low=1,
            high=60,
            fix="what takes longer is no step of a release; run it by itself",
        )
        if self.size is not None and not isinstance(self.size, TaskSize):
            raise invalid("size", self.size, "a TaskSize or None", "leave it out for the service's size")

    def check_architecture(self, service: TaskSize) -> None:
        """Refuses a size of its own for another architecture than the service's: both run the same image."""
        if self.size is not None and self.size.architecture != service.architecture:
            raise invalid(
                "size.architecture",
                self.size.architecture,
                f"{service.architecture!r}, as the service",
                "both run the same image, which is built for one of them",
            )
