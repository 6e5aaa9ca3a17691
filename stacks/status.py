"""The status page, and what feeds it."""

from __future__ import annotations

from constructs import Construct

from constructs_lib.observability.notification.targets import EmailTarget, HttpsTarget
from constructs_lib.observability.notification.topics import NotificationTopics, Topics
from constructs_lib.observability.status_page.status_page import StatusPage
from constructs_lib.observability.status_page.status_source import StatusSource
from stacks.alarms import watch
from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig
from stacks.status_config import StatusPageConfig


class StatusStack(EnvironmentStack):
    """The page, perhaps in another region than the environment. It refers to nothing that serves visitors."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, status: StatusPageConfig, topics: Topics
    ) -> None:
        region = status.region if status.region != config.region else None
        super().__init__(scope, id, config=config, description="status page", region=region)
        self.page = StatusPage(
            self,
            "Page",
            application=config.application,
            environment=config.name,
            page=status.page,
            source_region=config.region,
        )
        told = self._topics(config) if region else topics
        if told is not None:
            watch(self, config, self.page.alarms, told)

    def _topics(self, config: EnvironmentConfig) -> Topics | None:
        """An alarm is sent to topics of its own region only. A channel of a chat is configured once, with those of the
        environment's region, so it is not told of these notices."""
        targets = [target for target in config.notify if isinstance(target, EmailTarget | HttpsTarget)]
        return NotificationTopics(self, "Topics", targets=targets) if targets else None


class StatusSourceStack(EnvironmentStack):
    """What the environment's region sends to the page."""

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, status: StatusPageConfig, topics: Topics
    ) -> None:
        super().__init__(scope, id, config=config, description="events for the status page")
        source = StatusSource(
            self,
            "Source",
            application=config.application,
            environment=config.name,
            page_region=status.region,
        )
        watch(self, config, source.alarms, topics)
