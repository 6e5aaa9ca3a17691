"""The registry keeps what is running (lesson Q2)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from constructs_lib.images.policy import RetentionPolicy
from tests.guardrails.support import findings, said
from tests.images.test_lifecycle import policy, rule

COUNT, PUSHED = "imageCountMoreThan", "sinceImagePushed"
SHIELD = rule(1, COUNT, 9999, tagPatternList=["pin-*"])
NEWEST = json.dumps(policy(rule(2, COUNT, 10)))
SAFE = json.dumps(policy(SHIELD, rule(2, COUNT, 10)))
UNTAGGED = json.dumps(policy(rule(1, PUSHED, 7, tagStatus="untagged")))
RETAIN = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
FAIL, UNKNOWN = ["fail"], ["unknown"]
HERE = "Properties/LifecyclePolicy/LifecyclePolicyText"


def after(first: dict[str, Any]) -> str:
    """A policy that expires untagged images in its second rule."""
    return json.dumps(policy(first, rule(2, PUSHED, 7, tagStatus="untagged")))


def template(*, attributes: dict[str, Any] = RETAIN, **properties: Any) -> str:
    """A repository."""
    parameters: dict[str, Any] = {name: {"Type": "String"} for name in ("Text", "Keep", "Prefix", "Kind")}
    parameters["Known"] = {"Type": "String", "Default": NEWEST}
    conditions = {"Short": {"Fn::Equals": [{"Ref": "Kind"}, "short"]}}
    images = {"Type": "AWS::ECR::Repository", **attributes, "Properties": properties}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": {"Images": images}})


def of_policy(text: Any, rule_id: str = "MOOR-Q2a", **more: Any) -> list[str]:
    """What is said of a repository with a lifecycle policy."""
    made = template(LifecyclePolicy={"LifecyclePolicyText": text}, **more)
    return [one[0] for one in said(made, rule_id)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NEWEST, FAIL),
        (SAFE, []),
        (RetentionPolicy().text(), []),
        (UNTAGGED, []),
        (json.dumps(policy(rule(1, PUSHED, 30, tagPrefixList=["staging"]))), FAIL),
        ({"Ref": "Known"}, FAIL),
        ({"Ref": "Text"}, UNKNOWN),
        ({"Ref": "AWS::NoValue"}, []),
        ({"Fn::If": ["Short", NEWEST, SAFE]}, FAIL),
        ({"Fn::ToJsonString": policy(rule(1, COUNT, 10))}, FAIL),
        ({"Fn::ToJsonString": policy(SHIELD, rule(2, COUNT, 10))}, []),
        ({"Fn::Sub": NEWEST.replace("10", "${Keep}")}, FAIL),
        ({"Fn::Sub": SAFE.replace("10", "${Keep}")}, []),
        ({"Fn::Sub": SAFE.replace("9999", "${Keep}")}, UNKNOWN),
        ({"Fn::Sub": json.dumps(policy({**rule(1, COUNT, 10), "description": "of ${Prefix}"}))}, FAIL),
        ({"Fn::Sub": json.dumps(policy(rule(1, COUNT, 10, tagPrefixList=["${Prefix}"])))}, UNKNOWN),
        ({"Fn::Join": ["", [NEWEST[:-1], "}"]]}, FAIL),
        ({"Fn::Join": ["", [NEWEST[:-1], {"Ref": "Text"}]]}, UNKNOWN),
        (NEWEST.replace('"rulePriority"', '"rulePriority": 1, "rulePriority"'), UNKNOWN),
        (policy(rule(1, COUNT, 10)), UNKNOWN),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_policy_that_can_take_an_image_in_use(text: Any, expected: list[str]) -> None:
    """Decided for texts, functions and parameters; an unknown number matters only where it decides."""
    assert of_policy(text) == expected


def test_the_example_is_told() -> None:
    """The finding says which rule, why, and the smallest history, at the policy's text."""
    (found,) = findings(template(LifecyclePolicy={"LifecyclePolicyText": NEWEST}), "MOOR-Q2a")
    assert found.path == HERE
    assert found.message.startswith("Lifecycle rule 2 keeps the 10 newest that it selects")
    assert "it expires, for example: an image in use, then 10 newer ones." in found.message
    several = json.dumps(policy(rule(1, COUNT, 5, tagPatternList=["*"]), rule(2, COUNT, 10)))
    (found,) = findings(template(LifecyclePolicy={"LifecyclePolicyText": several}), "MOOR-Q2a")
    assert "Lifecycle rule 1" in found.message


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (rule(1, COUNT, 5, tagPatternList=["pin-*"]), "an image in use tagged pin-0, then 5 newer ones"),
        (rule(1, COUNT, 5, tagPatternList=["*"]), "an image in use, then 5 newer ones"),
        (rule(1, COUNT, 5, tagPatternList=["staging-*"]), "an image in use tagged staging-0, then 5 newer ones"),
    ],
)
def test_the_example_speaks_of_pins_to_who_has_them(first: dict[str, Any], told: str) -> None:
    """And of the tags that a rule selects by."""
    text = json.dumps(policy(first))
    (found,) = findings(template(LifecyclePolicy={"LifecyclePolicyText": text}), "MOOR-Q2a")
    assert f"for example: {told}" in found.message


