"""One repository for each image, retained when everything else goes."""

from __future__ import annotations

from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.images.repository import PinnedRepository
from constructs_lib.naming import repository_name
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class ImagesStack(EnvironmentStack):
    """The repositories of one environment.

    Attributes:
        by_name: the repository of each service as other stacks see it: by its name, so without a reference that would
            tie the stacks together.
    """

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config, description="image repositories")
        self.by_name: dict[str, ecr.IRepository] = {}
        for service in config.services:
            name = repository_name(config.application, config.name, service.name)
            PinnedRepository(self, service.name, repository_name=name, retention=config.retention)
            self.by_name[service.name] = ecr.Repository.from_repository_name(self, f"{service.name}-by-name", name)
