"""T2: a configuration that is wrong reaches some tasks first, and an alarm takes it back."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import referring

ENVIRONMENT: Final = "AWS::AppConfig::Environment"
DEPLOYMENT: Final = "AWS::AppConfig::Deployment"
STRATEGY: Final = "AWS::AppConfig::DeploymentStrategy"

_OF_AWS: Final = "AppConfig."
"""AWS's own strategies; each watches the alarms for a minute or more, AllAtOnce for ten.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-deployment-strategy-predefined.html
"""


def unguarded_rollout(resource: Node) -> Fault | None:
    """T2c."""
    return _unwatched(resource) if resource.resource.type == ENVIRONMENT else _at_once(resource)


def _unwatched(environment: Node) -> Fault | None:
    """An environment to which nothing here deploys is not judged: who deploys to it may not watch alarms at all."""
    world = environment.world
    if not any(map(world.exists, referring(world.assembly, environment.resource, DEPLOYMENT))):
        return None
    monitors = environment.get("Properties", "Monitors")
    if any(monitor.get("AlarmArn").given for monitor in monitors.items()):
        return None
    return Fault(monitors, "no alarm takes back what is deployed to this AppConfig environment")


def _at_once(deployment: Node) -> Fault | None:
    """Everybody has the new configuration before an alarm could say anything, and then nobody listens.

    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-deployment-strategy.html . No AWS page
    names the API's default of the bake time; CDK's own is 0, and nobody waits for a time that nobody asked for.
    """
    strategy = deployment.get("Properties", "DeploymentStrategyId")
    found = strategy.target()
    if found is None or found.type != STRATEGY:
        if not strategy.given or (strategy.shape() or "").startswith(_OF_AWS):
            return None
        raise NotKnown(strategy, "its deployment strategy is not in these templates")
    properties = Node.of(deployment.world, found).get("Properties")
    if not _is_whole(properties) or (properties.get("FinalBakeTimeInMinutes").number() or 0) > 0:
        return None
    return Fault(strategy, f"strategy {found.logical_id!r} deploys to all at once and watches no alarm after that")


def _is_whole(strategy: Node) -> bool:
    """Whether the first step is the last."""
    growth = strategy.get("GrowthFactor")
    try:
        if (growth.number() or 0) >= 100:
            return True
    except NotKnown:
        if strategy.get("DeploymentDurationInMinutes").number() == 0:
            return True
        raise
    return strategy.get("DeploymentDurationInMinutes").number() == 0


RULES: Final = (
    Rule(
        id="MOOR-T2c",
        severity="warning",
        types=(ENVIRONMENT, DEPLOYMENT),
        title="an alarm takes back a configuration that is wrong, before or soon after all tasks have it",
        why="Twilio, February 2021: many products depended on one inner service at once; a configuration that reaches"
        " all tasks at once is such a dependency.",
        fix="Give the AWS::AppConfig::Environment Monitors with an AlarmArn and an AlarmRoleArn, and its"
        " AWS::AppConfig::DeploymentStrategy several steps or a FinalBakeTimeInMinutes above 0.",
        judge=unguarded_rollout,
    ),
)
