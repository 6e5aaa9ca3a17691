"""What makes a deployment go back by itself (lesson T4)."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.alarms import SERVER_ERRORS_PER_MINUTE


def deployment_alarms(scope: Construct, load_balancer: str, target_group: str) -> ecs.DeploymentAlarmConfig:
    """Two alarms that only a deployment reads: the tasks answer 5xx, or refuse connections.

    They watch this service's target group and no more: on a shared load balancer a neighbour's fault must not roll back
    a healthy release. They name the target group and not the service, so the service can name them. They are alarms of
    their own, because one that is red already would make ECS ignore alarms for that deployment.
    """
    dimensions = [
        cloudwatch.CfnAlarm.DimensionProperty(name="LoadBalancer", value=load_balancer),
        cloudwatch.CfnAlarm.DimensionProperty(name="TargetGroup", value=target_group),
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
        for alarm_id, metric in (
            ("DeploymentServerErrors", "HTTPCode_Target_5XX_Count"),
            ("DeploymentConnectionErrors", "TargetConnectionErrorCount"),
        )
    ]
    return ecs.DeploymentAlarmConfig(
        alarm_names=[alarm.ref for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )
