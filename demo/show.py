"""What exists now, as tables."""

from __future__ import annotations

import json
from collections.abc import Sequence

import boto3
from rich.console import Console
from rich.table import Table

from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.naming import (
    build_project_name,
    promotion_project_name,
    release_path,
    release_project_name,
    repository_name,
    stack_name,
)
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.releases import Promotion


def show(console: Console, environments: Sequence[EnvironmentConfig]) -> None:
    """Prints, for each environment and service, repository, build, tasks, releases and alarms as the cloud has them."""
    for environment in environments:
        table = Table(
            title=f"{environment.application} · {environment.name} · {environment.region}", title_justify="left"
        )
        table.add_column("What")
        table.add_column("As the cloud has it", overflow="fold")
        for service in environment.services:
            for what, value in (
                *_repository(environment, service),
                *_buttons(environment, service),
                *_service(environment, service),
                *_releases(environment, service),
            ):
                table.add_row(what, value)
        for what, value in _alarms(environment):
            table.add_row(what, value)
        console.print(table)


def _repository(environment: EnvironmentConfig, service: ServiceConfig) -> list[tuple[str, str]]:
    ecr = boto3.client("ecr", region_name=environment.region)
    name = repository_name(environment.application, environment.name, service.name)
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    images = ecr.describe_images(repositoryName=name)["imageDetails"]
    return [
        ("repository", f"{name}, {len(images)} image(s)"),
        ("retention", "\n".join(f"{rule['rulePriority']}. {rule['description']}" for rule in policy["rules"])),
    ]


def _buttons(environment: EnvironmentConfig, service: ServiceConfig) -> list[tuple[str, str]]:
    """The CodeBuild projects: one brings the image into the environment, the other releases it."""
    names = (environment.application, environment.name, service.name)
    promoted = isinstance(environment.source, Promotion)
    wanted = [promotion_project_name(*names) if promoted else build_project_name(*names), release_project_name(*names)]
    codebuild = boto3.client("codebuild", region_name=environment.region)
    projects = codebuild.batch_get_projects(names=wanted)["projects"]
    return [("projects", "\n".join(project["name"] for project in projects) or "none")]


def _service(environment: EnvironmentConfig, service: ServiceConfig) -> list[tuple[str, str]]:
    resources = boto3.client("cloudformation", region_name=environment.region).describe_stack_resources(
        StackName=stack_name(environment.application, environment.name, "services")
    )["StackResources"]
    cluster = next(r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::ECS::Cluster")
    ecs = boto3.client("ecs", region_name=environment.region)
    arn = next(
        r["PhysicalResourceId"]
        for r in resources
        if r["ResourceType"] == "AWS::ECS::Service" and r["LogicalResourceId"].startswith(service.name.replace("-", ""))
    )
    (found,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
    tasks = ecs.list_tasks(cluster=cluster, serviceName=found["serviceName"])["taskArns"]
    described = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"] if tasks else []
    digests = sorted({box["imageDigest"] for task in described for box in task["containers"] if "imageDigest" in box})
    return [
        ("service", found["serviceName"]),
        ("tasks", f"{found['runningCount']} of {found['desiredCount']} run"),
        ("digest", "\n".join(digests) or "none yet"),
    ]


def _releases(environment: EnvironmentConfig, service: ServiceConfig) -> list[tuple[str, str]]:
    path = release_path(environment.application, environment.name, service.name)
    entries = Ledger(boto3.client("ssm", region_name=environment.region), path).entries()
    lines = [
        f"{entry.number}. {entry.action} of {entry.build_tag}, {entry.state}"
        + (f", from {entry.origin}" if entry.origin else "")
        for entry in entries
    ]
    return [("releases", "\n".join(lines) or "none yet")]


def _alarms(environment: EnvironmentConfig) -> list[tuple[str, str]]:
    cloudwatch = boto3.client("cloudwatch", region_name=environment.region)
    prefix = f"{environment.application}/{environment.name}/"
    alarms = [
        alarm
        for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        for alarm in page["MetricAlarms"]
    ]
    return [
        (
            "alarms",
            "\n".join(f"{a['AlarmName']}{'' if a['ActionsEnabled'] else ' (quiet)'}" for a in alarms) or "none",
        )
    ]
