"""Our model of bad images and of target health. These tests hold the model; they say nothing about AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

LABEL = "dev.moorings.local-cloud.behaviour"
PORT = 8080
BREAKER = {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}}


def upload(aws: Any, content: bytes, repository: str = "web") -> str:
    """Upload a layer in two parts and return its digest; one that is there stays."""
    ecr, digest = aws("ecr"), f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    half = len(content) // 2
    for first, part in ((0, content[:half]), (half, content[half:])):
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[digest])
    return digest


def push(aws: Any, version: str, behaviour: str = "") -> str:
    """Push an image whose containers behave so, and return its digest."""
    labels = {"version": version} | ({LABEL: behaviour} if behaviour else {})
    return push_labelled(aws, version, labels)


def push_labelled(aws: Any, version: str, labels: dict[str, str] | None) -> str:
    """Push an image with these labels, and return its digest."""
    config = upload(aws, json.dumps({"config": {"Labels": labels}}).encode())
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": config}, "layers": []})
    put = aws("ecr").put_image(repositoryName="web", imageManifest=manifest, imageTag=version)
    digest: str = put["image"]["imageId"]["imageDigest"]
    return digest


def template(digest: str, count: int = 2) -> dict[str, Any]:
    """A stack of one service behind a target group, with a circuit breaker."""
    image = {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/web@" + digest}
    container = {"Name": "web", "Image": image, "PortMappings": [{"ContainerPort": PORT}]}
    balanced = {"TargetGroupArn": {"Ref": "Targets"}, "ContainerName": "web", "ContainerPort": PORT}
    return {
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "main"}},
            "Targets": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {"Port": PORT, "Protocol": "HTTP", "TargetType": "ip", "VpcId": "vpc-1"},
            },
            "Definition": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": "web",
                    "NetworkMode": "awsvpc",
                    "RequiresCompatibilities": ["FARGATE"],
                    "ContainerDefinitions": [container],
                },
            },
            "Service": {
                "Type": "AWS::ECS::Service",
                "Properties": {
                    "Cluster": {"Ref": "Cluster"},
                    "ServiceName": "web",
                    "TaskDefinition": {"Ref": "Definition"},
                    "LaunchType": "FARGATE",
                    "DesiredCount": count,
                    "DeploymentConfiguration": BREAKER,
                    "LoadBalancers": [balanced],
                },
            },
        },
        "Outputs": {"Targets": {"Value": {"Ref": "Targets"}}},
    }


class Web:
    """The stack's service and its targets."""

    def __init__(self, aws: Any, until: Callable[..., Any]) -> None:
        self.aws, self.until = aws, until
        aws("ecr").create_repository(repositoryName="web")
        self.targets = ""

    def deploy(self, digest: str, *, update: bool = False, count: int = 2) -> str:
        """Create or update the stack and return its status."""
        made = self.aws.deploy("app", template(digest, count), update=update)
        self.targets = made["Outputs"].get("Targets", self.targets)
        status: str = made["StackStatus"]
        return status

    def service(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws("ecs").describe_services(cluster="main", services=["web"])["services"][0]
        return found

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.aws("ecs").list_tasks(cluster="main", desiredStatus=status)["taskArns"]
        found: list[dict[str, Any]] = []
        if arns:
            found = self.aws("ecs").describe_tasks(cluster="main", tasks=arns)["tasks"]
        return found

    def running(self) -> set[str]:
        return {task["containers"][0]["imageDigest"] for task in self.tasks()}

    def health(self) -> list[tuple[str, str]]:
        """State and reason of each target."""
        answer = self.aws("elbv2").describe_target_health(TargetGroupArn=self.targets)
        health = [each["TargetHealth"] for each in answer["TargetHealthDescriptions"]]
        return sorted((each["State"], each.get("Reason", "")) for each in health)

    def addresses(self) -> tuple[set[str], set[str]]:
        """Addresses of the targets and of the running tasks."""
        answer = self.aws("elbv2").describe_target_health(TargetGroupArn=self.targets)
        details = [detail for task in self.tasks() for detail in task["attachments"][0]["details"]]
        return (
            {each["Target"]["Id"] for each in answer["TargetHealthDescriptions"]},
            {detail["value"] for detail in details if detail["name"] == "privateIPv4Address"},
        )


@pytest.fixture
def web(aws: Any, wait_until: Callable[..., Any]) -> Web:
    return Web(aws, wait_until)


@pytest.fixture
def running(web: Web) -> tuple[Web, str]:
    """A service with two healthy tasks, and their digest."""
    digest = push(web.aws, "v1")
    assert web.deploy(digest) == "CREATE_COMPLETE"
    return web, digest


def test_targets_are_the_running_tasks(running: tuple[Web, str]) -> None:
    """After a deployment each running task is a healthy target with its own address."""
    web, _ = running
    targets, tasks = web.addresses()
    assert targets == tasks
    assert len(targets) == 2
    assert web.health() == [("healthy", "")] * 2


def test_an_image_without_labels_is_healthy(web: Web) -> None:
    """Docker writes null where an image has no label."""
    assert web.deploy(push_labelled(web.aws, "v1", None)) == "CREATE_COMPLETE"
    assert web.health() == [("healthy", "")] * 2


def test_a_deployment_waits_for_healthy_targets(running: tuple[Web, str]) -> None:
    """New tasks are initial targets first; the former ones stay until the new ones are healthy, and are gone then."""
    web, _ = running
    new = push(web.aws, "v2")
    image = web.tasks()[0]["containers"][0]["image"].split("@")[0] + f"@{new}"
    made = web.aws("ecs").register_task_definition(
        family="web", networkMode="awsvpc", containerDefinitions=[{"name": "web", "image": image, "essential": True}]
    )["taskDefinition"]["taskDefinitionArn"]
    before = web.addresses()[1]
    web.aws("ecs").update_service(cluster="main", service="web", taskDefinition=made)
    assert web.health() == [("healthy", "")] * 2 + [("initial", "Elb.RegistrationInProgress")] * 2
    assert web.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    web.until(lambda: web.running() == {new}, "the former tasks are gone")
    assert web.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    assert web.health() == [("healthy", "")] * 2
    assert not web.addresses()[0] & before


def test_a_container_that_exits_stops_its_task(web: Web) -> None:
    """The task ran and is STOPPED: its essential container exited with 1; the service tries again and gives up."""
    assert web.deploy(push(web.aws, "v1", "exits")) == "ROLLBACK_COMPLETE"
    (task, *others) = web.tasks("STOPPED")
    assert len(others) >= 2, "the service tried again"
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 1)
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["startedAt"]


