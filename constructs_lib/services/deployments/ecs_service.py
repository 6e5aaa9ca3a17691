"""The ECS service itself, as services and workers both have it (lesson T4)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy
from constructs_lib.services.deployments.release_switch import ReleaseSwitch
from constructs_lib.services.task.fargate_task import FargateTask


def ecs_service(
    scope: Construct,
    *,
    cluster: ecs.ICluster,
    task: FargateTask,
    switch: ReleaseSwitch,
    subnets: ec2.SubnetSelection,
    deployment: DeploymentPolicy,
    alarms: ecs.DeploymentAlarmConfig | None = None,
    grace_seconds: int | None = None,
) -> ecs.FargateService:
    """A service that keeps all tasks until new ones are healthy, and stands at zero until the first release.

    Args:
        cluster: where it runs.
        task: what it runs.
        switch: whether there is something to run.
        subnets: private ones.
        deployment: how a release takes over; the rest of it is
            :func:`constructs_lib.services.deployments.deployment.apply_deployment`.
        alarms: what a deployment reads; none without a load balancer.
        grace_seconds: for how long ECS overlooks the load balancer's view of a new task.
    """
    service = ecs.FargateService(
        scope,
        "Service",
        cluster=cluster,
        task_definition=task.definition,
        desired_count=switch.desired_count(),
        assign_public_ip=False,
        vpc_subnets=subnets,
        min_healthy_percent=100,
        max_healthy_percent=200,
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
        circuit_breaker=None if deployment.shifts_traffic else ecs.DeploymentCircuitBreaker(rollback=True),
        deployment_alarms=alarms,
        health_check_grace_period=None if grace_seconds is None else Duration.seconds(grace_seconds),
        enable_ecs_managed_tags=True,
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
    )
    # CDK waits for the task role only: without this a task could start before it may pull its image.
    service.node.add_dependency(task.execution_role)
    return service
