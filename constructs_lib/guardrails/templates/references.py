"""Which resources name which others, across templates, whatever the conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from constructs_lib.guardrails.templates.assembly import Assembly, Resource, Template, resources_of
from constructs_lib.guardrails.templates.exports import having_output, imported
from constructs_lib.guardrails.templates.functions import named_attribute, plain_name
from constructs_lib.guardrails.templates.values import Text, function_of, mapping, variables
from constructs_lib.guardrails.templates.world import World

ResourceKey: TypeAlias = tuple[int, str]
"""A template's number and a logical id."""

Seen: TypeAlias = set[tuple[str, int, str]]
"""Parameters and outputs that were followed already."""


def referrers(assembly: Assembly) -> Mapping[ResourceKey, Sequence[Resource]]:
    """The resources that name a resource in their properties; ask by ``assembly.remember(referrers)``."""
    found: dict[ResourceKey, list[Resource]] = {}
    world = World(assembly)
    for resource in resources_of(assembly):
        named = dict.fromkeys(_named(world, resource.template, resource.body.get("Properties"), set()))
        for key in named:
            found.setdefault(key, []).append(resource)
    return found


def referring(assembly: Assembly, resource: Resource, *types: str) -> list[Resource]:
    """The resources of some types that name this one."""
    named = assembly.remember(referrers).get((resource.template.number, resource.logical_id), ())
    return [other for other in named if other.type in types]


def named_in(assembly: Assembly, template: Template, raw: object) -> Iterator[Resource]:
    """The resources that a value names, in any branch."""
    for number, logical_id in dict.fromkeys(_named(World(assembly), template, raw, set())):
        resource = assembly.resource(number, logical_id)
        if resource is not None:
            yield resource


def _named(world: World, template: Template, raw: object, seen: Seen) -> Iterator[ResourceKey]:
    left = [raw]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            found = function_of(value)
            if found is None:
                left += value.values()
                continue
            name, argument = found
            yield from _by_function(world, template, name, argument, seen)
            if name not in ("Ref", "Fn::GetAtt"):
                left.append(argument)


def _by_function(world: World, template: Template, name: str, argument: object, seen: Seen) -> Iterator[ResourceKey]:
    if name == "Ref":
        named = plain_name(world, template, argument)
        if named is not None:
            yield from _by_name(world, template, named, seen)
    elif name == "Fn::GetAtt":
        attribute = named_attribute(world, template, argument)
        if attribute is not None:
            yield from _by_name(world, template, ".".join(attribute), seen)
    elif name == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        for variable in variables(text) if isinstance(text, str) else ():
            yield from _by_name(world, template, variable, seen)
    elif name == "Fn::ImportValue":
        wanted = world.value(template, argument)
        export = imported(world.assembly, wanted, template) if isinstance(wanted, str | Text) else None
        if export is not None:
            yield from _by_output(world, export.template, export.output, seen)
    elif name == "Fn::GetStackOutput":
        output = mapping(argument).get("OutputName")
        having = having_output(world.assembly, output) if isinstance(output, str) else None
        if isinstance(output, str) and having is not None:
            yield from _by_output(world, having, output, seen)


def _by_name(world: World, template: Template, name: str, seen: Seen) -> Iterator[ResourceKey]:
    logical_id, _, attribute = name.partition(".")
    child = world.assembly.children.get((template.number, logical_id))
    if child is not None and attribute.startswith("Outputs."):
        yield from _by_output(world, child, attribute.removeprefix("Outputs."), seen)
    elif logical_id in template.resources:
        yield template.number, logical_id
    elif not attribute and name in template.section("Parameters"):
        if ("parameter", template.number, name) in seen:
            return
        seen.add(("parameter", template.number, name))
        for parent in template.parents:
            passed = mapping(mapping(parent.body.get("Properties")).get("Parameters"))
            yield from _named(world, parent.template, passed.get(name), seen)


def _by_output(world: World, template: Template, output: str, seen: Seen) -> Iterator[ResourceKey]:
    if ("output", template.number, output) in seen:
        return
    seen.add(("output", template.number, output))
    body = mapping(template.section("Outputs").get(output))
    yield from _named(world, template, body.get("Value"), seen)
