"""What makes a deployment go back by itself (lesson T4)."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.services.alarms import SERVER_ERRORS_PER_MINUTE


def deployment_alarms(scope: Construct, load_balancer: str, target_group: str) -> ecs.DeploymentAlarmConfig:
    """Alarms that only a deployment reads.

    They watch the load balancer and not the service, so the service can name them. They are metric alarms of their own:
    a paging alarm that is red already would make ECS ignore alarms for that deployment.
    """
    balancer = cloudwatch.CfnAlarm.DimensionProperty(name="LoadBalancer", value=load_balancer)
    targets = cloudwatch.CfnAlarm.DimensionProperty(name="TargetGroup", value=target_group)
    alarms = [
        cloudwatch.CfnAlarm(
            scope,
            alarm_id,
            alarm_description="For deployments only: server errors make ECS go back to the last release (lesson T4)",
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
        for alarm_id, metric, dimensions in (
            ("DeploymentBalancerErrors", "HTTPCode_ELB_5XX_Count", [balancer]),
            ("DeploymentTargetErrors", "HTTPCode_Target_5XX_Count", [balancer, targets]),
        )
    ]
    return ecs.DeploymentAlarmConfig(
        alarm_names=[alarm.ref for alarm in alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
    )
