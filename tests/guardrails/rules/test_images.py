"""What runs is known by its digest, and tags do not move (lesson Q3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

DIGEST = "sha256:" + "0" * 64
IMAGE = "Properties/ContainerDefinitions/0/Image"


def sub(text: str) -> dict[str, str]:
    """``Fn::Sub``."""
    return {"Fn::Sub": text}


def template(image: Any) -> str:
    """A task with one container, and a repository."""
    parameters: dict[str, Any] = {name: {"Type": "String"} for name in ("Image", "Tag", "Digest", "Repository", "Kind")}
    parameters |= {"Latest": {"Type": "String", "Default": "latest"}, "One": {"Type": "String", "Default": "1.0"}}
    container = {"Name": "web"} if image is None else {"Name": "web", "Image": image}
    resources = {
        "Repo": {"Type": "AWS::ECR::Repository"},
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}},
    }
    conditions = {"Moving": {"Fn::Equals": [{"Ref": "Kind"}, "moving"]}}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": resources})


def judged(image: Any) -> tuple[str, str]:
    """What Q3a and Q3b say, with ``pass`` where they say nothing."""
    text = template(image)
    a, b = ([one[0] for one in said(text, rule)] or ["pass"] for rule in ("MOOR-Q3a", "MOOR-Q3b"))
    assert len(a) == len(b) == 1
    return a[0], b[0]


LATEST, TAGGED, FINE, OPEN = ("fail", "pass"), ("pass", "fail"), ("pass", "pass"), ("unknown", "unknown")
SOME_TAG = ("unknown", "fail")


ASSETS = "cdk-hnb659fds-container-assets-${AWS::AccountId}-eu-west-1:"
"""CDK's repository for what it builds, whose tags do not move."""


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("web", LATEST),
        ("web:latest", LATEST),
        ("me/web", LATEST),
        ("registry.example:5000/web", LATEST),
        ("registry.example:5000/web:latest", LATEST),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web", LATEST),
        ("web:1.0", TAGGED),
        ("registry.example:5000/web:1.0", TAGGED),
        ("web:latest-1", TAGGED),
        (f"web@{DIGEST}", FINE),
        (f"web:latest@{DIGEST}", FINE),
        (f"registry.example:5000/web@{DIGEST}", FINE),
        (None, FINE),
        ({"Ref": "Image"}, OPEN),
        (sub("${Image}"), OPEN),
        (sub("registry.example/${Image}"), OPEN),
        (sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/${Repository}"), OPEN),
        (sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/${Repo}"), LATEST),
        ({"Fn::GetAtt": ["Repo", "RepositoryUri"]}, LATEST),
        (sub("${Repo.RepositoryUri}:latest"), LATEST),
        (sub("${Repo.RepositoryUri}:${Latest}"), LATEST),
        (sub("${Repo.RepositoryUri}:${One}"), TAGGED),
        (sub("${Repo.RepositoryUri}:${Tag}"), SOME_TAG),
        (sub("${Repo.RepositoryUri}:v-${Tag}"), TAGGED),
        (sub("${Repo.RepositoryUri}@${Digest}"), FINE),
        (sub("${Repo.RepositoryUri}:${Tag}@${Digest}"), FINE),
        (sub("${Image}:latest"), LATEST),
        (sub("${Repository}-web"), LATEST),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["Repo", "RepositoryUri"]}, ":1.0"]]}, TAGGED),
        ({"Fn::Join": [":", [{"Fn::GetAtt": ["Repo", "RepositoryUri"]}, {"Ref": "Tag"}]]}, SOME_TAG),
        ({"Fn::If": ["Moving", "web:latest", f"web@{DIGEST}"]}, LATEST),
        ({"Fn::If": ["Moving", "web:1.0", f"web@{DIGEST}"]}, TAGGED),
        (sub("${AWS::AccountId}.dkr.ecr.eu-west-1.${AWS::URLSuffix}/cdk-assets-1:" + "a" * 64), TAGGED),
        (sub("${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/" + ASSETS + "a" * 64), FINE),
        (sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/" + ASSETS + "0" * 64), FINE),
        (sub("${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/" + ASSETS + "a" * 63), TAGGED),
        (sub("${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/" + ASSETS + "latest"), LATEST),
        (sub("${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com/my-" + ASSETS + "a" * 64), TAGGED),
        (sub("registry.example/" + ASSETS + "a" * 64), TAGGED),
        (["web"], OPEN),
        ({"a": "b"}, OPEN),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_how_an_image_is_named(image: Any, expected: tuple[str, str]) -> None:
    """By latest, by another tag, by a digest or CDK's hash, or by what only the deployment knows."""
    assert judged(image) == expected


def test_the_default_of_a_parameter_in_another_template() -> None:
    """An image that a root stack gives to a nested one is known there."""
    child = {
        "Parameters": {"Image": {"Type": "String"}},
        "Resources": {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {"ContainerDefinitions": [{"Name": "web", "Image": {"Ref": "Image"}}]},
            }
        },
    }
    nested = {"TemplateURL": "child.json", "Parameters": {"Image": "web:latest"}}
    root = {"Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": nested}}}
    found = said({"root.json": json.dumps(root), "child.json": json.dumps(child)}, "MOOR-Q3a")
    assert [one[:2] for one in found] == [("fail", "Task")]


def test_the_message_names_container_and_image() -> None:
    """And the place is the image's; holes have their parameters' names."""
    (found,) = findings(template("web"), "MOOR-Q3a")
    assert found.path == IMAGE
    assert found.message.startswith("Container 'web' runs web without a tag, which means latest. ")
    (found,) = findings(template(sub("${Repo.RepositoryUri}:${Tag}")), "MOOR-Q3b")
    assert "/${Repo}:${Tag}, by a tag and not by its digest." in found.message


def test_each_container_is_judged() -> None:
    """A sidecar's image counts as the others."""
    containers = [{"Name": "web", "Image": f"web@{DIGEST}"}, {"Name": "log", "Image": "log"}]
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": containers}}
    assert said(json.dumps({"Resources": {"Task": task}}), "MOOR-Q3") == [("fail", "Task", IMAGE.replace("0", "1"))]


@pytest.mark.parametrize(
    ("mutability", "filters", "expected"),
    [
        (None, None, ["fail"]),
        ("MUTABLE", None, ["fail"]),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], ["fail"]),
        ("IMMUTABLE", None, []),
        ("IMMUTABLE_WITH_EXCLUSION", ["pin-*"], []),
        ("IMMUTABLE_WITH_EXCLUSION", ["pin-*", "*"], ["fail"]),
        ({"Ref": "Tag"}, None, ["unknown"]),
        ({"Fn::If": ["Moving", "MUTABLE", "IMMUTABLE"]}, None, ["fail"]),
    ],
)
def test_tags_that_move(mutability: Any, filters: Any, expected: list[str]) -> None:
    """MUTABLE is the default; exclusions may make some tags move, but not all."""
    properties = {} if mutability is None else {"ImageTagMutability": mutability}
    if filters:
        properties["ImageTagMutabilityExclusionFilters"] = [
            {"ImageTagMutabilityExclusionFilterType": "WILDCARD", "ImageTagMutabilityExclusionFilterValue": text}
            for text in filters
        ]
    template_ = json.loads(template(f"web@{DIGEST}"))
    template_["Resources"]["Repo"]["Properties"] = properties
    assert [one[0] for one in said(json.dumps(template_), "MOOR-Q3c")] == expected
