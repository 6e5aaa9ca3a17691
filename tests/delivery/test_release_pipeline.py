"""The button of a service: one service, one stack, one role; and values that never become shell (lessons Q5, W4)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_iam

from constructs_lib.delivery.buildspec import release_buildspec
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.release_pipeline import ReleasePipeline
from constructs_lib.delivery.settings import BeforeRelease
from tests.delivery.releases import ACCOUNT, ACROSS, OTHER, SETTINGS, arn, plain, rights, run_button
from tests.delivery.support import allowed, of_type, only
from tests.support import ROOT, TOKEN, Template, all_flags, statements

DIGEST = "sha256:" + "a1" * 32
TAG = "production-20260401T101500Z-0123456789ab"
BEFORE = BeforeRelease(
    family="shop--production--services-web-before-release",
    container="web-before-release",
    minutes=30,
    roles=(f"arn:aws:iam::{ACCOUNT}:role/migrates", f"arn:aws:iam::{ACCOUNT}:role/starts"),
)


def synthesized(
    folder: Path, settings: Any = SETTINGS, flags: dict[str, Any] | None = None, **changes: Any
) -> Template:
    """A stack with one button, and a person who may press it."""
    app = App(outdir=str(folder), context=flags or {})
    stack = Stack(app, "Release", env=Environment(account=ACCOUNT, region="eu-west-1"))
    button = ReleasePipeline(stack, "Web", settings=settings, operations=OperationsAsset(stack, "Code"), **changes)
    button.grant_start(aws_iam.Role(stack, "Person", assumed_by=aws_iam.AccountRootPrincipal()))
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


@pytest.fixture(scope="module", params=[{}, all_flags()], ids=["no flags", "all flags"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """With none of CDK's feature flags, and with all of them."""
    return synthesized(
        tmp_path_factory.mktemp("out"), flags=request.param, project_name="shop--production--web--release"
    )


def button(template: Template) -> str:
    """The logical id of the button's role."""
    (key,) = (key for key in of_type(template, "AWS::IAM::Role") if key.startswith("WebRole"))
    return key


