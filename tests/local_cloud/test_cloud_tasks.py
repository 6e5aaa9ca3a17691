"""Our model of ECS on Fargate. These tests hold the model; they say nothing about AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

CLUSTER = "main"
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


class Ecs:
    """A cluster, a repository and a queue of events in the test's account."""

    def __init__(self, aws: Any, until: Callable[..., Any]) -> None:
        self.aws, self.until = aws, until
        self.seen: list[dict[str, Any]] = []
        self.api, self.ecr, self.sqs = aws("ecs"), aws("ecr"), aws("sqs")
        self.api.create_cluster(clusterName=CLUSTER)
        self.ecr.create_repository(repositoryName="web")
        self.queue = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = aws("events")
        events.put_rule(Name="ecs", EventPattern=json.dumps({"source": ["aws.ecs"]}))
        events.put_targets(Rule="ecs", Targets=[{"Id": "queue", "Arn": arn}])

    def image(self, reference: str) -> str:
        return f"{self.aws.account}.dkr.ecr.{self.aws.region}.amazonaws.com/web{reference}"

    def define(self, image: str) -> str:
        made = self.api.register_task_definition(
            family="web",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "web", "image": image}],
        )
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn

    def serve(self, image: str, count: int | None = 1, **more: Any) -> dict[str, Any]:
        wanted = {} if count is None else {"desiredCount": count}
        definition = self.define(image)
        made = self.api.create_service(
            cluster=CLUSTER, serviceName="web", taskDefinition=definition, launchType="FARGATE", **wanted, **more
        )
        service: dict[str, Any] = made["service"]
        return service

    def service(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.describe_services(cluster=CLUSTER, services=["web"])["services"][0]
        return found

    def counts(self) -> tuple[int, int]:
        service = self.service()
        return service["desiredCount"], service["runningCount"]

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.api.list_tasks(cluster=CLUSTER, desiredStatus=status)["taskArns"]
        found: list[dict[str, Any]] = []
        if arns:
            found = self.api.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
        return found

    def event(self, kind: str, **detail: Any) -> dict[str, Any]:
        """Wait for an event of this kind whose detail has these values."""

        def find() -> dict[str, Any] | None:
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            self.seen += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            return next(
                (e for e in self.seen if e["detail-type"] == kind and detail.items() <= e["detail"].items()), None
            )

        found: dict[str, Any] = self.until(find, f"{kind} {detail}; seen: {self.seen}")
        return found


TASK, DEPLOYMENT = "ECS Task State Change", "ECS Deployment State Change"


@pytest.fixture
def ecs(aws: Any, wait_until: Callable[..., Any]) -> Ecs:
    return Ecs(aws, wait_until)


def test_task_knows_its_digest(ecs: Ecs) -> None:
    """A running task carries the digest that its tag had in ECR when it started, and an event says so."""
    digest = ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"))
    task = ecs.tasks()[0]
    assert task["containers"][0]["imageDigest"] == digest
    assert (task["lastStatus"], task["launchType"], task["group"]) == ("RUNNING", "FARGATE", "service:web")
    event = ecs.event(TASK, lastStatus="RUNNING", taskArn=task["taskArn"])
    assert (event["source"], event["account"], event["region"]) == ("aws.ecs", ecs.aws.account, ecs.aws.region)
    assert event["resources"] == [task["taskArn"]]
    assert event["detail"]["containers"][0]["imageDigest"] == digest
    assert event["detail"]["clusterArn"] == task["clusterArn"]
    assert "stopCode" not in event["detail"]


@pytest.mark.parametrize("reference", [":v1", "@{digest}", ":v1@{digest}", ":other@{digest}"])
def test_every_form_of_reference(ecs: Ecs, reference: str) -> None:
    """Tag, digest, and both are understood; a digest wins over a tag."""
    digest = ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(reference.format(digest=digest)))
    assert ecs.tasks()[0]["containers"][0]["imageDigest"] == digest


def test_image_from_elsewhere_counts_as_present(ecs: Ecs) -> None:
    """An image that is not in a private ECR registry is not looked for, and gives no digest."""
    ecs.serve("public.ecr.aws/nginx/nginx:1.27")
    assert "imageDigest" not in ecs.tasks()[0]["containers"][0]


