"""What brings configurations to tasks."""

from __future__ import annotations

from constructs import Construct

from stacks.base import EnvironmentStack
from stacks.config import EnvironmentConfig


class ConfigurationRolloutsStack(EnvironmentStack):
    """The contents of configurations and their deployments.

    CloudFormation may be busy with it for as long as a deployment takes. The services' stack is not, so an image can be
    released or rolled back in the meantime (lesson W4).
    """

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, config=config, description="contents of configurations and their deployments")
