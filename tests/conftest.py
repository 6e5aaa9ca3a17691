"""What all tests share. CDK is told which Node to use, and not to validate, before it is imported anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import settings

from demo.cloud import LocalCloud
from demo.environments import ACCOUNT, demo_environments
from local_cloud import control
from stacks.node import use_wheel_node

use_wheel_node()
# The engine costs more than a synthesis; tests/stacks/test_gate.py runs it on all environments.
os.environ["CDK_VALIDATION"] = "false"

# A busy machine is no failure: properties are judged by what holds, not by the clock.
settings.register_profile("moorings", deadline=None)
settings.load_profile("moorings")

Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of this session's own; this process sees nothing else until it is stopped."""
    state = tmp_path_factory.mktemp("local-cloud")
    before = dict(os.environ)
    cloud = LocalCloud.started(state)
    region = demo_environments()[0].region
    try:
        cloud.enter(region)
        cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{region}", region=region)
        yield cloud
    finally:
        os.environ.clear()
        os.environ.update(before)
        boto3.setup_default_session()
        control.stop(state)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's own environments, synthesized once a session and not validated."""
    from stacks.application import application
    from stacks.environments import ENVIRONMENTS

    folder = tmp_path_factory.mktemp("assembly")
    application(ENVIRONMENTS, checked=False, outdir=str(folder)).synth()
    return folder


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """Templates of the app by CloudFormation stack name, such as ``shop--staging--images``."""
    found: Templates = {}
    for manifest in assembly.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                template = manifest.parent / properties["templateFile"]
                found[properties["stackName"]] = json.loads(template.read_text())
    return found
