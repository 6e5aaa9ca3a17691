"""What a release may do, as plain data: the button's role, and the narrow one that CloudFormation uses for it.

Standard library only. Some actions take no resource, or none that is known before; each says why where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.delivery.permissions import CodeObject, read_code, upstream_reading
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.iam_policy import Arns, PolicyDocument, Statement, allow, document, write_log
from constructs_lib.naming import (
    delivery_settings_name,
    freeze_parameter_name,
    release_parameter_name,
    release_path,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedService:
    """What a release changes of one service (lesson Q5).

    Args:
        arn: the ECS service.
        cluster: the name of its cluster.
        families: its task definitions' family, with ``*`` in it when that names the families of a whole stack.
        roles: ARNs of the roles that its tasks have: the task role and the execution role.
    """

    arn: str
    cluster: str
    families: str
    roles: tuple[str, ...]


def button_permissions(
    arns: Arns, settings: DeliverySettings, *, log_group_arn: str, code: CodeObject
) -> PolicyDocument:
    """What the release button of one service may do (lessons Q5, W4)."""
    upstream = settings.upstream
    return document(
        *_stack(arns, settings),
        *_service(arns, settings),
        *_parameters(arns, settings),
        *_before_release(arns, settings),
        # A pin is the manifest of an image that is there, put again with another tag. No layer can be uploaded, so no
        # image can be brought in. The configuration blob tells the platform.
        allow(
            [arns.repository(settings.repository)],
            "ecr:BatchGetImage",
            "ecr:DescribeImageScanFindings",
            "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
            "ecr:PutImage",
        ),
        *(
            upstream_reading(arns.partition, settings.application, settings.service, upstream, layers=False)
            if upstream
            else ()
        ),
        write_log(log_group_arn),
        *read_code(code),
    )


def release_role_permissions(
    arns: Arns,
    *,
    application: str,
    environment: str,
    services: Sequence[ReleasedService],
    stacks_read: Sequence[str],
) -> PolicyDocument:
    """What CloudFormation may do in a release beside :func:`service_permissions`, and nothing that it needs not (Q5).

    It follows the permissions that the schemas of the resource types name
    (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html), for what a release
    changes: the task definition, the service, and in the first release its scalable target with its schedules, and its
    alarms. ``cloudwatch:PutMetricAlarm``, which the schema of a scalable target names, is left out for the alarms of
    target tracking: they are its policies', which a release leaves alone. It cannot write a parameter, a role or a
    policy, and makes and deletes no resource of the stack but task definitions.

    Lists, not statements for each service, and two policies: an inline one takes 10,240 characters, a managed one 6,144
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
    """
    roles = list(dict.fromkeys(role for service in services for role in service.roles))
    families = dict.fromkeys(arns.of("ecs", f"task-definition/{service.families}:*") for service in services)
    alarms = arns.of("cloudwatch", f"alarm:{application}/{environment}/*")
    targets = arns.of("application-autoscaling", "scalable-target/*")
    return document(
        # A definition with tags is registered by who may tag
        # (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html).
        allow(list(families), "ecs:ListTagsForResource", "ecs:RegisterTaskDefinition", "ecs:TagResource"),
        # Neither takes a resource. Deregistering a definition stops no task.
        allow(["*"], "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"),
        allow(roles, "iam:PassRole", condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
        allow(roles, "iam:GetRole"),
        # A target's ARN has an id that AWS makes; so only desired counts of ECS services, of this account and region.
        # The limits of a schedule (ScheduledCapacity) are zero until the first release, as the target's own are.
        allow(
            [targets],
            "application-autoscaling:DeleteScheduledAction",
            "application-autoscaling:ListTagsForResource",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:TagResource",
            condition={
                "StringEqualsIfExists": {
                    "application-autoscaling:service-namespace": "ecs",
                    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
                }
            },
        ),
        # These take no resource. CloudFormation reads the scheduled actions when it updates a target
        # (https://github.com/stelligent/mu/issues/259).
        allow(
            ["*"],
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScheduledActions",
        ),
        allow([alarms], "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"),
        _read_alarms(arns),
        # The digests, and the version of CDK's bootstrap, which every template of CDK asks for.
        allow(
            [
                arns.parameter(f"/moorings/{application}/{environment}/*/digest"),
                arns.parameter("/cdk-bootstrap/*/version"),
            ],
            "ssm:GetParameters",
        ),
        # Fn::GetStackOutput reads with this role
        # (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html).
        *(
            [allow([_stack_arn(arns, name) for name in stacks_read], "cloudformation:DescribeStacks")]
            if stacks_read
            else ()
        ),
    )


def service_permissions(
    arns: Arns, services: Sequence[ReleasedService], traffic_roles: Sequence[str] = ()
) -> PolicyDocument:
    """What CloudFormation may do to the services themselves in a release; it stops a deployment to go back.

    It passes ``traffic_roles`` to ECS, which shifts requests with them: they stand in the services' load balancers. The
    resource type's schema names the right for a new service only, and nothing says that an update never asks for it.
    """
    clusters = dict.fromkeys(service.cluster for service in services)
    deployments = [arns.of("ecs", f"service-deployment/{cluster}/*") for cluster in clusters]
    return document(
        allow(
            [service.arn for service in services],
            "ecs:DescribeServiceDeployments",
            "ecs:DescribeServices",
            "ecs:ListServiceDeployments",
            "ecs:ListTagsForResource",
            "ecs:UpdateService",
        ),
        allow(deployments, "ecs:DescribeServiceDeployments", "ecs:StopServiceDeployment"),
        *(
            [
                allow(
                    list(traffic_roles),
                    "iam:PassRole",
                    condition={"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}},
                )
            ]
            if traffic_roles
            else []
        ),
    )


def _stack(arns: Arns, settings: DeliverySettings) -> list[Statement]:
    """The update of one stack, with one role and no other. CancelUpdateStack takes no role."""
    stack = _stack_arn(arns, settings.stack)
    return [
        allow(
            [stack],
            "cloudformation:CancelUpdateStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
        ),
        allow(
            [stack], "cloudformation:UpdateStack", condition={"StringEquals": {"cloudformation:RoleArn": settings.role}}
        ),
        allow(
            [settings.role],
            "iam:PassRole",
            condition={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
    ]


def _service(arns: Arns, settings: DeliverySettings) -> list[Statement]:
    """To watch one service, and to replace its tasks."""
    service = arns.of("ecs", f"service/{settings.cluster}/{settings.ecs_service}")
    in_cluster = {"ArnEquals": {"ecs:cluster": arns.of("ecs", f"cluster/{settings.cluster}")}}
    return [
        allow([service], "ecs:DescribeServices", "ecs:UpdateService"),
        # A task's ARN has its cluster and no service, and a listing by cluster is authorized on *, whatever the
        # reference says. The condition holds both to the cluster.
        allow([arns.of("ecs", "task/*")], "ecs:DescribeTasks", condition=in_cluster),
        allow(["*"], "ecs:ListTasks", condition=in_cluster),
        # Neither takes a resource. A worker has no targets.
        allow(
            ["*"],
            "ecs:DescribeTaskDefinition",
            *(["elasticloadbalancing:DescribeTargetHealth"] if settings.target_group else []),
        ),
        _read_alarms(arns),
    ]


def _before_release(arns: Arns, settings: DeliverySettings) -> list[Statement]:
    """To run one task definition's copies in one cluster, with its two roles; nothing when the service has none.

    Whoever may register a definition of a family with a role may run any image with that role. So this role can do what
    the task can, such as change the database. And it can deregister any definition, for that takes no resource: no task
    is stopped, but nothing new starts from a definition that is gone.
    """
    wanted = settings.before_release
    if wanted is None:
        return []
    family = arns.of("ecs", f"task-definition/{wanted.family}:*")
    in_cluster = {"ArnEquals": {"ecs:cluster": arns.of("ecs", f"cluster/{settings.cluster}")}}
    return [
        allow([family], "ecs:RegisterTaskDefinition"),
        allow(["*"], "ecs:DeregisterTaskDefinition"),  # it takes no resource
        allow([family], "ecs:RunTask", condition=in_cluster),
        allow([arns.of("ecs", "task/*")], "ecs:StopTask", condition=in_cluster),
        allow(
            list(wanted.roles),
            "iam:PassRole",
            condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ]


def _parameters(arns: Arns, settings: DeliverySettings) -> list[Statement]:
    """The ledger and digest of one service, its settings, whether the environment is frozen, and others' digests.

    An update of the stack brings what the parameters of all its services say, so all are compared before it.
    """
    place = (settings.application, settings.environment, settings.service)
    digest = arns.parameter(release_parameter_name(*place))
    ledger = arns.parameter(release_path(*place))
    read = [
        arns.parameter(delivery_settings_name(*place)),
        arns.parameter(freeze_parameter_name(settings.application, settings.environment)),
        digest,
    ]
    return [
        allow(read, "ssm:GetParameter", "ssm:GetParameters"),
        allow(
            [arns.parameter(f"/moorings/{settings.application}/{settings.environment}/*/digest")], "ssm:GetParameters"
        ),
        allow([digest], "ssm:PutParameter"),
        allow([ledger], "ssm:GetParametersByPath"),
        allow(
            [f"{ledger}/*"],
            "ssm:DeleteParameters",
            "ssm:GetParameter",
            "ssm:PutParameter",
        ),
    ]


def _read_alarms(arns: Arns) -> Statement:
    """A description of alarms is authorized against all of them, even when it names some."""
    return allow([arns.of("cloudwatch", "alarm:*")], "cloudwatch:DescribeAlarms")


def _stack_arn(arns: Arns, name: str) -> str:
    """A stack's ARN ends with an id that AWS makes."""
    return arns.of("cloudformation", f"stack/{name}/*")
