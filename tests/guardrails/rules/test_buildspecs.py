"""What an inline buildspec pushes and pulls (lessons Q1, Q6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.guardrails.rules.buildspecs import PROJECT, commands, inline, login, pulled, pushed
from constructs_lib.guardrails.rules.written import mark, shown
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.world import World

PLAIN = {"REGISTRY": "r.io", "A": "r.io/a", "B": "r.io/b"}


def project(buildspec: Any, **variables: Any) -> Node:
    """A project with an inline buildspec and plain variables."""
    given = [{"Name": name, "Value": value} for name, value in variables.items()]
    secret = {"Name": "SECRET", "Type": "SECRETS_MANAGER", "Value": "r.io/secret"}
    properties = {"Source": {"BuildSpec": buildspec}, "Environment": {"EnvironmentVariables": [*given, secret]}}
    resources = {
        "Build": {"Type": PROJECT, "Properties": properties},
        "Images": {"Type": "AWS::ECR::Repository"},
    }
    text = json.dumps({"Parameters": {"Spec": {"Type": "String"}}, "Resources": resources})
    assembly = Assembly({"t.json": template_document(text, "t.json")})
    return Node.of(World(assembly), assembly.of_type(PROJECT)[0])


def run(*lines: str, **variables: Any) -> list[str]:
    """The repositories to which some commands push, for a message."""
    spec = {"version": 0.2, "env": {"variables": {"OWN": "r.io/own"}}, "phases": {"build": {"commands": list(lines)}}}
    of = project(json.dumps(spec), **{**PLAIN, **variables})
    found = inline(of)
    assert found is not None
    return [shown(repository) for command in commands(of, found) for repository in pushed(of, command)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docker push $A", ["r.io/a"]),
        ("docker push $A:latest", ["r.io/a"]),
        ('docker push "${A}:$TAG"', ["r.io/a"]),
        ("docker push 'r.io/a@sha256:0'", ["r.io/a"]),
        ("docker push r.io:5000/a/b:1", ["r.io:5000/a/b"]),
        ("docker --config /tmp push -q --platform linux/arm64 $A", ["r.io/a"]),
        ("docker push --all-tags $A", ["r.io/a"]),
        ("docker image push $A", ["r.io/a"]),
        ("docker manifest push --purge $A:1", ["r.io/a"]),
        ("sudo docker push $A", ["r.io/a"]),
        ("if ! docker push $A; then exit 1; fi", ["r.io/a"]),
        ("DOCKER_BUILDKIT=1 docker buildx build --push -t $A:1 --tag=$B:1 .", ["r.io/a", "r.io/b"]),
        ("docker build -t $A:1 -t $B:1 .", []),
        ("docker buildx build -t $A:1 --load .", []),
        ("docker buildx build -t $A:1 --output type=registry .", ["r.io/a"]),
        ("docker buildx build -o type=image,name=r.io/c:1,push=true .", ["r.io/c"]),
        ("docker buildx imagetools create -t $A:new $B:old", ["r.io/a"]),
        ("docker tag $A $B", []),
        ("podman push localhost/x docker://r.io/a:1", ["r.io/a"]),
        ("podman push r.io/a", ["r.io/a"]),
        ("buildah push x docker://r.io/a", ["r.io/a"]),
        ("skopeo copy docker://r.io/b:1 docker://r.io/a:1", ["r.io/a"]),
        ("skopeo copy docker://r.io/b:1 dir:/tmp", []),
        ("crane push image.tar r.io/a:1", ["r.io/a"]),
        ("crane copy r.io/b:1 r.io/a:1", ["r.io/a"]),
        ("oras push r.io/a:1 file.txt", ["r.io/a"]),
        ("/kaniko/executor --destination=$A:1 --destination $B:1", ["r.io/a", "r.io/b"]),
        ("echo docker push $A", []),
        ("# docker push $A", []),
        ("docker push $A # and not $B", ["r.io/a"]),
        ("git push origin main", []),
        ("docker push", []),
        ("docker pull $A", []),
        ("docker push $OWN", ["r.io/own"]),
        ("docker push $SECRET", ["${SECRET}"]),
        ("docker push $UNSET/x", ["${UNSET}/x"]),
        ("docker push ${UNSET:-r.io/default}", ["r.io/default"]),
        ("X=$A; docker push $X:1", ["r.io/a"]),
        ("export X=$A Y=$B && docker push $X && docker push $Y", ["r.io/a", "r.io/b"]),
        ("for r in a b; do docker push $REGISTRY/$r:1; done", ["r.io/a", "r.io/b"]),
        ("for i in $A $B\ndo\n  docker push $i\ndone", ["r.io/a", "r.io/b"]),
        ("docker push \\\n  $A", ["r.io/a"]),
        ("bash -c 'docker push r.io/a'", ["r.io/a"]),
        ("(docker push $A)", ["r.io/a"]),
        ("OUT=$(docker push $A)", ["r.io/a"]),
        ("docker push $A > /dev/null 2>&1", ["r.io/a"]),
        ("docker push $A | tee log", ["r.io/a"]),
        ("docker push 'unbalanced", ["unbalanced"]),
    ],
)
def test_what_a_command_pushes(line: str, expected: list[str]) -> None:
    """Each tool's way to push, with variables in place, and nothing that only looks like it."""
    assert run(line) == expected


