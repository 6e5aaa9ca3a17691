"""All rules, as one table."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Rule
from constructs_lib.guardrails.rules import (
    configuration,
    docker_hub,
    failover,
    health_checks,
    images,
    logs,
    missing_images,
    ports,
    pushing,
    repositories,
    scaling,
    task_events,
    timeouts,
    traffic_alarms,
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *ports.RULES,
    *logs.RULES,
    *traffic_alarms.RULES,
    *task_events.RULES,
    *scaling.RULES,
    *configuration.RULES,
    *timeouts.RULES,
    *failover.RULES,
    *health_checks.RULES,
    *pushing.RULES,
    *repositories.RULES,
    *images.RULES,
    *missing_images.RULES,
    *docker_hub.RULES,
)
"""In the order of the lessons."""
