"""CloudFormation's intrinsic functions, each as far as a template tells what it gives.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.guardrails.templates.assembly import Template
from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.exports import having_output, imported
from constructs_lib.guardrails.templates.values import (
    ABSENT,
    VARIABLE,
    Reference,
    Text,
    Unknown,
    Value,
    as_text,
    canonical,
    function_of,
    joined,
    listed,
    mapping,
)  # fmt: skip

if TYPE_CHECKING:
    from constructs_lib.guardrails.templates.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """What a value came to (lesson Q8).

    Args:
        value: the value. What lists and mappings hold is as it was written.
        template: the template that it was written in.
        steps: which branches lead to it from where the expression stands.
    """

    value: Value
    template: Template
    steps: Place = ()


def ref(world: World, template: Template, name: object) -> Reduced:
    """``Ref``."""
    name = plain_name(world, template, name)
    if name is None:
        return _unknown(template, "Ref has no plain name")
    if name == "AWS::NoValue":
        return Reduced(value=ABSENT, template=template)
    if name in template.resources:
        return _known(template, Reference(template.number, name, "Ref"))
    if name in template.section("Parameters"):
        return world.parameter(template, name)
    if name.startswith("AWS::"):
        return _known(template, world.pseudo(template, name))
    return _unknown(template, f"there is no {name}")


def plain_name(world: World, template: Template, raw: object) -> str | None:
    """A name, which a function may make with AWS::LanguageExtensions."""
    value = raw if isinstance(raw, str) else world.value(template, raw)
    return value if isinstance(value, str) else None


def named_attribute(world: World, template: Template, argument: object) -> tuple[str, str] | None:
    """The logical id and the attribute that an ``Fn::GetAtt`` names."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    names = [text for part in parts if (text := plain_name(world, template, part))] if isinstance(parts, list) else []
    return (names[0], ".".join(names[1:])) if len(names) >= 2 else None


