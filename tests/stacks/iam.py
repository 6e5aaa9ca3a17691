"""What the roles of an app may do, read from its templates, and the judges of it.

A judge returns what it objects to, one sentence each, so that a test can show both: nothing in the app, and something
in what it is for.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import listed

Templates = Mapping[str, Mapping[str, Any]]

UPLOAD = {"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}
_WRITES = ("ssm:PutParameter", "ssm:DeleteParameter", "ssm:LabelParameterVersion")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One action on one resource that a role is allowed, with its condition."""

    role: str
    action: str
    resource: str
    condition: str


def read_templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """The templates of an assembly, by stack name."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in assembly.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                found[properties["stackName"]] = json.loads((manifest.parent / properties["templateFile"]).read_text())
    return found


def text(value: Any) -> str:
    """A value of a template as one text; what is known only when it is deployed is ``<its name>``."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"Fn::Join"}:
        glue, parts = value["Fn::Join"]
        return str(glue).join(text(part) for part in parts)
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return f"<{value['Ref']}>"
    if isinstance(value, dict) and set(value) == {"Fn::GetAtt"}:
        return "<" + ".".join(value["Fn::GetAtt"]) + ">"
    return f"<{json.dumps(value, sort_keys=True)}>"


def allowed(templates: Templates) -> list[Allowed]:
    """Everything that every role of all templates is allowed, by its own policies and by those beside it."""
    return [one for name, template in templates.items() for one in _of(name, template["Resources"])]


def _of(stack: str, resources: Mapping[str, Any]) -> Iterator[Allowed]:
    documents: dict[str, list[Any]] = defaultdict(list)
    for key, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            documents[key] += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            for policy in properties.get("ManagedPolicyArns", []):
                assert set(policy) == {"Ref"}, f"{key} has a policy that is not in the template: {policy}"
                documents[key].append(resources[policy["Ref"]]["Properties"]["PolicyDocument"])
        elif resource["Type"] == "AWS::IAM::Policy":
            for role in properties["Roles"]:
                documents[role["Ref"]].append(properties["PolicyDocument"])
        elif resource["Type"] == "AWS::IAM::ManagedPolicy":
            assert not {"Roles", "Users", "Groups"} & set(properties), f"{key} is attached from its own side"
        else:
            assert not resource["Type"].startswith("AWS::IAM::"), f"{key}: nothing here reads {resource['Type']}"
    for key, found in documents.items():
        for statement in (one for document in found for one in document["Statement"]):
            assert statement["Effect"] == "Allow"
            assert not {"NotAction", "NotResource"} & set(statement)
            condition = json.dumps(
                {
                    operator: {k: text(v) for k, v in tests.items()}
                    for operator, tests in statement.get("Condition", {}).items()
                },
                sort_keys=True,
            )
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    yield Allowed(f"{stack}/{key}", action, text(resource), condition)


def repositories_pushed_to(grants: list[Allowed]) -> dict[str, set[str]]:
    """The repositories that each role may push layers to, as ``<account>/<region>/<name>``."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in grants:
        if one.action in UPLOAD or (one.action.startswith("ecr:") and "*" in one.action):
            found[one.role].add(one.resource)
    return dict(found)


def pushes_too_far(grants: list[Allowed]) -> list[str]:
    """Each role that may push to more than one repository, or to one that it does not name."""
    return [
        f"{role} may push to {sorted(repositories)}"
        for role, repositories in repositories_pushed_to(grants).items()
        if len(repositories) > 1 or any("*" in one for one in repositories)
    ]


def writes_releases(grants: list[Allowed]) -> dict[str, set[str]]:
    """The release parameters and ledgers that each role may write; every one, when the resource could be any."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in grants:
        writes = one.action.startswith(_WRITES) or (one.action.startswith("ssm:") and "*" in one.action)
        if writes and re.search(r"/(digest|releases(/\*)?)$|\*$", one.resource):
            found[one.role].add(one.resource)
    return dict(found)


def updates_stacks_freely(grants: list[Allowed]) -> list[str]:
    """Each role that may change a stack without being held to one role for it."""
    changing = re.compile(
        r"cloudformation:(UpdateStack|CreateStack|\w*ChangeSet|DeleteStack|ContinueUpdateRollback|.*\*)"
    )
    return [
        f"{one.role} may {one.action} on {one.resource} with {one.condition}"
        for one in grants
        if changing.fullmatch(one.action)
        and not (
            one.action == "cloudformation:UpdateStack"
            and re.fullmatch(
                r'\{"StringEquals": \{"cloudformation:RoleArn": "[^"*]+:role/[\w-]+--release"\}\}', one.condition
            )
        )
    ]


def passes_roles_freely(grants: list[Allowed]) -> list[str]:
    """Each role that may pass one that it does not name, or to a service that it does not name."""
    return [
        f"{one.role} may pass {one.resource} with {one.condition}"
        for one in grants
        if (one.action == "iam:PassRole" or (one.action.startswith("iam:") and "*" in one.action))
        and (
            "*" in one.resource
            or not re.fullmatch(
                r'\{"StringEquals": \{"iam:PassedToService": "(ecs-tasks|cloudformation)\.amazonaws\.com"\}\}',
                one.condition,
            )
        )
    ]
