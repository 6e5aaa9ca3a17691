"""Reading whole resources of a template; ``tests/support.py`` reads their properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support import Template, listed, statements


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type, by logical id."""
    return {key: value for key, value in template["Resources"].items() if value["Type"] == kind}


def only(template: Template, kind: str) -> dict[str, Any]:
    """The one resource of a type."""
    (resource,) = of_type(template, kind).values()
    return resource


def allowed(template: Template, role: str) -> Iterator[tuple[str, Any]]:
    """Each action that a role may do, with a resource that it may do it to."""
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource
