"""The button of a service: release, rollback, restart (lessons Q5, W4, W5)."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import environment_name, invalid, name
from constructs_lib.delivery.buildspec import release_buildspec
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.operations_project import check_project, operations_project, project_log, project_role
from constructs_lib.delivery.policy import BuildLimits
from constructs_lib.delivery.release_permissions import button_permissions
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.places import arns_of

_DEFAULT_LIMITS: Final = BuildLimits(build_minutes=180)


class ReleasePipeline(Construct):
    """Releases one service, goes back to an earlier image, or replaces its tasks (lessons Q5, W4, W5).

    A CodeBuild project that runs the command that a person runs in a terminal. Start it as it is for a release of the
    newest build; with variables for everything else:

    - ``DIGEST``: which image to release.
    - ``REASON``: why a release shall not wait for the maintenance window; the ledger keeps it.
    - ``COMMAND=rollback``: back to the last successful release before, or to ``TO``, a digest or a release's number.
    - ``COMMAND=restart``: new tasks of the same image.

    The values are checked and reach the command as single words; nothing of them is run as shell.

    The role may change one service, by one way: ``UpdateStack`` on one stack with one narrow role
    (:class:`constructs_lib.delivery.release_role.ReleaseRole`), which ``cloudformation:RoleArn`` holds it to. It writes
    the release parameter and the ledger of this service, and puts pins on images that are there; it can upload none.
    Three actions are on ``*`` because they take no resource: ``ecs:DescribeTaskDefinition``,
    ``elasticloadbalancing:DescribeTargetHealth`` and ``ecs:ListTasks``, the last held to the cluster by a condition.

    cdk-nag's AwsSolutions-CB4 asks for a KMS key: there are no artifacts that it would encrypt.

    Args:
        settings: what release commands must know of the service, as
            :class:`constructs_lib.delivery.delivery_settings.DeliverySettingsParameter` writes it.
        operations: the code that is run.
        project_name: CodeBuild's name of the project; CloudFormation makes one by default
            (:func:`constructs_lib.naming.release_project_name`).
        limits: times, size and log retention; 180 minutes, 60 in the queue, small and 90 days by default. A release
            that waits for its window needs as long as the window may be away.

    Attributes:
        project: the CodeBuild project.
        role: what the button may do.
        log_group: where it writes; it stays when the stack is deleted.

    Raises:
        ValueError: settings that are none, a name, or a Token where a name is needed.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: DeliverySettings,
        operations: OperationsAsset,
        project_name: str | None = None,
        limits: BuildLimits = _DEFAULT_LIMITS,
    ) -> None:
        check_settings(settings)
        check_project(operations, limits, project_name)
        super().__init__(scope, id)

        self.log_group = project_log(self, limits)
        self.role = project_role(
            self,
            "Releases: may change one service, by one stack update with one role (lesson Q5)",
            button_permissions(
                arns_of(scope), settings, log_group_arn=self.log_group.log_group_arn, code=operations.code
            ),
        )
        self.project = operations_project(
            self,
            project_name=project_name,
            description=f"Releases {settings.place}; COMMAND=rollback or restart for the others (lessons Q5, W4)",
            operations=operations,
            buildspec=release_buildspec(),
            variables={"PLACE": settings.place, "COMMAND": "release", "DIGEST": "", "TO": "", "REASON": ""},
            limits=limits,
            log_group=self.log_group,
            role=self.role,
        )

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets ``grantee`` press the button and read how it went.

        ``StartBuild`` can also replace the buildspec, so whoever may start a build may do what the role may.
        """
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["codebuild:StartBuild", "codebuild:BatchGetBuilds"],
            resource_arns=[self.project.project_arn],
        )


def check_settings(settings: DeliverySettings) -> None:
    """Refuses what is no settings, or names that could collide with others."""
    if not isinstance(settings, DeliverySettings):
        raise invalid("settings", settings, "a DeliverySettings", "make one of the service that shall be released")
    name("application", settings.application)
    environment_name("environment", settings.environment)
    name("service", settings.service)
