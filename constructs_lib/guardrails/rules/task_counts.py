"""How many tasks a service keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.guardrails.rule import Fault
from constructs_lib.guardrails.rules.ecs import SERVICE
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import named_in, referring
from constructs_lib.guardrails.templates.values import (
    HOLE,
    Reference,
    Text,
    Unknown,
    Value,
    as_text,
    function_of,
    mapping,
)
from constructs_lib.guardrails.templates.world import World

SCALABLE_TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"

_ENOUGH: Final = 2


def few_tasks(resource: Node) -> Fault | None:
    """T4e. A zero that the template chooses among other counts turns the service off, as a condition on it would."""
    return _low_minimum(resource) if resource.resource.type == SCALABLE_TARGET else _low_count(resource)


def _low_count(service: Node) -> Fault | None:
    properties = service.get("Properties")
    if properties.get("SchedulingStrategy").text() == "DAEMON":
        return None
    count = properties.get("DesiredCount")
    number = count.number()
    if number is None:
        if _is_scaled(service, count):
            return None
        return Fault(count, "the service has no DesiredCount, which makes it 1 at first, and no scaling keeps it at 2")
    if number >= _ENOUGH or (number == 0 and _is_chosen(count)):
        return None
    return Fault(count, f"the service has a DesiredCount of {number:g}")


def _low_minimum(target: Node) -> Fault | None:
    properties = target.get("Properties")
    if properties.get("ServiceNamespace").text() != "ecs":
        return None
    node = properties.get("MinCapacity")
    number = node.number()
    if number is None or number >= _ENOUGH:
        return None
    if number == 0 and _is_chosen(node) and properties.get("MaxCapacity").number() == 0:
        return None
    return Fault(node, f"scaling may leave {number:g} tasks")


def _is_chosen(number: Node) -> bool:
    function = function_of(number.raw)
    return function is not None and function[0] in ("Fn::If", "Fn::FindInMap")


def _is_scaled(service: Node, count: Node) -> bool:
    """Whether a scalable target answers for it: one that keeps two tasks or more, or is told that it does not."""
    world = service.world
    targets = world.assembly.remember(_unreferred)
    given = service.get("Properties", "ServiceName")
    name = _name(given.value) if given.given else ""
    own = referring(world.assembly, service.resource, SCALABLE_TARGET) + list(targets.by_name.get(name, ()))
    scaling = [Node.of(world, target) for target in own if world.exists(target)]
    if scaling:
        return any(_answers(target) for target in scaling)
    may_be = targets.unnamed if HOLE not in name else world.assembly.of_type(SCALABLE_TARGET)
    found = next((target.logical_id for target in may_be if world.exists(target)), None)
    if found is not None:
        raise NotKnown(count, f"{found} may or may not scale it")
    return False


def _answers(target: Node) -> bool:
    try:
        told = _low_minimum(target) is not None
    except NotKnown:
        return True  # and is told to be unknown
    return told or (target.get("Properties", "MinCapacity").number() or 0) >= _ENOUGH


@dataclass(frozen=True, slots=True)
class _Targets:
    """Scalable targets that name their service otherwise than by a reference to it."""

    by_name: Mapping[str, Sequence[Resource]]
    unnamed: Sequence[Resource]
    """Those of which the name is not known, or not all of it."""


def _unreferred(assembly: Assembly) -> _Targets:
    world = World(assembly)
    by_name: dict[str, list[Resource]] = {}
    unnamed = []
    for target in assembly.of_type(SCALABLE_TARGET):
        properties = mapping(target.body.get("Properties"))
        namespace = world.value(target.template, properties.get("ServiceNamespace"))
        raw = properties.get("ResourceId")
        referred = any(resource.type == SERVICE for resource in named_in(assembly, target.template, raw))
        if referred or not (namespace == "ecs" or isinstance(namespace, Unknown)):
            continue
        name = _name(world.value(target.template, raw))
        by_name.setdefault(name, []).append(target)
        if HOLE in name:
            unnamed.append(target)
    return _Targets(by_name, unnamed)


def _name(value: Value) -> str:
    """What follows the last slash, with a hole in place of each part that is not known."""
    name = ""
    for part in value.parts if isinstance(value, Text) else (value,):
        text = as_text(part)
        if text is not None:
            name = name + text if "/" not in text else text.rsplit("/", 1)[1]
        elif isinstance(part, Reference):
            name += f"{HOLE}{part.template}:{part.logical_id}:{part.attribute}{HOLE}"
        else:
            name += f"{HOLE}{part.key if isinstance(part, Unknown) else ''}{HOLE}"
    return name