def test_image_of_another_account_is_found_there(ecs: Ecs) -> None:
    """The registry's account and region in the image name say where to look."""
    other = ecs.aws.elsewhere(account="999999999998", region="eu-west-1")
    other("ecr").create_repository(repositoryName="base")
    digest = other.push("base", "v1")
    ecs.serve("999999999998.dkr.ecr.eu-west-1.amazonaws.com/base:v1")
    assert ecs.tasks()[0]["containers"][0]["imageDigest"] == digest


def test_missing_image_stops_the_task(ecs: Ecs) -> None:
    """A task whose image is missing never runs: TaskFailedToStart, CannotPullContainerError, and an event."""
    ecs.serve(ecs.image(":gone"))
    assert ecs.counts() == (1, 0)
    assert ecs.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert ecs.tasks() == []
    task = ecs.tasks("STOPPED")[0]
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert task["stoppedReason"].endswith("/web:gone: not found")
    assert "startedAt" not in task
    event = ecs.event(TASK, lastStatus="STOPPED", stopCode="TaskFailedToStart")
    assert event["detail"]["stoppedReason"] == task["stoppedReason"]
    assert event["detail"]["containers"][0]["reason"] == task["stoppedReason"]


def test_archived_image_stops_the_task(ecs: Ecs) -> None:
    """An archived image cannot be pulled although DescribeImages lists it; after its restore the service recovers."""
    image = {"imageDigest": ecs.aws.push("web", "v1")}
    ecs.ecr.update_image_storage_class(repositoryName="web", imageId=image, targetStorageClass="ARCHIVE")
    ecs.serve(ecs.image(":v1"))
    assert ecs.counts() == (1, 0)
    ecs.ecr.update_image_storage_class(repositoryName="web", imageId=image, targetStorageClass="STANDARD")
    ecs.until(lambda: ecs.counts() == (1, 1), "the service runs")


def test_run_task_fails_in_the_same_way(ecs: Ecs) -> None:
    """RunTask outside a service with a missing image ends STOPPED too."""
    definition = ecs.define(ecs.image("@sha256:" + "0" * 64))
    run = ecs.api.run_task(cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE")
    task = ecs.api.describe_tasks(cluster=CLUSTER, tasks=[run["tasks"][0]["taskArn"]])["tasks"][0]
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")


def test_stopped_task_is_replaced(ecs: Ecs) -> None:
    """StopTask on one of a service's tasks leads to another in its place, and both changes are events."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"), 2)
    before = {task["taskArn"] for task in ecs.tasks()}
    victim = sorted(before)[0]
    ecs.api.stop_task(cluster=CLUSTER, task=victim, reason="test")
    after = {task["taskArn"] for task in ecs.tasks()}
    assert (len(after), len(after & before)) == (2, 1)
    assert ecs.counts() == (2, 2)
    assert ecs.event(TASK, lastStatus="STOPPED", taskArn=victim)["detail"]["stopCode"] == "UserInitiated"


def test_replacement_fails_when_the_image_has_gone(ecs: Ecs) -> None:
    """The incident: the image is deleted, a task stops, its replacement cannot pull, the rollout stays COMPLETED."""
    digest = ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(f"@{digest}"), 2, deploymentConfiguration=BREAKER)
    ecs.ecr.batch_delete_image(repositoryName="web", imageIds=[{"imageDigest": digest}])
    ecs.api.stop_task(cluster=CLUSTER, task=ecs.tasks()[0]["taskArn"])
    assert ecs.counts() == (2, 1)
    assert ecs.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    failed = [task for task in ecs.tasks("STOPPED") if task["stopCode"] == "TaskFailedToStart"]
    assert len(failed) == 1, "one attempt for one call: the service does not spin"
    assert ecs.aws.push("web", "v1") == digest
    ecs.until(lambda: ecs.counts() == (2, 2), "the service recovers by itself when the image is back")


def test_scaling_out_fails_when_the_image_has_gone(ecs: Ecs) -> None:
    """Raising the count after the image has gone starts nothing, and what runs keeps running."""
    digest = ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(f"@{digest}"))
    ecs.ecr.batch_delete_image(repositoryName="web", imageIds=[{"imageDigest": digest}])
    ecs.api.update_service(cluster=CLUSTER, service="web", desiredCount=3)
    assert ecs.counts() == (3, 1)


def test_later_tasks_use_the_digest_of_the_deployment(ecs: Ecs) -> None:
    """A tag that moves after the deployment does not change what later tasks run, until a new deployment."""
    old = ecs.aws.push("web", "v1", layer="a")
    ecs.serve(ecs.image(":v1"))
    new = ecs.aws.push("web", "v1", layer="b")
    ecs.api.update_service(cluster=CLUSTER, service="web", desiredCount=2)
    assert {task["containers"][0]["imageDigest"] for task in ecs.tasks()} == {old}
    ecs.api.update_service(cluster=CLUSTER, service="web", forceNewDeployment=True)
    assert {task["containers"][0]["imageDigest"] for task in ecs.tasks()} == {new}


def test_failed_starts_become_rarer(ecs: Ecs) -> None:
    """Without a circuit breaker a service tries on, but ever more slowly."""
    ecs.serve(ecs.image(":gone"))
    ecs.until(lambda: len(ecs.tasks("STOPPED")) >= 3, "three attempts")
    times = sorted(task["createdAt"] for task in ecs.tasks("STOPPED"))
    assert (times[2] - times[0]).total_seconds() >= 2


def test_service_without_count_gets_one(ecs: Ecs) -> None:
    """CreateService without a desired count gives one task."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"), None)
    assert ecs.counts() == (1, 1)


