"""CloudWatch, as far as it says which alarms are red."""

from __future__ import annotations

from typing import Any

from tests.fake_aws.core import Fault, Params


class FakeCloudWatch:
    """The states of metric alarms.

    Attributes:
        alarms: the state of each by name.
    """

    name = "cloudwatch"

    def __init__(self) -> None:
        self.alarms: dict[str, str] = {}

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation != "DescribeAlarms":
            raise Fault("AccessDenied", operation, 403)
        named = [name for name in params["AlarmNames"] if name in self.alarms]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": self.alarms[name]} for name in named]}
