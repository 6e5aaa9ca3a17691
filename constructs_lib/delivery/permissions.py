"""What promotions, readers and the release parameter's function may do, as plain data. Standard library only.

The resource types of each action are those of the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
What a release may do is in ``release_permissions.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.delivery.settings import Upstream
from constructs_lib.iam_policy import Arns, PolicyDocument, Statement, allow, document, write_log
from constructs_lib.naming import delivery_settings_name, release_path


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeObject:
    """Where CodeBuild finds the code that it runs (lesson Q5).

    Args:
        bucket_arn: the bucket.
        key: the object in it.
    """

    bucket_arn: str
    key: str


def parameter_permissions(parameter_arns: Sequence[str], log_group_arn: str) -> PolicyDocument:
    """To make these parameters if they are absent, and to write to one log group that exists already."""
    return document(
        allow(parameter_arns, "ssm:GetParameter", "ssm:PutParameter"),
        write_log(log_group_arn),
    )


def promotion_permissions(
    arns: Arns,
    *,
    application: str,
    environment: str,
    service: str,
    repository_arn: str,
    upstream: Upstream,
    log_group_arn: str,
    code: CodeObject,
) -> PolicyDocument:
    """What a promotion may do: push to one repository, and read one other with the ledger that belongs to it (Q1)."""
    return document(
        allow(
            [repository_arn],
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        ),
        *upstream_reading(arns.partition, application, service, upstream, layers=True),
        # GetParameters is how a command reads the settings of a service whose whole name it was given.
        allow(
            [arns.parameter(delivery_settings_name(application, environment, service))],
            "ssm:GetParameter",
            "ssm:GetParameters",
        ),
        write_log(log_group_arn),
        *read_code(code),
    )


def upstream_reading(
    partition: str, application: str, service: str, upstream: Upstream, *, layers: bool
) -> list[Statement]:
    """To read the environment before: by its reader role when there is one, directly in the same account.

    ``layers``: the bytes of images too, for a copy.
    """
    if upstream.reader_role:
        return [allow([upstream.reader_role], "sts:AssumeRole")]
    there = Arns(partition=partition, region=upstream.region, account=upstream.account)
    path = release_path(application, upstream.environment, service)
    return reading(there, [upstream.repository], [path], layers=layers)


def reading(arns: Arns, repositories: Sequence[str], paths: Sequence[str], *, layers: bool) -> list[Statement]:
    """To read these repositories and ledgers. A listing is authorized against its path, a parameter against its name
    (https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html)."""
    pull = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer") if layers else ()
    entries = [arns.parameter(path) for path in paths]
    return [
        allow([arns.repository(name) for name in repositories], "ecr:DescribeImages", *pull),
        allow(entries, "ssm:GetParametersByPath"),
        allow([f"{entry}/*" for entry in entries], "ssm:GetParameter"),
    ]


def read_code(code: CodeObject) -> list[Statement]:
    """What CodeBuild's own policy has for a source in S3, for one object and its bucket
    (https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html)."""
    return [
        allow([f"{code.bucket_arn}/{code.key}"], "s3:GetObject", "s3:GetObjectVersion"),
        allow([code.bucket_arn], "s3:GetBucketAcl", "s3:GetBucketLocation"),
    ]
