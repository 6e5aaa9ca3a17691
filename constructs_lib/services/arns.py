"""ARNs in the account and region of a stack."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import ArnFormat, Stack
from constructs import Construct


def arns_of(scope: Construct) -> Callable[[str, str], str]:
    """Gives the ARN of a service's resource where ``scope`` is, perhaps with Tokens; CDK is asked for one only."""
    one = Stack.of(scope).format_arn(service="service", resource="resource", arn_format=ArnFormat.NO_RESOURCE_NAME)
    start, rest = one.split(":service:")
    place = rest.removesuffix("resource")
    return lambda service, resource: f"{start}:{service}:{place}{resource}"
