"""The same digest, taken to the next environment (lessons Q1, Q7)."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import environment_name, invalid, name
from constructs_lib.delivery.buildspec import promotion_buildspec
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.operations_project import check_project, operations_project, project_log, project_role
from constructs_lib.delivery.permissions import promotion_permissions
from constructs_lib.delivery.policy import BuildLimits
from constructs_lib.delivery.settings import Upstream
from constructs_lib.places import arns_of

_DEFAULT_LIMITS: Final = BuildLimits()


class PromotionPipeline(Construct):
    """Copies an image from the environment before, digest and build tag unchanged (lessons Q1, Q7).

    It runs ``moorings promote``: by default what the environment before runs, and with the variable ``DIGEST`` another
    image, if it ran there. Promoting again changes nothing. It exports ``BUILD_TAG`` and ``IMAGE_DIGEST``, as a build
    does. Nothing is built, so Docker is not there and nothing comes from Docker Hub (lesson Q6).

    The role may push to this repository and to no other. It reads one repository and one ledger of the environment
    before: directly in the same account, and by that environment's reader role in another
    (:class:`constructs_lib.delivery.upstream_reader.UpstreamReader`). No statement is on ``*``.

    cdk-nag's AwsSolutions-CB4 asks for a KMS key: there are no artifacts that it would encrypt.

    Args:
        application: the application, such as ``shop``.
        environment: the environment that the image is taken to, such as ``production``.
        service: the service whose image it is, such as ``web``.
        repository: where the image goes. It must belong to this environment and image only.
        upstream: where the image comes from; its ``check`` is ``digest``.
        operations: the code that is run.
        project_name: CodeBuild's name of the project; CloudFormation makes one by default
            (:func:`constructs_lib.naming.promotion_project_name`).
        limits: times, size and log retention; 30 minutes, 60 in the queue, small and 90 days by default.

    Attributes:
        project: the CodeBuild project.
        role: what a promotion may do.
        log_group: where promotions write; it stays when the stack is deleted.

    Raises:
        ValueError: a name, an upstream whose images do not come by promotion, or a Token where a name is needed.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        service: str,
        repository: ecr.IRepository,
        upstream: Upstream,
        operations: OperationsAsset,
        project_name: str | None = None,
        limits: BuildLimits = _DEFAULT_LIMITS,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        name("service", service)
        check_project(operations, limits, project_name)
        if not isinstance(upstream, Upstream) or upstream.check != "digest":
            raise invalid(
                "upstream", upstream, "an Upstream with check='digest'", "an image that is built again is not promoted"
            )
        super().__init__(scope, id)

        self.log_group = project_log(self, limits)
        self.role = project_role(
            self,
            "Promotions: may push to one repository and to no other (lesson Q1)",
            promotion_permissions(
                arns_of(scope),
                application=application,
                environment=environment,
                service=service,
                repository_arn=repository.repository_arn,
                upstream=upstream,
                log_group_arn=self.log_group.log_group_arn,
                code=operations.code,
            ),
        )
        self.project = operations_project(
            self,
            project_name=project_name,
            description=f"Takes an image of {upstream.environment} to {environment}, the same digest (lessons Q1, Q7)",
            operations=operations,
            buildspec=promotion_buildspec(),
            variables={"PLACE": f"{application}/{environment}/{service}", "DIGEST": ""},
            limits=limits,
            log_group=self.log_group,
            role=self.role,
        )

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets ``grantee`` start a promotion and read how it went.

        ``StartBuild`` can also replace the buildspec, so whoever may start one may push anything to this repository,
        though to no other.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
            resource_arns=[self.project.project_arn],
        )
