"""What a session of ECS Exec needs in a task: room to write, the way to it, and a record (lesson T4)."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import CfnResource
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib.checks import invalid
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command import SESSION_PATHS, ExecuteCommand


def writable_for_sessions(settings: ContainerSettings) -> ContainerSettings:
    """The same settings, with the directories that the agent of a session writes to."""
    there = {path.path for path in settings.writable_paths}
    more = [path for path in SESSION_PATHS if path.path not in there]
    return replace(settings, writable_paths=(*settings.writable_paths, *more))


def allow_sessions(task: ecs.TaskDefinition, command: ExecuteCommand) -> None:
    """Lets the task role open the channels of a session.

    On ``*`` are four actions of ``ssmmessages``, which take no resource
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmessagegatewayservice.html), and
    ``logs:DescribeLogGroups``, which the agent asks of all groups
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec-logging.html).
    """
    task.add_to_task_role_policy(
        iam.PolicyStatement(
            actions=[
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
                "logs:DescribeLogGroups",
            ],
            resources=["*"],
        )
    )
    resource = task.node.default_child
    assert isinstance(resource, CfnResource)
    resource.add_metadata("Moorings::ExecuteCommand", command.reason)


def record_sessions(task: ecs.TaskDefinition, group: logs.ILogGroup) -> None:
    """Lets the task role write sessions to a log group: the agent writes with it, and not with the execution role."""
    task.add_to_task_role_policy(_writing(group.log_group_arn))


def enable_sessions(service: ecs.FargateService, cluster: ecs.ICluster) -> None:
    """Turns ECS Exec on for a service whose task definition was made with an ``ExecuteCommand``.

    Not CDK's ``enable_execute_command``: that lets the task write to every log group of the account. Of a cluster that
    is imported CDK knows nothing; where it records elsewhere than in the containers' groups, grant that too
    (:func:`record_sessions`).

    Raises:
        ValueError: the cluster does not record sessions, or records them in S3 only.
    """
    task = service.task_definition
    configured = cluster.execute_command_configuration
    if configured is not None:
        if configured.logging == ecs.ExecuteCommandLogging.NONE:
            raise _not_recorded("NONE")
        if configured.logging == ecs.ExecuteCommandLogging.OVERRIDE:
            kept = configured.log_configuration
            if kept is None or kept.cloud_watch_log_group is None:
                raise _not_recorded("OVERRIDE without a CloudWatch log group")
            group = kept.cloud_watch_log_group
            task.add_to_task_role_policy(_writing(group.log_group_ref.log_group_arn))
        if configured.kms_key is not None:
            configured.kms_key.grant_decrypt(task.task_role)
    resource = service.node.default_child
    assert isinstance(resource, ecs.CfnService)
    resource.enable_execute_command = True


def _writing(log_group_arn: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], resources=[log_group_arn]
    )


def _not_recorded(how: str) -> ValueError:
    return invalid(
        "the cluster's execute_command_configuration",
        how,
        "one that records sessions in CloudWatch Logs",
        "a shell in production must leave a record; leave it out, or override it with a log group",
    )
