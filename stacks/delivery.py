"""How images come to the environment, and the parameter that each service is released through."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.delivery.promotion_pipeline import PromotionPipeline
from constructs_lib.delivery.release_parameter import ReleaseParameters
from constructs_lib.delivery.upstream_reader import UpstreamReader
from constructs_lib.naming import build_project_name, promotion_project_name
from constructs_lib.places import arns_of
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.landscape import Neighbours
from stacks.upstream import upstream_of


class DeliveryStack(EnvironmentStack):
    """The way of an image from the source, or from the environment before, to its service.

    Attributes:
        images: the project of each service that builds or promotes its image.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        neighbours: Neighbours,
        repositories: Mapping[str, ecr.IRepository],
    ) -> None:
        super().__init__(scope, id, config=config, description="builds, promotions and release parameters")
        self.images: dict[str, codebuild.IProject] = {}
        names = (config.application, config.name)
        services = [service.name for service in config.services]
        if isinstance(config.source, GitHubSource):
            for service in config.services:
                self.images[service.name] = self._build(service, config, config.source, repositories[service.name])
        else:
            operations = OperationsAsset(self, "Operations")
            here = arns_of(self)
            for name in services:
                upstream = upstream_of(config, neighbours.before, name, here)
                assert upstream is not None  # check_environments refuses a promotion from nowhere
                self.images[name] = PromotionPipeline(
                    self,
                    f"{name}-promotion",
                    application=config.application,
                    environment=config.name,
                    service=name,
                    repository=repositories[name],
                    upstream=upstream,
                    operations=operations,
                    project_name=promotion_project_name(*names, name),
                ).project
        if neighbours.readers:
            UpstreamReader(
                self,
                "Reader",
                application=config.application,
                environment=config.name,
                services=services,
                accounts=neighbours.readers,
            )
        ReleaseParameters(self, "Releases", application=config.application, environment=config.name, services=services)

    def _build(
        self, service: ServiceConfig, config: EnvironmentConfig, source: GitHubSource, repository: ecr.IRepository
    ) -> codebuild.Project:
        size = config.size_of(service)
        project = BuildPipeline(
            self,
            f"{service.name}-build",
            repository=repository,
            environment_name=config.name,
            source=source,
            project_name=build_project_name(config.application, config.name, service.name),
            architecture=size.task.architecture,
            dockerfile=service.dockerfile,
            docker_hub=config.build.docker_hub,
            sbom=config.build.sbom,
        ).project
        if config.code_pipeline:
            # The pipeline starts at a push, and with a webhook CodeBuild would build each commit twice.
            resource = project.node.default_child
            assert isinstance(resource, codebuild.CfnProject)  # narrows jsii's type
            resource.triggers = None
        return project
