"""A repository whose images in use are kept (lessons Q1, Q2, Q3)."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.checks import concrete, invalid
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.naming import PIN_PATTERN

_DEFAULT_RETENTION = RetentionPolicy()


class PinnedRepository(Construct):
    """One ECR repository for one image of one environment (lessons Q1, Q2, Q3).

    Tags are immutable, so a build tag always means the same image. Only ``pin-*`` tags may move: they mark images in
    use, and the lifecycle policy never acts on an image that has one. Images are scanned on push and encrypted with
    KMS. The repository and its images stay when the stack is deleted. The lifecycle policy is set as a whole: a rule
    that other code adds to ``.repository`` has no effect, so it cannot weaken this one.

    Args:
        repository_name: ECR's name, concrete; CloudFormation makes one by default. A name lets other stacks and
            accounts find the repository (:func:`constructs_lib.naming.repository_name`), and a second repository with
            the same name cannot be made.
        retention: what may be forgotten; images without a pin go after 30 days by default.
        encryption_key: a KMS key of yours; ECR's own key (``aws/ecr``, no monthly price) by default. It cannot be
            changed later without replacing the repository.

    Raises:
        ValueError: ``retention`` is no :class:`RetentionPolicy`, or the name is a Token.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        repository_name: str | None = None,
        retention: RetentionPolicy = _DEFAULT_RETENTION,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        if not isinstance(retention, RetentionPolicy):
            raise invalid(
                "retention",
                retention,
                "a RetentionPolicy",
                "a lifecycle rule without a tag selection means `any` and expires images in use (lesson Q2)",
            )
        if repository_name is not None:
            concrete("repository_name", repository_name, "take it from constructs_lib.naming.repository_name")
        super().__init__(scope, id)
        self.repository = ecr.Repository(
            self,
            "Resource",
            repository_name=repository_name,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE_WITH_EXCLUSION,
            image_tag_mutability_exclusion_filters=[ecr.ImageTagMutabilityExclusionFilter.wildcard(PIN_PATTERN)],
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=encryption_key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        resource = self.repository.node.default_child
        assert isinstance(resource, ecr.CfnRepository)
        resource.add_property_override("LifecyclePolicy", {"LifecyclePolicyText": retention.text()})
