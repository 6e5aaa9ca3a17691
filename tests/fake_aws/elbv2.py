"""Elastic Load Balancing, as far as it says which targets are healthy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fake_aws.core import Fault, Params


class FakeElbv2:
    """Target groups.

    Attributes:
        targets: gives the state of each target of a group, by its ARN.
    """

    name = "elbv2"

    def __init__(self) -> None:
        self.targets: dict[str, Callable[[], list[str]]] = {}

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation != "DescribeTargetHealth":
            raise Fault("AccessDenied", operation, 403)
        arn = params["TargetGroupArn"]
        if arn not in self.targets:
            raise Fault("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"10.0.0.{number}", "Port": 8080}, "TargetHealth": {"State": state}}
                for number, state in enumerate(self.targets[arn](), 1)
            ]
        }
