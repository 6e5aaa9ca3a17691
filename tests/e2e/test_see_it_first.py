"""From a fault to the page and to the pager, on the local cloud: what our own part takes, and how often anybody wakes.

The alarms' minutes are short here, and the load balancer's numbers are a model of ours (local_cloud/README.md).
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from rich.console import Console

from constructs_lib.naming import evidence_log_name
from constructs_lib.observability.status_page.policy import StatusComponent, StatusPagePolicy
from demo.cloud import LocalCloud
from demo.component import Component
from demo.environments import ACCOUNT, demo_environments
from demo.fault import OWN_SECONDS, break_it, heal
from demo.hops import Arrival, own_seconds
from demo.pager import Message, Pager, pager
from demo.status_page import StatusPage, status_page
from local_cloud import controls
from stacks.config import EnvironmentConfig
from stacks.status_config import StatusPageConfig
from tests.e2e.conftest import Deploy, Deployed

pytestmark = pytest.mark.e2e

MINUTE = 1.0
ELSEWHERE = "eu-central-1"


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Polls until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A deployed environment with a status page in another region."""

    cloud: LocalCloud
    config: EnvironmentConfig
    deployed: Deployed
    component: Component
    page: StatusPage

    def change(self, how: Callable[..., Any]) -> list[Arrival]:
        """Breaks or mends the service as the demo does; the hops."""
        return list(how(Console(file=io.StringIO()), self.cloud.endpoint, self.page, self.component))

    def alarms(self, value: str | None = None) -> set[str]:
        """The names of the alarms of the environment that are in a state, or of all: one look, as they change."""
        cloudwatch = boto3.client("cloudwatch", region_name=self.config.region)
        prefix = f"{self.config.application}/{self.config.name}/"
        found = cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=prefix,
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
        alarms = [one for page in found for one in (*page["MetricAlarms"], *page["CompositeAlarms"])]
        return {one["AlarmName"].removeprefix(prefix) for one in alarms if value in (None, one["StateValue"])}

    def evidence(self) -> list[dict[str, Any]]:
        """The events that are kept."""
        logs = boto3.client("logs", region_name=self.config.region)
        name = evidence_log_name(self.config.application, self.config.name)
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
        return [json.loads(event["message"]) for page in pages for event in page["events"]]


@pytest.fixture(scope="module")
def scene(cloud: LocalCloud, deploy: Deploy) -> Iterator[Scene]:
    """Staging under a name of its own, not released yet, its page in Frankfurt; a minute takes a second."""
    page = StatusPagePolicy(en="Seen", components=(StatusComponent(name="web", en="Website"),))
    status = StatusPageConfig(page=page, region=ELSEWHERE)
    config = replace(demo_environments()[0], application="seen", status_page=status)
    cloud.cdk("bootstrap", f"aws://{ACCOUNT}/{ELSEWHERE}", region=ELSEWHERE)
    controls.set_minute(cloud.endpoint, MINUTE)
    try:
        deploy(config)
        page_here = status_page(cloud, (config,))
        assert page_here is not None
        yield Scene(
            cloud=cloud,
            config=config,
            deployed=Deployed(config),
            component=Component(cloud, config),
            page=page_here,
        )
    finally:
        controls.set_minute(cloud.endpoint, 60)


@pytest.fixture(scope="module")
def heard(scene: Scene) -> Iterator[Pager]:
    """Who listens to both topics from before the first release on."""
    with pager(scene.config.region, *scene.component.topics()) as listening:
        yield listening


def test_before_the_first_release_nobody_is_woken(scene: Scene, heard: Pager) -> None:
    """All alarms on the load balancer have been evaluated, none is red, the page is there and all is well on it."""
    assert {"web/degraded", "web/outage", "web/no-healthy-targets", "web/too-few-healthy-targets"} <= scene.alarms()
    until(lambda: "web/no-healthy-targets" in scene.alarms("OK"), "evaluated without a target")
    until(lambda: scene.page.feed_state("web") == "operational", "the page is there")
    assert not {name for name in scene.alarms("ALARM") if name.startswith("web/")}
    assert heard.messages(scene.component.topics()[0]) == []


def test_the_first_release_wakes_nobody(scene: Scene, heard: Pager) -> None:
    """Tasks start while the alarms begin to act; they wait for them."""
    release(scene, "first")
    until(scene.component.all_healthy, "the targets are healthy")
    until(lambda: "web/no-healthy-targets" in scene.alarms("OK"), "its warm-up is over, and all is well")
    assert not {name for name in scene.alarms("ALARM") if name.startswith("web/")}
    assert heard.messages(scene.component.topics()[0]) == []


