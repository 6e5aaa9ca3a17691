"""A Python function with its log group and its role, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.iam_policy import PolicyDocument
from constructs_lib.runtime_code import runtime_code


class PythonFunction(NamedTuple):
    """What was made (lesson Q5)."""

    function: lambda_.Function
    role: iam.Role


def python_function(
    scope: Construct,
    *,
    folder: Path,
    handler: str,
    description: str,
    environment: Mapping[str, str],
    permissions: Callable[[str], PolicyDocument],
    may: str,
    schedule: str | None = None,
    memory_mib: int = 256,
    timeout_minutes: int = 5,
) -> PythonFunction:
    """Makes the function in ``scope`` itself, where there can be one only.

    Args:
        scope: the construct that it belongs to.
        folder: where its package ``runtime`` is.
        handler: such as ``runtime.gap_handler.main``.
        description: what it does, for whoever finds it in the console.
        environment: its settings; no secrets.
        permissions: what it may do, given the ARN of its log group.
        may: the same in words, for whoever finds the role.
        schedule: when EventBridge calls it, such as ``rate(1 hour)``; ``None``, the default: somebody else does.
        memory_mib: 256 by default, which also decides its share of a CPU.
        timeout_minutes: 5 by default.
    """
    log_group = logs.LogGroup(
        scope, "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
    )
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=may,
        inline_policies={"Allowed": iam.PolicyDocument.from_json(permissions(log_group.log_group_arn))},
    )
    function = lambda_.Function(
        scope,
        "Resource",
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        code=runtime_code(folder),
        handler=handler,
        memory_size=memory_mib,
        timeout=Duration.minutes(timeout_minutes),
        environment=dict(environment),
        role=role,
        log_group=log_group,
    )
    if schedule is not None:
        _call(scope, function.function_arn, schedule, description)
    return PythonFunction(function, role)


def _call(scope: Construct, function_arn: str, schedule: str, description: str) -> None:
    rule = events.CfnRule(
        scope,
        "Schedule",
        description=description,
        schedule_expression=schedule,
        targets=[events.CfnRule.TargetProperty(id="function", arn=function_arn)],
    )
    lambda_.CfnPermission(
        scope,
        "MayCall",
        action="lambda:InvokeFunction",
        function_name=function_arn,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
