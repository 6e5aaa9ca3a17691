"""Deploys the environments to the local cloud and releases a first image in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

from constructs_lib.naming import NOT_RELEASED, build_tag, release_parameter_name, repository_name
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT
from demo.image import assemble, push
from stacks.config import EnvironmentConfig, ServiceConfig

Step = Callable[[str], AbstractContextManager[object]]
"""Shows that a long step runs, such as ``rich``'s ``console.status``."""


def deploy(cloud: LocalCloud, environments: Sequence[EnvironmentConfig], step: Step) -> None:
    """Brings every environment up; what is there already stays as it is."""
    for region in sorted({environment.region for environment in environments}):
        if not _bootstrapped(region):
            with step(f"Bootstrapping CDK in {region}"):
                cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{region}", region=region)
    region = environments[0].region
    with step("Synthesizing and checking all environments"):
        cloud.cdk("synth", "--quiet", "--app", "python -m demo.app", "--output", _assembly(cloud), region=region)
    with step(f"Deploying {' and '.join(environment.name for environment in environments)}"):
        _deploy(cloud, "*/*", region)
    unreleased = [
        environment
        for environment in environments
        for service in environment.services
        if _release_first(environment, service)
    ]
    if unreleased:
        with step("Bringing the services up by digest"):
            _deploy(cloud, "*/services", region)


def _deploy(cloud: LocalCloud, stacks: str, region: str) -> None:
    cloud.cdk(
        "deploy",
        stacks,
        "--app",
        _assembly(cloud),
        "--require-approval",
        "never",
        "--concurrency",
        "4",
        "--progress",
        "events",
        region=region,
    )


def _assembly(cloud: LocalCloud) -> str:
    return str(cloud.state_dir.resolve() / "assembly")


def _bootstrapped(region: str) -> bool:
    try:
        boto3.client("cloudformation", region_name=region).describe_stacks(StackName="CDKToolkit")
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _release_first(environment: EnvironmentConfig, service: ServiceConfig) -> bool:
    """Pushes an image and writes its digest into the release parameter, unless a digest is there already."""
    ssm = boto3.client("ssm", region_name=environment.region)
    parameter = release_parameter_name(environment.application, environment.name, service.name)
    if ssm.get_parameter(Name=parameter)["Parameter"]["Value"] != NOT_RELEASED:
        return False
    size = service.size or environment.size
    image = assemble(f"{environment.application} {service.name}\n", architecture=size.task.architecture)
    push(
        boto3.client("ecr", region_name=environment.region),
        repository_name(environment.application, environment.name, service.name),
        image,
        build_tag(environment.name, datetime.now(UTC), image.digest.removeprefix("sha256:")),
    )
    ssm.put_parameter(Name=parameter, Value=image.digest, Overwrite=True)
    return True
