"""The guard that keeps images in use, and how far releases are behind, with their alarms."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.gap_monitor import ReleaseGap, WatchedService
from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.retention_guard import RetentionGuard
from constructs_lib.naming import release_parameter_name, repository_name
from constructs_lib.observability.notification.topics import Topics
from constructs_lib.places import arns_of
from stacks.alarms import watch
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig
from stacks.landscape import Neighbours
from stacks.upstream import upstream_of


class RetentionStack(EnvironmentStack):
    """One guard for all repositories of an environment, and the gap to the environment before it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        neighbours: Neighbours,
        repositories: Mapping[str, ecr.IRepository],
        topics: Topics,
    ) -> None:
        super().__init__(
            scope, id, config=config, description="guard of images in use, and how far releases are behind"
        )
        names = (config.application, config.name)
        guard = RetentionGuard(
            self,
            "Guard",
            application=config.application,
            environment=config.name,
            repositories=[
                GuardedRepository(
                    repository=repositories[service.name],
                    release_parameters=(release_parameter_name(*names, service.name),),
                )
                for service in config.services
            ],
        )
        gap = self._gap(config, neighbours) if neighbours.before else ()
        self.alarms = (*guard.alarms, *gap)
        watch(self, config, self.alarms, topics)

    def _gap(self, config: EnvironmentConfig, neighbours: Neighbours) -> tuple[AlarmSpec, ...]:
        """How far this environment is behind the one before it (lesson Q5)."""
        here = arns_of(self)
        watched = [
            WatchedService(
                service=service.name,
                repository=repository_name(config.application, config.name, service.name),
                upstream=upstream,
            )
            for service in config.services
            if (upstream := upstream_of(config, neighbours.before, service.name, here)) is not None
        ]
        return ReleaseGap(
            self,
            "Gap",
            application=config.application,
            environment=config.name,
            services=watched,
            threshold=config.release.gap,
        ).alarms
