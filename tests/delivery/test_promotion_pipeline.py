"""A promotion pushes to one repository and reads one other, in one account and in two (lessons Q1, Q7)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_ecr

from constructs_lib.delivery.buildspec import promotion_buildspec
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.promotion_pipeline import PromotionPipeline
from tests.delivery.releases import ACCOUNT, ACROSS, OTHER, UPSTREAM, arn, rights, run_button
from tests.delivery.support import of_type, only
from tests.support import FLAG_SETS, Template

DIGEST = "sha256:" + "a1" * 32
TAG = "staging-20260401T101500Z-0123456789ab"
SETTINGS = arn("ssm", "parameter/moorings/shop/production/web/delivery")


def synthesized(folder: Path, flags: dict[str, Any] | None = None, **changes: Any) -> Template:
    """A stack with one promotion into a repository that exists."""
    app = App(outdir=str(folder), context=flags or {})
    stack = Stack(app, "Delivery", env=Environment(account=ACCOUNT, region="eu-west-1"))
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "production",
        "service": "web",
        "repository": aws_ecr.Repository.from_repository_name(stack, "Images", "shop/production/web"),
        "upstream": UPSTREAM,
        "operations": OperationsAsset(stack, "Code"),
        **changes,
    }
    PromotionPipeline(stack, "Web", **arguments)
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


def its_rights(template: Template) -> set[tuple[str, str]]:
    """What the promotion may do, but for its log and its code."""
    (key,) = of_type(template, "AWS::IAM::Role")
    return rights(template, key)


OURS = arn("ecr", "repository/shop/production/web")
PUSH = {
    *((f"ecr:{a}", OURS) for a in ("BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "PutImage")),
    *((f"ecr:{a}", OURS) for a in ("CompleteLayerUpload", "InitiateLayerUpload", "UploadLayerPart")),
    ("ssm:GetParameter", SETTINGS),
    ("ssm:GetParameters", SETTINGS),
}


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_in_one_account_the_role_is_exactly_this(flags: dict[str, Any], tmp_path: Path) -> None:
    """One repository to push to; one to read with its ledger; nothing on ``*``, for there is no login."""
    theirs, ledger = (
        arn("ecr", "repository/shop/staging/web"),
        arn("ssm", "parameter/moorings/shop/staging/web/releases"),
    )
    assert its_rights(synthesized(tmp_path, flags)) == {
        *PUSH,
        *((f"ecr:{a}", theirs) for a in ("BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer")),
        ("ssm:GetParametersByPath", ledger),
        ("ssm:GetParameter", f"{ledger}/*"),
    }


def test_across_accounts_it_may_become_the_reader_and_nothing_else(tmp_path: Path) -> None:
    """What it may read there is decided there."""
    assert its_rights(synthesized(tmp_path, upstream=ACROSS)) == {*PUSH, ("sts:AssumeRole", ACROSS.reader_role)}
    assert OTHER in ACROSS.reader_role


def test_the_project_runs_the_package_without_docker(tmp_path: Path) -> None:
    """Nothing is built, so nothing is privileged and nothing comes from Docker Hub (Q6)."""
    properties = only(
        synthesized(tmp_path, project_name="shop--production--web--promotion"), "AWS::CodeBuild::Project"
    )["Properties"]
    assert properties["Name"] == "shop--production--web--promotion"
    assert properties["Environment"]["PrivilegedMode"] is False
    assert properties["Source"]["Type"] == "S3"
    spec = json.loads(properties["Source"]["BuildSpec"])
    assert spec == promotion_buildspec()
    assert spec["env"]["exported-variables"] == ["BUILD_TAG", "IMAGE_DIGEST"]
    variables = {v["Name"]: v["Value"] for v in properties["Environment"]["EnvironmentVariables"]}
    assert variables == {"PLACE": "shop/production/web", "DIGEST": ""}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": "pin"}, "environment must be a name that does not begin with 'pin'"),
        ({"application": "Shop"}, "application must be lower-case"),
        ({"service": "a--b"}, "service must be lower-case"),
        ({"upstream": replace(UPSTREAM, check="commit")}, "upstream must be an Upstream with check='digest'"),
        ({"upstream": "staging"}, "upstream must be an Upstream"),
        ({"operations": None}, "operations must be an OperationsAsset"),
        ({"limits": 30}, "limits must be a BuildLimits"),
        ({"project_name": ""}, "project_name must be"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match=message):
        synthesized(tmp_path, **changes)


@pytest.mark.parametrize(("digest", "words"), [("", []), (DIGEST, [DIGEST]), ("a1a1a1a", ["a1a1a1a"]), (TAG, [TAG])])
def test_it_promotes_and_hands_on_digest_and_tag(digest: str, words: list[str], tmp_path: Path) -> None:
    """The command's answer becomes the variables that a pipeline reads."""
    answer = json.dumps({"digest": DIGEST, "build_tag": TAG, "tags": [TAG]})
    code, asked, said = run_button("promotion.sh", tmp_path, answer, PLACE="shop/production/web", DIGEST=digest)
    assert (code, asked) == (0, ["-m", "constructs_lib.ops", "promote", "shop/production/web", *words, "--json"]), said
    assert (tmp_path / "result").read_text() == f"export BUILD_TAG={TAG}\nexport IMAGE_DIGEST={DIGEST}\n"


@pytest.mark.parametrize(
    "answer",
    ["", "{}", json.dumps({"digest": "latest", "build_tag": TAG}), json.dumps({"digest": DIGEST, "build_tag": "a;id"})],
)
def test_an_answer_without_a_digest_is_no_success(answer: str, tmp_path: Path) -> None:
    """A pipeline must not go on to a release of nothing, and nothing of an answer is run as shell."""
    code, _, _ = run_button("promotion.sh", tmp_path, answer, PLACE="shop/production/web", DIGEST="")
    assert code != 0
    assert not (tmp_path / "result").exists()


def test_a_wrong_digest_starts_nothing(tmp_path: Path) -> None:
    """It is checked before the command sees it."""
    code, asked, said = run_button("promotion.sh", tmp_path, PLACE="shop/production/web", DIGEST="--help")
    assert (code, asked) == (2, None)
    assert "DIGEST must be" in said
