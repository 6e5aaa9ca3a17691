"""Incident Q as a script: the same steps for a world as it was and for one of ours.

The steps know nothing of how a world keeps its images. Each time a task is replaced the world says whether the new one
could pull its image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class World(Protocol):
    """Two environments with a service each, and a worker that shares staging's repository."""

    def build(self) -> str:
        """Builds the next commit of the branch for staging, as this world's pipeline does; its digest."""

    def release(self, environment: str, digest: str) -> None:
        """Makes a digest of staging's the one that an environment runs."""

    def replace_tasks(self) -> dict[str, str | None]:
        """Replaces a task of every service: None by service when the new task runs, else why it does not."""

    def pass_days(self, days: int) -> None:
        """Time passes, and then the registry's rules are applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened, and how the replacement of every task went then.

    Attributes:
        happened: what went before.
        lost: by service, why its new task could not start; empty when all could.
    """

    happened: str
    lost: dict[str, str]


def play(world: World) -> Iterator[Moment]:
    """Incident Q as it was, and then everything else that could end in it."""

    def moment(happened: str) -> Moment:
        return Moment(happened=happened, lost={name: why for name, why in world.replace_tasks().items() if why})

    first = world.build()
    for environment in ("staging", "production", "worker"):
        world.release(environment, first)
    world.pass_days(1)
    yield moment("the first build is released everywhere")

    for _ in range(11):
        latest = world.build()
    world.release("staging", latest)
    world.pass_days(1)
    yield moment("eleven builds later, staging released")

    fast: list[str] = [latest]
    for tenth in range(10):
        for _ in range(2):
            for _ in range(25):
                latest = world.build()
            world.pass_days(5)
        world.release("staging", latest)
        fast.append(latest)
        if tenth == 4:
            world.release("production", latest)
    yield moment("500 builds in 100 days, staging released ten times, the worker never")

    world.pass_days(200)
    yield moment("200 days without a build")

    world.release("production", first)
    world.pass_days(40)
    yield moment("production rolled back to the first build")

    world.release("production", fast[-1])
    world.pass_days(200)
    yield moment("a build of 240 days ago promoted late, then 200 days of silence")
