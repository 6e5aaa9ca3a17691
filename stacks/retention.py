"""The guard that keeps images in use, with its alarms."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.retention_guard import RetentionGuard
from constructs_lib.naming import release_parameter_name
from constructs_lib.observability.alarms import Alarms
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class RetentionStack(EnvironmentStack):
    """One guard for all repositories of an environment."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        repositories: Mapping[str, ecr.IRepository],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id, config=config, description="guard of images in use")
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
        Alarms(self, "Alarms", application=names[0], environment=names[1], specs=guard.alarms, topic=topic)
