"""What the guard may do, read from its synthesized role: nothing that loses an image, nothing that it never does."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr

import constructs_lib.images
from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.permissions import LISTS, ON_REPOSITORIES
from constructs_lib.images.retention_guard import RetentionGuard
from stacks import gate
from tests.delivery.support import allowed
from tests.support import FLAG_SETS, Template, of_type, synthesize

RUNTIME = Path(constructs_lib.images.__file__).parent / "runtime"
ACCOUNT = "111122223333"
PLACE = f"eu-west-1:{ACCOUNT}"
PREFIXES = {
    "dynamodb": "dynamodb",
    "ecr": "ecr",
    "ecs": "ecs",
    "events": "events",
    "scheduler": "scheduler",
    "ssm": "ssm",
    "stepfunctions": "states",
}
"""IAM's prefix of each service that the runtime has a client of."""

BY_LAMBDA = {
    *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    *("logs:CreateLogStream", "logs:PutLogEvents"),
}
"""What Lambda does in the function's name: reads the queue and writes the log."""


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A guard of two repositories, one with a release parameter."""
    scope = Stack(App(context=request.param), "Stack", env=Environment(account=ACCOUNT, region="eu-west-1"))
    RetentionGuard(
        scope,
        "Guard",
        application="shop",
        environment="staging",
        repositories=[
            GuardedRepository(
                repository=ecr.Repository.from_repository_name(scope, "Web", "shop/staging/web"),
                release_parameters=("/moorings/shop/staging/web/digest",),
            ),
            GuardedRepository(
                repository=ecr.Repository.from_repository_arn(
                    scope, "Base", "arn:aws:ecr:eu-west-1:444455556666:repository/base"
                )
            ),
        ],
    )
    return synthesize(scope)


@pytest.fixture(scope="module")
def permissions(template: Template) -> dict[str, list[str]]:
    """The resources of each action of the one role."""
    (role,) = of_type(template, "AWS::IAM::Role")
    found: dict[str, list[str]] = {}
    for action, resource in allowed(template, role):
        found.setdefault(action, []).append(as_text(resource))
    return found


def as_text(resource: Any) -> str:
    """A resource with the partition filled in, and generated names by their logical ids."""
    if isinstance(resource, str):
        return resource
    if "Fn::Join" in resource:
        return "".join(as_text(part) for part in resource["Fn::Join"][1])
    if "Ref" in resource:
        return "aws" if resource["Ref"] == "AWS::Partition" else str(resource["Ref"])
    return ".".join(resource["Fn::GetAtt"])


def called() -> Iterator[tuple[str, str]]:
    """Every AWS action that the runtime's source calls, with the file: methods of clients, and paginators by name."""
    actions: dict[str, set[str]] = {}
    for service, prefix in PREFIXES.items():
        client: Any = boto3.client
        methods = client(service, region_name="eu-west-1").meta.method_to_api_mapping
        for method, operation in methods.items():
            actions.setdefault(method, set()).add(f"{prefix}:{operation}")
    for path in sorted(RUNTIME.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            method = node.func.attr
            if method == "get_paginator":
                assert isinstance(node.args[0], ast.Constant), f"{path.name} names a paginator that this cannot read"
                method = str(node.args[0].value)
            if method in actions:
                (action,) = actions[method]  # two services with one method would need to be told apart
                yield action, path.name


def test_every_call_of_the_runtime_is_allowed(permissions: dict[str, list[str]]) -> None:
    """No scan fails for a permission that was forgotten."""
    assert sorted({action for action, _ in called()} - set(permissions)) == []


def test_nothing_is_allowed_that_is_never_called(permissions: dict[str, list[str]]) -> None:
    """What is allowed beside the runtime's own calls is what Lambda itself does."""
    assert sorted(set(permissions) - {action for action, _ in called()}) == sorted(BY_LAMBDA)


def test_the_calls_are_found() -> None:
    """The search sees a method of a client, and a paginator."""
    found = set(called())
    assert {("ecr:PutImage", "pinning.py"), ("ecs:ListClusters", "ecs_uses.py")} <= found


def test_no_image_can_be_deleted_or_uploaded(permissions: dict[str, list[str]]) -> None:
    """Of ECR, six actions: four read, one puts a manifest that is there already, one restores (Q2)."""
    assert {action for action in permissions if action.startswith("ecr")} == {
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetLifecyclePolicy",
        "ecr:PutImage",
        "ecr:UpdateImageStorageClass",
    }
    changing = {a for a in permissions if not re.match(r"\w+:(BatchGet|Describe|Get|List)", a)}
    assert changing == {
        "ecr:PutImage",
        "ecr:UpdateImageStorageClass",
        "dynamodb:PutItem",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_an_image_is_never_archived() -> None:
    """IAM cannot tell archiving from restoring, so the source must: the one call names the class ``STANDARD``."""
    classes = [
        ast.unparse(keyword.value)
        for path in RUNTIME.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("update_image_storage_class")
        for keyword in node.keywords
        if keyword.arg == "targetStorageClass"
    ]
    assert classes == ["'STANDARD'"]


def test_a_repository_is_named_and_no_other_can_be_touched(permissions: dict[str, list[str]]) -> None:
    """Exactly the guarded repositories, that of another account among them."""
    for action in ON_REPOSITORIES:
        assert permissions[action] == [
            f"arn:aws:ecr:{PLACE}:repository/shop/staging/web",
            "arn:aws:ecr:eu-west-1:444455556666:repository/base",
        ]


def test_what_is_not_read_for_uses_is_named_exactly(template: Template, permissions: dict[str, list[str]]) -> None:
    """One parameter, one table, one queue, one log."""
    (table,) = of_type(template, "AWS::DynamoDB::Table")
    (queue,) = of_type(template, "AWS::SQS::Queue")
    (log_group,) = of_type(template, "AWS::Logs::LogGroup")
    assert permissions["ssm:GetParameterHistory"] == [f"arn:aws:ssm:{PLACE}:parameter/moorings/shop/staging/web/digest"]
    for action, resources in permissions.items():
        service = action.split(":")[0]
        expected = {"dynamodb": f"arn:aws:dynamodb:{PLACE}:table/{table}", "sqs": f"{queue}.Arn"}
        expected["logs"] = f"{log_group}.Arn"
        if service in expected:
            assert resources == [expected[service]], action


def test_only_lists_are_allowed_everywhere(permissions: dict[str, list[str]]) -> None:
    """On ``*`` stands what only reads, and the gate of the app has a reason for each."""
    everywhere = {action for action, resources in permissions.items() if "*" in resources}
    assert everywhere == set(LISTS)
    assert all(re.match(r"\w+:(Describe|List)", action) for action in everywhere)
    assert everywhere <= set(gate.ON_ANY_RESOURCE)
    assert {action for action, why in gate.ON_ANY_RESOURCE.items() if "guard" in why} <= everywhere


def reference() -> dict[str, Any]:
    """The service authorization reference, as cfn-lint brings it."""
    text = (files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text()
    return dict(json.loads(text))


def test_resources_are_of_the_types_that_aws_names(permissions: dict[str, list[str]]) -> None:
    """Each action is scoped wherever its service knows a type of resource for it, and to that type."""
    known = reference()
    for action, resources in permissions.items():
        prefix, operation = action.split(":")
        service = known[prefix]
        kinds = service["Actions"][operation.lower()].get("Resources", [])
        if action == "ecs:ListTasks":
            # The reference says container-instance; https://github.com/cdklabs/construct-hub/pull/1207 tells better.
            kinds = []
        if not kinds:
            assert resources == ["*"], action
            continue
        formats = [form for kind in kinds for form in service["Resources"][kind]["ARNFormats"]]
        shapes = [re.sub(r"\$\{\w+\}", "[^:]+", form) for form in formats]
        for resource in resources:
            if resource.startswith("arn:"):
                assert any(re.fullmatch(shape, resource) for shape in shapes), f"{action} on {resource}"


def test_the_role_is_lambda_s_and_has_nothing_else(template: Template) -> None:
    """No managed policy, no policy beside the role, and only Lambda may assume it."""
    (role,) = of_type(template, "AWS::IAM::Role").values()
    assert "ManagedPolicyArns" not in role
    assert not of_type(template, "AWS::IAM::Policy")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_without_release_parameters_no_parameter_can_be_read() -> None:
    """A statement without resources would be refused by IAM."""
    scope = Stack(App(), "Stack")
    repository = ecr.Repository.from_repository_name(scope, "Web", "web")
    RetentionGuard(
        scope,
        "Guard",
        application="shop",
        environment="staging",
        repositories=[GuardedRepository(repository=repository)],
    )
    assert "ssm:" not in json.dumps(synthesize(scope)["Resources"])
