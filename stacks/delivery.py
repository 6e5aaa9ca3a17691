"""One build project for each image, and the parameter that each service is released through."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.release_parameter import ReleaseParameters
from constructs_lib.naming import build_project_name
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class DeliveryStack(EnvironmentStack):
    """The way of an image from the source to its service."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, repositories: Mapping[str, ecr.IRepository]
    ) -> None:
        super().__init__(scope, id, config=config, description="builds and release parameters")
        for service in config.services:
            size = service.size or config.size
            BuildPipeline(
                self,
                f"{service.name}-build",
                repository=repositories[service.name],
                environment_name=config.name,
                source=config.source,
                project_name=build_project_name(config.application, config.name, service.name),
                architecture=size.task.architecture,
                dockerfile=service.dockerfile,
            )
        ReleaseParameters(
            self,
            "Releases",
            application=config.application,
            environment=config.name,
            services=[service.name for service in config.services],
        )
