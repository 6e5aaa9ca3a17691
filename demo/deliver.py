"""From the source to every environment: build, release, promote, release; by the commands that a person types."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import boto3

from constructs_lib.command_line import FINE
from constructs_lib.naming import NOT_RELEASED, build_tag, release_parameter_name, repository_name
from constructs_lib.ops.cli import main
from constructs_lib.ops.outside import real
from demo.cloud import LocalCloud
from demo.deploy import Step
from demo.image import push, web_commit, web_image
from stacks.config import EnvironmentConfig, ServiceConfig

PAUSE_SECONDS = 0.3
"""Between two looks at a release. On AWS a release takes minutes, here a few seconds."""


def deliver(cloud: LocalCloud, environments: Sequence[EnvironmentConfig], step: Step) -> None:
    """Builds each image once and releases the same digest in every environment; what runs already stays as it is.

    Raises:
        RuntimeError: a command failed; the message holds what it said.
    """
    first, *later = environments
    for service in first.services:
        if _released(environments[-1], service):
            continue
        with step(f"Building {service.name} for {first.name}, once"):
            build(first, service, web_commit())
        _step(cloud, step, "release", first, service)
        for environment in later:
            _step(cloud, step, "promote", environment, service)
            _step(cloud, step, "release", environment, service)


def _released(environment: EnvironmentConfig, service: ServiceConfig) -> bool:
    """Whether somebody has released it there already; then the demo leaves it to them."""
    ssm = boto3.client("ssm", region_name=environment.region)
    name = release_parameter_name(environment.application, environment.name, service.name)
    return ssm.get_parameter(Name=name)["Parameter"]["Value"] != NOT_RELEASED


def build(environment: EnvironmentConfig, service: ServiceConfig, commit: str) -> str:
    """What the build project would do: one image of a commit, under a build tag; its digest.

    An image that is there is not pushed again.
    """
    size = service.size or environment.size
    image = web_image(commit, architecture=size.task.architecture)
    ecr = boto3.client("ecr", region_name=environment.region)
    repository = repository_name(environment.application, environment.name, service.name)
    there = [detail["imageDigest"] for detail in ecr.describe_images(repositoryName=repository)["imageDetails"]]
    if image.digest not in there:
        push(ecr, repository, image, build_tag(environment.name, datetime.now(UTC), commit))
    return image.digest


def _step(cloud: LocalCloud, step: Step, command: str, environment: EnvironmentConfig, service: ServiceConfig) -> None:
    place = f"{environment.application}/{environment.name}/{service.name}"
    with step(f"moorings {command} {place}"):
        _run(cloud, command, place, "--region", environment.region)


def _run(cloud: LocalCloud, *words: str) -> None:
    """Runs one command in this process; what it prints goes into a log file beside the local cloud's state."""
    printed = io.StringIO()
    world = replace(real(), out=printed, err=printed, sleep=lambda wanted: time.sleep(min(wanted, PAUSE_SECONDS)))
    code = main(words, world)
    log = cloud.state_dir / "moorings.log"
    with log.open("a") as file:
        file.write(f"$ moorings {' '.join(words)}\n{printed.getvalue()}\n")
    if code != FINE:
        raise RuntimeError(f"`moorings {' '.join(words)}` ended with {code}:\n{printed.getvalue()}")
