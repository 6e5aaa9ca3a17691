"""What all stacks of an environment have in common."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from constructs_lib.naming import stack_name
from stacks.config import EnvironmentConfig


class EnvironmentStack(Stack):
    """A stack that knows its availability zones, so that CDK looks nothing up and needs no credentials to synthesize.

    Its CloudFormation name is a pure function of application, environment and its id, so several applications can share
    an account. It stands in the environment's region, unless another one is named.
    """

    def __init__(
        self, scope: Construct, id: str, *, config: EnvironmentConfig, description: str, region: str | None = None
    ) -> None:
        self._zones = list(config.availability_zones)
        super().__init__(
            scope,
            id,
            env=Environment(account=config.account, region=region) if region else None,
            stack_name=stack_name(config.application, config.name, id),
            description=f"{config.application}, {config.name}: {description}",
        )

    @property
    def availability_zones(self) -> list[str]:
        """The environment's zones, by name."""
        return self._zones
