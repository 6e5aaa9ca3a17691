"""T4: what fails is replaced soon, and what is deployed takes nothing down."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import SERVICE, TASK_DEFINITION, TASK_SET, containers, name_of
from constructs_lib.guardrails.rules.load_balancing import LOAD_BALANCER, first_fault
from constructs_lib.guardrails.rules.task_counts import SCALABLE_TARGET, few_tasks
from constructs_lib.guardrails.rules.zones import one_zone
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import referring

_WHY: Final = "Twilio, February 2021: fail-over took too long, and many products waited for it"

_STARTERS: Final = (
    "AWS::Events::Rule",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
    "AWS::Pipes::Pipe",
    "AWS::Lambda::Function",
)
"""What starts a task that ends by itself."""


def no_health_check(container: Node) -> Fault | None:
    """T4a. ECS does not look at the image's own ``HEALTHCHECK``; a task that ends by itself needs none."""
    check = container.get("HealthCheck")
    off = check.given and _is_off(check)
    if (check.given and not off) or _ends_by_itself(container) or container.get("Essential").truth() is False:
        return None
    if off:
        return Fault(check, f"essential {name_of(container)} has its HealthCheck switched off (Command NONE)")
    return Fault(check, f"essential {name_of(container)} has no HealthCheck")


def _is_off(check: Node) -> bool:
    """Whether nothing is run; ECS hands the command on to Docker, for which ``NONE`` means no check.

    https://docs.docker.com/reference/api/engine/ (HealthConfig)
    """
    try:
        first = check.get("Command").items()[:1]
    except NotKnown:
        return False
    return [item.value for item in first] == ["NONE"]


def _ends_by_itself(container: Node) -> bool:
    assembly, task_definition = container.world.assembly, container.resource
    if referring(assembly, task_definition, SERVICE, TASK_SET):
        return False
    return bool(referring(assembly, task_definition, *_STARTERS))


def no_breaker(service: Node) -> Fault | None:
    """T4b."""
    if not _rolls(service):
        return None
    breaker = service.get("Properties", "DeploymentConfiguration", "DeploymentCircuitBreaker")
    if not breaker.given:
        return Fault(breaker, "the service has no deployment circuit breaker")
    return first_fault(
        lambda: _off(breaker.get("Enable"), "the deployment circuit breaker is off"),
        lambda: _off(breaker.get("Rollback"), "the deployment circuit breaker does not roll back"),
    )


def low_healthy_percent(service: Node) -> Fault | None:
    """T4c. A daemon must stop a task before it starts the next; the default of all others is 100.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    percent = service.get("Properties", "DeploymentConfiguration", "MinimumHealthyPercent")
    if not percent.given or not _rolls(service) or service.get("Properties", "SchedulingStrategy").text() == "DAEMON":
        return None
    number = percent.number()
    if number is None or number >= 100:
        return None
    return Fault(percent, f"a deployment may leave {number:g} % of the tasks running")


def _rolls(service: Node) -> bool:
    """Whether ECS itself replaces its tasks one by one, which is what both settings are documented for.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
    """
    properties = service.get("Properties")
    if properties.get("DeploymentController", "Type").text() not in (None, "ECS"):
        return False
    return properties.get("DeploymentConfiguration", "Strategy").text() in (None, "ROLLING")


def _off(switch: Node, what: str) -> Fault | None:
    return None if switch.truth() else Fault(switch, what)


RULES: Final = (
    Rule(
        id="MOOR-T4a",
        severity="warning",
        types=(TASK_DEFINITION,),
        title="every essential container of a service has a health check that ECS looks at",
        why=f"{_WHY}; a container that hangs but does not exit is replaced only when a health check tells.",
        fix="Give each essential container a HealthCheck in the task definition; ECS ignores the image's own.",
        subjects=containers,
        judge=no_health_check,
    ),
    Rule(
        id="MOOR-T4b",
        severity="error",
        types=(SERVICE,),
        title="a deployment that fails stops and rolls back by itself",
        why=f"{_WHY}; without the breaker ECS starts a broken release again and again, and tells nobody.",
        fix="Set DeploymentConfiguration.DeploymentCircuitBreaker to {Enable: true, Rollback: true}.",
        judge=no_breaker,
    ),
    Rule(
        id="MOOR-T4c",
        severity="warning",
        types=(SERVICE,),
        title="a deployment does not lower the number of tasks that serve",
        why=f"{_WHY}; with fewer tasks during a deployment those that are left must carry the load of all.",
        fix="Set DeploymentConfiguration.MinimumHealthyPercent to 100 and MaximumPercent to 200.",
        judge=low_healthy_percent,
    ),
    Rule(
        id="MOOR-T4d",
        severity="warning",
        types=(SERVICE, LOAD_BALANCER),
        title="a service or load balancer stands in two availability zones or more",
        why=f"{_WHY}; what stands in one availability zone is gone with it.",
        fix="Give it subnets of at least two availability zones, better three.",
        judge=one_zone,
    ),
    Rule(
        id="MOOR-T4e",
        severity="warning",
        types=(SERVICE, SCALABLE_TARGET),
        title="two tasks or more run at any time",
        why=f"{_WHY}; of a single task nothing is left until its successor has started.",
        fix="Let a scalable target set the count, with a MinCapacity of 2 or more, or set DesiredCount to 2 or more.",
        judge=few_tasks,
    ),
)
