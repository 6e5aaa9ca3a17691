"""Where alarms go."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.observability.alarm_topic import AlarmTopic
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class ObservabilityStack(EnvironmentStack):
    """The topic that the alarms of one environment are sent to."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config, description="alarm topic")
        self.topic: sns.ITopic = AlarmTopic(self, "Alarms", email=config.alarm_email).topic
