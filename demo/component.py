"""The component that the demo breaks: its service, its alarms, its load balancer's numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from constructs_lib.naming import alarm_name, stack_name
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT
from local_cloud import controls
from stacks.config import EnvironmentConfig

if TYPE_CHECKING:
    from types_boto3_cloudwatch.literals import StateValueType
    from types_boto3_cloudwatch.type_defs import CompositeAlarmTypeDef

_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


class Component:
    """The first service of an environment, as the cloud has it.

    Raises:
        RuntimeError: it is not deployed, as after a deployment that failed half-way.
    """

    def __init__(self, cloud: LocalCloud, environment: EnvironmentConfig) -> None:
        names, region = (environment.application, environment.name), environment.region
        self.name = environment.services[0].name
        self.place = "/".join((*names, self.name))
        self._cloud, self._region = cloud, region
        self._alarm = {what: alarm_name(*names, self.name, what) for what in ("degraded", "outage")}
        self._cloudwatch = boto3.client("cloudwatch", region_name=region)
        self._elbv2 = boto3.client("elbv2", region_name=region)
        cloudformation = boto3.client("cloudformation", region_name=region)
        try:
            listed = cloudformation.describe_stack_resources(StackName=stack_name(*names, "services"))["StackResources"]
        except ClientError as error:
            raise RuntimeError(f"{self.place} is not deployed; `make demo` deploys it") from error
        found = {one["ResourceType"]: one["PhysicalResourceId"] for one in reversed(listed)}
        self._service = "/".join(found["AWS::ECS::Service"].rsplit("/", 2)[1:])
        self._group = found[_GROUP]

    def fail(self, failing: bool) -> None:
        """All its tasks fail their health check from now on, or no longer."""
        controls.fail_health_checks(
            self._cloud.endpoint, account=ACCOUNT, region=self._region, service=self._service, failing=failing
        )

    def topics(self) -> tuple[str, str]:
        """Where its composite alarm sends that it is red, and that it is over."""
        found = self._composite("degraded")
        return found["AlarmActions"][0], found["OKActions"][0]

    def is_red(self, felt: str = "degraded") -> bool:
        """Whether one of its composite alarms is red."""
        return self._composite(felt)["StateValue"] == "ALARM"

    def composite_changed(self, felt: str, value: str) -> float | None:
        """When a composite alarm came to have this state; None: it has another one."""
        found = self._composite(felt)
        return found["StateTransitionedTimestamp"].timestamp() if found["StateValue"] == value else None

    def red_alarm(self) -> tuple[str, float] | None:
        """The first of its alarms that is red, and since when; None: none is."""
        red = self._children("ALARM")
        return min(red, key=lambda one: one[1]) if red else None

    def green_since(self) -> float | None:
        """When the last of its alarms turned back; None: one is red still."""
        if self._children("ALARM"):
            return None
        return max((at for _, at in self._children("OK")), default=None)

    def has_unhealthy_targets(self, since: float) -> bool:
        """Whether the load balancer's own metric has said so since then."""
        balancer = self._elbv2.describe_target_groups(TargetGroupArns=[self._group])["TargetGroups"][0]
        names = {
            "LoadBalancer": balancer["LoadBalancerArns"][0].split(":loadbalancer/", 1)[1],
            "TargetGroup": self._group.split(":", 5)[5],
        }
        points = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName="UnHealthyHostCount",
            Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
            # A minute is told when it is over, and has the time of its beginning.
            StartTime=datetime.fromtimestamp(since - controls.minute(self._cloud.endpoint), UTC),
            EndTime=datetime.now(UTC) + timedelta(seconds=1),
            Period=1,
            Statistics=["Maximum"],
        )["Datapoints"]
        return any(point["Maximum"] >= 1 for point in points)

    def all_healthy(self) -> bool:
        """Whether the load balancer finds all targets healthy."""
        health = self._elbv2.describe_target_health(TargetGroupArn=self._group)["TargetHealthDescriptions"]
        return bool(health) and {one["TargetHealth"]["State"] for one in health} == {"healthy"}

    def _composite(self, felt: str) -> CompositeAlarmTypeDef:
        found = self._cloudwatch.describe_alarms(AlarmNames=[self._alarm[felt]], AlarmTypes=["CompositeAlarm"])
        return found["CompositeAlarms"][0]

    def _children(self, value: StateValueType) -> list[tuple[str, float]]:
        """The alarms in a state of which the composite consists, and since when."""
        rule = self._composite("degraded")["AlarmRule"]
        found = self._cloudwatch.describe_alarms(AlarmNamePrefix=f"{self.place}/", StateValue=value)["MetricAlarms"]
        return [
            (one["AlarmName"], one["StateUpdatedTimestamp"].timestamp())
            for one in found
            if f'"{one["AlarmName"]}"' in rule
        ]
