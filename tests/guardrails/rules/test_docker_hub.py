"""Docker Hub's limit must not decide how images are built or started (lesson Q6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

FAIL, UNKNOWN = ["fail"], ["unknown"]


def sub(text: str) -> dict[str, str]:
    """``Fn::Sub``."""
    return {"Fn::Sub": text}


IMAGES = [
    ("nginx", FAIL),
    ("nginx:1.29", FAIL),
    ("nginx@sha256:0", FAIL),
    ("library/nginx", FAIL),
    ("me/web:1.0", FAIL),
    ("docker.io/library/nginx", FAIL),
    ("index.docker.io/me/web", FAIL),
    ("registry-1.docker.io/me/web", FAIL),
    ("public.ecr.aws/docker/library/nginx", []),
    ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx", []),
    ("ghcr.io/me/web", []),
    ("mirror.gcr.io/library/nginx", []),
    ("registry:5000/web", []),
    ("localhost/web", []),
    (sub("nginx:${Tag}"), FAIL),
    (sub("me/${Name}:1"), FAIL),
    (sub("docker.io/${Name}"), FAIL),
    (sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/web"), []),
    (sub("${Repo.RepositoryUri}:1"), []),
    ({"Fn::GetAtt": ["Repo", "RepositoryUri"]}, []),
    ({"Ref": "Known"}, FAIL),
    ({"Ref": "Name"}, UNKNOWN),
    (sub("${Name}/web:1"), UNKNOWN),
    (sub("${Name}:1"), UNKNOWN),
    ({"Fn::If": ["Public", "nginx", "ghcr.io/me/web"]}, FAIL),
    ({"Fn::Join": ["/", ["docker.io", "me", {"Ref": "Name"}]]}, FAIL),
    (None, []),
    ([], UNKNOWN),
]


def template(**resources: Any) -> str:
    """With a repository and parameters."""
    parameters: dict[str, Any] = {name: {"Type": "String"} for name in ("Name", "Tag", "Kind")}
    parameters["Known"] = {"Type": "String", "Default": "nginx:1.29"}
    conditions = {"Public": {"Fn::Equals": [{"Ref": "Kind"}, "public"]}}
    all_ = {"Repo": {"Type": "AWS::ECR::Repository"}, **resources}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": all_})


def task(**container: Any) -> str:
    """A task with one container."""
    properties = {"ContainerDefinitions": [{"Name": "web", **container}]}
    return template(Task={"Type": "AWS::ECS::TaskDefinition", "Properties": properties})


def build(*lines: str, spec: Any = None, **environment: Any) -> str:
    """A project that runs these commands."""
    text = json.dumps({"version": "0.2", "phases": {"build": {"commands": list(lines)}}}) if spec is None else spec
    properties = {"Environment": environment, "Source": {"BuildSpec": text}}
    return template(Build={"Type": "AWS::CodeBuild::Project", "Properties": properties})


def judged(text: str, rule: str) -> list[str]:
    """What is said."""
    return [one[0] for one in said(text, rule)]


@pytest.mark.parametrize(("image", "expected"), IMAGES, ids=lambda value: str(value)[:50])
def test_images_of_containers(image: Any, expected: list[str]) -> None:
    """A first part with a dot or a colon is a registry, and an unknown one may be any."""
    container = {} if image is None else {"Image": image}
    assert judged(task(**container), "MOOR-Q6a") == expected
    credentials = {"CredentialsParameter": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hub"}
    assert judged(task(**container, RepositoryCredentials=credentials), "MOOR-Q6a") == []


def test_credentials_that_are_not_there() -> None:
    """AWS::NoValue is no secret."""
    assert judged(task(Image="nginx", RepositoryCredentials={"Ref": "AWS::NoValue"}), "MOOR-Q6a") == FAIL


@pytest.mark.parametrize(("image", "expected"), IMAGES, ids=lambda value: str(value)[:50])
def test_build_images(image: Any, expected: list[str]) -> None:
    """The same for what a build runs in."""
    environment = {} if image is None else {"Image": image}
    assert judged(build(**environment), "MOOR-Q6b") == expected
    assert judged(build(**environment, RegistryCredential={"Credential": "hub"}), "MOOR-Q6b") == []


@pytest.mark.parametrize("image", ["aws/codebuild/standard:7.0", "aws/codebuild/amazonlinux-x86_64-standard:5.0"])
def test_codebuilds_own_images(image: str) -> None:
    """They have no registry in their names and are not on Docker Hub."""
    assert judged(build(Image=image), "MOOR-Q6b") == []


ECR_LOGIN = "aws ecr get-login-password | docker login --username AWS --password-stdin 1.dkr.ecr.x.amazonaws.com"
HUB_LOGIN = "echo $PASSWORD | docker login --username me --password-stdin"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["docker pull nginx"], FAIL),
        (["docker pull docker.io/library/nginx"], FAIL),
        (["docker pull public.ecr.aws/docker/library/nginx"], []),
        ([HUB_LOGIN, "docker pull nginx"], []),
        ([f"{HUB_LOGIN} docker.io", "docker pull nginx"], []),
        ([f"{HUB_LOGIN} https://index.docker.io/v1/", "docker pull nginx"], []),
        ([ECR_LOGIN, "docker pull nginx"], FAIL),
        (["docker pull nginx", HUB_LOGIN], FAIL),
        ([f"{HUB_LOGIN} $REGISTRY", "docker pull nginx"], UNKNOWN),
        ([f"{HUB_LOGIN} $REGISTRY"], []),
        (["docker pull $IMAGE"], []),
        (["docker build -t web ."], []),
        (["docker run -d -p 6379:6379 redis:7"], FAIL),
        (["docker run --rm -itv $PWD:/app --name x node:20 npm test"], FAIL),
        (["docker container run --read-only --network=host redis"], FAIL),
        (["docker create --name db -e A=b postgres"], FAIL),
        (["docker run -d --name redis public.ecr.aws/docker/library/redis"], []),
        (["docker run --rm --entrypoint sh public.ecr.aws/x/y -c redis"], []),
        (["docker run --pull never redis"], []),
        (["docker run --pull=always redis"], FAIL),
        (["docker run"], []),
        (["docker run --rm"], []),
        (["podman run redis"], []),
        (["podman run docker.io/library/redis"], FAIL),
        (["docker build -t web .", "docker run web npm test"], []),
        (["docker build -t web:1 .", "docker run web:1"], []),
        (["docker build --tag web .", "docker run redis"], FAIL),
        (["docker buildx build --load -t web .", "docker run web"], []),
        (["docker build -t $NAME .", "docker run $NAME"], []),
        (["docker build -t $A .", "docker tag $A web", "docker run web:latest"], []),
        (["docker load -i web.tar", "docker run web"], []),
        (["docker compose build", "docker run web"], []),
        (["./build.sh", "docker run web"], []),
        (["docker run web", "docker build -t web ."], FAIL),
        (["docker build -t web .", "docker pull web"], FAIL),
        ([HUB_LOGIN, "docker run redis"], []),
    ],
)
def test_pulls_of_a_buildspec(lines: list[str], expected: list[str]) -> None:
    """A login to Docker Hub must come first; to run what is not here pulls it, and what was built here is here."""
    assert judged(build(*lines, Image="aws/codebuild/standard:7.0"), "MOOR-Q6b") == expected


@pytest.mark.parametrize("spec", ["buildspec.yml", {"Ref": "Name"}])
def test_a_buildspec_in_the_source_is_not_judged(spec: Any) -> None:
    """What it pulls is not in the template."""
    assert judged(build(spec=spec, Image="aws/codebuild/standard:7.0"), "MOOR-Q6b") == []


def test_what_is_sure_is_said_in_spite_of_an_unknown_image() -> None:
    """A pull by name is a fault whatever the build runs in."""
    assert judged(build("docker pull nginx", Image={"Ref": "Name"}), "MOOR-Q6b") == FAIL


def test_the_places_and_messages() -> None:
    """Of a container its image, of a build the image or the buildspec."""
    (found,) = findings(task(Image="nginx"), "MOOR-Q6a")
    assert found.path == "Properties/ContainerDefinitions/0/Image"
    assert found.message.startswith("Container 'web' pulls nginx from Docker Hub without RepositoryCredentials. ")
    assert "RepositoryCredentials. Docker Hub limits pulls" in found.message
    assert "the task that needs it does not start. ECS web application, April 2025" in found.message
    (found,) = findings(build(Image="node"), "MOOR-Q6b")
    assert found.message.startswith("Project 'Build' builds in node from Docker Hub")
    assert found.path == "Properties/Environment/Image"
    (found,) = findings(build("docker pull nginx"), "MOOR-Q6b")
    assert found.path == "Properties/Source/BuildSpec"