def test_the_role_is_exactly_this(template: Template) -> None:
    """Each action with its resource, as one would check it by hand."""
    stack = arn("cloudformation", "stack/shop--production--services/*")
    service, parameter = arn("ecs", "service/cluster/service"), "parameter/moorings/shop/production"
    images, before = arn("ecr", "repository/shop/production/web"), arn("ecr", "repository/shop/staging/web")
    digest, ledger = arn("ssm", f"{parameter}/web/digest"), arn("ssm", f"{parameter}/web/releases")
    theirs = arn("ssm", "parameter/moorings/shop/staging/web/releases")
    read = (arn("ssm", f"{parameter}/web/delivery"), arn("ssm", f"{parameter}/freeze"), digest)
    assert rights(template, button(template)) == {
        *((f"cloudformation:{a}", stack) for a in ("CancelUpdateStack", "DescribeStackEvents", "DescribeStacks")),
        ("cloudformation:UpdateStack", stack),
        ("iam:PassRole", SETTINGS.role),
        ("ecs:DescribeServices", service),
        ("ecs:UpdateService", service),
        ("ecs:DescribeTasks", arn("ecs", "task/*")),
        ("ecs:ListTasks", "*"),
        ("ecs:DescribeTaskDefinition", "*"),
        ("elasticloadbalancing:DescribeTargetHealth", "*"),
        ("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),
        *((f"ssm:{a}", name) for a in ("GetParameter", "GetParameters") for name in read),
        ("ssm:GetParameters", arn("ssm", f"{parameter}/*/digest")),
        ("ssm:PutParameter", digest),
        ("ssm:GetParametersByPath", ledger),
        *((f"ssm:{a}", f"{ledger}/*") for a in ("DeleteParameters", "GetParameter", "PutParameter")),
        *((f"ecr:{a}", images) for a in ("BatchGetImage", "DescribeImages", "DescribeImageScanFindings")),
        *((f"ecr:{a}", images) for a in ("GetDownloadUrlForLayer", "PutImage")),
        ("ecr:DescribeImages", before),
        ("ssm:GetParametersByPath", theirs),
        ("ssm:GetParameter", f"{theirs}/*"),
    }


def test_conditions_hold_what_a_resource_cannot(template: Template) -> None:
    """The update to one role, the role to CloudFormation, and tasks to one cluster."""
    found = {
        str(statement["Action"]): {
            operator: {key: plain(value) for key, value in tests.items()}
            for operator, tests in statement["Condition"].items()
        }
        for statement in statements(template, button(template))
        if "Condition" in statement
    }
    in_cluster = {"ArnEquals": {"ecs:cluster": arn("ecs", "cluster/cluster")}}
    assert found == {
        "cloudformation:UpdateStack": {"StringEquals": {"cloudformation:RoleArn": SETTINGS.role}},
        "iam:PassRole": {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        "ecs:DescribeTasks": in_cluster,
        "ecs:ListTasks": in_cluster,
    }


def test_a_task_before_a_release_adds_exactly_this(template: Template, tmp_path: Path) -> None:
    """One family in one cluster, with its two roles for tasks only; a service without one has none of it (Q5)."""
    more = synthesized(tmp_path, replace(SETTINGS, before_release=BEFORE))
    family = arn("ecs", "task-definition/shop--production--services-web-before-release:*")
    assert rights(more, button(more)) - rights(template, button(template)) == {
        ("ecs:RegisterTaskDefinition", family),
        ("ecs:RunTask", family),
        ("ecs:StopTask", arn("ecs", "task/*")),
        ("ecs:DeregisterTaskDefinition", "*"),
        *(("iam:PassRole", role) for role in BEFORE.roles),
    }
    assert not rights(template, button(template)) - rights(more, button(more))
    held = [
        (statement["Action"], operator, key, plain(value))
        for statement in statements(more, button(more))
        for operator, tests in statement.get("Condition", {}).items()
        for key, value in tests.items()
    ]
    for action in ("ecs:RunTask", "ecs:StopTask"):
        in_cluster = ("ArnEquals", "ecs:cluster", arn("ecs", "cluster/cluster"))
        assert [rest for name, *rest in held if name == action] == [list(in_cluster)]
    passed = sorted(value for name, _, key, value in held if (name, key) == ("iam:PassRole", "iam:PassedToService"))
    assert passed == ["cloudformation.amazonaws.com", "ecs-tasks.amazonaws.com"]


def test_another_account_is_read_by_its_reader_and_by_nothing_else(tmp_path: Path) -> None:
    """No right of the other account stands in this one's policies but to become the reader (Q7)."""
    template = synthesized(tmp_path, replace(SETTINGS, upstream=ACROSS))
    found = rights(template, button(template))
    assert {pair for pair in found if OTHER in pair[1]} == {("sts:AssumeRole", ACROSS.reader_role)}
    assert not [resource for _, resource in found if "staging" in resource and "role/" not in resource]


_SERVICES = {"elbv2": "elasticloadbalancing"}
_PROMOTION = {"ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload"} | {
    "ecr:UploadLayerPart"
}
_OF_A_PERSON = {"ssm:DescribeParameters", "ssm:DeleteParameter"}
"""Looking for a service by a part of its name, and lifting a freeze: no button does it."""


def test_the_role_has_what_the_commands_call_and_nothing_more(tmp_path: Path) -> None:
    """Every call that the code of releases makes is allowed, and every right is one that it uses."""
    template = synthesized(tmp_path, replace(SETTINGS, before_release=BEFORE))
    files = [
        *(ROOT / "constructs_lib" / "delivery" / "operations").glob("*.py"),
        ROOT / "constructs_lib" / "ops" / "delivery_world.py",
        ROOT / "constructs_lib" / "images" / "runtime" / "pinning.py",
    ]
    called = set()
    for text in (path.read_text() for path in files):
        for service, method in re.findall(
            r"\b_?(ecs|ecr|cloudformation|ssm|elbv2|cloudwatch)\.(?:get_paginator\(\s*\")?([a-z_]+)[\"(]", text
        ):
            name = "".join(word.capitalize() for word in method.split("_"))
            called.add(f"{_SERVICES.get(service, service)}:{name}")
    called -= {"ecr:UpdateImageStorageClass", "ssm:GetPaginator", "ecr:GetPaginator"}  # the guard restores; a paginator
    ours = {action for action, _ in rights(template, button(template))} - {"iam:PassRole"}
    assert len(called) > 20
    assert called - _PROMOTION - _OF_A_PERSON == ours


def test_the_project_runs_the_package_itself_without_docker(template: Template) -> None:
    """The source is an object in S3, and nothing is privileged; what a person chooses is empty by default."""
    properties = only(template, "AWS::CodeBuild::Project")["Properties"]
    assert properties["Name"] == "shop--production--web--release"
    assert properties["Source"]["Type"] == "S3"
    assert json.loads(properties["Source"]["BuildSpec"]) == release_buildspec()
    assert properties["Environment"]["PrivilegedMode"] is False
    assert properties["Artifacts"] == {"Type": "NO_ARTIFACTS"}
    variables = {v["Name"]: v["Value"] for v in properties["Environment"]["EnvironmentVariables"]}
    assert variables == {"PLACE": "shop/production/web", "COMMAND": "release", "DIGEST": "", "TO": "", "REASON": ""}
    assert "ConcurrentBuildLimit" not in properties


def test_the_role_reads_one_object_of_the_asset_bucket(template: Template) -> None:
    """The bucket of CDK's bootstrap holds every asset of the account; a button needs one."""
    location = plain(only(template, "AWS::CodeBuild::Project")["Properties"]["Source"]["Location"])
    bucket = location.split("/")[0]
    assert {pair for pair in rights(template, button(template), but=()) if pair[0].startswith("s3:")} == {
        ("s3:GetObject", f"arn:aws:s3:::{location}"),
        ("s3:GetObjectVersion", f"arn:aws:s3:::{location}"),
        ("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"),
        ("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"),
    }
    assert location.endswith(".zip")


def test_the_asset_is_code_only_and_the_same_every_time(tmp_path: Path) -> None:
    """What Python leaves beside its modules is not in it, so it has one name on every machine."""
    synthesized(tmp_path / "one")
    (ROOT / "constructs_lib" / "__pycache__").mkdir(exist_ok=True)
    synthesized(tmp_path / "two")
    (one,), (two,) = (list((tmp_path / each).glob("asset.*")) for each in ("one", "two"))
    assert one.name == two.name
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py", ".sh", ".yaml"}
    assert {Path("delivery/release.sh"), Path("delivery/promotion.sh"), Path("ops/__main__.py")} <= set(files)
    assert not list(one.rglob("__pycache__"))
    # As CodeBuild sees it: the folder, linked under the package's name, and nothing else of this repository.
    (tmp_path / "constructs_lib").symlink_to(one)
    program = "import constructs_lib.ops.cli, constructs_lib.delivery.ledger as l; print(l.__file__)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_whoever_may_press_it_may_press_this_one(template: Template) -> None:
    """Starting a build and reading how it went, of one project."""
    (key,) = (key for key in of_type(template, "AWS::IAM::Role") if key.startswith("Person"))
    (project,) = of_type(template, "AWS::CodeBuild::Project")
    assert sorted(allowed(template, key), key=str) == [
        (f"codebuild:{action}", {"Fn::GetAtt": [project, "Arn"]}) for action in ("BatchGetBuilds", "StartBuild")
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"service": "web"}}, "settings must be a DeliverySettings"),
        ({"settings": "Web"}, "service must be lower-case"),
        ({"settings": TOKEN}, "service must be known before deployment"),
        ({"operations": "code"}, "operations must be an OperationsAsset"),
        ({"limits": None}, "limits must be a BuildLimits"),
        ({"project_name": "a/b"}, "project_name must be"),
    ],
)
def test_a_wrong_value_fails_and_leaves_nothing_behind(changes: dict[str, Any], message: str) -> None:
    """One sentence, before anything is made."""
    stack = Stack(App(), "Release")
    given = changes.get("settings")
    if isinstance(given, str):
        changes = {**changes, "settings": replace(SETTINGS, service=given)}
    arguments: dict[str, Any] = {"settings": SETTINGS, "operations": OperationsAsset(stack, "Code"), **changes}
    with pytest.raises(ValueError, match=message):
        ReleasePipeline(stack, "Web", **arguments)
    assert stack.node.try_find_child("Web") is None


