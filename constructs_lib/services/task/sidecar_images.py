"""Who may pull the image of a sidecar (lesson Q3)."""

from __future__ import annotations

from aws_cdk import Annotations, Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from constructs_lib.private_images import private_repository


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
