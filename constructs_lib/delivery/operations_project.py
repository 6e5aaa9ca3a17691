"""What the projects of promotions and releases have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.checks import invalid
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.policy import BuildLimits, check_project_name
from constructs_lib.iam_policy import PolicyDocument
from constructs_lib.log_retention import RETENTION_DAYS

_COMPUTE: Final = {
    "small": codebuild.ComputeType.SMALL,
    "medium": codebuild.ComputeType.MEDIUM,
    "large": codebuild.ComputeType.LARGE,
}


def check_project(operations: OperationsAsset, limits: BuildLimits, project_name: str | None) -> None:
    """Refuses what is no asset, no limits, or a name that CodeBuild does not take."""
    if project_name is not None:
        check_project_name(project_name)
    if not isinstance(operations, OperationsAsset):
        raise invalid("operations", operations, "an OperationsAsset", "make one in the same stack")
    if not isinstance(limits, BuildLimits):
        raise invalid("limits", limits, "a BuildLimits", "leave it out for the defaults")


def project_log(scope: Construct, limits: BuildLimits) -> logs.LogGroup:
    """Where a project writes; it stays when the stack is deleted."""
    return logs.LogGroup(
        scope,
        "Logs",
        retention=logs.RetentionDays[RETENTION_DAYS[limits.retention_days]],
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def project_role(scope: Construct, description: str, permissions: PolicyDocument) -> iam.Role:
    """A role for CodeBuild. The policy is part of it, so that it is there before the project is."""
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        description=description,
        inline_policies={"Operations": iam.PolicyDocument.from_json(permissions)},
    )


def operations_project(
    scope: Construct,
    *,
    project_name: str | None,
    description: str,
    operations: OperationsAsset,
    buildspec: Mapping[str, object],
    variables: Mapping[str, str],
    limits: BuildLimits,
    log_group: logs.LogGroup,
    role: iam.Role,
) -> codebuild.Project:
    """A project that runs a command of this package. It is not privileged: nothing of it needs Docker."""
    return codebuild.Project(
        scope,
        "Resource",
        project_name=project_name,
        description=description,
        source=operations.source,
        build_spec=codebuild.BuildSpec.from_object(dict(buildspec)),
        environment=codebuild.BuildEnvironment(
            build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_4_0,
            compute_type=_COMPUTE[limits.compute],
        ),
        environment_variables={
            key: codebuild.BuildEnvironmentVariable(value=value) for key, value in variables.items()
        },
        timeout=Duration.minutes(limits.build_minutes),
        queued_timeout=Duration.minutes(limits.queued_minutes),
        logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
        # CDK would add statements of its own, in a policy beside the role.
        role=role.without_policy_updates(),
        grant_report_group_permissions=False,
    )
