"""Where alarms go, and where what AWS tells is kept."""

from __future__ import annotations

from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.naming import evidence_log_name, stack_name
from constructs_lib.observability.evidence.event_messages import EventMessages
from constructs_lib.observability.evidence.evidence_log import EvidenceLog
from constructs_lib.observability.notification.forwarded_events import ForwardedEvents
from constructs_lib.observability.notification.targets import EventBusTarget
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.observability.runbooks import Runbooks
from stacks.alarms import watch
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class ObservabilityStack(EnvironmentStack):
    """The topics that the alarms of one environment are sent to, the log of its events, and messages about them.

    It is deployed before the first service: what ECS tells of a first deployment is kept too. So it knows the
    environment's clusters, repositories and projects by what their names begin with.
    """

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config, description="topics of alarms, and the log of events")
        told = [target for target in config.notify if not isinstance(target, EventBusTarget)]
        self.topics = NotificationTopics(self, "Topics", targets=told)
        names = (config.application, config.name)
        self.evidence = EvidenceLog(
            self,
            "Evidence",
            name=evidence_log_name(*names),
            clusters=[f"{stack_name(*names, 'services')}-*"],
            repositories=["/".join((*names, "*"))],
            build_projects=["--".join((*names, "*"))],
            resource_policy=config.log_resource_policy,
        )
        self.messages = EventMessages(
            self,
            "Messages",
            application=config.application,
            environment=config.name,
            topics=self.topics,
            clusters=[f"{stack_name(*names, 'services')}-*"],
            build_projects=["--".join((*names, "*"))],
            components=[service.name for service in config.services],
            evidence_log=evidence_log_name(*names),
            runbooks=Runbooks(base=config.runbooks),
        )
        self.alarms = (*self.evidence.alarms, *self.messages.alarms, *self._forwarded(config))
        watch(self, config, self.alarms, self.topics)

    def _forwarded(self, config: EnvironmentConfig) -> tuple[AlarmSpec, ...]:
        """Event buses are told by EventBridge itself, not by a topic."""
        buses = [target for target in config.notify if isinstance(target, EventBusTarget)]
        if not buses:
            return ()
        names = (config.application, config.name)
        return ForwardedEvents(
            self,
            "Forwarded",
            application=config.application,
            environment=config.name,
            buses=buses,
            clusters=[f"{stack_name(*names, 'services')}-*"],
            repositories=["/".join((*names, "*"))],
        ).alarms
