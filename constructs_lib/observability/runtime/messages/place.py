"""What belongs to an environment, and which component it is. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .fields import cluster_of, family_of, service_of, text
from .kinds import ENVIRONMENT

_GENERATED: Final = re.compile(r"(.+?)Service[0-9A-F]{8}-[A-Za-z0-9]+")
"""CloudFormation's name of a service, behind the stack's: CDK's logical id of ``web/Service``, and a random part."""

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The environment that events are read for (lesson W5).

    Args:
        application: the application's name.
        environment: the environment's name.
        clusters: names of its ECS clusters; one that ends with ``*`` stands for all that begin so.
        build_projects: names of its CodeBuild projects, written alike.
        components: names of its services as alarms have them; a generated name is matched with one of these.
    """

    application: str
    environment: str
    clusters: tuple[str, ...]
    build_projects: tuple[str, ...] = ()
    components: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As alarms have it, such as ``shop/staging``."""
        return f"{self.application}/{self.environment}"

    def runs(self, event: object) -> bool:
        """Whether an event of ECS is about one of its clusters."""
        return _matches(cluster_of(event), self.clusters)

    def builds(self, event: object) -> bool:
        """Whether an event of CodeBuild is about one of its projects."""
        return _matches(text(event, "detail", "project-name"), self.build_projects)

    def component(self, event: object) -> str:
        """The service of an event, or the family of a task of no service: short, and of harmless characters."""
        service = service_of(event)
        if not service:
            return _harmless(_behind(family_of(event), self.clusters))
        short = _behind(service, self.clusters)
        made = _GENERATED.fullmatch(short)
        short = made[1] if made else short
        # CDK leaves hyphens out of logical ids.
        named = [component for component in self.components if short in (component, component.replace("-", ""))]
        return named[0] if named else _harmless(short)

    def project(self, event: object) -> str:
        """What a build builds."""
        return _harmless(_behind(text(event, "detail", "project-name"), self.build_projects))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(
        name.startswith(pattern.removesuffix("*")) if pattern.endswith("*") else name == pattern for pattern in patterns
    )


def _behind(name: str, patterns: Sequence[str]) -> str:
    """A name without the beginning that all of them have."""
    beginnings = [pattern.removesuffix("*") for pattern in patterns if pattern.endswith("*")]
    return next((name.removeprefix(each) for each in beginnings if name.startswith(each)), name)


def _harmless(name: str) -> str:
    return _NOT_IN_A_NAME.sub("-", name)[:_LONGEST].strip("-") or ENVIRONMENT