NO_UNIT = json.dumps(policy(rule(1, PUSHED, 7, countUnit=None)))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"rules": []}', json.dumps(policy(rule(0, COUNT, 1))), NO_UNIT]
)
def test_a_policy_that_ecr_would_refuse(text: str) -> None:
    """Is a finding too, and it says so, in words of JSON."""
    (found,) = findings(template(LifecyclePolicy={"LifecyclePolicyText": text}), "MOOR-Q2a")
    assert (found.status, found.message.split(":")[0]) == ("fail", "ECR would refuse the lifecycle policy")
    assert "None" not in found.message


def test_a_creation_template_has_the_text_itself() -> None:
    """A pull-through cache makes repositories with its policy."""
    resources = {"Made": {"Type": "AWS::ECR::RepositoryCreationTemplate", "Properties": {"LifecyclePolicy": NEWEST}}}
    assert said(json.dumps({"Resources": resources}), "MOOR-Q2a") == [("fail", "Made", "Properties/LifecyclePolicy")]
    resources["Made"]["Properties"] = {"LifecyclePolicy": SAFE}
    assert said(json.dumps({"Resources": resources}), "MOOR-Q2a") == []


def test_many_repositories_with_one_policy_are_judged_once() -> None:
    """A rule that keeps very many takes a second to explain, not a second for each repository."""
    many = json.dumps(policy(rule(1, COUNT, 30_000)))
    body = {"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"LifecyclePolicyText": many}}}
    text = json.dumps({"Resources": {f"R{number}": body for number in range(60)}})
    start = time.process_time()
    assert len(said(text, "MOOR-Q2a")) == 60
    assert time.process_time() - start < 15


@pytest.mark.parametrize(
    ("emptied", "policy_", "expected"),
    [
        (True, None, FAIL),
        ("true", "Delete", FAIL),
        (True, "Retain", []),
        (True, "RetainExceptOnCreate", []),
        (False, None, []),
        (None, None, []),
        ({"Ref": "Text"}, None, UNKNOWN),
        ({"Ref": "Text"}, "Retain", []),
        ({"Fn::If": ["Short", True, False]}, None, FAIL),
        (True, {"Ref": "Text"}, UNKNOWN),
        (None, {"Ref": "Text"}, []),
    ],
)
def test_images_that_go_with_the_stack(emptied: Any, policy_: Any, expected: list[str]) -> None:
    """EmptyOnDelete deletes them, unless the repository stays."""
    properties = {} if emptied is None else {"EmptyOnDelete": emptied}
    attributes = {} if policy_ is None else {"DeletionPolicy": policy_}
    assert [one[0] for one in said(template(attributes=attributes, **properties), "MOOR-Q2b")] == expected


def test_cdks_function_that_empties_a_repository() -> None:
    """Before EmptyOnDelete, CDK had a custom resource for the same."""
    resources = {
        "Images": {"Type": "AWS::ECR::Repository"},
        "Other": {"Type": "AWS::ECR::Repository"},
        "Empty": {"Type": "Custom::ECRAutoDeleteImages", "Properties": {"RepositoryName": {"Ref": "Images"}}},
    }
    assert [one[:2] for one in said(json.dumps({"Resources": resources}), "MOOR-Q2b")] == [("fail", "Images")]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, ["DeletionPolicy"]),
        ({"DeletionPolicy": "Retain"}, ["UpdateReplacePolicy"]),
        ({"UpdateReplacePolicy": "Retain"}, ["DeletionPolicy"]),
        ({**RETAIN, "DeletionPolicy": "Delete"}, ["DeletionPolicy"]),
        ({**RETAIN, "UpdateReplacePolicy": "Snapshot"}, ["UpdateReplacePolicy"]),
        ({**RETAIN, "DeletionPolicy": "RetainExceptOnCreate"}, []),
        (RETAIN, []),
    ],
)
def test_a_repository_that_is_deleted_or_replaced(attributes: dict[str, Any], expected: list[str]) -> None:
    """Both policies must retain; the place is the one that does not."""
    assert said(template(attributes=attributes), "MOOR-Q2c") == [("fail", "Images", path) for path in expected]


