"""What a build and the release parameter's function may do, as plain data. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

PolicyDocument = dict[str, object]
"""An IAM policy document as JSON has it. Resources may be Tokens."""


def build_permissions(repository_arn: str, log_group_arn: str, connection_arn: str | None) -> PolicyDocument:
    """What a build may do: push to one repository, read what is in it, write its log (lesson Q1).

    ``log_group_arn`` ends with ``:*``, the streams, as CloudFormation's ``Arn`` attribute of a log group does.
    """
    statements = [
        # What a push needs: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html. DescribeImages
        # is for build.sh: is this commit built already, and did the registry get what was pushed?
        _allow(
            repository_arn,
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
        _allow("*", "ecr:GetAuthorizationToken"),
        _write_log(log_group_arn),
    ]
    if connection_arn is not None:
        # The actions have the prefix that the ARN has. GetConnection and GetConnectionToken are documented
        # (https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html); without UseConnection
        # creating the project is refused (https://github.com/aws/aws-cdk/issues/38504).
        service = connection_arn.split(":")[2]
        actions = (f"{service}:{action}" for action in ("GetConnection", "GetConnectionToken", "UseConnection"))
        statements.append(_allow(connection_arn, *actions))
    return _document(*statements)


def parameter_permissions(parameter_arns: Sequence[str], log_group_arn: str) -> PolicyDocument:
    """To make these parameters if they are absent, and to write to one log group that exists already."""
    parameters: dict[str, object] = {
        "Effect": "Allow",
        "Action": ["ssm:GetParameter", "ssm:PutParameter"],
        "Resource": list(parameter_arns),
    }
    return _document(parameters, _write_log(log_group_arn))


def _document(*statements: dict[str, object]) -> PolicyDocument:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _write_log(log_group_arn: str) -> dict[str, object]:
    return _allow(log_group_arn, "logs:CreateLogStream", "logs:PutLogEvents")


def _allow(resource: str, *actions: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}
