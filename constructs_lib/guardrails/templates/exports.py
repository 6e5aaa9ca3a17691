"""What templates export to each other, by names that may be known in part only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.guardrails.templates.assembly import Template
from constructs_lib.guardrails.templates.values import HOLE, Text

if TYPE_CHECKING:
    from constructs_lib.guardrails.templates.assembly import Assembly


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An output that other stacks may import (lesson Q8).

    Args:
        shape: its name, with holes for what is not known of it.
        template: the template that exports it.
        output: the output's logical id.
    """

    shape: str
    template: Template
    output: str


def exports(assembly: Assembly) -> list[Export]:
    """All exports of an assembly."""
    from constructs_lib.guardrails.templates.world import World

    world = World(assembly)
    found = []
    for template in assembly.templates:
        for output, body in template.section("Outputs").items():
            export = body.get("Export") if isinstance(body, dict) else None
            name = world.value(template, export.get("Name")) if isinstance(export, dict) else None
            if isinstance(name, str | Text):
                shape = name.shape if isinstance(name, Text) else name
                found.append(Export(shape=shape, template=template, output=output))
    return found


def imported(assembly: Assembly, wanted: str | Text, template: Template) -> Export | None:
    """The export that an import in a template means, if it can mean no other."""
    found = [export for export in assembly.remember(exports) if _same_name(export, wanted, template)]
    return found[0] if len(found) == 1 else None


def _same_name(export: Export, wanted: str | Text, template: Template) -> bool:
    """Whether an import in a template can mean an export.

    Usual is ``${AWS::StackName}:Vpc``, imported as ``${NetworkStack}:Vpc``: what is known of both must agree, and
    something must be known.
    """
    shape = wanted.shape if isinstance(wanted, Text) else wanted
    if HOLE not in shape and HOLE not in export.shape:
        return shape == export.shape
    return template is not export.template and _agree(shape, export.shape)


def _agree(one: str, other: str) -> bool:
    """Whether two shapes have the same known beginning and end, as far as both tell."""
    heads = one.split(HOLE, 1)[0], other.split(HOLE, 1)[0]
    tails = one.rsplit(HOLE, 1)[-1], other.rsplit(HOLE, 1)[-1]
    shorter_head, shorter_tail = min(map(len, heads)), min(map(len, tails))
    same_head = heads[0][:shorter_head] == heads[1][:shorter_head]
    same_tail = shorter_tail > 0 and tails[0][-shorter_tail:] == tails[1][-shorter_tail:]
    return same_head and same_tail
