"""One environment: its stacks, and what each needs of the others."""

from __future__ import annotations

from aws_cdk import Environment, Stage
from constructs import Construct

from constructs_lib.network.policy import NetworkPolicy
from stacks.config import EnvironmentConfig
from stacks.configuration_rollouts import ConfigurationRolloutsStack
from stacks.delivery import DeliveryStack
from stacks.images import ImagesStack
from stacks.landscape import Neighbours
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.release import ReleaseStack
from stacks.retention import RetentionStack
from stacks.services import ServicesStack
from stacks.status import StatusSourceStack, StatusStack


class EnvironmentStage(Stage):
    """Everything that one environment is made of; no other environment can reach into it.

    Deploy one with ``cdk deploy 'staging/*'``. What must last longest is deployed first, and in stacks of its own, so
    that mending or deleting a service never touches its images.
    """

    def __init__(self, scope: Construct, config: EnvironmentConfig, neighbours: Neighbours) -> None:
        super().__init__(scope, config.name, env=Environment(account=config.account, region=config.region))
        self.images = ImagesStack(self, "images", config=config)
        self.delivery = DeliveryStack(
            self, "delivery", config=config, neighbours=neighbours, repositories=self.images.by_name
        )
        self.observability = ObservabilityStack(self, "observability", config=config)
        self.retention = RetentionStack(
            self,
            "retention",
            config=config,
            neighbours=neighbours,
            repositories=self.images.by_name,
            topics=self.observability.topics,
        )
        network = config.network
        self.network = (
            NetworkStack(self, "network", config=config, policy=network, topics=self.observability.topics)
            if isinstance(network, NetworkPolicy)
            else None
        )
        configured = any(service.configuration is not None for service in config.services)
        self.configuration = ConfigurationRolloutsStack(self, "configuration", config=config) if configured else None
        self.services = ServicesStack(
            self,
            "services",
            config=config,
            neighbours=neighbours,
            vpc=self.network.vpc if self.network else None,
            repositories=self.images.by_name,
            topics=self.observability.topics,
            rollouts=self.configuration,
            elsewhere=[
                *(self.network.alarms if self.network else ()),
                *self.retention.alarms,
                *self.observability.alarms,
            ],
        )
        self.release = ReleaseStack(
            self, "release", config=config, settings=self.services.settings, images=self.delivery.images
        )
        self.status, self.status_source = self._status(config)
        owned = (
            *(self.images, self.delivery, self.observability, self.retention),
            *(self.network, self.services, self.configuration, self.release),
            *(self.status, self.status_source),
        )
        self.stacks = tuple(stack for stack in owned if stack is not None)
        # Names are no references, so the order must be said: a build, a guard and a service need their repository, and
        # CloudFormation reads the release parameter before it makes anything of the services' stack.
        self.delivery.add_stack_dependency(self.images)
        self.retention.add_stack_dependency(self.delivery)
        self.services.add_stack_dependency(self.delivery)
        self.release.add_stack_dependency(self.services)
        if self.configuration is not None:
            self.configuration.add_stack_dependency(self.services)

    def _status(self, config: EnvironmentConfig) -> tuple[StatusStack | None, StatusSourceStack | None]:
        """The page and its feed. The bus, which a rule names, is there first; nothing of the services is needed."""
        status, topics = config.status_page, self.observability.topics
        if status is None:
            return None, None
        page = StatusStack(self, "status", config=config, status=status, topics=topics)
        source = StatusSourceStack(self, "status-source", config=config, status=status, topics=topics)
        source.add_stack_dependency(page)
        return page, source
