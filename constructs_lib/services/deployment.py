"""What makes a deployment go back by itself (lesson T4)."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.alarms import SERVER_ERRORS_PER_MINUTE


def deployment_alarms(
    scope: Construct, *, load_balancer: str, target_group: str, shared: bool
) -> ecs.DeploymentAlarmConfig:
    """Alarms that only a deployment reads: the tasks answer 5xx, refuse connections, or do not answer in time.

    On a ``shared`` load balancer the last is left out: its metric speaks for the whole load balancer, and a neighbour's
    fault must not roll back a healthy release. The alarms name the target group and not the service, so the service can
    name them. They are alarms of their own, because one that is red already would make ECS ignore alarms for that
    deployment.
    """
    balancer = cloudwatch.CfnAlarm.DimensionProperty(name="LoadBalancer", value=load_balancer)
    targets = cloudwatch.CfnAlarm.DimensionProperty(name="TargetGroup", value=target_group)
    watched = [
        ("DeploymentServerErrors", "HTTPCode_Target_5XX_Count", [balancer, targets]),
        ("DeploymentConnectionErrors", "TargetConnectionErrorCount", [balancer, targets]),
        ("DeploymentTimeouts", "HTTPCode_ELB_504_Count", [balancer]),
    ]
    alarms = [
        cloudwatch.CfnAlarm(
            scope,
            alarm_id,
            alarm_description="For deployments only: errors make ECS go back to the last release (lesson T4)",
            namespace="AWS/ApplicationELB",
            metric_name=metric,
            dimensions=dimensions,
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=SERVER_ERRORS_PER_MINUTE,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
        )
        for alarm_id, metric, dimensions in (watched[:-1] if shared else watched)
    ]
    return ecs.DeploymentAlarmConfig(
        alarm_names=[alarm.ref for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )
