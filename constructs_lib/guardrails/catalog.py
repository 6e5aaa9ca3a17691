"""All rules, as one table."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Rule
from constructs_lib.guardrails.rules import (
    configuration,
    configuration_rollout,
    docker_hub,
    failover,
    health_checks,
    images,
    kernel_settings,
    logs,
    missing_images,
    ports,
    pushing,
    refused_connections,
    repositories,
    scaling,
    service_connect,
    task_events,
    timeouts,
    traffic_alarms,
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *ports.RULES,
    *refused_connections.RULES,
    *kernel_settings.RULES,
    *logs.RULES,
    *(rule for rule in service_connect.RULES if rule.lesson == "W2"),
    *traffic_alarms.RULES,
    *task_events.RULES,
    *scaling.RULES,
    *configuration.RULES,
    *configuration_rollout.RULES,
    *timeouts.RULES,
    *(rule for rule in service_connect.RULES if rule.lesson == "T3"),
    *failover.RULES,
    *health_checks.RULES,
    *pushing.RULES,
    *repositories.RULES,
    *images.RULES,
    *missing_images.RULES,
    *docker_hub.RULES,
)
"""In the order of the lessons."""
