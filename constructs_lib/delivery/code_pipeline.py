"""Build or promotion, approval and release as one CodePipeline (lessons Q1, Q5)."""

from __future__ import annotations

import json
import re
from typing import Final, Literal, TypeAlias, get_args

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.checks import concrete, invalid
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.iam_policy import Statement, allow, document

ExecutionMode: TypeAlias = Literal["SUPERSEDED", "QUEUED"]
"""``SUPERSEDED``: a newer execution overtakes one that waits. ``QUEUED``: each has its turn
(https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html)."""

_Stage: TypeAlias = codepipeline.CfnPipeline.StageDeclarationProperty
_Action: TypeAlias = codepipeline.CfnPipeline.ActionDeclarationProperty

_NAME: Final = re.compile(r"[A-Za-z0-9.@_-]{1,100}")
_DIGEST: Final = "#{image.IMAGE_DIGEST}"
_READ: Final = ("s3:GetObject", "s3:GetObjectVersion")


class PipelineArtifacts(Construct):
    """The bucket through which the pipelines of an environment hand on their sources (lesson Q5).

    Private, encrypted by S3, TLS only. What it holds are copies of sources, so they are deleted after 30 days. The
    bucket itself stays when the stack is deleted, for CloudFormation cannot delete one that is not empty; it empties
    itself then, and an empty bucket costs nothing.

    Attributes:
        bucket: the bucket.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Resource",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(30), abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )


class EnvironmentPipeline(Construct):
    """A CodePipeline V2 for one service: source, image, approval, release (lessons Q1, Q5).

    It is made of projects that are buttons as well, and adds no way of its own: the image comes from a
    :class:`~constructs_lib.delivery.pipeline.BuildPipeline` or a
    :class:`~constructs_lib.delivery.promotion_pipeline.PromotionPipeline`, and the project of a
    :class:`~constructs_lib.delivery.release_pipeline.ReleasePipeline` releases the digest that the former exports.

    With a source, a push to its branch starts the pipeline, so switch the build project's own webhook off: otherwise
    CodeBuild builds each commit twice
    (https://docs.aws.amazon.com/codebuild/latest/userguide/how-to-create-pipeline.html). Without one, as for a
    promotion, a person starts it. CodePipeline also starts a pipeline once when it is made: one reason why the approval
    is there by default. A person must authorise a new connection once.

    CodePipeline gives each project its source and overrides what the project says of artifacts. A source in a pipeline
    is a ZIP of the branch, so a build has the commit's files and id, and no git history.

    The pipeline's role may start these two projects, read its sources and use its bucket. It can neither push an image
    nor change a service.

    Args:
        artifacts: the bucket for sources, such as ``PipelineArtifacts(…).bucket``.
        operations: the code that promotions and releases run.
        image: the project that builds or promotes, and exports ``IMAGE_DIGEST`` and ``BUILD_TAG``.
        release: the project of the release button.
        source: the branch that is built, with its connection; ``None``, the default, when the image is promoted.
        approval: whether a person must approve before the release; ``True`` by default.
        execution_mode: ``SUPERSEDED`` by default: whoever approves, approves what is newest. With ``QUEUED`` each
            execution waits for its own approval and its turn.
        pipeline_name: CodePipeline's name; CloudFormation makes one by default.

    Attributes:
        pipeline: the pipeline.
        role: what it may do.

    Raises:
        ValueError: a source without a connection, an unknown mode, a project without a role, or a name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        artifacts: s3.IBucket,
        operations: OperationsAsset,
        image: codebuild.IProject,
        release: codebuild.IProject,
        source: GitHubSource | None = None,
        approval: bool = True,
        execution_mode: ExecutionMode = "SUPERSEDED",
        pipeline_name: str | None = None,
    ) -> None:
        if execution_mode not in get_args(ExecutionMode):
            raise invalid("execution_mode", execution_mode, "'SUPERSEDED' or 'QUEUED'", "leave it out for the default")
        connection = _connection(source)
        if pipeline_name is not None and not _NAME.fullmatch(concrete("pipeline_name", pipeline_name)):
            raise invalid(
                "pipeline_name",
                pipeline_name,
                "1 to 100 letters, digits and '.@_-'",
                "take it from constructs_lib.naming.build_project_name",
            )
        readers = [_role_arn("image", image), _role_arn("release", release)]
        super().__init__(scope, id)

        bucket_arn = artifacts.bucket_arn
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codepipeline.amazonaws.com"),
            description="A pipeline: may start two projects (lesson Q1)",
            inline_policies={
                "Pipeline": iam.PolicyDocument.from_json(
                    document(
                        allow([f"{bucket_arn}/*"], *_READ, "s3:PutObject"),
                        allow([bucket_arn], "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"),
                        *_read_operations(operations),
                        allow(
                            [image.project_arn, release.project_arn],
                            "codebuild:BatchGetBuilds",
                            "codebuild:StartBuild",
                        ),
                        *([allow([connection], f"{connection.split(':')[2]}:UseConnection")] if connection else ()),
                    )
                )
            },
        )
        # The projects read their sources here; said by the bucket, so that their roles stay as they are.
        artifacts.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ArnPrincipal(arn) for arn in readers],
                actions=list(_READ),
                resources=[f"{bucket_arn}/*"],
            )
        )
        built_from = "Source" if source else "Operations"
        self.pipeline = codepipeline.CfnPipeline(
            self,
            "Resource",
            name=pipeline_name,
            pipeline_type="V2",
            execution_mode=execution_mode,
            role_arn=self.role.role_arn,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(type="S3", location=artifacts.bucket_name),
            stages=[
                _stage("Source", _operations(operations), *([_github(source, connection)] if source else ())),
                _stage("Image", _project("Image", image, source=built_from, namespace="image")),
                *([_stage("Approval", _approval())] if approval else ()),
                _stage("Release", _project("Release", release, source="Operations", variables={"DIGEST": _DIGEST})),
            ],
        )


