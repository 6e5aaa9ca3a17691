"""A worker and its scheduled task on the local cloud: deployed, released, and taken back.

What the local cloud does not do is said where it matters: it enforces no permission, runs no container, and starts
nothing by the clock. So this test starts the task itself, with what the schedule says.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
import pytest

from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.task.health_check import ContainerCheck
from stacks.config import EnvironmentConfig, ServiceConfig
from stacks.scheduled import ScheduledTaskConfig
from tests.e2e.conftest import Deploy
from tests.e2e.delivery_support import Place, story
from tests.local_cloud.conftest import until

pytestmark = pytest.mark.e2e

NIGHTLY = ScheduledTaskConfig(
    name="nightly", schedule=Schedule.cron("0 3 * * ? *", time_zone="Asia/Tokyo"), command=("report",)
)
MAILER = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"), scheduled_tasks=(NIGHTLY,))


class Worker(Place):
    """One environment's only worker, and its scheduled task."""

    def __init__(self, config: EnvironmentConfig) -> None:
        super().__init__(config)
        self.scheduler = boto3.client("scheduler", region_name=config.region)
        self.sqs = boto3.client("sqs", region_name=config.region)

    def schedule(self) -> dict[str, Any]:
        """The schedule, as GetSchedule gives it."""
        found: dict[str, Any] = dict(self.scheduler.get_schedule(Name=self.resource("AWS::Scheduler::Schedule")))
        return found

    def scheduled_image(self) -> str:
        """The digest that the schedule's task definition names."""
        named = self.schedule()["Target"]["EcsParameters"]["TaskDefinitionArn"]
        definition = self.ecs.describe_task_definition(taskDefinition=named)["taskDefinition"]
        return definition["containerDefinitions"][0]["image"].partition("@")[2]

    def run_scheduled(self) -> str:
        """Starts the task as EventBridge Scheduler would; its ARN. The emulator forgets a schedule's network."""
        target = self.schedule()["Target"]
        how = target["EcsParameters"]
        cluster, service = target["Arn"], self.resource("AWS::ECS::Service")
        (found,) = self.ecs.describe_services(cluster=cluster, services=[service])["services"]
        started = self.ecs.run_task(
            cluster=cluster,
            taskDefinition=how["TaskDefinitionArn"],
            launchType=how["LaunchType"],
            count=int(how["TaskCount"]),
            networkConfiguration=found["networkConfiguration"],
        )
        return started["tasks"][0]["taskArn"]

    def ended(self, task: str) -> dict[str, Any]:
        """A task that has come to its end."""
        cluster = self.resource("AWS::ECS::Cluster")

        def stopped() -> dict[str, Any] | None:
            found: dict[str, Any] = dict(self.ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"][0])
            return found if found["lastStatus"] == "STOPPED" else None

        found: dict[str, Any] = until(stopped, "the task has ended")
        return found

    def failed_runs(self) -> list[dict[str, Any]]:
        """What the queue of failed runs holds, each deleted as somebody does who has looked at it."""
        queue = self.resource("AWS::SQS::Queue")
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture(scope="module")
def worker(deploy: Deploy, staging: EnvironmentConfig) -> Worker:
    """A deployed environment whose only service is a worker; nothing is released yet."""
    config = replace(staging, application="works", services=(MAILER,))
    deploy(config)
    return Worker(config)


def test_before_the_first_release_nothing_runs_and_the_schedule_is_off(worker: Worker) -> None:
    """Zero tasks, a schedule that is DISABLED, and alarms that notify nobody."""
    assert worker.counts() == (0, 0)
    assert worker.schedule()["State"] == "DISABLED"
    assert worker.alarms_act() == {False}
    told = worker.moorings("status").result["services"][0]
    assert (told["healthy_targets"], told["healthy_tasks"], told["running"]) == (None, 0, None)


def test_a_first_release_brings_healthy_tasks_and_turns_the_schedule_on(worker: Worker) -> None:
    """It waits for tasks that ECS calls healthy, and there is no load balancer to ask."""
    digest = worker.build("one")
    done = worker.moorings("release")
    assert (done.code, done.release["state"]) == (0, "successful")
    assert worker.digests() == {digest}
    desired, running = worker.counts()
    assert desired == running >= 2
    assert f"healthy tasks {desired}" in done.progress
    assert "healthy targets" not in done.progress
    assert worker.schedule()["State"] == "ENABLED"
    assert worker.scheduled_image() == digest
    assert worker.alarms_act() == {True}
    assert worker.moorings("status").result["services"][0]["healthy_tasks"] == desired


def test_a_run_that_ends_well_is_told_to_nobody(worker: Worker) -> None:
    """Exit code 0: the queue stays empty."""
    task = worker.ended(worker.run_scheduled())
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)
    assert worker.failed_runs() == []


def test_a_release_whose_tasks_exit_goes_back_with_its_schedule(worker: Worker) -> None:
    """Worker and schedule have the former image again, and the ledger says what happened."""
    good = worker.value()
    bad = worker.build("two", "exits")
    done = worker.moorings("release")
    assert (done.code, done.release["state"]) == (1, "failed")
    assert worker.value() == good
    assert worker.digests() == {good}
    assert worker.scheduled_image() == good
    assert worker.schedule()["State"] == "ENABLED"
    assert story(worker.history())[-1] == ("release", "failed", bad)
    assert worker.failed_runs() == []


def test_a_release_whose_tasks_never_pass_their_check_goes_back(worker: Worker) -> None:
    """They run, and ECS stops them for their container check."""
    good = worker.value()
    worker.build("three", "unhealthy")
    done = worker.moorings("release")
    assert (done.code, done.release["state"]) == (1, "failed")
    assert "container health checks" in done.release["reason"]
    assert worker.digests() == {good} == {worker.scheduled_image()}


def test_a_run_that_fails_is_kept_with_its_reason(worker: Worker) -> None:
    """A task whose image is archived cannot start: the event that says why is in the queue."""
    digest = worker.value()
    move = partial(
        worker.ecr.update_image_storage_class, repositoryName=worker.repository, imageId={"imageDigest": digest}
    )
    move(targetStorageClass="ARCHIVE")
    try:
        task = worker.run_scheduled()
        (event,) = until(worker.failed_runs, "the failed run is in the queue")
    finally:
        move(targetStorageClass="STANDARD")
    assert event["detail-type"] == "ECS Task State Change"
    assert event["detail"]["taskArn"] == task
    assert event["detail"]["stopCode"] == "TaskFailedToStart"
    assert "CannotPullContainerError" in event["detail"]["stoppedReason"]


def test_the_next_release_brings_both_the_next_image(worker: Worker) -> None:
    """What failed before does not stand in the way."""
    digest = worker.build("four")
    assert worker.moorings("release", digest).code == 0
    assert worker.digests() == {digest} == {worker.scheduled_image()}
    assert worker.moorings("restart").code == 0
    assert worker.digests() == {digest}