def test_one_fault_pages_once_and_the_page_tells_of_it(scene: Scene, heard: Pager) -> None:
    """All tasks fail: several alarms are red, one message pages, and the page in another region follows at once.

    What ECS tells of the stopped tasks is a notice, because the alarm has paged. Here the alarm is the first of the
    two. On AWS, where it needs minutes, the first may be ECS's, and then both page.
    """
    on_page, on_notice = scene.component.topics()
    arrivals = scene.change(break_it)
    assert own_seconds(arrivals) < OWN_SECONDS
    red = until(lambda: _at_least(scene.alarms("ALARM"), 4), "several alarms are red")
    assert {"web/degraded", "web/outage", "web/unhealthy-targets-1"} <= red
    assert (scene.page.feed_state("web"), scene.page.first_row("ja/index.html")) == ("outage", "outage")
    assert scene.change(break_it) == [], "a second time changes nothing"
    until(lambda: _of(scene.evidence(), "Task failed ELB health checks"), "ECS has stopped a task")
    until(lambda: [one for one in heard.messages(on_notice) if "health checks fail" in one.subject], "that is told")
    assert [message.subject for message in heard.messages(on_page)] == [
        f'ALARM: "seen/staging/web/degraded" in {scene.config.region}'
    ]


def test_its_end_is_a_notice_and_the_page_tells_of_it(scene: Scene, heard: Pager) -> None:
    """Nobody is woken by good news."""
    on_page, on_notice = scene.component.topics()
    before = told(heard, on_page)
    arrivals = scene.change(heal)
    assert own_seconds(arrivals) < OWN_SECONDS
    assert scene.page.feed_state("web") == "operational"
    assert told(heard, on_page) == before
    assert f'OK: "seen/staging/web/degraded" in {scene.config.region}' in {
        message.subject for message in heard.messages(on_notice)
    }
    assert scene.change(heal) == [], "a second time changes nothing"


def test_the_page_stands_in_another_region(scene: Scene) -> None:
    """Bucket, bus and function are there; the services' region holds a rule and nothing else of it."""
    there, here = (
        {
            one["ResourceType"]
            for one in boto3.client("cloudformation", region_name=region).describe_stack_resources(
                StackName=f"seen--staging--{stack}"
            )["StackResources"]
        }
        for region, stack in ((ELSEWHERE, "status"), (scene.config.region, "status-source"))
    )
    assert {"AWS::S3::Bucket", "AWS::Events::EventBus", "AWS::Lambda::Function"} <= there
    assert not {"AWS::S3::Bucket", "AWS::Events::EventBus", "AWS::Lambda::Function"} & here


def test_an_image_that_is_gone_is_evidence_and_one_message(scene: Scene, heard: Pager) -> None:
    """The next task cannot pull it: each attempt is kept, and one message says it in words, with the runbook.

    The task that was stopped is missing, so the alarm pages, too. Which of the two is the first depends on the moment:
    a message that comes after the alarm is a notice, and an alarm after the message pages all the same.
    """
    on_page, on_notice = scene.component.topics()
    paged = told(heard, on_page)
    deployed = scene.deployed
    (digest,) = deployed.digests()
    deployed.ecr.batch_delete_image(repositoryName=deployed.repository, imageIds=[{"imageDigest": digest}])
    cluster = deployed.resource("AWS::ECS::Cluster")
    task = deployed.ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"][0]
    deployed.ecs.stop_task(cluster=cluster, task=task, reason="the end-to-end test")

    def about() -> list[Message]:
        messages = [*heard.messages(on_page), *heard.messages(on_notice)]
        return [one for one in messages if "CannotPullContainerError" in one.text]

    kept = until(lambda: _of(scene.evidence(), "CannotPullContainerError", at_least=3), "three attempts are kept")
    assert {event["detail"]["stopCode"] for event in kept} == {"TaskFailedToStart"}
    until(about, "somebody is told")
    (message,) = about()
    assert "image-cannot-be-pulled" in message.text, "it names the runbook"
    assert "web" in message.subject
    degraded = f'ALARM: "seen/staging/web/degraded" in {scene.config.region}'
    until(lambda: any(one.startswith(degraded) for one in told(heard, on_page)[len(paged) :]), "the alarm pages")
    woken = [one.split("\n", 1)[0] for one in told(heard, on_page)[len(paged) :]]
    assert sorted({degraded, *([message.subject] if message.topic == on_page else [])}) == sorted(woken)


def told(heard: Pager, topic: str) -> list[str]:
    """What a topic has sent so far."""
    return [f"{message.subject}\n{message.text}" for message in heard.messages(topic)]


def release(scene: Scene, version: str) -> None:
    """What a release does: an image, its digest in the parameter, the stack with its own template."""
    scene.deployed.release(version)
    cloudformation = scene.deployed.cloudformation
    cloudformation.update_stack(
        StackName=scene.deployed.stack,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
            for one in cloudformation.describe_stacks(StackName=scene.deployed.stack)["Stacks"][0].get("Parameters", [])
        ],
    )
    until(lambda: scene.deployed.status() == "UPDATE_COMPLETE", "released")


def _at_least(names: set[str], count: int) -> set[str]:
    return names if len(names) >= count and "web/outage" in names else set()


def _of(events: list[dict[str, Any]], reason: str, *, at_least: int = 1) -> list[dict[str, Any]]:
    found = [event for event in events if event["detail"].get("stoppedReason", "").startswith(reason)]
    return found if len(found) >= at_least else []