@pytest.mark.parametrize(
    ("text", "mutability", "expected"),
    [
        (UNTAGGED, None, FAIL),
        (UNTAGGED, "MUTABLE", FAIL),
        (UNTAGGED, "MUTABLE_WITH_EXCLUSION", FAIL),
        (UNTAGGED, "IMMUTABLE", []),
        (UNTAGGED, "IMMUTABLE_WITH_EXCLUSION", []),
        (UNTAGGED, {"Ref": "Text"}, UNKNOWN),
        ({"Ref": "Text"}, "IMMUTABLE", []),
        ({"Ref": "Text"}, "MUTABLE", UNKNOWN),
        (after(SHIELD), "MUTABLE", []),
        (after(rule(1, COUNT, 99, tagPatternList=["pin-*"])), None, FAIL),
        (after(rule(1, PUSHED, 900, tagPatternList=["pin-*"])), None, FAIL),
        (after(rule(1, COUNT, 900, tagPatternList=["v*"])), None, FAIL),
        ({"Fn::Sub": UNTAGGED.replace("7", "${Keep}")}, None, FAIL),
        ("{", None, []),
        (SAFE, None, []),
    ],
    ids=lambda value: str(value)[-60:],
)  # fmt: skip
def test_a_moved_tag_leaves_an_image_untagged(text: Any, mutability: Any, expected: list[str]) -> None:
    """Where tags move and untagged images expire, only a shield of pins keeps what runs."""
    more = {} if mutability is None else {"ImageTagMutability": mutability}
    assert of_policy(text, "MOOR-Q2d", **more) == expected


def test_no_lifecycle_policy_expires_nothing() -> None:
    """Neither of the rules that read it says anything."""
    assert said(template(), "MOOR-Q2a") == []
    assert said(template(ImageTagMutability={"Ref": "Text"}), "MOOR-Q2d") == []


@pytest.mark.parametrize("properties", [None, [], 7, {"LifecyclePolicy": [1]}, {"LifecyclePolicy": {"a": 1}}])
def test_malformed_repositories(properties: Any) -> None:
    """No exception, whatever stands there."""
    made = {"Type": "AWS::ECR::Repository", "Properties": properties, **RETAIN}
    assert "fail" not in [one[0] for one in said(json.dumps({"Resources": {"R": made}}), "MOOR-Q2")]