# The shell

PLACE = {"PLACE": "shop/production/web"}
START = ["-m", "constructs_lib.ops"]
EVIL = 'x\'; touch /tmp/never "$(touch /tmp/never)" `touch /tmp/never` --help'


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"COMMAND": "release"}, ["release", "shop/production/web"]),
        ({"COMMAND": "release", "DIGEST": DIGEST}, ["release", "shop/production/web", DIGEST]),
        (
            {"COMMAND": "release", "DIGEST": DIGEST, "REASON": EVIL},
            ["release", "shop/production/web", DIGEST, "--now", f"--reason={EVIL}"],
        ),
        ({"COMMAND": "rollback"}, ["rollback", "shop/production/web"]),
        ({"COMMAND": "release", "DIGEST": DIGEST[7:19]}, ["release", "shop/production/web", DIGEST[7:19]]),
        ({"COMMAND": "rollback", "TO": TAG}, ["rollback", "shop/production/web", f"--to={TAG}"]),
        ({"COMMAND": "rollback", "TO": "12"}, ["rollback", "shop/production/web", "--to=12"]),
        ({"COMMAND": "rollback", "TO": DIGEST}, ["rollback", "shop/production/web", f"--to={DIGEST}"]),
        ({"COMMAND": "restart"}, ["restart", "shop/production/web"]),
    ],
)
def test_values_reach_the_command_as_single_words(variables: dict[str, str], words: list[str], tmp_path: Path) -> None:
    """A reason full of shell is a reason, and cannot become an option."""
    code, asked, said = run_button("release.sh", tmp_path, **PLACE, **variables)
    assert (code, asked) == (0, [*START, *words]), said


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"COMMAND": "promote"}, "COMMAND must be release, rollback or restart, got 'promote'"),
        ({"COMMAND": "release; id"}, "COMMAND must be"),
        ({"COMMAND": ""}, "COMMAND is not set"),
        ({"COMMAND": "release", "TO": "12"}, "TO goes with COMMAND=rollback only"),
        ({"COMMAND": "rollback", "DIGEST": DIGEST}, "DIGEST goes with COMMAND=release only"),
        ({"COMMAND": "restart", "REASON": "now"}, "REASON goes with COMMAND=release only"),
        ({"COMMAND": "release", "DIGEST": "--help"}, "DIGEST must be a digest, its first"),
        ({"COMMAND": "release", "DIGEST": DIGEST + "\n--help"}, "DIGEST must be a digest, its first"),
        ({"COMMAND": "rollback", "TO": "$(id)"}, "TO must be the number of a release"),
        ({"COMMAND": "rollback", "TO": "0"}, "TO must be the number of a release"),
    ],
)
def test_a_wrong_value_starts_nothing(variables: dict[str, str], message: str, tmp_path: Path) -> None:
    """A value that does not go with the command stops it: a rollback that silently releases would be a disaster."""
    code, asked, said = run_button("release.sh", tmp_path, **PLACE, **variables)
    assert (code, asked) == (2, None)
    assert message in said


@pytest.mark.parametrize("script", ["release.sh", "promotion.sh"])
def test_shellcheck_passes_the_scripts(script: str) -> None:
    """Quoting is what keeps a value from being shell."""
    program = Path(sys.executable).with_name("shellcheck")
    path = ROOT / "constructs_lib" / "delivery" / script
    done = subprocess.run([program, "--severity=style", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
