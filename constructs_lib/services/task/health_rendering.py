"""A health check as ECS and as the load balancer take it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck


def container_check(check: ContainerCheck) -> ecs.HealthCheck:
    """The check that ECS runs inside the container."""
    return ecs.HealthCheck(
        command=list(check.command),
        interval=Duration.seconds(check.interval_seconds),
        timeout=Duration.seconds(check.timeout_seconds),
        retries=check.unhealthy_after,
        start_period=Duration.seconds(check.start_seconds),
    )


def target_check(check: HealthCheck) -> elbv2.HealthCheck:
    """The check that the load balancer asks of a target."""
    inside = check.container
    return elbv2.HealthCheck(
        path=check.path,
        healthy_http_codes="200",
        interval=Duration.seconds(inside.interval_seconds),
        timeout=Duration.seconds(inside.timeout_seconds),
        healthy_threshold_count=check.healthy_after,
        unhealthy_threshold_count=inside.unhealthy_after,
    )
