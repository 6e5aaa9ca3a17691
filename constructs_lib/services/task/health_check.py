"""How a task shows that it can serve (lesson T4). Standard library only.

Two checks, from one description. The *container* check runs inside the container, because ECS ignores an image's own
``HEALTHCHECK``. The *target* check is the load balancer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from constructs_lib.checks import concrete, invalid, whole_number
from constructs_lib.services.policy import command_words

HttpProgram: TypeAlias = Literal["curl", "python3", "wget"]

_PYTHON: Final = "import sys,urllib.request as r;sys.exit(r.urlopen(sys.argv[1],timeout={timeout}).status!=200)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCheck:
    """A program that runs inside a container and ends with 0 when it is healthy (lesson T4).

    Args:
        command: ``CMD``, a program of the image and its arguments; :meth:`of` writes the first word.
        interval_seconds: between two checks, 5 to 300; 10 by default.
        timeout_seconds: how long one check may take, 2 to 60 and less than the interval; 5 by default.
        unhealthy_after: bad answers in a row before ECS replaces the task, 2 to 10; 3 by default.
        start_seconds: how long the application may take to start, 0 to 300, ECS's longest start period; failures do
            not count until then. 60 by default.

    Raises:
        ValueError: a value out of its range, a command that is none, or a time-out not below the interval.
    """

    command: tuple[str, ...]
    interval_seconds: int = 10
    timeout_seconds: int = 5
    unhealthy_after: int = 3
    start_seconds: int = 60

    def __post_init__(self) -> None:
        if len(self.command) < 2 or self.command[0] != "CMD":
            raise invalid("command", self.command, "'CMD', a program and its arguments", "make it with .of or .http")
        if len(self.command[1].split()) != 1:
            fix = "write each word by itself, such as 'python3', '-m', 'worker.alive'; ECS starts no shell for it"
            raise invalid("command", self.command, "a program without spaces, and then its arguments", fix)
        whole_number("interval_seconds", self.interval_seconds, low=5, high=300, fix="10 is a good start")
        whole_number("timeout_seconds", self.timeout_seconds, low=2, high=60, fix="5 is a good start")
        whole_number("unhealthy_after", self.unhealthy_after, low=2, high=10, fix="3 is a good start")
        whole_number("start_seconds", self.start_seconds, low=0, high=300, fix="ECS waits 300 seconds at most")
        if self.timeout_seconds >= self.interval_seconds:
            raise invalid(
                "timeout_seconds",
                self.timeout_seconds,
                f"less than interval_seconds ({self.interval_seconds})",
                "a check must end before the next begins; shorten the time-out",
            )

    @property
    def unhealthy_seconds(self) -> int:
        """The longest from dead to ``UNHEALTHY``, when ECS begins to replace the task.

        A program that hangs takes its whole time-out, and AWS does not say whether the interval to the next check is
        counted from the start of one or, as Docker does, from its end; so both are counted
        (https://docs.docker.com/reference/dockerfile/#healthcheck).
        """
        return (self.interval_seconds + self.timeout_seconds) * self.unhealthy_after

    @property
    def healthy_seconds(self) -> int:
        """The longest from the start of the container to ``HEALTHY``: one good check is enough.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
        """
        return self.start_seconds + self.interval_seconds + self.timeout_seconds

    @classmethod
    def of(
        cls,
        *program: str,
        interval_seconds: int = 10,
        timeout_seconds: int = 5,
        unhealthy_after: int = 3,
        start_seconds: int = 60,
    ) -> ContainerCheck:
        """A check by a program of the image, such as ``ContainerCheck.of("python3", "-m", "worker.alive")``.

        The arguments are those of the class; ``program`` is a program and its arguments, without a shell.
        """
        return cls(
            command=("CMD", *command_words("program", program)),
            interval_seconds=interval_seconds,
            timeout_seconds=timeout_seconds,
            unhealthy_after=unhealthy_after,
            start_seconds=start_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Container check, target check and grace period of one web container (lesson T4). Make one with :meth:`http`.

    The target check has the container check's interval, time-out and number of bad answers.

    Attributes:
        path: what the load balancer asks for.
        port: the port that the application listens on.
        container: the check inside the container.
        healthy_after: good answers in a row before the load balancer sends requests.
        grace_seconds: how long ECS overlooks what the load balancer says of a new task; ``None``: as long as it needs.
    """

    path: str
    port: int
    container: ContainerCheck
    healthy_after: int
    grace_seconds: int | None = None

    def __post_init__(self) -> None:
        concrete("path", self.path, "pass a path such as '/healthz'")
        if not re.fullmatch(r"/[A-Za-z0-9_.~%!$&*+,;=:@/?-]*", self.path):
            allowed = "a path that begins with a slash, of letters, digits and '_.~%!$&*+,;=:@/?-'"
            raise invalid("path", self.path, allowed, "pass one such as '/healthz'")
        whole_number("port", self.port, low=1, high=65535, fix="pass the port that the application listens on")
        whole_number("healthy_after", self.healthy_after, low=2, high=10, fix="2 is a good start")
        if self.grace_seconds is not None:
            whole_number("grace_seconds", self.grace_seconds, low=0, high=7200, fix="leave it out to have it computed")
            if self.grace_seconds < self.in_rotation_seconds:
                raise invalid(
                    "grace_seconds",
                    self.grace_seconds,
                    f"at least {self.in_rotation_seconds}, which a new task may need",
                    "ECS would stop tasks that still start; raise it, leave it out, or lower start_seconds",
                )

    @classmethod
    def http(
        cls,
        path: str,
        *,
        port: int,
        program: HttpProgram | Sequence[str],
        interval_seconds: int = 10,
        timeout_seconds: int = 5,
        healthy_after: int = 2,
        unhealthy_after: int = 3,
        start_seconds: int = 60,
        grace_seconds: int | None = None,
    ) -> HealthCheck:
        """A check that an HTTP path answers 200.

        Args:
            path: begins with a slash, such as ``/healthz``. It should look at this task alone: a check that asks a
                database takes every task out when the database is slow.
            port: the port that the application listens on, 1 to 65535.
            program: what asks *inside* the container. The image must have it: ``python3``, ``curl`` or ``wget``
                (busybox's will do), or a command of your own as a list, which must exit with 0 when healthy.
            interval_seconds: 5 to 300; 10 by default.
            timeout_seconds: 2 to 60 and less than the interval; 5 by default.
            healthy_after: 2 to 10; 2 by default.
            unhealthy_after: 2 to 10; 3 by default. With the interval it gives the time from dead to out of rotation.
            start_seconds: 0 to 300, ECS's longest start period; 60 by default.
            grace_seconds: how long ECS overlooks what the load balancer says of a new task, at least
                ``in_rotation_seconds``; ``None``, the default: exactly that.

        Raises:
            ValueError: a value out of its range, a path without a slash, a time-out not below the interval, or a grace
                period that is shorter than a start may take.
        """
        container = ContainerCheck(
            command=_command(program, f"http://127.0.0.1:{port}{path}", timeout_seconds),
            interval_seconds=interval_seconds,
            timeout_seconds=timeout_seconds,
            unhealthy_after=unhealthy_after,
            start_seconds=start_seconds,
        )
        return cls(path=path, port=port, container=container, healthy_after=healthy_after, grace_seconds=grace_seconds)

    @property
    def out_of_rotation_seconds(self) -> int:
        """The longest from a dead task to no traffic for it: one interval for each bad answer, and the last time-out.

        The worst is a task that hangs just after a good check: the next begins an interval later, and each bad answer
        is a time-out, which ends before the next check begins. AWS calls the interval approximate
        (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html).
        """
        inside = self.container
        return inside.interval_seconds * inside.unhealthy_after + inside.timeout_seconds

    @property
    def in_rotation_seconds(self) -> int:
        """The longest from the start of a task to its first request: its own start, then checks until it is healthy.

        "After your target is registered, it must pass one health check to be considered healthy" (same page); but one
        that failed while it started needs ``healthy_after`` good answers, each an interval after the other.
        """
        inside = self.container
        return inside.start_seconds + inside.interval_seconds * self.healthy_after + inside.timeout_seconds

    @property
    def grace_period_seconds(self) -> int:
        """How long ECS overlooks what the load balancer says of a new task (the health check grace period)."""
        return self.in_rotation_seconds if self.grace_seconds is None else self.grace_seconds


def _command(program: HttpProgram | Sequence[str], url: str, timeout: int) -> tuple[str, ...]:
    if program == "python3":
        return ("CMD", "python3", "-c", _PYTHON.format(timeout=timeout), url)
    if program == "curl":
        return ("CMD", "curl", "--fail", "--silent", "--output", "/dev/null", "--max-time", str(timeout), url)
    if program == "wget":
        return ("CMD", "wget", "-q", "-T", str(timeout), "-O", "/dev/null", url)
    if isinstance(program, str):
        raise invalid(
            "program",
            program,
            "'python3', 'curl', 'wget' or a command as a list",
            "name what the image really has; a missing program means that no task ever becomes healthy",
        )
    return ("CMD", *command_words("program", program))
