"""A Python function that a schedule calls: its log group, role, schedule and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.iam_policy import PolicyDocument
from constructs_lib.python_function import PythonFunction, python_function


def scheduled_function(
    scope: Construct,
    *,
    folder: Path,
    handler: str,
    description: str,
    schedule: str,
    environment: Mapping[str, str],
    permissions: Callable[[str], PolicyDocument],
    may: str,
    memory_mib: int = 256,
    timeout_minutes: int = 5,
) -> PythonFunction:
    """Makes the function in ``scope`` itself, where there can be one only.

    Args:
        scope: the construct that it belongs to.
        folder: where its package ``runtime`` is.
        handler: such as ``runtime.gap_handler.main``.
        description: what it does, for whoever finds it in the console.
        schedule: EventBridge's, such as ``rate(1 hour)``.
        environment: its settings; no secrets.
        permissions: what it may do, given the ARN of its log group.
        may: the same in words, for whoever finds the role.
        memory_mib: 256 by default, which also decides its share of a CPU.
        timeout_minutes: 5 by default.
    """
    made = python_function(
        scope,
        folder=folder,
        handler=handler,
        description=description,
        environment=environment,
        permissions=permissions,
        may=may,
        memory_mib=memory_mib,
        timeout_minutes=timeout_minutes,
    )
    arn = made.function.function_arn
    rule = events.CfnRule(
        scope,
        "Schedule",
        description=description,
        schedule_expression=schedule,
        targets=[events.CfnRule.TargetProperty(id="function", arn=arn)],
    )
    lambda_.CfnPermission(
        scope,
        "MayCall",
        action="lambda:InvokeFunction",
        function_name=arn,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    return made
