"""Another account reads images and ledgers of this environment, and writes nothing (lessons Q1, Q7)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib.delivery.upstream_reader import UpstreamReader
from tests.delivery.releases import ACCOUNT, OTHER, arn, plain, rights
from tests.delivery.support import only
from tests.support import FLAG_SETS, TOKEN, Template


def synthesized(flags: dict[str, Any] | None = None, **changes: Any) -> Template:
    """A stack with the reader of two services, for one account."""
    app = App(context=flags or {})
    stack = Stack(app, "Delivery", env=Environment(account=ACCOUNT, region="eu-west-1"))
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "staging",
        "services": ["web", "api"],
        "accounts": [OTHER],
        **changes,
    }
    UpstreamReader(stack, "Reader", **arguments)
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_it_reads_these_services_and_nothing_else(flags: dict[str, Any]) -> None:
    """Images and ledgers of this environment's services, by their names."""
    template = synthesized(flags)
    (key,) = template["Resources"]
    images = [arn("ecr", f"repository/shop/staging/{name}") for name in ("web", "api")]
    ledgers = [arn("ssm", f"parameter/moorings/shop/staging/{name}/releases") for name in ("web", "api")]
    assert rights(template, key) == {
        *((f"ecr:{a}", one) for a in ("BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer") for one in images),
        *(("ssm:GetParametersByPath", one) for one in ledgers),
        *(("ssm:GetParameter", f"{one}/*") for one in ledgers),
    }
    assert template["Resources"][key]["Properties"]["RoleName"] == "shop--staging--reader"


@pytest.mark.parametrize("accounts", [[OTHER], [OTHER, "777788889999", OTHER]])
def test_it_trusts_these_accounts_and_no_other(accounts: list[str]) -> None:
    """Each account once, and neither everybody nor this account."""
    role = only(synthesized(accounts=accounts), "AWS::IAM::Role")["Properties"]
    statements = role["AssumeRolePolicyDocument"]["Statement"]
    trusted = [
        plain(principal)
        for statement in statements
        for principal in (
            statement["Principal"]["AWS"]
            if isinstance(statement["Principal"]["AWS"], list)
            else [statement["Principal"]["AWS"]]
        )
    ]
    assert sorted(trusted) == sorted(f"arn:aws:iam::{account}:root" for account in set(accounts))
    assert {statement["Action"] for statement in statements} == {"sts:AssumeRole"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"services": []}, "services must be a list of at least one service"),
        ({"services": "web"}, "services must be a list"),
        ({"services": ["web", "web"]}, "services must be a list of at least one service, all different"),
        ({"accounts": []}, "accounts must be a list of at least one account"),
        ({"accounts": OTHER}, "accounts must be a list"),
        ({"accounts": ["*"]}, "accounts must be 12 digits"),
        ({"accounts": [TOKEN]}, "accounts must be known before deployment"),
        ({"environment": "Staging"}, "environment must be lower-case"),
        ({"application": ""}, "application must be a text"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], message: str) -> None:
    """Above all an account that is everybody."""
    with pytest.raises(ValueError, match=message):
        synthesized(**changes)
