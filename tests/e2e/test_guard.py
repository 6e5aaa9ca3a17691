"""The deployed guard, on the local cloud: what is released gets a pin, and a deleted image is told of.

Events, queue and function are the emulator's; ``local_cloud/README.md`` says how far its model of AWS goes. Log lines
do not become metrics there, so the line that carries the metrics is what is read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import boto3
import pytest

from constructs_lib.images.runtime.pins import slot_name, slot_of
from constructs_lib.naming import stack_name
from stacks.config import EnvironmentConfig
from tests.e2e.conftest import Deploy, Deployed

pytestmark = pytest.mark.e2e

MOST_SECONDS = 90
"""A wake-up waits 30 seconds, and after the scan before it up to 35 more."""

_T = TypeVar("_T")


class Guarded(Deployed):
    """An environment with its guard."""

    def __init__(self, config: EnvironmentConfig) -> None:
        super().__init__(config)
        stack = stack_name(config.application, config.name, "retention")
        listed = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        (self.function,) = (i["PhysicalResourceId"] for i in listed if i["ResourceType"] == "AWS::Lambda::Function")
        (self.log_group,) = (i["PhysicalResourceId"] for i in listed if i["ResourceType"] == "AWS::Logs::LogGroup")
        self._logs = boto3.client("logs", region_name=config.region)

    def tags(self, digest: str) -> list[str]:
        """The tags of an image; none when it has gone."""
        details = self.ecr.describe_images(repositoryName=self.repository)["imageDetails"]
        return [tag for image in details if image["imageDigest"] == digest for tag in image.get("imageTags", [])]

    def lines(self) -> list[dict[str, Any]]:
        """What the guard has written, line by line, oldest first."""
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=self.log_group)
        messages = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    def metrics(self) -> list[dict[str, Any]]:
        """The lines that carry metrics."""
        return [line for line in self.lines() if "_aws" in line]


def until(condition: Callable[[], _T], what: str) -> _T:
    """Asks every second until the condition gives something true, and returns that."""
    deadline = time.monotonic() + MOST_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {MOST_SECONDS} s: {what}"
        time.sleep(1)
    return found


@pytest.fixture(scope="module")
def guarded(deploy: Deploy, staging: EnvironmentConfig) -> Guarded:
    """An environment of this module's own, released once."""
    config = replace(staging, application="guarded")
    deploy(config)
    return Guarded(config)


@pytest.fixture(scope="module")
def released(guarded: Guarded, deploy: Deploy) -> tuple[Guarded, str]:
    """The environment after a release, and the digest that it runs."""
    digest = guarded.release("guarded")
    deploy(guarded.config, stacks="*/services")
    return guarded, digest


def test_what_is_released_gets_a_pin_from_the_guard(released: tuple[Guarded, str]) -> None:
    """Nobody but the deployed function can have put ``pin-use-…``; it did so on the event, not on the schedule (Q2)."""
    guarded, digest = released
    assert guarded.digests() == {digest}
    pins = until(
        lambda: [tag for tag in guarded.tags(digest) if tag.startswith("pin-use-")], "the image that runs has a pin"
    )
    family = f"{guarded.stack}-web"
    assert slot_name(family) in {slot.name for tag in pins if (slot := slot_of(tag))}
    first = next(line for line in guarded.lines() if line.get("message") == "pin put")
    assert (first["digest"], first["repository"]) == (digest, guarded.repository)
    assert first["uses"]


def test_a_deleted_image_is_told_before_a_task_needs_it(released: tuple[Guarded, str]) -> None:
    """The event of the deletion leads to a scan whose metrics say that an image in use is missing (Q4)."""
    guarded, digest = released
    until(lambda: guarded.metrics(), "the guard has scanned")
    assert guarded.metrics()[-1]["ImagesMissing"] == 0
    guarded.ecr.batch_delete_image(repositoryName=guarded.repository, imageIds=[{"imageDigest": digest}])
    metrics = until(
        lambda: [line for line in guarded.metrics() if line["ImagesMissing"] > 0], "the guard reports a missing image"
    )
    assert (metrics[0]["Application"], metrics[0]["Environment"]) == ("guarded", "staging")
    assert {line["what"] for line in guarded.lines() if line.get("message") == "could not be read"} == set()
    assert any(line.get("message") == "image in use is missing" for line in guarded.lines())
    assert guarded.counts() == (2, 2)  # and yet everything still runs
