"""What alarms and EventBridge rules come to, where the defaults of parameters make them exist."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Unknown
from constructs_lib.guardrails.templates.world import worlds

_MOST: Final = 16


def in_all_worlds(assembly: Assembly, *types: str) -> Iterator[Node]:
    """The resources of some types, each in all worlds that matter to it; read each before the next is taken.

    One whose condition is false by the defaults is left out: as the template stands, nothing watches.
    """
    for resource in assembly.of_type(*types):
        if _exists_by_default(assembly, resource):
            yield from _in_all_worlds(assembly, resource)


def _in_all_worlds(assembly: Assembly, resource: Resource) -> Iterator[Node]:
    for world in islice(worlds(assembly), _MOST):
        yield Node.of(world, resource)


def _exists_by_default(assembly: Assembly, resource: Resource) -> bool:
    return any(world.exists(resource) and not world.besides_defaults for world in islice(worlds(assembly), _MOST))


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
