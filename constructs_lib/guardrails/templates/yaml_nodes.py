"""YAML as CloudFormation reads it, with the line of each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from constructs_lib.guardrails.templates.errors import UnusableInput

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node, ScalarNode

LARGEST: Final = 1_000_000
"""Values in a document with its aliases written out. A few lines of aliases of aliases can stand for billions."""

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
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root: Node | None = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnusableInput(f"{name} is neither JSON nor YAML: {' '.join(str(error).split())}") from error
    return root


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


def line(root: Node, place: tuple[str | int, ...]) -> int:
    """The line of a place, from 1; of what is not there, the line of the nearest that holds it."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    node, mark = root, root.start_mark
    for step in place:
        if _short_form(node) == step:
            continue
        if isinstance(node, MappingNode):
            pairs = [pair for pair in node.value if isinstance(pair[0], ScalarNode) and pair[0].value == step]
            if not pairs:
                break
            mark, node = pairs[0][0].start_mark, pairs[0][1]
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
