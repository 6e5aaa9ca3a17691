"""Our model of what load balancers and ECS measure, and of a fault. No proof about AWS."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud import control, controls
from tests.local_cloud.conftest import Aws
from tests.local_cloud.test_cloud_health import Web, push, template

_accounts = itertools.count(800000000001)


@pytest.fixture
def aws(fast: control.Endpoint) -> Aws:
    """The test's own account."""
    return Aws(fast.url, str(next(_accounts)))


@pytest.fixture
def web(aws: Any, wait_until: Callable[..., Any]) -> Web:
    """A service of two tasks behind a load balancer, in two zones."""
    made = Web(aws, wait_until)
    whole = template(push(aws, "v1"))
    resources = whole["Resources"]
    resources["Vpc"] = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    for zone in "ab":
        properties = {"VpcId": {"Ref": "Vpc"}, "AvailabilityZone": f"eu-central-1{zone}"}
        cidr = f"10.0.{'ab'.index(zone)}.0/24"
        resources[f"Subnet{zone}"] = {"Type": "AWS::EC2::Subnet", "Properties": {**properties, "CidrBlock": cidr}}
    subnets = [{"Ref": "Subneta"}, {"Ref": "Subnetb"}]
    resources["Balancer"] = {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {"Name": "front", "Type": "application", "Subnets": subnets},
    }
    resources["Listener"] = {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
        },
    }
    service = resources["Service"]
    service["DependsOn"] = "Listener"
    service["Properties"]["NetworkConfiguration"] = {"AwsvpcConfiguration": {"Subnets": subnets}}
    whole["Outputs"] |= {
        "Group": {"Value": {"Fn::GetAtt": ["Targets", "TargetGroupFullName"]}},
        "Balancer": {"Value": {"Fn::GetAtt": ["Balancer", "LoadBalancerFullName"]}},
    }
    deployed = aws.deploy("app", whole)
    assert deployed["StackStatus"] == "CREATE_COMPLETE", aws.reasons("app")
    made.targets = deployed["Outputs"]["Targets"]
    made.names = {"LoadBalancer": deployed["Outputs"]["Balancer"], "TargetGroup": deployed["Outputs"]["Group"]}  # type: ignore[attr-defined]
    return made


def newest(aws: Any, namespace: str, name: str, statistic: str, dimensions: dict[str, str]) -> float | None:
    """The newest value of a metric."""
    found = aws("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=datetime.now(UTC) - timedelta(seconds=2),
        EndTime=datetime.now(UTC) + timedelta(seconds=2),
        Period=1,
        Statistics=[statistic],
    )["Datapoints"]
    return max(found, key=lambda point: point["Timestamp"])[statistic] if found else None


def test_hosts_are_counted_by_health_and_by_zone(aws: Any, web: Any, wait_until: Callable[..., Any]) -> None:
    """Two healthy targets, one in each zone."""

    def healthy(**zone: str) -> float | None:
        return newest(aws, "AWS/ApplicationELB", "HealthyHostCount", "Minimum", {**web.names, **zone})

    wait_until(lambda: healthy() == 2, "two healthy hosts")
    for zone in "ab":
        wait_until(lambda zone=zone: healthy(AvailabilityZone=f"eu-central-1{zone}") == 1, f"one in {zone}")
    assert {task["availabilityZone"] for task in web.tasks()} == {"eu-central-1a", "eu-central-1b"}


@pytest.mark.usefixtures("web")
def test_each_running_task_is_one_sample_of_its_cpu(aws: Any, wait_until: Callable[..., Any]) -> None:
    """As on AWS, so their number is that of the running tasks."""
    names = {"ClusterName": "main", "ServiceName": "web"}

    def samples() -> float | None:
        return newest(aws, "AWS/ECS", "CPUUtilization", "SampleCount", names)

    wait_until(samples, "samples come")
    assert samples() in (2, 4), "of one minute or of two within the same second"


def test_a_fault_makes_targets_unhealthy_until_it_is_mended(
    aws: Any, web: Any, fast: control.Endpoint, wait_until: Callable[..., Any]
) -> None:
    """Running tasks and their successors fail; an alarm on the load balancer's own metric turns red, and back."""
    aws("cloudwatch").put_metric_alarm(
        AlarmName="unhealthy",
        Namespace="AWS/ApplicationELB",
        MetricName="UnHealthyHostCount",
        Dimensions=[{"Name": key, "Value": value} for key, value in web.names.items()],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )

    def red() -> bool:
        found = aws("cloudwatch").describe_alarms(AlarmNames=["unhealthy"])["MetricAlarms"]
        return bool(found[0]["StateValue"] == "ALARM")

    def stopped() -> bool:
        return any(task["stoppedReason"].startswith("Task failed ELB health checks") for task in web.tasks("STOPPED"))

    place = {"account": aws.account, "region": aws.region, "service": "main/web"}
    before = {task["taskArn"] for task in web.tasks()}
    assert not red()
    controls.fail_health_checks(fast, **place, failing=True)
    assert {state for state, _ in web.health()} == {"unhealthy"}
    wait_until(red, "the alarm is red")
    wait_until(stopped, "ECS stops a task that fails its check")
    wait_until(lambda: before.isdisjoint(t["taskArn"] for t in web.tasks()), "all tasks were replaced")
    assert {state for state, _ in web.health()} <= {"unhealthy"}
    controls.fail_health_checks(fast, **place, failing=False)
    wait_until(lambda: [state for state, _ in web.health()] == ["healthy"] * 2, "two healthy targets")
    wait_until(lambda: not red(), "the alarm is green")


def test_an_unknown_service_cannot_fail(aws: Any, fast: control.Endpoint) -> None:
    """One sentence says how to name it."""
    place = {"account": aws.account, "region": aws.region, "service": "main/nobody"}
    with pytest.raises(control.LocalCloudError, match="there is no service main/nobody; name it <cluster>/<service>"):
        controls.fail_health_checks(fast, **place, failing=True)
