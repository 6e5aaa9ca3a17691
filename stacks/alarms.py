"""The alarms of an environment, each with the link to its runbook."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import Topics
from constructs_lib.observability.runbooks import Runbooks
from stacks.config import EnvironmentConfig


def watch(
    scope: Construct, config: EnvironmentConfig, specs: Sequence[AlarmSpec], topics: Topics, *, id: str = "Alarms"
) -> Alarms:
    """The alarms of one stack."""
    return Alarms(
        scope,
        id,
        application=config.application,
        environment=config.name,
        specs=specs,
        topics=topics,
        runbooks=Runbooks(base=config.runbooks),
    )
