"""Images of sidecars: where they are, and who may pull them (lesson Q3)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from aws_cdk import Annotations, Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

_PRIVATE: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)/(?P<name>[^@:]+)"
)


class PrivateRepository(NamedTuple):
    """A repository of ECR in somebody's account (lesson Q3)."""

    account: str
    region: str
    name: str


def private_repository(image: str) -> PrivateRepository | None:
    """Where an image is, when whoever pulls it there needs a permission."""
    found = _PRIVATE.match(image)
    return None if found is None else PrivateRepository(found["account"], found["region"], found["name"])


def allow_pull(task: ecs.TaskDefinition, container: ecs.ContainerDefinition, image: str) -> None:
    """Lets the execution role pull an image from a private repository of ECR, and from that one only.

    Of an image that is elsewhere it does nothing. On ``*`` is ``ecr:GetAuthorizationToken`` alone, which takes no
    resource (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html).
    """
    found = private_repository(image)
    if found is None:
        return
    place = f"{found.region}:{found.account}:repository/{found.name}"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    for actions, resource in ((pull, f"arn:{Aws.PARTITION}:ecr:{place}"), (["ecr:GetAuthorizationToken"], "*")):
        task.add_to_execution_role_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    reason = "The execution role may pull from the repository that this image is in."
    Annotations.of(container).acknowledge_warning("@aws-cdk/aws-ecs:ecrImageRequiresPolicy", reason)
