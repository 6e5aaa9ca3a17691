"""The narrow role that CloudFormation uses in a release, and no other time (lesson Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import environment_name, invalid, name
from constructs_lib.delivery.release_permissions import (
    ReleasedService,
    release_role_permissions,
    service_permissions,
)
from constructs_lib.delivery.release_schedules import ReleasedSchedule, schedule_permissions
from constructs_lib.naming import release_role_name
from constructs_lib.places import arns_of

_SCHEDULES_A_POLICY: Final = 8
"""A managed policy takes 6,144 characters, and a schedule with the longest names about 700
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""


class ReleaseRole(Construct):
    """What CloudFormation may do to a stack of services when a release updates it (lesson Q5).

    A stack's usual role is an administrator, and ``UpdateStack`` would use it even for a caller who may not pass it. A
    release passes this one instead, and the button's role is held to it by ``cloudformation:RoleArn``. It may register
    task definitions of these services' families (of all that begin with the stack's name, if theirs do), update these
    services and stop their deployments to go back, update the schedules of tasks that run the same images, update
    scalable targets and the environment's alarms (they begin to act in a first release), read the parameters that the
    template takes, and pass the services' own roles to tasks. It can write no parameter, no role and no policy, and it
    can make or delete no other resource: a template that changes more fails and goes back.

    On ``*`` are actions that take no resource: ``ecs:DeregisterTaskDefinition``, ``ecs:DescribeTaskDefinition``,
    ``application-autoscaling:DescribeScalableTargets`` and ``DescribeScheduledActions``. A scalable target's ARN has an
    id that AWS makes, so registering is held to desired counts of ECS services by a condition.

    CloudFormation keeps the last role that it was given for a stack. The CDK command line always gives its own; whoever
    deletes or updates the stack in another way must give one too
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html).

    It belongs in the stack of the services.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``staging``.
        services: the services of the stack; at least one. Their task definitions must have a family with a name.
        schedules: tasks of the stack that are run by the clock, with the image of one of the services; none by default.
        traffic_roles: the roles by which ECS shifts requests of these services (``FargateWebService.traffic_role``);
            none by default.
        stacks_read: names of stacks whose outputs the template reads with ``Fn::GetStackOutput``; none by default.

    Attributes:
        role: the role; only CloudFormation can assume it.

    Raises:
        ValueError: no service, or a wrong name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        services: Sequence[ecs.FargateService],
        schedules: Sequence[ReleasedSchedule] = (),
        traffic_roles: Sequence[iam.IRole] = (),
        stacks_read: Sequence[str] = (),
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        if not services:
            raise invalid("services", services, "at least one service", "pass the services of this stack")
        super().__init__(scope, id)
        arns = arns_of(scope)
        ours = f"{Aws.STACK_NAME}-"
        released = [_released(service, ours) for service in services]
        # A managed policy takes what the inline one has no room for. One of its own, so it is attached before the role
        # is used, and nobody else's is changed.
        policy = iam.ManagedPolicy(
            self,
            "Services",
            description="Releases: may update the services of one stack (lesson Q5)",
            document=iam.PolicyDocument.from_json(
                service_permissions(arns, released, [role.role_arn for role in traffic_roles])
            ),
        )
        scheduled = [
            iam.ManagedPolicy(
                self,
                f"Schedules{start or ''}",
                description="Releases: may update the scheduled tasks of one stack (lesson Q5)",
                document=iam.PolicyDocument.from_json(
                    schedule_permissions(arns, schedules[start : start + _SCHEDULES_A_POLICY])
                ),
            )
            for start in range(0, len(schedules), _SCHEDULES_A_POLICY)
        ]
        self.role = iam.Role(
            self,
            "Resource",
            role_name=release_role_name(application, environment),
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            description="Releases: may change task definitions and services of one stack (lesson Q5)",
            managed_policies=[policy, *scheduled],
            inline_policies={
                "Release": iam.PolicyDocument.from_json(
                    release_role_permissions(
                        arns,
                        application=application,
                        environment=environment,
                        services=released,
                        stacks_read=stacks_read,
                    )
                )
            },
        )


def _released(service: ecs.FargateService, ours: str) -> ReleasedService:
    task = service.task_definition
    family = task.family
    execution_role = task.execution_role
    roles = [task.task_role.role_arn, *([execution_role.role_arn] if execution_role else [])]
    return ReleasedService(
        arn=service.service_arn,
        cluster=service.cluster.cluster_name,
        families=f"{ours}*" if family.startswith(ours) else family,
        roles=tuple(roles),
    )
