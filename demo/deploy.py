"""Deploys the environments to the local cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import boto3
from botocore.exceptions import ClientError

from demo.cloud import LocalCloud
from demo.environments import ACCOUNT
from demo.status_page import page_region
from stacks.config import EnvironmentConfig

Step = Callable[[str], AbstractContextManager[object]]
"""Shows that a long step runs, such as ``rich``'s ``console.status``."""


def deploy(cloud: LocalCloud, environments: Sequence[EnvironmentConfig], step: Step) -> None:
    """Brings every environment up; what is there already stays as it is."""
    pages = {page_region(environment) or environment.region for environment in environments}
    for region in sorted({environment.region for environment in environments} | pages):
        if not _bootstrapped(region):
            with step(f"Bootstrapping CDK in {region}"):
                cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{region}", region=region)
    region = environments[0].region
    with step("Synthesizing and checking all environments"):
        cloud.cdk("synth", "--quiet", "--app", "python -m demo.app", "--output", _assembly(cloud), region=region)
    with step(f"Deploying {' and '.join(environment.name for environment in environments)}"):
        _deploy(cloud, "*/*", region)


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
