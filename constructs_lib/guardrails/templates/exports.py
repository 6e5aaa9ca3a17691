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
    """The export that an import in a template means, if it can mean no other; the very name goes before all others.

    Usual is ``${AWS::StackName}:Vpc``, imported as ``${NetworkStack}:Vpc``: what is known of both must agree, and
    something must be known.
    """
    index = assembly.remember(_by_tail)
    shape = wanted.shape if isinstance(wanted, Text) else wanted
    if HOLE not in shape:
        same = [export for export in index.get(shape, ()) if export.shape == shape]
        if same:
            return same[0] if len(same) == 1 else None
        tails = [shape[start:] for start, letter in enumerate(shape) if not letter.isalnum()]
    else:
        tails = [shape.rsplit(HOLE, 1)[1]]
    found = [
        export
        for tail in tails
        for export in index.get(tail, ())
        if tail and export.template is not template and _agree(shape, export.shape)
    ]
    return found[0] if len(found) == 1 else None


def having_output(assembly: Assembly, name: str) -> Template | None:
    """The template that has an output, if one alone has it."""
    found = assembly.remember(_by_output).get(name, ())
    return found[0] if len(found) == 1 else None


def _by_output(assembly: Assembly) -> dict[str, list[Template]]:
    found: dict[str, list[Template]] = {}
    for template in assembly.templates:
        for name in template.section("Outputs"):
            found.setdefault(name, []).append(template)
    return found


def _by_tail(assembly: Assembly) -> dict[str, list[Export]]:
    """Exports by what is known of the end of their names: the whole name, or what follows the last hole."""
    found: dict[str, list[Export]] = {}
    for export in exports(assembly):
        found.setdefault(export.shape.rsplit(HOLE, 1)[-1], []).append(export)
    return found


def _agree(wanted: str, export: str) -> bool:
    """Whether an import's shape and one of an export with the same tail can be the same name."""
    if HOLE in wanted and HOLE in export:
        return wanted.split(HOLE, 1)[0] == export.split(HOLE, 1)[0]
    if HOLE in export:
        return wanted.startswith(export.split(HOLE, 1)[0])
    return False