def _connection(source: GitHubSource | None) -> str:
    if source is None:
        return ""
    if not isinstance(source, GitHubSource) or source.connection_arn is None:
        raise invalid(
            "source", source, "a GitHubSource with a connection_arn", "CodePipeline reads GitHub through a connection"
        )
    return source.connection_arn


def _role_arn(what: str, project: codebuild.IProject) -> str:
    role = project.role
    if role is None:
        raise invalid(what, project, "a project with a role", "pass the project of a pipeline of this library")
    return role.role_arn


def _read_operations(operations: OperationsAsset) -> list[Statement]:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html"""
    code = operations.code
    return [
        allow([f"{code.bucket_arn}/{code.key}"], *_READ, "s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
        allow([code.bucket_arn], "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"),
    ]


def _stage(name: str, *actions: _Action) -> _Stage:
    return codepipeline.CfnPipeline.StageDeclarationProperty(name=name, actions=list(actions))


def _operations(operations: OperationsAsset) -> _Action:
    """The code of the commands. A new version comes with a deployment, so nothing has to look for one."""
    return _action(
        "Operations",
        kind=("Source", "AWS", "S3"),
        configuration={
            "S3Bucket": operations.bucket_name,
            "S3ObjectKey": operations.code.key,
            "PollForSourceChanges": "false",
        },
        output="Operations",
    )


def _github(source: GitHubSource, connection: str) -> _Action:
    return _action(
        "Source",
        kind=("Source", "AWS", "CodeStarSourceConnection"),
        configuration={
            "ConnectionArn": connection,
            "FullRepositoryId": f"{source.owner}/{source.repository}",
            "BranchName": source.branch,
            "OutputArtifactFormat": "CODE_ZIP",
            "DetectChanges": "true",
        },
        output="Source",
    )


def _project(
    name: str,
    project: codebuild.IProject,
    *,
    source: str,
    namespace: str | None = None,
    variables: dict[str, str] | None = None,
) -> _Action:
    configuration = {"ProjectName": project.project_name}
    if variables:
        listed = [{"name": key, "value": value, "type": "PLAINTEXT"} for key, value in variables.items()]
        configuration["EnvironmentVariables"] = json.dumps(listed)
    return _action(
        name, kind=("Build", "AWS", "CodeBuild"), configuration=configuration, source=source, namespace=namespace
    )


def _approval() -> _Action:
    return _action(
        "Approval",
        kind=("Approval", "AWS", "Manual"),
        configuration={"CustomData": f"Releases {_DIGEST}, #{{image.BUILD_TAG}}"},
    )


def _action(
    name: str,
    *,
    kind: tuple[str, str, str],
    configuration: dict[str, str],
    source: str | None = None,
    output: str | None = None,
    namespace: str | None = None,
) -> _Action:
    category, owner, provider = kind
    pipeline = codepipeline.CfnPipeline
    return pipeline.ActionDeclarationProperty(
        name=name,
        action_type_id=pipeline.ActionTypeIdProperty(category=category, owner=owner, provider=provider, version="1"),
        configuration=configuration,
        input_artifacts=[pipeline.InputArtifactProperty(name=source)] if source else None,
        output_artifacts=[pipeline.OutputArtifactProperty(name=output)] if output else None,
        namespace=namespace,
    )
