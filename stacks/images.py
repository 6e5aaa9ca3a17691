"""One repository for each image, retained when everything else goes."""

from __future__ import annotations

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.images.repository import PinnedRepository
from constructs_lib.naming import repository_name
from stacks.base import EnvironmentStack
from stacks.environments import EnvironmentConfig


class ImagesStack(EnvironmentStack):
    """The repositories of one environment. Other stacks know them by name (:func:`repository_of`)."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config, description="image repositories")
        for service in config.services:
            PinnedRepository(
                self,
                service.name,
                repository_name=repository_name(config.application, config.name, service.name),
                retention=config.retention,
            )


def repository_of(scope: Construct, config: EnvironmentConfig, service: str) -> ecr.IRepository:
    """The repository of one service, as another stack of its environment sees it: by name, without a reference."""
    name = repository_name(config.application, config.name, service)
    return ecr.Repository.from_repository_name(scope, f"{service}-repository", name)
