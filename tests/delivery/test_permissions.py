"""What promotions, readers and the release parameter's function may do, as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from constructs_lib.delivery.permissions import parameter_permissions, upstream_reading
from constructs_lib.delivery.settings import Upstream
from constructs_lib.iam_policy import Arns, allow


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    assert document["Version"] == "2012-10-17"
    return list(document["Statement"])


def test_parameters_are_made_and_read_by_their_names_and_logs_go_to_one_group_that_exists() -> None:
    assert statements(parameter_permissions(["a", "b"], "log:*")) == [
        {"Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:PutParameter"], "Resource": ["a", "b"]},
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "log:*"},
    ]


def test_one_resource_is_written_as_one_and_several_as_a_list() -> None:
    """Policies count characters, and readers count brackets."""
    assert allow(["a"], "s3:GetObject") == {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a"}
    assert allow(["a", "b"], "s3:GetObject")["Resource"] == ["a", "b"]
    assert "Condition" not in allow(["a"], "s3:GetObject")
    condition = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    assert allow(["a"], "s3:GetObject", condition=condition)["Condition"] == condition


def test_arns_are_of_one_place() -> None:
    """A role has no region, and the name of a parameter begins with a slash."""
    arns = Arns(partition="aws-cn", region="cn-north-1", account="111122223333")
    assert arns.of("ecs", "task/*") == "arn:aws-cn:ecs:cn-north-1:111122223333:task/*"
    assert arns.repository("shop/staging/web") == "arn:aws-cn:ecr:cn-north-1:111122223333:repository/shop/staging/web"
    assert arns.parameter("/a/b") == "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/a/b"
    assert arns.role("reader") == "arn:aws-cn:iam::111122223333:role/reader"


def test_the_environment_before_is_read_where_it_is() -> None:
    """Directly in another region of the same account, and by its role when it has one."""
    upstream = Upstream(environment="staging", account="1" * 12, region="eu-central-1", repository="shop/staging/web")
    images, path, entries = upstream_reading("aws", "shop", "web", upstream, layers=False)
    assert images["Resource"] == f"arn:aws:ecr:eu-central-1:{'1' * 12}:repository/shop/staging/web"
    ledger = f"arn:aws:ssm:eu-central-1:{'1' * 12}:parameter/moorings/shop/staging/web/releases"
    assert (path["Resource"], entries["Resource"]) == (ledger, f"{ledger}/*")
    assert images["Action"] == ["ecr:DescribeImages"]
    role = f"arn:aws:iam::{'2' * 12}:role/shop--staging--reader"
    (only,) = upstream_reading("aws", "shop", "web", replace(upstream, reader_role=role), layers=True)
    assert (only["Action"], only["Resource"]) == (["sts:AssumeRole"], role)
