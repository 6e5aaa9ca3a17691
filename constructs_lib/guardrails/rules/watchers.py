"""What alarms and EventBridge rules come to, and whether they exist where what they watch does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeAlias

from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Unknown
from constructs_lib.guardrails.templates.world import worlds

ALARM: Final = "AWS::CloudWatch::Alarm"

_MOST: Final = 16

_Existence: TypeAlias = tuple[int, str]
"""What decides whether a resource exists: its template and its condition."""


def in_all_worlds(assembly: Assembly, *types: str) -> Iterator[Node]:
    """The resources of some types, each in all worlds that matter to it; read each before the next is taken."""
    for resource in assembly.of_type(*types):
        for world in islice(worlds(assembly), _MOST):
            yield Node.of(world, resource)


def exists_with(subject: Resource, watcher: Resource, assembly: Assembly) -> bool | None:
    """Whether a watcher exists wherever the defaults make exist what it watches; None for some of these worlds only.

    What no default makes exist is taken with all values of the parameters.
    """
    if not (watcher.template.parents or "Condition" in watcher.body):
        return True
    known = assembly.remember(_told)
    key = _existence(subject), _existence(watcher)
    if key not in known:
        known[key] = _exists_with(subject, watcher, assembly)
    return known[key]


def undecided(watcher: Resource, kind: str = "alarm") -> str:
    """That a watcher exists in some worlds only, for ``NotKnown``."""
    return f"{kind} {watcher.logical_id!r} exists only under a condition that nothing decides"


def look(node: Node | None, *keys: str) -> Node | None:
    """What is inside a mapping; None when that is absent or cannot be told."""
    try:
        found = None if node is None else node.get(*keys)
    except NotKnown:
        return None
    return found if found is not None and found.given else None


def listed(node: Node | None) -> list[Node]:
    """The items of a list; a list that is not known is an item itself."""
    if node is None:
        return []
    return [node] if isinstance(node.value, Unknown) else node.items()


def _exists_with(subject: Resource, watcher: Resource, assembly: Assembly) -> bool | None:
    by_default: set[bool] = set()
    otherwise: set[bool] = set()
    for world in islice(worlds(assembly), _MOST):
        if world.exists(subject):
            exists = world.exists(watcher)
            (otherwise if world.besides_defaults else by_default).add(exists)
    answers = by_default or otherwise or {True}
    return None if len(answers) > 1 else answers.pop()


def _existence(resource: Resource) -> _Existence:
    return resource.template.number, str(resource.body.get("Condition", ""))


def _told(assembly: Assembly) -> dict[tuple[_Existence, _Existence], bool | None]:
    """What was answered already."""
    del assembly
    return {}