def get_att(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::GetAtt``; of a nested stack's outputs, the value that its template gives."""
    named = named_attribute(world, template, argument)
    if named is None:
        return _unknown(template, "Fn::GetAtt has no plain name", argument)
    logical_id, attribute = named
    child = world.assembly.children.get((template.number, logical_id))
    if child is not None and attribute.startswith("Outputs."):
        return _output(world, child, attribute.removeprefix("Outputs."))
    if logical_id in template.resources:
        return _known(template, Reference(template.number, logical_id, attribute))
    return _unknown(template, f"there is no {logical_id}")


def if_(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::If``."""
    if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)):
        return _unknown(template, "Fn::If has no condition and two values")
    branch = 1 if world.holds(template, argument[0]) else 2
    found = world.reduce(template, argument[branch])
    return Reduced(value=found.value, template=found.template, steps=("Fn::If", branch, *found.steps))


def sub(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::Sub``, of a text or of a text and values of its own."""
    own: Mapping[str, object] = {}
    text = argument
    if isinstance(argument, list) and len(argument) == 2:
        text, own = argument[0], mapping(argument[1])
    if not isinstance(text, str):
        return _unknown(template, "Fn::Sub has no text")
    known: dict[str, Value] = {}  # each once, or texts in texts would take for ever
    parts: list[object] = []
    end = 0
    for match in VARIABLE.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        name = match[2].strip()
        if match[1]:
            parts.append(f"${{{match[2]}}}")
        else:
            if name not in known:
                known[name] = _variable(world, template, own, name)
            parts.append(known[name])
    parts.append(text[end:])
    return _known(template, _with_dynamic(world, template, joined(parts)))


def _variable(world: World, template: Template, own: Mapping[str, object], name: str) -> Value:
    if name in own:
        return world.value(template, own[name])
    return (get_att if "." in name else ref)(world, template, name).value


def join(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::Join``."""
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
        return _unknown(template, "Fn::Join has no delimiter and list")
    items = _items(world, template, argument[1])
    if items is None:
        return _unknown(template, "Fn::Join joins a list that is known only when deployed", argument)
    parts: list[object] = []
    for value in items:
        parts += [argument[0], value] if parts else [value]
    return _known(template, _with_dynamic(world, template, joined(parts)))


def select(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::Select``."""
    if isinstance(argument, list) and len(argument) == 2:
        index = as_text(world.value(template, argument[0]))
        items = world.reduce(template, argument[1])
        if isinstance(items.value, list) and index is not None and index.isdecimal() and len(index) < 6:
            present = items.value
            if int(index) < len(present):
                found = world.reduce(items.template, present[int(index)])
                return Reduced(value=found.value, template=found.template)
    return _unknown(template, "Fn::Select selects what is known only when deployed", argument)


def split(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::Split``."""
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str) and argument[0]:
        value = world.value(template, argument[1])
        text = as_text(value)
        if text is not None:
            return _known(template, list(text.split(argument[0])))
        items = listed(value) if argument[0] == "," else None
        if items is not None:
            return _known(template, items)
    return _unknown(template, "Fn::Split splits what is known only when deployed", argument)


def find_in_map(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::FindInMap``; of a key that is not known, each that the map has."""
    if not (isinstance(argument, list) and len(argument) in (3, 4)):
        return _unknown(template, "Fn::FindInMap has no map and two keys")
    name = as_text(world.value(template, argument[0]))
    entries: object = template.section("Mappings").get(name or "")
    way = f"{template.number}:{name}"
    for key in argument[1:3]:
        entries, way = _entry(world, template, entries, key, way, default=len(argument) == 4)
    if entries is None:
        entries = mapping(argument[-1]).get("DefaultValue")
    if entries is not None:
        found = world.reduce(template, entries)
        return Reduced(value=found.value, template=found.template)
    return _unknown(template, f"Mappings has no such entry in {name}", argument)


def import_value(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::ImportValue``, of what another template of the assembly exports."""
    wanted = world.value(template, argument)
    export = imported(world.assembly, wanted, template) if isinstance(wanted, str | Text) else None
    if export is not None:
        return _output(world, export.template, export.output)
    return _unknown(template, "it is imported from a stack that is not here", argument)


def get_stack_output(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::GetStackOutput``, of the one template of the assembly that has such an output."""
    name = as_text(world.value(template, mapping(argument).get("OutputName")))
    having = None if name is None else having_output(world.assembly, name)
    if name is not None and having is not None:
        return _output(world, having, name)
    return _unknown(template, "it is an output of a stack that is not here", argument)


def to_json_string(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::ToJsonString`` of what holds no function."""
    del world
    if _holds_function(argument):
        return _unknown(template, "Fn::ToJsonString holds what is known only when deployed", argument)
    return _known(template, json.dumps(argument))


def length(world: World, template: Template, argument: object) -> Reduced:
    """``Fn::Length``."""
    items = _items(world, template, argument)
    return (
        _unknown(template, "Fn::Length is known only when deployed") if items is None else _known(template, len(items))
    )


Function = Callable[["World", Template, object], Reduced]

FUNCTIONS: Final[Mapping[str, Function]] = {
    "Ref": ref,
    "Fn::GetAtt": get_att,
    "Fn::If": if_,
    "Fn::Sub": sub,
    "Fn::Join": join,
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::FindInMap": find_in_map,
    "Fn::ImportValue": import_value,
    "Fn::GetStackOutput": get_stack_output,
    "Fn::ToJsonString": to_json_string,
    "Fn::Length": length,
}
"""What is not here, such as ``Fn::GetAZs`` or a macro, is known only when deployed."""


def apply(world: World, template: Template, name: str, argument: object) -> Reduced:
    """What a function gives."""
    function = FUNCTIONS.get(name)
    if function is None:
        return _unknown(template, f"{name} is known only when deployed", {name: argument})
    return function(world, template, argument)


def _known(template: Template, value: Value) -> Reduced:
    return Reduced(value=value, template=template)


def _unknown(template: Template, why: str, expression: object = None) -> Reduced:
    key = "" if expression is None else f"{template.number}:{canonical(expression)}"
    return Reduced(value=Unknown(why, key=key), template=template)


def _output(world: World, template: Template, name: str) -> Reduced:
    output = template.section("Outputs").get(name)
    if not isinstance(output, dict) or "Value" not in output:
        return _unknown(template, f"there is no output {name}")
    found = world.reduce(template, output["Value"])
    return Reduced(value=found.value, template=found.template)


def _items(world: World, template: Template, raw: object) -> Sequence[Value] | None:
    """A list's values, without those that are absent."""
    found = world.reduce(template, raw)
    if not isinstance(found.value, list):
        return None
    values = [world.value(found.template, item) for item in found.value]
    return [value for value in values if value is not ABSENT]


def _entry(
    world: World, template: Template, entries: object, key: object, way: str, *, default: bool
) -> tuple[object, str]:
    """What a map has under a key, or one of all that it may have."""
    if not isinstance(entries, dict) or not entries:
        return None, way
    value = world.value(template, key)
    text = as_text(value)
    if text is not None:
        return entries.get(text), f"{way}:{text}"
    if not default and len({canonical(entry) for entry in entries.values()}) == 1:
        return next(iter(entries.values())), f"{way}:*"
    same = value.key if isinstance(value, Unknown) and value.key else canonical(key)
    never = value.never if isinstance(value, Unknown) else frozenset()
    options = [*(entry for entry in entries if entry not in never), *([""] if default else [])]
    if not options:
        return None, way
    chosen = world.choose(("key", same, tuple(options)), options, _name(key))
    return entries.get(chosen), f"{way}:{chosen}"


def _name(key: object) -> str:
    found = function_of(key)
    return str(found[1]) if found is not None and found[0] == "Ref" else "a map's key"


def _with_dynamic(world: World, template: Template, value: Value) -> Value:
    """Dynamic references may be made of parts."""
    return world.value(template, value) if isinstance(value, str) else value


def _holds_function(value: object) -> bool:
    if isinstance(value, dict):
        return any(key == "Ref" or key.startswith("Fn::") for key in value) or any(map(_holds_function, value.values()))
    return isinstance(value, list) and any(map(_holds_function, value))
