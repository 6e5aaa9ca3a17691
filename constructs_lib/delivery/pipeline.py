"""One environment, one build, one role (lessons Q1, Q3, Q6)."""

from __future__ import annotations

from typing import Final

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.architecture import Architecture, check_architecture
from constructs_lib.checks import environment_name as check_environment_name
from constructs_lib.checks import invalid
from constructs_lib.delivery.build_permissions import build_permissions
from constructs_lib.delivery.buildspec import buildspec
from constructs_lib.delivery.policy import (
    BuildLimits,
    DockerHubLogin,
    GitHubSource,
    PullThroughCache,
    Sbom,
    check_project_name,
    check_source_path,
)
from constructs_lib.log_retention import RETENTION_DAYS

_DEFAULT_LIMITS: Final = BuildLimits()
_COMPUTE: Final = {
    "small": codebuild.ComputeType.SMALL,
    "medium": codebuild.ComputeType.MEDIUM,
    "large": codebuild.ComputeType.LARGE,
}
_PLATFORM: Final = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}


class BuildPipeline(Construct):
    """Builds one image for one environment and pushes it to one repository, and to no other (lessons Q1, Q3, Q6).

    A build makes a tag of its own, ``<environment>-<UTC yyyymmddThhmmssZ>-<commit12>``, and exports ``BUILD_TAG`` and
    ``IMAGE_DIGEST``. A commit that has an ACTIVE image already is not built again; start the build with the variable
    ``REBUILD=yes`` to do so. It is started by hand, unless the source has a connection: then a push to the branch
    starts it. The source holds no buildspec that could change what is run; ``build.sh`` beside this file is run.

    The role is complete: it may push to this repository, read what is in it, and write to its own log group. One
    statement names no resource: ``ecr:GetAuthorizationToken`` on ``*``, because the service offers nothing else
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html). The
    token that it gives can do no more than the role. A ``grant_*`` that is handed ``.project`` changes nothing, so that
    it cannot add a second repository; ``.role`` can be given more on purpose, such as a secret that a build reads.

    The build runs privileged, because Docker does not start without it (``privilegedMode`` in
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html).

    Base images of Docker Hub are pulled anonymously by default, and Docker Hub limits that by address: CodeBuild's
    addresses are shared, so a build may fail for what others pulled. ``docker_hub`` asks as a user or through a cache.
    With neither, take base images from elsewhere, such as ``public.ecr.aws/docker/library/python``.

    There are no artifacts, so nothing is stored that a KMS key of your own would protect. cdk-nag's AwsSolutions-CB4
    asks for one all the same: acknowledge it with that reason.

    Args:
        repository: where the image goes. It must belong to this environment and image only.
        environment_name: the environment, such as ``staging``; the first word of every build tag.
        source: what is built.
        project_name: CodeBuild's name of the project; CloudFormation makes one by default. A name lets people and other
            stacks find the project (:func:`constructs_lib.naming.build_project_name`).
        architecture: ``arm64`` by default; it must be the service's.
        limits: times, size and log retention; 30 minutes, 60 in the queue, small and 90 days by default.
        dockerfile: path of the Dockerfile from the source's root; ``Dockerfile`` by default.
        context: path of Docker's build context from the source's root; the root itself by default.
        docker_hub: how images of Docker Hub are pulled, a DockerHubLogin or a PullThroughCache; anonymously by default.
            The cache is in the account and region of ``repository``.
        sbom: makes and keeps a list of what is in each image; none by default.

    Attributes:
        project: the CodeBuild project.
        role: what a build may do.
        log_group: where builds write; it stays when the stack is deleted.

    Raises:
        ValueError: a name, a path, an architecture or a Token where a concrete value is needed.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        repository: ecr.IRepository,
        environment_name: str,
        source: GitHubSource,
        project_name: str | None = None,
        architecture: Architecture = "arm64",
        limits: BuildLimits = _DEFAULT_LIMITS,
        dockerfile: str = "Dockerfile",
        context: str = ".",
        docker_hub: DockerHubLogin | PullThroughCache | None = None,
        sbom: Sbom | None = None,
    ) -> None:
        check_environment_name("environment_name", environment_name)
        check_architecture(architecture)
        check_source_path("dockerfile", dockerfile)
        check_source_path("context", context)
        if project_name is not None:
            check_project_name(project_name)
        if not isinstance(source, GitHubSource):
            raise invalid("source", source, "a GitHubSource", "CodeBuild must know what to build")
        if not isinstance(limits, BuildLimits):
            raise invalid("limits", limits, "a BuildLimits", "leave it out for the defaults")
        if docker_hub is not None and not isinstance(docker_hub, DockerHubLogin | PullThroughCache):
            raise invalid(
                "docker_hub", docker_hub, "a DockerHubLogin or a PullThroughCache", "leave it out for neither"
            )
        if sbom is not None and not isinstance(sbom, Sbom):
            raise invalid("sbom", sbom, "an Sbom", "leave it out for none")
        super().__init__(scope, id)

        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays[RETENTION_DAYS[limits.retention_days]],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self.role = self._make_role(repository, source, docker_hub, sbom)
        variables = {
            "REPOSITORY_URI": repository.repository_uri,
            "ENVIRONMENT_NAME": environment_name,
            "DOCKERFILE": dockerfile,
            "CONTEXT": context,
            "PLATFORM": _PLATFORM[architecture],
            "REBUILD": "no",
            **_optional_variables(docker_hub, sbom),
        }
        self.project = codebuild.Project(
            self,
            "Resource",
            project_name=project_name,
            description=f"Builds one image for {environment_name} and pushes it to one repository (lesson Q1)",
            source=_source(source),
            build_spec=codebuild.BuildSpec.from_object(buildspec()),
            environment=codebuild.BuildEnvironment(
                build_image=_build_image(architecture), compute_type=_COMPUTE[limits.compute], privileged=True
            ),
            environment_variables={
                **{key: codebuild.BuildEnvironmentVariable(value=value) for key, value in variables.items()},
                **_secret_variables(docker_hub),
            },
            timeout=Duration.minutes(limits.build_minutes),
            queued_timeout=Duration.minutes(limits.queued_minutes),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self.log_group)),
            role=self.role.without_policy_updates(),
            grant_report_group_permissions=False,
        )
        if source.connection_arn is not None:
            # The L2 has no property for it (https://github.com/aws/aws-cdk/issues/31236).
            resource = self.project.node.default_child
            assert isinstance(resource, codebuild.CfnProject)  # narrows jsii's type
            resource.add_property_override(
                "Source.Auth", {"Type": "CODECONNECTIONS", "Resource": source.connection_arn}
            )

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets ``grantee`` start a build and read how it went.

        ``StartBuild`` can also replace the buildspec, so whoever may start a build may push anything to this
        environment's repository, though to no other.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
            resource_arns=[self.project.project_arn],
        )

    def _make_role(
        self,
        repository: ecr.IRepository,
        source: GitHubSource,
        docker_hub: DockerHubLogin | PullThroughCache | None,
        sbom: Sbom | None,
    ) -> iam.Role:
        # The policy is part of the role, not a resource beside it: CodeBuild tries a connection with the role while it
        # creates the project, and a policy that comes later is too late (https://github.com/aws/aws-cdk/issues/38504).
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            description="Builds: may push to one repository and to no other (lesson Q1)",
            inline_policies={
                "Build": iam.PolicyDocument.from_json(
                    build_permissions(
                        repository.repository_arn,
                        self.log_group.log_group_arn,
                        connection_arn=source.connection_arn,
                        secret_arn=self._secret_arn(docker_hub) if isinstance(docker_hub, DockerHubLogin) else None,
                        cache_arn=self._cache_arn(docker_hub, repository)
                        if isinstance(docker_hub, PullThroughCache)
                        else None,
                        sbom_arn=self._sbom_arn(sbom, repository) if sbom is not None else None,
                    )
                )
            },
        )

    def _secret_arn(self, login: DockerHubLogin) -> str:
        # Secrets Manager adds a hyphen and six characters to a name; six question marks match no other secret
        # (https://docs.aws.amazon.com/secretsmanager/latest/userguide/permissions_grant-limited-resources.html).
        return Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{login.secret_name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )

    def _cache_arn(self, cache: PullThroughCache, repository: ecr.IRepository) -> str:
        return Stack.of(self).format_arn(
            service="ecr",
            account=repository.env.account,
            region=repository.env.region,
            resource="repository",
            resource_name=f"{cache.prefix}/*",  # every image of Docker Hub that a Dockerfile may name
        )

    def _sbom_arn(self, sbom: Sbom, repository: ecr.IRepository) -> str:
        return Stack.of(self).format_arn(
            service="s3",
            account="",
            region="",
            resource=sbom.bucket_name,
            resource_name=f"{repository.repository_name}/*",  # one object for each build tag
        )


def _optional_variables(docker_hub: DockerHubLogin | PullThroughCache | None, sbom: Sbom | None) -> dict[str, str]:
    variables: dict[str, str] = {}
    if isinstance(docker_hub, DockerHubLogin):
        variables["DOCKER_HUB_SECRET"] = docker_hub.secret_name
    if isinstance(docker_hub, PullThroughCache):
        variables["CACHE_PREFIX"] = docker_hub.prefix
    if sbom is not None:
        variables |= {"SBOM_GENERATOR": sbom.generator, "SBOM_BUCKET": sbom.bucket_name}
    return variables


def _secret_variables(
    docker_hub: DockerHubLogin | PullThroughCache | None,
) -> dict[str, codebuild.BuildEnvironmentVariable]:
    """CodeBuild reads the secret when a build starts and masks its values in the log; the template has names only."""
    if not isinstance(docker_hub, DockerHubLogin):
        return {}
    return {
        f"DOCKER_HUB_{key.upper()}": codebuild.BuildEnvironmentVariable(
            type=codebuild.BuildEnvironmentVariableType.SECRETS_MANAGER, value=f"{docker_hub.secret_name}:{key}"
        )
        for key in ("username", "password")
    }


def _source(source: GitHubSource) -> codebuild.ISource:
    if source.connection_arn is None:
        return codebuild.Source.git_hub(
            owner=source.owner, repo=source.repository, branch_or_ref=source.branch, report_build_status=False
        )
    # The filter is a regular expression; CDK's own branch filter would also match branches that only begin alike.
    branch = source.branch.replace(".", r"\.")
    return codebuild.Source.git_hub(
        owner=source.owner,
        repo=source.repository,
        branch_or_ref=source.branch,
        report_build_status=True,
        webhook=True,
        webhook_filters=[
            codebuild.FilterGroup.in_event_of(codebuild.EventAction.PUSH).and_head_ref_is(f"^refs/heads/{branch}$")
        ],
    )


def _build_image(architecture: Architecture) -> codebuild.IBuildImage:
    """The newest standard image of Amazon Linux 2023 that aws_cdk names; Docker and its buildx are in both.

    Source: https://github.com/aws/aws-codebuild-docker-images, ``al/aarch64/standard/4.0`` and
    ``al/x86_64/standard/6.0``.
    """
    if architecture == "arm64":
        return codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_4_0
    return codebuild.LinuxBuildImage.AMAZON_LINUX_2023_6
