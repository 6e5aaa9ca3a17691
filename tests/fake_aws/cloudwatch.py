"""CloudWatch, as far as it says which alarms are red."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.fake_aws.core import Fault, Params, page


class FakeCloudWatch:
    """The states of metric alarms, and of composite alarms for who asks for these.

    Attributes:
        alarms: the state of each by name.
        composites: the state of each composite alarm by name, and since when it is in it.
        odd: answers of a composite alarm as they are, in place of those above.
        page: how many composite alarms an answer holds at most.
    """

    name = "cloudwatch"

    def __init__(self) -> None:
        self.alarms: dict[str, str] = {}
        self.composites: dict[str, tuple[str, datetime]] = {}
        self.odd: list[dict[str, Any]] = []
        self.page = 100

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation != "DescribeAlarms":
            raise Fault("AccessDenied", operation, 403)
        if params.get("AlarmTypes") == ["CompositeAlarm"]:
            return self._composites(params)
        named = [name for name in params["AlarmNames"] if name in self.alarms]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": self.alarms[name]} for name in named]}

    def _composites(self, params: Params) -> dict[str, Any]:
        names = params["AlarmNames"]
        if not 1 <= len(names) <= 100:
            raise Fault("ValidationError", f"1 to 100 names, got {len(names)}")
        there = self.odd or [
            {"AlarmName": name, "StateValue": value, "StateTransitionedTimestamp": since.timestamp()}
            for name, (value, since) in self.composites.items()
            if name in names
        ]
        found, rest = page(there, params, size=self.page, token="NextToken")
        return {"CompositeAlarms": found, "MetricAlarms": [], **rest}
