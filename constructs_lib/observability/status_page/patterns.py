"""Which events go to a status page. Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.naming import alarm_name
from constructs_lib.observability.status_page.policy import FELT

SECONDS_OF_USE: Final = 900
"""How long delivery of an event is tried. After that the minute's reading has told the same many times over."""

RETRIES: Final = 20


def state_changes(application: str, environment: str) -> dict[str, object]:
    """Changes of the composite alarms of all components of an environment, and of no other alarm.

    A component's name has no ``/``, so the wildcard reaches no other environment
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
    """
    any_component = [alarm_name(application, environment, "any", felt).replace("/any/", "/*/") for felt in FELT]
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"wildcard": one} for one in any_component]},
    }
