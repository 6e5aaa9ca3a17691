"""Plain CDK works on the app, and deleting an environment leaves what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from constructs_lib.naming import repository_name
from demo.cloud import LocalCloud
from stacks.config import EnvironmentConfig
from stacks.retained import retained
from tests.e2e.conftest import Deploy, Deployed

pytestmark = pytest.mark.e2e

STACKS = ("images", "delivery", "observability", "network", "services")


def test_cdk_lists_and_compares_the_app_as_it_is(cloud: LocalCloud, staging: EnvironmentConfig) -> None:
    """``cdk ls`` and ``cdk diff`` need nothing but ``cdk.json``."""
    listed = cloud.cdk("ls", region=staging.region).stdout
    for environment in ("staging", "production"):
        for stack in STACKS:
            assert f"{environment}/{stack} (shop--{environment}--{stack})" in listed
    compared = cloud.cdk("diff", "production/images", region=staging.region).stdout
    assert "AWS::ECR::Repository" in compared


def test_deleting_an_environment_leaves_what_it_says(
    cloud: LocalCloud, deploy: Deploy, staging: EnvironmentConfig
) -> None:
    """The repository, its images and the release parameter outlive the stacks, and the warning names them."""
    config = replace(staging, application="gone")
    assembly = deploy(config)
    deployed = Deployed(config)
    digest = deployed.release("kept")
    said = list(retained(config, [config]))
    cloud.cdk("destroy", "*/*", "--force", "--app", str(assembly), region=config.region)
    name = repository_name("gone", "staging", "web")
    assert f"AWS::ECR::Repository: {name}" in said
    assert f"AWS::SSM::Parameter: {deployed.parameter}" in said
    (image,) = deployed.ecr.describe_images(repositoryName=name)["imageDetails"]
    assert image["imageDigest"] == digest
    assert deployed.ssm.get_parameter(Name=deployed.parameter)["Parameter"]["Value"] == digest
