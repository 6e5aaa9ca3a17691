"""How a service's deployments go forward and back by themselves, as ECS takes it (lesson T4)."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Annotations
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.alarm_spec import Metric, Threshold
from constructs_lib.checks import invalid
from constructs_lib.metric_alarm import metric_alarm
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.traffic.request_alarms import SERVER_ERRORS_PER_MINUTE

_NO_BREAKER = (
    "AWS documents the circuit breaker for rolling deployments only. The deployment alarms go back, `moorings release` "
    "does when no task of the new image stays up, and after its limit in any case (DeploymentPolicy)."
)


def deployment_alarms(
    scope: Construct, *, load_balancer: str, target_groups: Sequence[str], shared: bool
) -> ecs.DeploymentAlarmConfig:
    """Alarms that only a deployment reads: the tasks answer 5xx, refuse connections, or do not answer in time.

    With two target groups their errors are added up: after a shift the requests are in the other one. On a ``shared``
    load balancer the last is left out: its metric speaks for the whole load balancer, and a neighbour's fault must not
    roll back a healthy release. The alarms name the target groups and not the service, so the service can name them.
    They are alarms of their own, because one that is red already would make ECS ignore alarms for that deployment.

    Args:
        scope: where they are made, one service's own; the service will do.
        load_balancer: its full name, ``app/…/…``.
        target_groups: the full names of the service's one or two, ``targetgroup/…/…``.
        shared: whether other services are behind the same load balancer.

    Raises:
        ValueError: no target group, or a text instead of a list.
    """
    if isinstance(target_groups, str) or not target_groups:
        fix = "pass [group.target_group_full_name]"
        raise invalid("target_groups", target_groups, "a list of one or two full names", fix)
    balancer = {"LoadBalancer": load_balancer}
    first, *others = [balancer | {"TargetGroup": name} for name in target_groups]
    watched = [
        ("DeploymentServerErrors", "HTTPCode_Target_5XX_Count", first, tuple(others)),
        ("DeploymentConnectionErrors", "TargetConnectionErrorCount", first, tuple(others)),
        ("DeploymentTimeouts", "HTTPCode_ELB_504_Count", balancer, ()),
    ]
    alarms = [
        metric_alarm(
            scope,
            alarm_id,
            metric=Metric(
                namespace="AWS/ApplicationELB", name=metric, dimensions=dimensions, statistic="Sum", also=also
            ),
            threshold=Threshold(
                value=SERVER_ERRORS_PER_MINUTE, missing_because="errors are counted only when there are some"
            ),
            description="For deployments only: errors make ECS go back to the last release (lesson T4)",
        )
        for alarm_id, metric, dimensions, also in (watched[:-1] if shared else watched)
    ]
    return ecs.DeploymentAlarmConfig(
        alarm_names=[alarm.ref for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )


def apply_deployment(service: ecs.FargateService, policy: DeploymentPolicy, *, min_tasks: int) -> ecs.CfnService:
    """Makes any Fargate service deploy by the policy; gives back its resource.

    A strategy other than ``ROLLING`` also needs
    :func:`constructs_lib.services.deployments.traffic_shift.shift_traffic`.

    Args:
        policy: strategy, steps, baking, and when the circuit breaker ends a rolling deployment.
        min_tasks: tasks that always run.
    """
    resource = service.node.default_child
    assert isinstance(resource, ecs.CfnService)
    # CDK's own argument of the service has neither the threshold nor the count's reset.
    resource.add_property_override("DeploymentConfiguration", deployment_configuration(policy, min_tasks))
    if policy.shifts_traffic:
        Annotations.of(service).acknowledge_warning("@aws-cdk/aws-ecs:shouldUseCircuitBreaker", _NO_BREAKER)
    return resource


def deployment_configuration(policy: DeploymentPolicy, min_tasks: int) -> dict[str, object]:
    """What the policy is in the ``DeploymentConfiguration`` of ``AWS::ECS::Service``.

    Failed tasks are counted over the whole deployment: where a healthy task starts the count anew, as ECS does by
    default, a release whose every third task ends again and again is never a failure.
    """
    found: dict[str, object] = {"Strategy": policy.strategy.value}  # said, so that a change of it is seen as one
    if policy.bake is not None:
        found["BakeTimeInMinutes"] = policy.bake
    if not policy.shifts_traffic:
        breaker = {"Type": "COUNT", "Value": policy.breaker_threshold(min_tasks)}
        return found | {
            "DeploymentCircuitBreaker": {
                "Enable": True,
                "Rollback": True,
                "ResetOnHealthyTask": False,
                "ThresholdConfiguration": breaker,
            }
        }
    if policy.step is not None:
        percent, minutes = policy.step
        if policy.strategy is DeploymentStrategy.CANARY:
            found["CanaryConfiguration"] = {"CanaryPercent": percent, "CanaryBakeTimeInMinutes": minutes}
        else:
            found["LinearConfiguration"] = {"StepPercent": percent, "StepBakeTimeInMinutes": minutes}
    return found
