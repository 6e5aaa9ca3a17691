"""A build pushes to one repository (lesson Q1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

FAIL, UNKNOWN = ["fail"], ["unknown"]
URIS = [
    {"Name": "A", "Value": {"Fn::GetAtt": ["Staging", "RepositoryUri"]}},
    {"Name": "B", "Value": {"Fn::GetAtt": ["Production", "RepositoryUri"]}},
    {"Name": "PARAMETER", "Value": {"Ref": "Given"}},
    {"Name": "ACCOUNT", "Value": {"Ref": "AWS::AccountId"}},
]
ECR = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/"


def push(resource: Any) -> dict[str, Any]:
    """A role that may push there."""
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": resource}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}


def template(buildspec: Any, role: Any = "arn:aws:iam::1:role/x", *, privileged: Any = None, **more: Any) -> str:
    """A project with two repositories."""
    environment = {"EnvironmentVariables": URIS, **({} if privileged is None else {"PrivilegedMode": privileged})}
    properties = {"Environment": environment, "Source": {"BuildSpec": buildspec}, "ServiceRole": role}
    resources = {
        "Staging": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": {"Ref": "Name"}}},
        "Production": {"Type": "AWS::ECR::Repository"},
        "Build": {"Type": "AWS::CodeBuild::Project", "Properties": properties},
        **more,
    }
    parameters = {name: {"Type": "String"} for name in ("Given", "Name", "Kind")}
    conditions = {"Joined": {"Fn::Equals": [{"Ref": "Kind"}, "joined"]}}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": resources})


def spec(*lines: str) -> str:
    """A buildspec with these commands."""
    return json.dumps({"version": "0.2", "phases": {"build": {"commands": list(lines)}}})


def judged(*lines: str) -> list[str]:
    """What is said of a build with these commands."""
    return [status for status, _, _ in said(template(spec(*lines)), "MOOR-Q1b")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["docker push $A:latest"], []),
        (["docker push $A:latest", "docker push $A:$TAG"], []),
        (["docker push $A", "docker push $B"], FAIL),
        (["docker push r.io/a", "docker push r.io/b"], FAIL),
        (["docker push me/web", "docker push $A"], FAIL),
        (["docker push $A", "docker push $PARAMETER"], UNKNOWN),
        (["docker push $PARAMETER:1", "docker push $PARAMETER:2"], []),
        (["docker push $PARAMETER/a", "docker push $PARAMETER/b"], FAIL),
        (["docker push $ONE", "docker push $TWO"], UNKNOWN),
        (["docker push $ONE", "docker push $TWO", "docker push $A", "docker push $B"], FAIL),
        (["for r in web worker; do docker push $PARAMETER/$r; done"], FAIL),
        (["for r in $REPOSITORIES; do docker push $PARAMETER/$r; done"], UNKNOWN),
        (["docker compose push"], UNKNOWN),
        (["npm ci"], []),
    ],
)
def test_a_build_that_pushes_to_several(lines: list[str], expected: list[str]) -> None:
    """Two tags of a repository are one; what only the build knows may be one or two."""
    assert judged(*lines) == expected


def test_one_repository_in_two_ways_is_one() -> None:
    """By its URI, by its name in the account's own registry, and by the parameter that names it."""
    lines = ["docker push $A:1", f"docker push {ECR}${{Staging}}:2", f"docker push {ECR}${{Name}}:3"]
    assert said(template({"Fn::Sub": spec(*lines)}), "MOOR-Q1b") == []
    lines.append(f"docker push {ECR}${{Production}}:1")
    (found,) = findings(template({"Fn::Sub": spec(*lines)}), "MOOR-Q1b")
    assert (found.status, found.path) == ("fail", "Properties/Source/BuildSpec")
    assert found.message.startswith("Project 'Build' pushes to ")
    assert "pushes to ${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/${Staging} and to" in found.message


def test_a_registry_may_be_written_in_any_way() -> None:
    """CDK takes the registry's account and region from the repository's ARN; the repository is the same."""
    arn = {"Fn::Split": [":", {"Fn::GetAtt": ["Production", "Arn"]}]}
    registry = [{"Fn::Select": [4, arn]}, ".dkr.ecr.", {"Fn::Select": [3, arn]}, ".amazonaws.com/"]
    parts = spec("docker push $B:1", "docker push @:2").split("@")
    text = template({"Fn::Join": ["", [parts[0], *registry, {"Ref": "Production"}, parts[1]]]})
    assert said(text, "MOOR-Q1b") == []


