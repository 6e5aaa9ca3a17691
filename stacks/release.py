"""The release buttons, and the pipelines that are made of them."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_codebuild as codebuild
from constructs import Construct

from constructs_lib.delivery.code_pipeline import EnvironmentPipeline, PipelineArtifacts
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.delivery.release_pipeline import ReleasePipeline
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import build_project_name, release_project_name
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class ReleaseStack(EnvironmentStack):
    """One button for each service. It is deployed last: what a button may do names the service itself."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        settings: Mapping[str, DeliverySettings],
        images: Mapping[str, codebuild.IProject],
    ) -> None:
        super().__init__(scope, id, config=config, description="release buttons")
        operations = OperationsAsset(self, "Operations")
        names = (config.application, config.name)
        pipelines = config.code_pipeline
        artifacts = PipelineArtifacts(self, "Artifacts").bucket if pipelines else None
        for service in config.services:
            button = ReleasePipeline(
                self,
                f"{service.name}-release",
                settings=settings[service.name],
                operations=operations,
                project_name=release_project_name(*names, service.name),
            )
            if pipelines and artifacts:
                EnvironmentPipeline(
                    self,
                    f"{service.name}-pipeline",
                    artifacts=artifacts,
                    operations=operations,
                    image=images[service.name],
                    release=button.project,
                    source=config.source if isinstance(config.source, GitHubSource) else None,
                    approval=pipelines.approval,
                    execution_mode=pipelines.execution_mode,
                    pipeline_name=build_project_name(*names, service.name),
                )
