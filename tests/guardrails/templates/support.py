"""Asks what a property of a template comes to, in every world."""

from __future__ import annotations

from collections.abc import Mapping

from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.node import Node
from constructs_lib.guardrails.templates.values import ABSENT, HOLE, Reference, Text, Unknown
from constructs_lib.guardrails.templates.world import worlds


def assembly(templates: str | Mapping[str, str], **given: str) -> Assembly:
    """An assembly of texts by file name."""
    texts = {"template.yaml": templates} if isinstance(templates, str) else templates
    return Assembly({name: template_document(text, name) for name, text in texts.items()}, given)


def values(templates: str | Mapping[str, str], *keys: str, of: str = "R", **given: str) -> list[object]:
    """What ``Properties`` of a resource has under some keys, in each world in which it exists, in order."""
    found = assembly(templates, **given)
    return [
        plain(Node.of(world, template.resources[of]).get("Properties", *(keys or ("P",))))
        for template in found.templates
        if of in template.resources
        for world in worlds(found)
        if world.exists(template.resources[of])
    ]


def plain(node: Node) -> object:
    """A value to compare: ``?`` for what is unknown, ``<id.attribute>`` for a reference, None for nothing."""
    value = node.value
    if value is ABSENT:
        return None
    if isinstance(value, Unknown):
        return "?"
    if isinstance(value, Reference):
        return f"<{value.logical_id}.{value.attribute}>"
    if isinstance(value, Text):
        return value.shape.replace(HOLE, "?")
    if isinstance(value, list):
        return [plain(item) for item in node.items()]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in node.entries()}
    return value


def resource(properties: str, *, more: str = "") -> str:
    """A template with the resource ``R``; ``properties`` is YAML in one line."""
    return f"Resources:\n  R: {{Type: A::B::C, Properties: {properties}}}\n  Other: {{Type: A::B::D}}\n{more}"