def test_a_branch_that_pushes_to_several() -> None:
    """Fn::If in the buildspec is looked at in both branches."""
    both = spec("docker push $A", "docker push $B")
    text = template({"Fn::If": ["Joined", both, spec("docker push $A")]})
    (found,) = findings(text, "MOOR-Q1b")
    assert (found.status, found.path) == ("fail", "Properties/Source/BuildSpec/Fn::If/1")
    assert "(where Kind is joined)" in found.message


ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
ONE = {"Fn::GetAtt": ["Staging", "Arn"]}


@pytest.mark.parametrize("buildspec", ["buildspec.yml", None, {"Ref": "Given"}, "a: [\nb"])
@pytest.mark.parametrize(("resource", "expected"), [("*", UNKNOWN), (ONE, []), ({"Ref": "Given"}, UNKNOWN)])
def test_a_buildspec_that_is_not_here(buildspec: Any, resource: Any, expected: list[str]) -> None:
    """Then the role decides: one repository is enough to pass, and several are unknown."""
    text = template(buildspec, ROLE, Role=push(resource))
    assert [one[0] for one in said(text, "MOOR-Q1b")] == expected


@pytest.mark.parametrize(("privileged", "expected"), [(True, UNKNOWN), ("true", UNKNOWN), (False, []), (None, [])])
def test_neither_buildspec_nor_role_is_here(privileged: Any, expected: list[str]) -> None:
    """What builds images may push anywhere; a build without Docker is taken to push nothing."""
    assert [one[0] for one in said(template("buildspec.yml", privileged=privileged), "MOOR-Q1b")] == expected


@pytest.mark.parametrize(
    "line",
    [
        "./push.sh",
        "bash push.sh web",
        "sh -x scripts/push.sh",
        "cd app && make push",
        "make",
        "python tools/push.py",
        "$CODEBUILD_SRC_DIR/push.sh",
        "scripts/push.sh",
        "docker push $A && ./more.sh",
    ],
)
def test_a_script_that_the_buildspec_calls_is_like_a_buildspec_in_the_source(line: str) -> None:
    """What it pushes is not here: the role decides, where the project can build images at all."""
    for resource, privileged, expected in (
        ("*", True, UNKNOWN),
        ("*", {"Ref": "Given"}, UNKNOWN),
        (ONE, True, []),
        ("*", False, []),
        ("*", None, []),
    ):
        text = template(spec(line), ROLE, privileged=privileged, Role=push(resource))
        assert [one[0] for one in said(text, "MOOR-Q1b")] == expected
    (found,) = findings(template(spec(line), ROLE, privileged=True, Role=push("*")), "MOOR-Q1b")
    assert "which the buildspec calls, is not here, and role 'Role' may push to every repository" in found.message


@pytest.mark.parametrize(
    "line",
    ["npm ci", "python -m pytest", "python -c 'import x'", "bash -c 'npm ci'", "python --version", "docker push $A"],
)
def test_commands_that_call_no_script(line: str) -> None:
    """The buildspec tells all of them."""
    text = template(spec(line), ROLE, privileged=True, Role=push("*"))
    assert said(text, "MOOR-Q1b") == []


def test_a_sure_fault_is_said_beside_a_script() -> None:
    """Two pushes are two, whatever the script does."""
    text = template(spec("./x.sh", "docker push $A", "docker push $B"), ROLE, privileged=True, Role=push("*"))
    assert [one[0] for one in said(text, "MOOR-Q1b")] == FAIL


def test_the_role_does_not_excuse_what_the_buildspec_says() -> None:
    """Commands that push to two repositories are a fault, whatever the role allows."""
    text = template(spec("docker push $A", "docker push $B"), ROLE, Role=push(ONE))
    assert [one[:2] for one in said(text, "MOOR-Q1b")] == [("fail", "Build")]


@pytest.mark.parametrize("properties", [None, [], "x", {"Source": 1}, {"Source": {"BuildSpec": {"a": 1}}}])
def test_malformed_projects(properties: Any) -> None:
    """No exception, and nothing that is not there."""
    text = json.dumps({"Resources": {"Build": {"Type": "AWS::CodeBuild::Project", "Properties": properties}}})
    assert "fail" not in [one[0] for one in said(text, "MOOR-Q1b")]
