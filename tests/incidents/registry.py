"""The local cloud's registry and services, in a time of our own.

Lifecycle rules are applied by ``constructs_lib.images.lifecycle.evaluate``, which is our model of ECR: the emulator
stores a policy and never executes it. Images have the age that the story gives them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from constructs_lib.images.lifecycle import Image, evaluate
from demo.image import assemble, push

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An ECS service."""

    cluster: str
    name: str


@dataclass
class Registry:
    """Repositories whose images have an age, and the services that run them.

    Attributes:
        now: the story's time.
        pushed: when each image was pushed, by repository and digest.
    """

    region: str
    now: datetime = datetime(2027, 1, 1, tzinfo=UTC)
    pushed: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ecr = boto3.client("ecr", region_name=self.region)
        self.ecs = boto3.client("ecs", region_name=self.region)
        self._begun: set[str] = set()
        self._base = json.loads(assemble("replay\n").manifest)

    def push(self, repository: str, number: int, tag: str) -> str:
        """Pushes build ``number``; the same number has the same digest in every repository."""
        if repository not in self._begun:
            push(self.ecr, repository, assemble("replay\n"), "base")
            self._begun.add(repository)
        manifest = json.dumps({**self._base, "mediaType": OCI_MANIFEST, "annotations": {"build": str(number)}})
        try:
            answer = self.ecr.put_image(
                repositoryName=repository,
                imageManifest=manifest,
                imageManifestMediaType=OCI_MANIFEST,
                imageTag=tag,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ImageAlreadyExistsException":
                raise
            (found,) = self.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
            return found["imageDigest"]
        digest = answer["image"]["imageId"]["imageDigest"]
        self.pushed.setdefault((repository, digest), self.now)
        return digest

    def images(self, repository: str) -> list[Image]:
        """What the repository holds, as old as the story says."""
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
        return [
            Image(
                digest=detail["imageDigest"],
                tags=tuple(detail.get("imageTags", ())),
                pushed_at=self.pushed.get((repository, detail["imageDigest"]), self.now),
            )
            for page in pages
            for detail in page["imageDetails"]
        ]

    def expire(self, repository: str) -> None:
        """Deletes what the repository's lifecycle policy would delete now."""
        policy = self.ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
        verdicts = evaluate(policy, self.images(repository), now=self.now)
        gone = [digest for digest, verdict in verdicts.items() if verdict.action == "expire"]
        for start in range(0, len(gone), 100):
            self.ecr.batch_delete_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in gone[start : start + 100]]
            )
        for digest in gone:
            self.pushed.pop((repository, digest), None)

    def pass_time(self, time: timedelta) -> None:
        """The story's clock goes on."""
        self.now += time

    def replace_task(self, service: Service) -> str | None:
        """Stops a task of a service, as a retired host does; None when the next one runs, else why it does not."""
        for arn in self._tasks(service, "RUNNING")[:1]:
            self.ecs.stop_task(cluster=service.cluster, task=arn)
        (found,) = self.ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
        if len(self._tasks(service, "RUNNING")) == found["desiredCount"]:
            return None
        stopped = self._tasks(service, "STOPPED")
        tasks = self.ecs.describe_tasks(cluster=service.cluster, tasks=stopped)["tasks"] if stopped else []
        reasons = [task for task in tasks if task.get("stopCode") == "TaskFailedToStart"]
        return str(reasons[-1]["stoppedReason"]) if reasons else "no task, and no reason"

    def add_service(self, cluster: str, name: str, image: str, network: Any) -> Service:
        """A service of one task, made with ECS's API as another tool would."""
        definition = self.define(name, image)
        self.ecs.create_service(
            cluster=cluster,
            serviceName=name,
            taskDefinition=definition,
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration=network,
        )
        return Service(cluster=cluster, name=name)

    def update_service(self, service: Service, image: str) -> None:
        """The service runs another image from now on."""
        self.ecs.update_service(
            cluster=service.cluster, service=service.name, taskDefinition=self.define(service.name, image)
        )

    def running(self, service: Service) -> set[str]:
        """The digests that a service's tasks run."""
        arns = self._tasks(service, "RUNNING")
        tasks = self.ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"] if arns else []
        return {container["imageDigest"] for task in tasks for container in task["containers"]}

    def delete_service(self, service: Service) -> None:
        """Deletes a service, and deregisters its task definitions."""
        self.ecs.delete_service(cluster=service.cluster, service=service.name, force=True)
        for arn in self.ecs.list_task_definitions(familyPrefix=service.name)["taskDefinitionArns"]:
            self.ecs.deregister_task_definition(taskDefinition=arn)

    def define(self, family: str, image: str) -> str:
        """A new revision of a task definition."""
        made = self.ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": family, "image": image, "essential": True}],
        )
        return made["taskDefinition"]["taskDefinitionArn"]

    def _tasks(self, service: Service, status: Any) -> list[str]:
        return self.ecs.list_tasks(cluster=service.cluster, serviceName=service.name, desiredStatus=status)["taskArns"]
