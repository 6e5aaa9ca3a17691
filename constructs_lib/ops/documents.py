"""A JSON or YAML file as a value. No key may be there twice: of two, one would be dropped without a word.

Standard library only; PyYAML is loaded for YAML alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from constructs_lib.ops.outside import CouldNotRun

if TYPE_CHECKING:
    from yaml import SafeLoader
    from yaml.nodes import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file holds (lesson Q2).

    Args:
        form: what it is written in.
        text: as it stands there.
        value: what it means.
    """

    form: Literal["JSON", "YAML"]
    text: str
    value: object


class _Twice(Exception):  # noqa: N818  (it says what was found)
    """A key that is there twice; the message is the key."""


def read(path: Path) -> Document:
    """The file's content.

    Raises:
        CouldNotRun: it cannot be read, is neither JSON nor YAML, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CouldNotRun(f"{path} cannot be read: {reason}") from error
    try:
        return _json_or_yaml(path, text)
    except _Twice as error:
        raise CouldNotRun(f"{path} must have each key once, got {str(error)!r} twice; rename or remove one") from error


def key_twice(text: str) -> str | None:
    """A key that a JSON text has twice in one object; None when there is none, or the text is no JSON."""
    try:
        json.loads(text, object_pairs_hook=_once)
    except _Twice as error:
        return str(error)
    except (ValueError, RecursionError):
        return None
    return None


def _json_or_yaml(path: Path, text: str) -> Document:
    try:
        return Document(form="JSON", text=text, value=json.loads(text, object_pairs_hook=_once))
    except (ValueError, RecursionError) as error:
        if path.suffix == ".json":
            raise CouldNotRun(f"{path} is not valid JSON: {error}") from error
    return Document(form="YAML", text=text, value=_yaml(path, text))


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _yaml(path: Path, text: str) -> object:
    """A template with CloudFormation's short forms, such as ``!Ref``, as their long ones."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise CouldNotRun(f"{path} is not JSON, and YAML needs PyYAML; install 'moorings[ops]'") from error

    class Loader(yaml.SafeLoader):
        """Keeps the short forms to itself: a loader's table belongs to its class."""

    Loader.add_multi_constructor("!", _intrinsic)
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_twice(node)
        document: object = loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CouldNotRun(f"{path} is neither JSON nor YAML: {' '.join(str(error).split())}") from error
    return document


def _refuse_twice(root: Node) -> None:
    """Before the values are made: merged keys (``<<``) are then not yet among a mapping's own."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    seen: set[int] = set()
    left: list[Node] = [root]
    while left:
        node = left.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            _once([(key.value, None) for key, _ in node.value if isinstance(key, ScalarNode)])
            left += [value for _, value in node.value]
        elif isinstance(node, SequenceNode):
            left += node.value


def _intrinsic(loader: SafeLoader, name: str, node: Node) -> dict[str, object]:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    value: object = None
    if isinstance(node, ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
