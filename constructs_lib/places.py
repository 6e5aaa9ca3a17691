"""The account and region of a stack, as ARNs need them."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from constructs_lib.iam_policy import Arns


def arns_of(scope: Construct) -> Arns:
    """Makes ARNs in the account and region of the scope's stack; CDK is asked for one only."""
    stack = scope if isinstance(scope, Stack) else Stack.of(scope)
    one = stack.format_arn(service="service", resource="resource", arn_format=ArnFormat.NO_RESOURCE_NAME)
    start, place = one.split(":service:")
    region, account, _ = place.split(":")
    return Arns(partition=start.removeprefix("arn:"), region=region, account=account)