def test_a_target_that_never_answers_stops_its_task(running: tuple[Web, str]) -> None:
    """The target is unhealthy, and ECS stops the task with the target group in the reason."""
    web, good = running
    bad = push(web.aws, "v2", "unhealthy")
    cloudformation = web.aws("cloudformation")
    cloudformation.update_stack(StackName="app", TemplateBody=json.dumps(template(bad)))
    web.until(lambda: ("unhealthy", "Target.FailedHealthChecks") in web.health(), "an unhealthy target")
    assert web.running() == {good, bad}
    assert web.aws.finished("app")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (task, *_) = [each for each in web.tasks("STOPPED") if each["containers"][0]["imageDigest"] == bad]
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    assert task["stoppedReason"] == f"Task failed ELB health checks in (target-group {web.targets})"


@pytest.mark.parametrize(("behaviour", "count"), [("exits", 2), ("exits", 3), ("unhealthy", 2)])
def test_a_bad_image_goes_back_by_itself(web: Web, behaviour: str, count: int) -> None:
    """The breaker counts to three; service and stack go back, the reason names it, and the former tasks never left."""
    good = push(web.aws, "v1")
    assert web.deploy(good, count=count) == "CREATE_COMPLETE"
    former, stayed = web.service()["taskDefinition"], {task["taskArn"] for task in web.tasks()}
    bad = push(web.aws, "v2", behaviour)
    assert web.deploy(bad, update=True, count=count) == "UPDATE_ROLLBACK_COMPLETE"
    assert "ECS Deployment Circuit Breaker was triggered" in web.aws.reasons("app")
    assert web.service()["taskDefinition"] == former
    assert {task["taskArn"] for task in web.tasks()} == stayed
    assert web.running() == {good}
    failed = [task for task in web.tasks("STOPPED") if task["containers"][0]["imageDigest"] == bad]
    assert len(failed) >= 3
    web.aws("ecs").get_waiter("services_stable").wait(cluster="main", services=["web"], WaiterConfig={"Delay": 1})
    (deployment,) = web.service()["deployments"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "COMPLETED")