def test_update_without_count_leaves_it(ecs: Ecs) -> None:
    """UpdateService without a desired count leaves it alone; with one it sets it, up and down and to zero."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"), 2)
    ecs.api.update_service(cluster=CLUSTER, service="web", taskDefinition=ecs.define(ecs.image(":v1")))
    assert ecs.counts() == (2, 2)
    for count in (3, 1, 0):
        ecs.api.update_service(cluster=CLUSTER, service="web", desiredCount=count)
        assert ecs.counts() == (count, count)
        assert len(ecs.tasks()) == count
    assert {task["stopCode"] for task in ecs.tasks("STOPPED")} == {"ServiceSchedulerInitiated"}


def test_new_definition_replaces_the_tasks(ecs: Ecs) -> None:
    """A new task definition replaces every task, and the deployment's events are in order."""
    ecs.aws.push("web", "v1", layer="a")
    new = ecs.aws.push("web", "v2", layer="b")
    first = ecs.serve(ecs.image(":v1"), 2)["deployments"][0]["id"]
    definition = ecs.define(ecs.image(":v2"))
    updated = ecs.api.update_service(cluster=CLUSTER, service="web", taskDefinition=definition)["service"]
    second = updated["deployments"][0]["id"]
    assert {task["taskDefinitionArn"] for task in ecs.tasks()} == {definition}
    assert {task["containers"][0]["imageDigest"] for task in ecs.tasks()} == {new}
    assert [(d["id"], d["rolloutState"]) for d in ecs.service()["deployments"]] == [(second, "COMPLETED")]
    ecs.event(DEPLOYMENT, deploymentId=second, eventName="SERVICE_DEPLOYMENT_COMPLETED", eventType="INFO")
    told = [e["detail"] for e in ecs.seen if e["detail-type"] == DEPLOYMENT]
    assert [(each["deploymentId"], each["eventName"]) for each in told] == [
        (first, "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        (first, "SERVICE_DEPLOYMENT_COMPLETED"),
        (second, "SERVICE_DEPLOYMENT_IN_PROGRESS"),
        (second, "SERVICE_DEPLOYMENT_COMPLETED"),
    ]


def test_circuit_breaker_rolls_back(ecs: Ecs) -> None:
    """A deployment that cannot pull fails at the breaker's threshold; the former one is in charge again."""
    digest = ecs.aws.push("web", "v1")
    service = ecs.serve(ecs.image(":v1"), 1, deploymentConfiguration=BREAKER)
    former, first = service["taskDefinition"], service["deployments"][0]["id"]
    definition = ecs.define(ecs.image(":gone"))
    updated = ecs.api.update_service(cluster=CLUSTER, service="web", taskDefinition=definition)["service"]
    event = ecs.event(DEPLOYMENT, deploymentId=updated["deployments"][0]["id"], eventName="SERVICE_DEPLOYMENT_FAILED")
    assert event["detail"]["eventType"] == "ERROR"
    assert event["resources"] == [updated["serviceArn"]]
    ecs.until(lambda: ecs.service()["taskDefinition"] == former, "rolled back")
    assert {task["containers"][0]["imageDigest"] for task in ecs.tasks()} == {digest}
    assert ecs.counts() == (1, 1)
    ecs.event(DEPLOYMENT, deploymentId=first, reason="ECS deployment rollback in progress.")


def test_old_tasks_stay_while_the_new_ones_fail(ecs: Ecs) -> None:
    """While a deployment is in progress the former tasks keep running."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"))
    ecs.api.update_service(cluster=CLUSTER, service="web", taskDefinition=ecs.define(ecs.image(":gone")))
    primary = ecs.service()["deployments"][0]
    assert (primary["rolloutState"], primary["runningCount"]) == ("IN_PROGRESS", 0)
    assert ecs.counts() == (1, 1)


def test_unknown_definition_is_refused(ecs: Ecs) -> None:
    """A service cannot be created with a task definition that does not exist."""
    with pytest.raises(ClientError, match="Unable to find task definition"):
        ecs.api.create_service(cluster=CLUSTER, serviceName="web", taskDefinition="never:1")


def test_scalable_target_holds_the_count(ecs: Ecs) -> None:
    """A minimum above the desired count raises the service, a maximum below lowers it, one in between does nothing."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"), 2)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{CLUSTER}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling = ecs.aws("application-autoscaling")
    for low, high, expected in ((1, 5, 2), (3, 5, 3), (1, 1, 1)):
        scaling.register_scalable_target(**target, MinCapacity=low, MaxCapacity=high)
        assert ecs.counts() == (expected, expected)
    known = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert [(each["MinCapacity"], each["MaxCapacity"]) for each in known] == [(1, 1)]


