"""Whether an environment has a status page, what it shows, and where it stands. Pure Python."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from constructs_lib.checks import concrete, invalid
from constructs_lib.observability.status_page.policy import StatusPagePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPageConfig:
    """The status page of an environment (lesson T5).

    Args:
        page: its titles, its components and its address. Each component has the name of a service.
        region: where it stands; ``None``, the default: where the environment does. In another one it stays when the
            environment's is lost; that one must be bootstrapped too (docs/status-page.md).

    Raises:
        ValueError: something else than a ``StatusPagePolicy``, or no region.
    """

    page: StatusPagePolicy
    region: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.page, StatusPagePolicy):
            raise invalid("page", self.page, "a StatusPagePolicy", "say what the page shows")
        if self.region is not None and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", concrete("region", self.region)):
            raise invalid("region", self.region, "an AWS region", "pass one such as 'eu-central-1'")

    def check_services(self, services: Collection[str]) -> None:
        """Refuses a component whose alarms nobody makes: it would be green for ever."""
        for component in self.page.components:
            if component.name not in services:
                allowed = f"one of the services: {', '.join(services)}"
                raise invalid("component", component.name, allowed, "a component is driven by its service's alarms")
