"""Reading synthesized templates: plain dicts, so one synth serves many assertions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Template = dict[str, Any]
CDK_JSON = Path(__file__).parents[2] / "cdk.json"


def all_flags() -> dict[str, Any]:
    """CDK's recommended feature flags, as a new app has them."""
    return dict(json.loads(CDK_JSON.read_text())["context"])


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type, by logical id."""
    return {key: value for key, value in template["Resources"].items() if value["Type"] == kind}


def only(template: Template, kind: str) -> dict[str, Any]:
    """The one resource of a type."""
    (resource,) = of_type(template, kind).values()
    return resource


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Every statement that a role has: its own, and those of policies attached to it."""
    documents = [policy["PolicyDocument"] for policy in template["Resources"][role]["Properties"].get("Policies", [])]
    documents += [
        policy["Properties"]["PolicyDocument"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"].get("Roles", [])
    ]
    return [statement for document in documents for statement in document["Statement"]]


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one as its only member."""
    return value if isinstance(value, list) else [value]


def allowed(template: Template, role: str) -> Iterator[tuple[str, Any]]:
    """Each action that a role may do, with a resource that it may do it to."""
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource
