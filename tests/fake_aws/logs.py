"""CloudWatch Logs, as far as events of one group are read: in pages, the oldest first, some of them empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.fake_aws.core import Fault, Params, page


class FakeLogs:
    """Log groups by name.

    Attributes:
        groups: the texts of each group with their times in milliseconds; a test may put anything there.
        size: events of a page.
    """

    name = "logs"

    def __init__(self, *groups: str) -> None:
        self.groups: dict[str, list[tuple[int, str]]] = {group: [] for group in groups}
        self.size = 2

    def keep(self, group: str, event: Mapping[str, Any]) -> None:
        """Keeps an event at its own time."""
        at = datetime.fromisoformat(event["time"])
        self.groups[group].append((int(at.timestamp() * 1000), json.dumps(event)))

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        assert operation == "FilterLogEvents", operation
        group = self.groups.get(params["logGroupName"])
        if group is None:
            raise Fault("ResourceNotFoundException", "The specified log group does not exist.")
        wanted = [(at, text) for at, text in sorted(group) if at >= params["startTime"]]
        found, rest = page(wanted, params, size=self.size)
        return {"events": [{"timestamp": at, "message": text} for at, text in found], **rest}
