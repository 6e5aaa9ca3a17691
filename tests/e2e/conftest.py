"""Ways to deploy to the session's local cloud, and to see what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from demo.cloud import LocalCloud
from demo.environments import demo_environments
from stacks.config import EnvironmentConfig

Deploy = Callable[..., Path]


@pytest.fixture(scope="session")
def staging() -> EnvironmentConfig:
    """The demo's staging, under an application name that only this suite uses."""
    return replace(demo_environments()[0], application="first")


@pytest.fixture(scope="session")
def deploy(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """``deploy(config, …, stacks=…)`` synthesizes, runs ``cdk deploy`` once, and returns the assembly."""

    def run(*environments: EnvironmentConfig, stacks: str = "*/*") -> Path:
        from stacks.application import application

        assembly = tmp_path_factory.mktemp("assembly")
        application(environments, checked=False, outdir=str(assembly)).synth()
        run_cdk(cloud, assembly, ("deploy", stacks, "--require-approval", "never", "--concurrency", "4"), environments)
        return assembly

    return run


def run_cdk(cloud: LocalCloud, assembly: Path, words: Sequence[str], environments: Sequence[EnvironmentConfig]) -> None:
    """Runs the CDK command line on an assembly."""
    cloud.cdk(*words, "--app", str(assembly), region=environments[0].region)


class Deployed:
    """What the cloud says of one environment's only service."""

    def __init__(self, config: EnvironmentConfig) -> None:
        from constructs_lib.naming import release_parameter_name, repository_name, stack_name

        self.config = config
        service = config.services[0].name
        names = (config.application, config.name)
        self.stack = stack_name(*names, "services")
        self.parameter = release_parameter_name(*names, service)
        self.repository = repository_name(*names, service)
        self.cloudformation = boto3.client("cloudformation", region_name=config.region)
        self.ecs = boto3.client("ecs", region_name=config.region)
        self.ssm = boto3.client("ssm", region_name=config.region)
        self.ecr = boto3.client("ecr", region_name=config.region)

    def resource(self, kind: str) -> str:
        """Physical id of the stack's only resource of a type."""
        listed = self.cloudformation.describe_stack_resources(StackName=self.stack)["StackResources"]
        (found,) = (item["PhysicalResourceId"] for item in listed if item["ResourceType"] == kind)
        return found

    def counts(self) -> tuple[int, int]:
        """Desired and running tasks."""
        cluster, service = self.resource("AWS::ECS::Cluster"), self.resource("AWS::ECS::Service")
        (found,) = self.ecs.describe_services(cluster=cluster, services=[service])["services"]
        return found["desiredCount"], found["runningCount"]

    def scale_to(self, tasks: int) -> None:
        """What auto scaling does at noon."""
        cluster, service = self.resource("AWS::ECS::Cluster"), self.resource("AWS::ECS::Service")
        self.ecs.update_service(cluster=cluster, service=service, desiredCount=tasks)

    def digests(self) -> set[str]:
        """Digests of all running tasks."""
        cluster = self.resource("AWS::ECS::Cluster")
        arns = self.ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
        tasks = self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return {container["imageDigest"] for task in tasks for container in task["containers"]}

    def outputs(self) -> list[str]:
        """Values of the stack's outputs."""
        (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        return [output["OutputValue"] for output in stack.get("Outputs", [])]

    def status(self) -> str:
        """CloudFormation's status of the stack."""
        (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        return stack["StackStatus"]

    def alarms_act(self) -> set[bool]:
        """Whether the service's alarms notify anybody."""
        cloudwatch = boto3.client("cloudwatch", region_name=self.config.region)
        prefix = f"{self.config.application}/{self.config.name}/{self.config.services[0].name}/"
        return {alarm["ActionsEnabled"] for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]}

    def release(self, text: str) -> str:
        """Pushes an image and writes its digest into the release parameter; the digest."""
        from demo.image import assemble, push

        image = assemble(text)
        push(self.ecr, self.repository, image, f"staging-20260101T000000Z-{image.digest[7:19]}")
        self.ssm.put_parameter(Name=self.parameter, Value=image.digest, Overwrite=True)
        return image.digest
