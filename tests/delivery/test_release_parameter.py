"""The release parameter: one function per stack, exactly these parameters, and an asset that is only its code."""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_lambda as lambda_

import constructs_lib.delivery
from constructs_lib.delivery.release_parameter import RESOURCE_TYPE, ReleaseParameters
from constructs_lib.runtime_code import runtime_code
from tests.support import Template, all_flags

from .support import allowed, of_type, only

SOURCE = Path(constructs_lib.delivery.__file__).parent


class Synthesized:
    """A stack with two release parameters, and where its assets are."""

    def __init__(self, flags: dict[str, Any], folder: Path) -> None:
        app = App(context=flags, outdir=str(folder))
        stack = Stack(app, "Parameters", env=Environment(account="111122223333", region="eu-west-1"))
        made = ReleaseParameters(
            stack, "Releases", application="shop", environment="staging", services=["web", "worker"]
        )
        self.names = list(made.parameter_names.values())
        self.template: Template = app.synth().get_stack_by_name("Parameters").template
        (self.asset,) = (path for path in folder.iterdir() if path.name.startswith("asset."))


NEW_POLICIES = {"@aws-cdk/aws-lambda:createNewPoliciesWithAddToRolePolicy": True}


@pytest.fixture(
    scope="module", params=[{}, all_flags(), NEW_POLICIES], ids=["no flags", "all flags", "a policy per statement"]
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return Synthesized(request.param, tmp_path_factory.mktemp("cdk.out"))


def test_the_names_are_what_other_stacks_compute(made: Synthesized) -> None:
    assert made.names == ["/moorings/shop/staging/web/digest", "/moorings/shop/staging/worker/digest"]


def test_cloudformation_owns_no_parameter_so_it_never_writes_one_back(made: Synthesized) -> None:
    assert sorted(resource["Type"] for resource in made.template["Resources"].values()) == [
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        RESOURCE_TYPE,
        RESOURCE_TYPE,
    ]


def test_all_parameters_of_a_stack_share_one_function(made: Synthesized) -> None:
    ((key, _),) = of_type(made.template, "AWS::Lambda::Function").items()
    resources = of_type(made.template, RESOURCE_TYPE).values()
    assert sorted(r["Properties"].pop("Name") for r in resources) == sorted(made.names)
    for resource in resources:
        assert resource["Properties"] == {"ServiceToken": {"Fn::GetAtt": [key, "Arn"]}, "ServiceTimeout": "300"}


def as_text(resource: Any) -> str:
    """With a concrete region a feature flag decides whether the partition is ``aws`` or left to CloudFormation."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return "".join("aws" if isinstance(part, dict) else part for part in resource["Fn::Join"][1])


def test_the_function_may_touch_exactly_its_parameters_and_its_log(made: Synthesized) -> None:
    (role,) = of_type(made.template, "AWS::IAM::Role")
    (logs,) = of_type(made.template, "AWS::Logs::LogGroup")
    found: dict[str, list[str]] = {}
    for action, resource in allowed(made.template, role):
        found.setdefault(action, []).append(as_text(resource))
    parameters = [f"arn:aws:ssm:eu-west-1:111122223333:parameter{name}" for name in made.names]
    log = [f"{logs}.Arn"]
    assert found == {
        "ssm:GetParameter": parameters,
        "ssm:PutParameter": parameters,
        "logs:CreateLogStream": log,
        "logs:PutLogEvents": log,
    }


def test_no_statement_names_everything_and_no_managed_policy_is_used(made: Synthesized) -> None:
    ((key, role),) = of_type(made.template, "AWS::IAM::Role").items()
    assert "ManagedPolicyArns" not in role["Properties"]
    assert not [(a, r) for a, r in allowed(made.template, key) if "*" in a or "*" in json.dumps(r)]


def test_the_permissions_exist_before_a_parameter_is_made(made: Synthesized) -> None:
    (role,) = of_type(made.template, "AWS::IAM::Role")
    assert only(made.template, "AWS::Lambda::Function")["Properties"]["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    assert made.template["Resources"][role]["Properties"]["Policies"]
    assert not of_type(made.template, "AWS::IAM::Policy")


def test_the_function_is_small_python_with_a_log_group_of_its_own(made: Synthesized) -> None:
    (logs,) = of_type(made.template, "AWS::Logs::LogGroup")
    properties = only(made.template, "AWS::Lambda::Function")["Properties"]
    assert properties["Runtime"] == "python3.14"
    assert properties["Architectures"] == ["arm64"]
    assert properties["Handler"] == "runtime.handler.main"
    assert properties["Timeout"] == 60
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": logs}}
    assert only(made.template, "AWS::Logs::LogGroup")["Properties"] == {"RetentionInDays": 90}


def test_the_asset_holds_the_runtime_package_and_nothing_else(made: Synthesized) -> None:
    files = {path.relative_to(made.asset).as_posix() for path in made.asset.rglob("*") if path.is_file()}
    assert files == {f"runtime/{path.name}" for path in (SOURCE / "runtime").glob("*.py")}


def test_the_asset_runs_without_the_library_around_it(made: Synthesized, tmp_path: Path) -> None:
    """As Lambda does: the asset is the only thing on the path besides Python's own packages."""
    asset = shutil.copytree(made.asset, tmp_path / "asset")
    code = "import sys; sys.modules['constructs_lib'] = None; import runtime.handler as h; print(callable(h.main))"
    done = subprocess.run([sys.executable, "-c", code], cwd=asset, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


def asset_hash(folder: Path) -> str:
    stack = Stack(App(), "Assets")
    function = lambda_.Function(
        stack, "F", code=runtime_code(folder), handler="runtime.handler.main", runtime=lambda_.Runtime.PYTHON_3_14
    )
    key: str = stack.resolve(function.node.default_child.code)["s3Key"]  # type: ignore[union-attr]
    return key


def test_the_asset_hash_is_that_of_the_code_alone(tmp_path: Path) -> None:
    """Neither ``__pycache__`` nor the slice's other files change it; the code does."""
    clean, used = tmp_path / "clean", tmp_path / "used"
    for folder in (clean, used):
        shutil.copytree(SOURCE / "runtime", folder / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    before = asset_hash(clean)
    assert compileall.compile_dir(used / "runtime", quiet=1)
    (used / "runtime" / "notes.txt").write_text("x")
    (used / "pipeline.py").write_text("x = 1\n")
    assert (used / "runtime" / "__pycache__").is_dir()
    assert asset_hash(used) == before
    (used / "runtime" / "decision.py").write_text("x = 1\n")
    assert asset_hash(used) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"application": "Shop"},
        {"environment": "a/b"},
        {"environment": "pin-1"},
        {"services": [""]},
        {"services": ["${Token[TOKEN.1]}"]},
        {"services": []},
        {"services": "web"},
        {"services": ["web", "web"]},
    ],
)
def test_a_wrong_name_fails_and_leaves_nothing_behind(changes: dict[str, Any]) -> None:
    stack = Stack(App(), "Parameters")
    names: dict[str, Any] = {"application": "shop", "environment": "staging", "services": ["web"], **changes}
    with pytest.raises(ValueError, match=r".+ must be .+, got .+; .+"):
        ReleaseParameters(stack, "Releases", **names)
    assert stack.node.children == []
