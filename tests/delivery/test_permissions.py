"""What a build may do, as data: one repository, and nothing that AWS could have narrowed."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.delivery.permissions import build_permissions, parameter_permissions

CONNECTION = "arn:aws:{service}:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    assert document["Version"] == "2012-10-17"
    return list(document["Statement"])


def test_only_the_registry_login_has_no_resource() -> None:
    everywhere = [s for s in statements(build_permissions("repo", "log:*", None)) if s["Resource"] == "*"]
    assert [s["Action"] for s in everywhere] == [["ecr:GetAuthorizationToken"]]


def test_no_action_is_a_wildcard_and_nothing_can_delete() -> None:
    connection = CONNECTION.format(service="codeconnections")
    actions = [a for s in statements(build_permissions("repo", "log:*", connection)) for a in s["Action"]]
    assert not [a for a in actions if "*" in a or "Delete" in a or "Policy" in a]
    assert len(actions) == len(set(actions))


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_used_with_the_prefix_that_its_arn_has(service: str) -> None:
    arn = CONNECTION.format(service=service)
    assert statements(build_permissions("repo", "log:*", arn))[-1] == {
        "Effect": "Allow",
        "Action": [f"{service}:GetConnection", f"{service}:GetConnectionToken", f"{service}:UseConnection"],
        "Resource": arn,
    }


def test_parameters_are_made_and_read_by_their_names_and_logs_go_to_one_group_that_exists() -> None:
    assert statements(parameter_permissions(["a", "b"], "log:*")) == [
        {"Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:PutParameter"], "Resource": ["a", "b"]},
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "log:*"},
    ]
