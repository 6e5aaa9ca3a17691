"""YAML as CloudFormation reads it, with the line of each part."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from constructs_lib.guardrails.templates.errors import UnusableInput

if TYPE_CHECKING:
    from yaml import SafeLoader
    from yaml.nodes import MappingNode, Node, ScalarNode

LARGEST: Final = 1_000_000
"""Values in a document with its aliases written out. A few lines of aliases of aliases can stand for billions."""

DEEPEST: Final = 300
"""Levels of YAML's own tree, a little more than what a template may have, for its error says it better."""

_MERGE: Final = "tag:yaml.org,2002:merge"
_UNCHANGED: Final = ("Ref", "Condition")
"""Functions whose long form has no ``Fn::``."""


def compose(text: str, name: str) -> Node | None:
    """The document's tree.

    Raises:
        UnusableInput: it is no YAML, or PyYAML is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise UnusableInput(f"{name} is not JSON, and YAML needs PyYAML; install PyYAML") from error
    try:
        root: Node | None = yaml.compose(text, Loader=_loader())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split()).replace('in "<unicode string>", ', "at ")
        raise UnusableInput(f"{name} is neither JSON nor YAML: {why}") from error
    return root


def _loader() -> type[SafeLoader]:
    """PyYAML's loader, the fast one where it is there, that stops before a deep document takes C's stack."""
    import yaml
    from yaml.composer import ComposerError

    base: type[SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        level = 0

        def descend_resolver(self, parent: object, index: object) -> None:
            self.level += 1
            if self.level > DEEPEST:
                raise ComposerError(None, None, "it is nested too deeply")
            super().descend_resolver(parent, index)

        def ascend_resolver(self) -> None:
            self.level -= 1
            super().ascend_resolver()

    return Loader


def construct(root: Node | None, name: str) -> object:
    """What the tree means: dates stay text, and short forms such as ``!Ref`` become the long ones.

    Raises:
        UnusableInput: a key is there twice, an alias holds itself, or the aliases stand for too much.
    """
    if root is None:
        return None
    try:
        return _Constructor(name).value(root)[0]
    except RecursionError as error:
        raise UnusableInput(f"{name} is nested too deeply to be read; flatten it") from error


def lines(root: Node, places: Collection[tuple[str | int, ...]]) -> dict[tuple[str | int, ...], int]:
    """The line of each place, from 1; of what is not there, the line of the nearest that holds it."""
    entries: dict[int, dict[str, tuple[Node, Node]]] = {}
    return {place: _line(root, place, entries) for place in places}


def _line(root: Node, place: tuple[str | int, ...], entries: dict[int, dict[str, tuple[Node, Node]]]) -> int:
    """The line of one place; the keys of a mapping are looked through once for all."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    node, mark = root, root.start_mark
    for step in place:
        if _short_form(node) == step:
            continue
        if isinstance(node, MappingNode):
            if id(node) not in entries:
                pairs = reversed(node.value)  # of a key that is there twice, the first
                entries[id(node)] = {pair[0].value: pair for pair in pairs if isinstance(pair[0], ScalarNode)}
            if step not in entries[id(node)]:
                break
            key, node = entries[id(node)][str(step)]
            mark = key.start_mark
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return mark.line + 1


class _Constructor:
    """Makes values, each part of the tree once, however many aliases it has."""

    def __init__(self, name: str) -> None:
        from yaml.constructor import SafeConstructor

        self.name = name
        self.scalars = SafeConstructor()
        self.made: dict[int, tuple[object, int]] = {}
        self.open: set[int] = set()

    def value(self, node: Node) -> tuple[object, int]:
        """The node's value and how many values it is, written out."""
        key = id(node)
        if key in self.open:
            raise UnusableInput(f"{self.name}, line {node.start_mark.line + 1}: an alias must not hold itself")
        if key not in self.made:
            self.open.add(key)
            self.made[key] = self._made(node)
            self.open.remove(key)
        if self.made[key][1] > LARGEST:
            raise UnusableInput(f"{self.name} must stand for at most {LARGEST} values; use fewer aliases")
        return self.made[key]

    def _made(self, node: Node) -> tuple[object, int]:
        from yaml.nodes import MappingNode, ScalarNode, SequenceNode

        value: object = None
        size = 1
        if isinstance(node, ScalarNode):
            value = self._scalar(node)
        elif isinstance(node, SequenceNode):
            parts = [self.value(item) for item in node.value]
            value, size = [part for part, _ in parts], 1 + sum(count for _, count in parts)
        elif isinstance(node, MappingNode):
            value, size = self._mapping(node)
        function = _short_form(node)
        if function == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return (value if function is None else {function: value}), size

    def _mapping(self, node: MappingNode) -> tuple[dict[str, object], int]:
        found: dict[str, object] = {}
        size = 1
        for key, value in self._pairs(node):
            if key in found:
                raise UnusableInput(
                    f"{self.name}, line {value.start_mark.line + 1}: each key must be there once, got {key!r} twice; "
                    "rename or remove one"
                )
            found[key], count = self.value(value)
            size += count
        for key, value in self._merged(node):
            if key not in found:
                found[key], count = self.value(value)
                size += count
        return found, size

    def _pairs(self, node: MappingNode) -> Iterator[tuple[str, Node]]:
        """Its own keys, as they are written: CloudFormation's keys are texts."""
        from yaml.nodes import ScalarNode

        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise UnusableInput(
                    f"{self.name}, line {key.start_mark.line + 1}: a key must be a text; write it as one"
                )
            if key.tag != _MERGE:
                yield key.value, value

    def _merged(self, node: MappingNode) -> Iterator[tuple[str, Node]]:
        """What ``<<`` brings from other mappings; the first to name a key wins."""
        from yaml.nodes import MappingNode, SequenceNode

        for key, value in node.value:
            if key.tag == _MERGE:
                for other in value.value if isinstance(value, SequenceNode) else [value]:
                    if isinstance(other, MappingNode) and id(other) not in self.open:
                        self.value(other)  # it may hold itself
                        yield from self._pairs(other)
                        yield from self._merged(other)

    def _scalar(self, node: ScalarNode) -> object:
        text: str = node.value
        try:
            if node.tag == "tag:yaml.org,2002:bool":
                return self.scalars.construct_yaml_bool(node)
            if node.tag == "tag:yaml.org,2002:int":
                return self.scalars.construct_yaml_int(node)
            if node.tag == "tag:yaml.org,2002:float":
                return self.scalars.construct_yaml_float(node)
        except (ValueError, KeyError, IndexError):  # `!!int x`, or `0b_`
            return text
        return None if node.tag == "tag:yaml.org,2002:null" else text


def _short_form(node: Node) -> str | None:
    """The function that a tag such as ``!Ref`` stands for."""
    tag: str = node.tag
    if not tag.startswith("!") or tag == "!":
        return None
    return tag[1:] if tag[1:] in _UNCHANGED else f"Fn::{tag[1:]}"
