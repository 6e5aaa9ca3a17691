"""A world as it was: one build pushes to both registries, and each keeps its last ten images."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

from tests.incidents.registry import Registry, Service

REPOSITORIES: Final = {"staging": "before/staging", "production": "before/production"}
_NETWORK: Final = {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}


def policy_of_the_one_liner() -> str:
    """The lifecycle policy that CDK makes of ``LifecycleRule(max_image_count=10)``."""
    from aws_cdk import App, Stack
    from aws_cdk import aws_ecr as ecr
    from aws_cdk.assertions import Template

    stack = Stack(App(), "Before")
    ecr.Repository(stack, "Images", lifecycle_rules=[ecr.LifecycleRule(max_image_count=10)])
    (resource,) = Template.from_stack(stack).find_resources("AWS::ECR::Repository").values()
    text = resource["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"]
    assert json.loads(text)["rules"][0]["selection"]["tagStatus"] == "any"
    return str(text)


class Before:
    """The world of the incident."""

    def __init__(self, region: str, account: str) -> None:
        self.registry = Registry(region)
        self.builds = 0
        self.host = f"{account}.dkr.ecr.{region}.amazonaws.com"
        self.services: dict[str, Service] = {}
        self.registry.ecs.create_cluster(clusterName="before")
        for name in REPOSITORIES.values():
            self.registry.ecr.create_repository(repositoryName=name)
            self.registry.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy_of_the_one_liner())

    def build(self) -> str:
        """One build, two registries (lesson Q1)."""
        self.builds += 1
        self.registry.pass_time(timedelta(minutes=1))
        digests = {
            self.registry.push(repository, self.builds, f"build-{self.builds}") for repository in REPOSITORIES.values()
        }
        (digest,) = digests
        return digest

    def release(self, environment: str, digest: str) -> None:
        """A click in the console."""
        repository = REPOSITORIES.get(environment, REPOSITORIES["staging"])
        image = f"{self.host}/{repository}@{digest}"
        if environment in self.services:
            self.registry.update_service(self.services[environment], image)
        else:
            self.services[environment] = self.registry.add_service("before", environment, image, _NETWORK)

    def replace_tasks(self) -> dict[str, str | None]:
        """Stops a task of each service."""
        return {name: self.registry.replace_task(service) for name, service in self.services.items()}

    def pass_days(self, days: int) -> None:
        """Nothing looks after the images but the count."""
        for _ in range(days):
            self.registry.pass_time(timedelta(days=1))
        for repository in REPOSITORIES.values():
            self.registry.expire(repository)
