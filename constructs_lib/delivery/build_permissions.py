"""What a build may do, as plain data. Standard library only."""

from __future__ import annotations

from constructs_lib.iam_policy import PolicyDocument, allow, document, write_log


def build_permissions(
    repository_arn: str,
    log_group_arn: str,
    *,
    connection_arn: str | None = None,
    secret_arn: str | None = None,
    cache_arn: str | None = None,
    sbom_arn: str | None = None,
) -> PolicyDocument:
    """What a build may do: push to one repository, read what is in it, write its log (lesson Q1).

    The rest is for what the build was given: a connection to its source, the secret of its Docker Hub user, the
    repositories of its pull-through cache (lesson Q6), the objects that its SBOMs go to. ``log_group_arn`` ends with
    ``:*``, the streams, as CloudFormation's ``Arn`` attribute of a log group does.
    """
    statements = [
        # What a push needs: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html. DescribeImages
        # is for build.sh: is this commit built already, and did the registry get what was pushed?
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
        # The service offers no resource for this action:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
        allow(["*"], "ecr:GetAuthorizationToken"),
        write_log(log_group_arn),
    ]
    if connection_arn is not None:
        # The actions have the prefix that the ARN has. GetConnection and GetConnectionToken are documented
        # (https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html); without UseConnection
        # creating the project is refused (https://github.com/aws/aws-cdk/issues/38504).
        service = connection_arn.split(":")[2]
        actions = (f"{service}:{action}" for action in ("GetConnection", "GetConnectionToken", "UseConnection"))
        statements.append(allow([connection_arn], *actions))
    if secret_arn is not None:
        statements.append(allow([secret_arn], "secretsmanager:GetSecretValue"))
    if cache_arn is not None:
        # The first pull of an image makes its repository and brings the image in; ECR itself puts it there, so nothing
        # of this is a push (https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html).
        statements.append(
            allow(
                [cache_arn],
                "ecr:BatchGetImage",
                "ecr:BatchImportUpstreamImage",
                "ecr:CreateRepository",
                "ecr:GetDownloadUrlForLayer",
            )
        )
    if sbom_arn is not None:
        statements.append(allow([sbom_arn], "s3:PutObject"))
    return document(*statements)
