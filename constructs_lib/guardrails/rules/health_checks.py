"""T4: a target group's health checks are quick, but not nervous."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.load_balancing import TARGET_GROUP, checks_by_http, first_fault, seconds
from constructs_lib.guardrails.templates.node import Node

QUICKEST: Final = 10.0
SLOWEST: Final = 60.0
SHORTEST_WAIT: Final = 2.0

_INTERVAL: Final = 30.0
_FAILURES: Final = 2.0
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html"""


def nervous_or_sleepy(target_group: Node) -> Fault | None:
    """T4f."""
    if not checks_by_http(target_group):
        return None
    return first_fault(lambda: _time_to_unhealthy(target_group), lambda: _impatient(target_group))


def _time_to_unhealthy(target_group: Node) -> Fault | None:
    node = target_group.get("Properties", "HealthCheckIntervalSeconds")
    interval = seconds(node, _INTERVAL).seconds
    failures = target_group.get("Properties", "UnhealthyThresholdCount").number()
    count = _FAILURES if failures is None else failures
    time = interval * count
    if QUICKEST <= time <= SLOWEST:
        return None
    after = f"after {count:g} failed checks {interval:g} s apart"
    if time < QUICKEST:
        return Fault(node, f"a target is given up in {time:g} s, {after}, which a short pause can cause")
    return Fault(node, f"a dead target gets requests for {time:g} s, {after}")


def _impatient(target_group: Node) -> Fault | None:
    timeout = target_group.get("Properties", "HealthCheckTimeoutSeconds")
    wait = timeout.number()
    if wait is None or wait >= SHORTEST_WAIT:
        return None
    return Fault(timeout, f"a health check waits {wait:g} s only")


RULES: Final = (
    Rule(
        id="MOOR-T4f",
        severity="warning",
        types=(TARGET_GROUP,),
        title="a dead target is found in 10 to 60 s",
        why=(
            "Twilio, February 2021: fail-over took too long; a check that is too quick is no better, for it takes out"
            " healthy targets that are only busy."
        ),
        fix=(
            "Set HealthCheckIntervalSeconds x UnhealthyThresholdCount between 10 and 60, such as 10 x 3, and"
            " HealthCheckTimeoutSeconds to 2 or more."
        ),
        judge=nervous_or_sleepy,
    ),
)