def test_variables_last_over_phases() -> None:
    """CodeBuild runs the phases in one shell, in their own order and not in that of the file; finally runs too."""
    text = "phases:\n  build:\n    commands: docker push $X\n    finally: [docker push $X]\n"
    of = project(text + "  pre_build:\n    commands:\n      - X=r.io/a\n")
    assert [pushed(of, one) for one in commands(of, inline(of) or {})] == [["r.io/a"], ["r.io/a"]]


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        ("version: 0.2\nphases: {}", True),
        ('{"version": "0.2", "phases": {}}', True),
        ({"Fn::Sub": "version: 0.2\nphases:\n  build:\n    commands: ['docker push ${Images.RepositoryUri}']"}, True),
        ({"Fn::Join": ["", ['{"phases": {"build": {"commands": ["docker push ', {"Ref": "Spec"}, '"]}}}']]}, True),
        ("buildspec.yml", False),
        ("ci/buildspec.yaml", False),
        ("arn:aws:s3:::bucket/buildspec.yml", False),
        ({"Fn::Sub": "${Spec}/buildspec.yml"}, False),
        ("", False),
        (None, False),
    ],
)
def test_where_a_buildspec_is(spec: Any, there: bool) -> None:
    """YAML and JSON are inline, also with unknown parts; a path or an ARN is in the source."""
    assert (inline(project(spec)) is not None) == there


@pytest.mark.parametrize("spec", [{"Ref": "Spec"}, "a: [\nb", "a: &a\n- *a\n", "- a\n- b\n", ["x"]])
def test_what_cannot_be_read_is_not_known(spec: Any) -> None:
    """A parameter, and what is neither YAML nor JSON."""
    with pytest.raises(NotKnown):
        inline(project(spec))


def test_ecrs_own_command_pushes() -> None:
    """A retag by the AWS CLI is a push to the project's own registry."""
    (found,) = run("aws ecr put-image --repository-name web --image-tag prod --image-manifest file://m.json")
    assert found.endswith(".amazonaws.com/web")


def test_compose_may_push_to_several() -> None:
    """What it pushes stands in a file of the source."""
    assert len(set(run("docker compose push"))) == 1
    of = project(json.dumps({"phases": {"build": {"commands": ["docker compose push"]}}}))
    (command,) = commands(of, inline(of) or {})
    assert len(set(pushed(of, command))) == 2


@pytest.mark.parametrize(
    ("line", "images", "servers"),
    [
        (["docker", "pull", "nginx"], ["nginx"], None),
        (["docker", "image", "pull", "-q", "nginx:1"], ["nginx:1"], None),
        (["podman", "pull", "nginx"], [], None),
        (["podman", "pull", "docker.io/library/nginx"], ["docker.io/library/nginx"], None),
        (["docker", "login", "-u", "me", "--password-stdin"], [], [""]),
        (["docker", "login", "--username=me", "-p", "x", "r.io"], [], ["r.io"]),
        (["docker", "push", "nginx"], [], None),
        (["npm", "login"], [], None),
    ],
)
def test_pulls_and_logins(line: list[str], images: list[str], servers: list[str] | None) -> None:
    """What is pulled by name, and where somebody logs in."""
    command = [(word,) for word in line]
    assert pulled(command) == images
    assert login(command) == servers


@pytest.mark.parametrize(
    "text",
    [
        "phases: 7",
        "phases: {build: [1]}",
        "phases: {build: {commands: {a: b}}}",
        "phases: {build: {commands: [[docker push a], 1, null]}}",
        "env: [1]\nphases: {build: {commands: ['for', 'for x', 'for x in', '', ';;', '$(', '`', 'docker', '\"']}}",
        "phases: {build: {commands: ['" + "$(" * 200 + ")" * 200 + "']}}",
        "phases: {build: {commands: ['X=ab;" + "X=$X$X;" * 100 + "docker push $X']}}",
        "phases: {build: {commands: ['"
        + "for a in 1 2 3; do X=$X$a$a$a$a$a$a; docker push $X$X$X; done;" * 20
        + "']}}",
    ],
)
def test_malformed_buildspecs_are_no_exception(text: str) -> None:
    """Anything that YAML allows may stand in one."""
    of = project(text)
    assert len([pushed(of, one) for one in commands(of, inline(of) or {})]) < 1000


def test_a_mark_is_the_same_for_the_same_value() -> None:
    """Two uses of one unknown value are one repository."""
    spec = {"Fn::Sub": "phases: {build: {commands: ['docker push ${Spec}/a:1', 'docker push ${Spec}/a:2']}}"}
    of = project(spec)
    found = [name for command in commands(of, inline(of) or {}) for name in pushed(of, command)]
    assert found == [f"{mark('0:Spec')}/a"] * 2
