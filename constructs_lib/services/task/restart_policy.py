"""When a container is started again inside its task (lesson T4). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from constructs_lib.checks import invalid, tuple_of, whole_number


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """ECS starts a container again that ends, without a new task (lesson T4).

    For sidecars that are not essential: without it, one that ends stays away for as long as the task lives. It is not
    for the application: a restart inside the task keeps its target registered while nothing listens, hides a crash loop
    from the circuit breaker, and empties no writable directory. A new task is seen by all of them.

    Args:
        attempt_seconds: so long a container must run before it is started again, and so long passes between two
            restarts, 60 to 1800; 60 by default, ECS's least (ECS's own default is 300).
        ignored_exit_codes: it stays away after these, at most 50; 0 by default, for a container that has done its work.

    Raises:
        ValueError: a number out of ECS's range
            (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerRestartPolicy.html).
    """

    attempt_seconds: int = 60
    ignored_exit_codes: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        whole_number("attempt_seconds", self.attempt_seconds, low=60, high=1800, fix="60 is a good start")
        tuple_of("ignored_exit_codes", self.ignored_exit_codes, int, "(0,)")
        for code in self.ignored_exit_codes:
            whole_number("ignored_exit_codes", code, low=0, high=255, fix="a process ends with one of these")
        if len(self.ignored_exit_codes) > 50:
            raise invalid("ignored_exit_codes", len(self.ignored_exit_codes), "at most 50", "ECS takes no more")
