"""A JSON or YAML file as a value, and the line on which each part of it stands.

No key may be there twice: of two, one would be dropped without a word. PyYAML is loaded for YAML alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from constructs_lib.guardrails.templates.errors import UnusableInput

if TYPE_CHECKING:
    from yaml.nodes import Node

Place: TypeAlias = tuple[str | int, ...]
"""The keys and numbers that lead from the top of a document to a part of it."""

DEEPEST: Final = 100
"""Levels of nesting; CloudFormation's own templates stay far below, and nothing here need fear for Python's stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file holds (lesson Q8).

    Args:
        form: what it is written in.
        text: as it stands there.
        value: what it means.
        root: YAML's own tree, for the lines; None for JSON.
    """

    form: Literal["JSON", "YAML"]
    text: str
    value: object
    root: Node | None = None

    def lines(self, places: Collection[Place]) -> Mapping[Place, int]:
        """The line of each place, from 1; of what is not there, the line of the nearest that holds it."""
        if self.root is not None:
            from constructs_lib.guardrails.templates.yaml_nodes import lines as lines_of

            return lines_of(self.root, places)
        if not self.text:
            return dict.fromkeys(places, 1)
        from constructs_lib.guardrails.templates.json_lines import lines

        return lines(self.text, places)


class Twice(Exception):  # noqa: N818  (it says what was found)
    """A key that is there twice (lesson Q2); the message is the key."""


def read(path: Path) -> Document:
    """The file's content.

    Raises:
        UnusableInput: it cannot be read, is neither JSON nor YAML, has a key twice, or is nested too deeply.
    """
    return parse(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The file's text.

    Raises:
        UnusableInput: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{path} cannot be read: it is not UTF-8") from error
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UnusableInput(f"{path} cannot be read: {reason}") from error


def parse(text: str, name: str) -> Document:
    """The content of a text.

    Args:
        text: JSON or YAML; YAML's short forms such as ``!Ref`` become the long ones.
        name: what errors call it. A name that ends in ``.json`` is not tried as YAML.

    Raises:
        UnusableInput: it is neither, has a key twice, or is nested too deeply.
    """
    try:
        document = _parse(text, name)
    except Twice as error:
        raise UnusableInput(
            f"{name} must have each key once, got {str(error)!r} twice; rename or remove one"
        ) from error
    if _depth(document.value) > DEEPEST:
        raise UnusableInput(f"{name} must not be nested more than {DEEPEST} levels deep; flatten it")
    return document


def key_twice(text: str) -> str | None:
    """A key that a JSON text has twice in one object; None when there is none, or the text is no JSON."""
    try:
        json.loads(text, object_pairs_hook=once)
    except Twice as error:
        return str(error)
    except (ValueError, RecursionError):
        return None
    return None


def once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """The pairs as a mapping.

    Raises:
        Twice: a key comes twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Twice(key)
            seen.add(key)
    return found


def _parse(text: str, name: str) -> Document:
    try:
        return Document(form="JSON", text=text, value=json.loads(text, object_pairs_hook=once))
    except (ValueError, RecursionError) as error:
        if name.endswith(".json"):
            raise UnusableInput(f"{name} is not valid JSON: {error}") from error
    from constructs_lib.guardrails.templates.yaml_nodes import compose, construct

    root = compose(text, name)
    return Document(form="YAML", text=text, value=construct(root, name), root=root)


def _depth(value: object) -> int:
    """Levels of nesting, counted without Python's stack, and no further than needed."""
    level = [value]
    depth = 0
    while level and depth <= DEEPEST:
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += [part for part in item.values() if isinstance(part, dict | list)]
            elif isinstance(item, list):
                inner += [part for part in item if isinstance(part, dict | list)]
        level = inner
        depth += 1
    return depth