def test_accounts_and_regions_are_separate(ecs: Ecs) -> None:
    """A service of the same name in another account or region is another service."""
    ecs.aws.push("web", "v1")
    ecs.serve(ecs.image(":v1"), 2)
    for other in (ecs.aws.elsewhere(account="999999999997"), ecs.aws.elsewhere(region="eu-west-1")):
        there = Ecs(other, ecs.until)
        assert there.tasks() == []
        there.serve(there.image(":v1"))
        assert there.counts() == (1, 0), "the image of one account is not the other's"
    assert ecs.counts() == (2, 2)


def test_a_task_of_no_service_ends_by_itself(ecs: Ecs) -> None:
    """Its program comes to an end: exit code 0, and nothing replaces it; an image that says so exits with 1."""
    ecs.aws.push("web", "v1")
    definition = ecs.define(ecs.image(":v1"))
    run = ecs.api.run_task(cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE")
    arn = run["tasks"][0]["taskArn"]

    def ended() -> bool:
        (task,) = ecs.api.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"]
        return str(task["lastStatus"]) == "STOPPED"

    assert not ended()
    ecs.until(ended, "the task ends")
    (task,) = ecs.api.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"]
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)
    assert ecs.tasks() == []


def test_a_family_is_its_newest_active_definition(ecs: Ecs) -> None:
    """One that was deregistered is not what the family's name means, though it is newer."""
    older, newer = ecs.define(ecs.image(":v1")), ecs.define(ecs.image(":v2"))
    family = older.rpartition("/")[2].partition(":")[0]
    described = ecs.api.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert described["taskDefinitionArn"] == newer
    ecs.api.deregister_task_definition(taskDefinition=newer)
    described = ecs.api.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert described["taskDefinitionArn"] == older
