"""What a build may do, as data: one repository, and nothing that AWS could have narrowed."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.delivery.build_permissions import build_permissions

CONNECTION = "arn:aws:{service}:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"
EVERYTHING = build_permissions(
    "repo",
    "log:*",
    connection_arn=CONNECTION.format(service="codeconnections"),
    secret_arn="secret",
    cache_arn="cache/*",
    sbom_arn="sboms/*",
)
PUSHES = {"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy of the only version that has conditions."""
    assert document["Version"] == "2012-10-17"
    return list(document["Statement"])


def test_only_the_registry_login_has_no_resource() -> None:
    """Every other action names what it may be done to."""
    everywhere = [s for s in statements(EVERYTHING) if s["Resource"] == "*"]
    assert [s["Action"] for s in everywhere] == [["ecr:GetAuthorizationToken"]]


def test_no_action_is_a_wildcard_and_nothing_can_delete() -> None:
    """Neither an action that AWS adds later nor a deletion or a change of a policy comes with it."""
    actions = [a for s in statements(EVERYTHING) for a in s["Action"]]
    assert not [a for a in actions if "*" in a or "Delete" in a or "Policy" in a]


def test_a_cache_and_a_login_add_no_push() -> None:
    """What pulls from Docker Hub may need leaves the number of repositories that can be pushed to at one (Q1, Q6)."""
    pushed = {s["Resource"] for s in statements(EVERYTHING) if PUSHES & set(s["Action"])}
    assert pushed == {"repo"}


def test_a_cache_is_filled_and_read_under_its_prefix_only() -> None:
    """These four actions are what AWS documents for a first pull through the cache."""
    assert statements(build_permissions("repo", "log:*", cache_arn="cache/*"))[3:] == [
        {
            "Effect": "Allow",
            "Action": [
                "ecr:BatchGetImage",
                "ecr:BatchImportUpstreamImage",
                "ecr:CreateRepository",
                "ecr:GetDownloadUrlForLayer",
            ],
            "Resource": "cache/*",
        }
    ]


@pytest.mark.parametrize(
    ("given", "action"), [("secret_arn", "secretsmanager:GetSecretValue"), ("sbom_arn", "s3:PutObject")]
)
def test_a_secret_is_only_read_and_an_sbom_only_written(given: str, action: str) -> None:
    """One action on the one thing that was given."""
    arns: dict[str, Any] = {given: "x"}
    assert statements(build_permissions("repo", "log:*", **arns))[3:] == [
        {"Effect": "Allow", "Action": [action], "Resource": "x"}
    ]


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_used_with_the_prefix_that_its_arn_has(service: str) -> None:
    """The service was renamed, and IAM compares its actions by their prefix."""
    arn = CONNECTION.format(service=service)
    assert statements(build_permissions("repo", "log:*", connection_arn=arn))[-1] == {
        "Effect": "Allow",
        "Action": [f"{service}:GetConnection", f"{service}:GetConnectionToken", f"{service}:UseConnection"],
        "Resource": arn,
    }
