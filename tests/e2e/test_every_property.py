"""No change of any other property of the service's stack undoes what scaling did."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import boto3
import pytest

from stacks.config import EnvironmentConfig
from tests.e2e.conftest import Deploy, Deployed

pytestmark = pytest.mark.e2e

Json: TypeAlias = Any

SCALED_OUT = 7

CHANGED: dict[str, dict[str, Json]] = {
    "AWS::ECS::TaskDefinition": {
        "Cpu": "1024",
        "Memory": "2048",
        "Family": "another-family",
        "RuntimePlatform": {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
        "Tags": [{"Key": "application", "Value": "other"}],
        "Volumes": [{"Name": "web-tmp"}, {"Name": "another"}],
    },
    "AWS::ECS::Service": {
        "AvailabilityZoneRebalancing": "DISABLED",
        "DeploymentConfiguration": {"MaximumPercent": 150, "MinimumHealthyPercent": 100},
        "EnableECSManagedTags": False,
        "HealthCheckGracePeriodSeconds": 200,
        "PropagateTags": "TASK_DEFINITION",
        "Tags": [{"Key": "application", "Value": "other"}],
    },
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "MinCapacity": 3,
        "MaxCapacity": 40,
        "Tags": [{"Key": "application", "Value": "other"}],
    },
    "AWS::ApplicationAutoScaling::ScalingPolicy": {
        "TargetTrackingScalingPolicyConfiguration": {
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"},
            "TargetValue": 70,
        },
    },
}
"""Another valid value for each property that can change in place."""

IN_CONTAINER: dict[str, Json] = {
    "Essential": True,
    "Environment": [{"Name": "LEVEL", "Value": "debug"}],
    "HealthCheck": {"Command": ["CMD", "true"], "Interval": 30, "Retries": 2, "StartPeriod": 10, "Timeout": 4},
    "StopTimeout": 90,
    "ReadonlyRootFilesystem": False,
}

LEFT_OUT = {
    "AWS::ECS::TaskDefinition": {
        "ContainerDefinitions",  # by IN_CONTAINER
        "ExecutionRoleArn",
        "TaskRoleArn",
        "NetworkMode",
        "RequiresCompatibilities",
    },
    "AWS::ECS::Service": {
        "DesiredCount",  # what this is about
        "TaskDefinition",  # changes with each change of the task definition
        "Cluster",
        "LaunchType",
        "LoadBalancers",
        "NetworkConfiguration",
    },
    "AWS::ApplicationAutoScaling::ScalableTarget": {"ResourceId", "RoleARN", "ScalableDimension", "ServiceNamespace"},
    "AWS::ApplicationAutoScaling::ScalingPolicy": {"PolicyName", "PolicyType", "ScalingTargetId"},
}
"""Names of other resources, and what a replacement comes with: a service that is replaced starts at its minimum."""


class Busy(NamedTuple):
    """A service at work, and its template as CDK made it."""

    deployed: Deployed
    template: dict[str, Any]


CASES = [(kind, name) for kind, values in CHANGED.items() for name in values]


@pytest.fixture(scope="module")
def busy(deploy: Deploy, staging: EnvironmentConfig) -> Busy:
    """A released service of an application of its own, scaled out to seven tasks."""
    config = replace(staging, application="third")
    assembly = deploy(config)
    deployed = Deployed(config)
    deployed.release("every property")
    deploy(config, stacks="*/services")
    deployed.scale_to(SCALED_OUT)
    (template,) = assembly.rglob("*services*.template.json")
    return Busy(deployed, json.loads(template.read_text()))


def test_the_table_names_every_property(busy: Busy) -> None:
    """A property that the stack gets in future must be put into one of the tables above."""
    for kind, values in CHANGED.items():
        properties = set(_resource(copy.deepcopy(busy.template), kind)["Properties"])
        assert properties == set(values) | LEFT_OUT[kind], kind


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_a_changed_property_leaves_the_tasks_that_run(busy: Busy, kind: str, name: str) -> None:
    """After an update that changes one property, as many tasks run as scaling wanted."""
    template = copy.deepcopy(busy.template)
    _resource(template, kind)["Properties"][name] = CHANGED[kind][name]
    _update(busy.deployed, template)
    assert busy.deployed.counts() == (SCALED_OUT, SCALED_OUT)


@pytest.mark.parametrize("name", IN_CONTAINER)
def test_a_changed_container_leaves_the_tasks_that_run(busy: Busy, name: str) -> None:
    """The same for each property of the container."""
    template = copy.deepcopy(busy.template)
    _resource(template, "AWS::ECS::TaskDefinition")["Properties"]["ContainerDefinitions"][0][name] = IN_CONTAINER[name]
    _update(busy.deployed, template)
    assert busy.deployed.counts() == (SCALED_OUT, SCALED_OUT)


def test_a_count_in_the_template_would_undo_scaling(busy: Busy) -> None:
    """The reason for all this: with a number in the template, an unrelated update brings the tasks down to it."""
    template = copy.deepcopy(busy.template)
    _resource(template, "AWS::ECS::Service")["Properties"] |= {"DesiredCount": 3, "EnableECSManagedTags": False}
    _update(busy.deployed, template)
    try:
        assert busy.deployed.counts() == (3, 3)
    finally:
        _update(busy.deployed, copy.deepcopy(busy.template))
        busy.deployed.scale_to(SCALED_OUT)


def _resource(template: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (resource for resource in template["Resources"].values() if resource["Type"] == kind)
    return found


def _update(deployed: Deployed, template: dict[str, Any]) -> None:
    """Updates the stack with this template, and waits. It is read from S3, as CDK does: it is too long for a call."""
    s3, bucket, key = boto3.client("s3", region_name=deployed.config.region), "templates-of-a-test", "template.json"
    place: Any = deployed.config.region
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": place})
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
    deployed.cloudformation.update_stack(
        StackName=deployed.stack,
        TemplateURL=f"https://s3.amazonaws.com/{bucket}/{key}",
        Capabilities=["CAPABILITY_IAM"],
    )
    deployed.cloudformation.get_waiter("stack_update_complete").wait(
        StackName=deployed.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
