"""A log delivery as ECS takes it: a driver, and the log group that it writes to."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy, Size
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.log_retention import RETENTION_DAYS
from constructs_lib.services.task.log_delivery import LogDelivery

_DEFAULT_DELIVERY = LogDelivery()


def retained_log_group(scope: Construct, container: str, delivery: LogDelivery = _DEFAULT_DELIVERY) -> logs.LogGroup:
    """The log group of one container (lesson W2). It outlives the stack, unless that could not even be made.

    Args:
        scope: where it is made.
        container: the container's name, unique in the scope.
        delivery: retention and key.
    """
    group = logs.LogGroup(
        scope,
        f"{container}Logs",
        retention=logs.RetentionDays[RETENTION_DAYS[delivery.retention_days]],
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    if delivery.kms_key_arn is not None:
        # An imported key would be one construct more for each container, and gives the log group nothing but this.
        cast("logs.CfnLogGroup", group.node.default_child).kms_key_id = delivery.kms_key_arn
    return group


def log_driver(container: str, log_group: logs.ILogGroup, delivery: LogDelivery = _DEFAULT_DELIVERY) -> ecs.LogDriver:
    """A non-blocking driver, for ``add_container(…, logging=…)`` of any task (lesson W2).

    The task definition refers to the log group, so CloudFormation makes it first. On Fargate a task does not start
    without its log group, in either mode (https://github.com/moby/moby/issues/45999).

    Args:
        container: the container's name; also the prefix of its log streams.
        log_group: where it writes to, such as a :func:`retained_log_group`.
        delivery: the buffer.
    """
    return ecs.LogDrivers.aws_logs(
        stream_prefix=container,
        log_group=log_group,
        mode=ecs.AwsLogDriverMode.NON_BLOCKING,
        max_buffer_size=Size.mebibytes(delivery.buffer_mib),
    )