def test_a_stack_takes_the_next_image_after_it_went_back(running: tuple[Web, str]) -> None:
    """After a rollback the next good image is deployed as ever."""
    web, _ = running
    assert web.deploy(push(web.aws, "v2", "exits"), update=True) == "UPDATE_ROLLBACK_COMPLETE"
    good = push(web.aws, "v3")
    assert web.deploy(good, update=True) == "UPDATE_COMPLETE"
    assert web.running() == {good}


def test_no_task_no_breaker(web: Web) -> None:
    """A deployment of a bad image at zero tasks completes at once; raised later, it never becomes healthy."""
    assert web.deploy(push(web.aws, "v1", "unhealthy"), count=0) == "CREATE_COMPLETE"
    web.aws("ecs").update_service(cluster="main", service="web", desiredCount=2)
    web.until(lambda: len(web.tasks("STOPPED")) >= 4, "tasks are stopped and replaced", seconds=15)
    assert web.service()["deployments"][0]["rolloutState"] == "COMPLETED"
    assert "healthy" not in {state for state, _ in web.health()}


def test_an_update_can_be_cancelled(running: tuple[Web, str]) -> None:
    """CancelUpdateStack while the service is not stable sends it back to what it ran before."""
    web, good = running
    cloudformation, bad = web.aws("cloudformation"), push(web.aws, "v2", "unhealthy")
    cloudformation.update_stack(StackName="app", TemplateBody=json.dumps(template(bad)))
    web.until(lambda: bad in web.running(), "the new tasks run")
    cloudformation.cancel_update_stack(StackName="app")
    assert web.aws.finished("app")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Resource update cancelled" in web.aws.reasons("app")
    assert "Circuit Breaker" not in web.aws.reasons("app")
    assert web.running() == {good}
    assert web.deploy(push(web.aws, "v3"), update=True) == "UPDATE_COMPLETE"


def test_the_role_of_an_update_is_shown(running: tuple[Web, str]) -> None:
    """DescribeStacks shows the role that was given last; an update that names none, or is refused, leaves it."""
    web, _ = running
    cloudformation, role = web.aws("cloudformation"), f"arn:aws:iam::{web.aws.account}:role/release"
    assert "RoleARN" not in cloudformation.describe_stacks(StackName="app")["Stacks"][0]
    for version, given in (("v2", {"RoleARN": role}), ("v3", {})):
        body = json.dumps(template(push(web.aws, version)))
        cloudformation.update_stack(StackName="app", TemplateBody=body, **given)
        assert web.aws.finished("app")["RoleARN"] == role
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName="app", TemplateBody=body, RoleARN=f"{role}-other")
    assert web.aws.finished("app")["RoleARN"] == role


def test_layers_are_kept(web: Web) -> None:
    """An uploaded layer is available, in its repository only, and a second upload of it is refused."""
    ecr, content = web.aws("ecr"), b"a layer of some bytes"
    ecr.create_repository(repositoryName="other")
    digest = upload(web.aws, content)
    for repository, expected in (("web", ("AVAILABLE", len(content))), ("other", ("UNAVAILABLE", 0))):
        answer = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
        assert [(each["layerAvailability"], each["layerSize"]) for each in answer["layers"]] == [expected]
    with pytest.raises(ClientError, match="LayerAlreadyExists"):
        upload(web.aws, content)


def test_a_layer_must_have_its_digest(web: Web) -> None:
    """What does not have the digest that it is given is refused, and not kept."""
    ecr, claimed = web.aws("ecr"), "sha256:" + "0" * 64
    upload_id = ecr.initiate_layer_upload(repositoryName="web")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="web", uploadId=upload_id, partFirstByte=0, partLastByte=3, layerPartBlob=b"some"
    )
    with pytest.raises(ClientError, match="InvalidLayerException"):
        ecr.complete_layer_upload(repositoryName="web", uploadId=upload_id, layerDigests=[claimed])
    (layer,) = ecr.batch_check_layer_availability(repositoryName="web", layerDigests=[claimed])["layers"]
    assert layer["layerAvailability"] == "UNAVAILABLE"


def test_the_parts_of_a_layer_follow_each_other(web: Web) -> None:
    """A part that leaves a gap is refused."""
    ecr = web.aws("ecr")
    upload_id = ecr.initiate_layer_upload(repositoryName="web")["uploadId"]
    with pytest.raises(ClientError, match="InvalidLayerPartException"):
        ecr.upload_layer_part(
            repositoryName="web", uploadId=upload_id, partFirstByte=7, partLastByte=10, layerPartBlob=b"some"
        )
