"""A health check as ECS and as the load balancer take it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.health_check import HealthCheck


def render(check: HealthCheck) -> tuple[ecs.HealthCheck, elbv2.HealthCheck]:
    """The container's check and the target's check."""
    interval, timeout = Duration.seconds(check.interval_seconds), Duration.seconds(check.timeout_seconds)
    container = ecs.HealthCheck(
        command=list(check.command),
        interval=interval,
        timeout=timeout,
        retries=check.unhealthy_after,
        start_period=Duration.seconds(check.start_seconds),
    )
    target = elbv2.HealthCheck(
        path=check.path,
        healthy_http_codes="200",
        interval=interval,
        timeout=timeout,
        healthy_threshold_count=check.healthy_after,
        unhealthy_threshold_count=check.unhealthy_after,
    )
    return container, target
