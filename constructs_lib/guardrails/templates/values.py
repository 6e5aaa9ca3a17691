"""What a value of a template can come to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

HOLE: Final = "\0"
"""Stands in a text's shape for what is not known of it."""


class Nothing(Enum):
    """No value at all (lesson Q8): a property that is not there, or ``AWS::NoValue``."""

    ABSENT = "absent"


VARIABLE: Final = re.compile(r"\$\{(!?)([^{}]*)\}")
"""What ``Fn::Sub`` puts a value in place of; with ``!`` it stays as it is, without the ``!``."""

MOST_PARTS: Final = 10_000
LONGEST: Final = 1_000_000
"""Of a text that is made of parts; CloudFormation's whole templates are shorter."""

_MOST_BITS: Final = 1_000
"""Of a whole number that is written out; Python refuses to write thousands of digits."""

ABSENT: Final = Nothing.ABSENT


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only CloudFormation can tell (lesson Q8).

    Args:
        why: in words that follow "it is unknown, for".
        key: two unknown values with the same key, if it is not empty, are the same value.
        never: texts that it is not.
    """

    why: str
    key: str = ""
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """What ``Ref`` or ``Fn::GetAtt`` gives of a resource of the assembly (lesson Q8).

    Args:
        template: the number of its template.
        logical_id: the resource.
        attribute: ``Ref``, or the attribute's name.
    """

    template: int
    logical_id: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which some parts are not known (lesson Q8).

    Args:
        parts: known texts, and what stands between them.
    """

    parts: tuple[str | Reference | Unknown, ...]

    @property
    def shape(self) -> str:
        """The text with a hole for each part that is not known."""
        return "".join(part if isinstance(part, str) else HOLE for part in self.parts)


Value: TypeAlias = (
    bool | int | float | str | list[object] | dict[str, object] | Unknown | Reference | Text | Nothing | None
)


def as_text(value: object) -> str | None:
    """A plain value as CloudFormation writes it; None for all others."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value) if isinstance(value, float) or value.bit_length() < _MOST_BITS else None
    return None


def joined(parts: Sequence[object]) -> str | Text | Reference | Unknown:
    """Values as one text; a single part that is not known stays what it is."""
    found: list[str | Reference | Unknown] = []
    for part in parts:
        pieces: tuple[str | Reference | Unknown, ...]
        if isinstance(part, Text):
            pieces = part.parts
        elif isinstance(part, Reference | Unknown):
            pieces = (part,)
        else:
            text = as_text(part)
            pieces = (Unknown("it is no text"),) if text is None else (text,)
        for piece in pieces:
            if isinstance(piece, str) and found and isinstance(found[-1], str):
                found[-1] += piece
            else:
                found.append(piece)
    if len(found) > MOST_PARTS or sum(len(part) for part in found if isinstance(part, str)) > LONGEST:
        return Unknown("it is longer than any text of a template")
    if all(isinstance(part, str) for part in found):
        return "".join(part for part in found if isinstance(part, str))
    rest = tuple(part for part in found if part != "")
    return rest[0] if len(rest) == 1 else Text(rest)


def listed(value: object) -> list[object] | None:
    """A text with commas as a list, as lists are passed on; None where an unknown part may hold more commas.

    What ``Ref`` and ``Fn::GetAtt`` give of a resource is one item, as it is an id or an ARN.
    """
    if not isinstance(value, Text):
        text = as_text(value)
        return None if text is None else [item.strip() for item in text.split(",")]
    items: list[list[object]] = [[]]
    for part in value.parts:
        if isinstance(part, Unknown):
            return None
        if isinstance(part, Reference):
            items[-1].append(part)
            continue
        first, *others = part.split(",")
        items[-1].append(first)
        items += [[other] for other in others]
    return [_plain(joined(parts)) for parts in items]


def _plain(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def function_of(value: object) -> tuple[str, object] | None:
    """The function and its argument, if that is what a value is."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, argument),) = value.items()
        if isinstance(name, str) and (name == "Ref" or name.startswith("Fn::")):
            return name, argument
    return None


def canonical(value: object) -> str:
    """The same text for the same expression."""
    return json.dumps(value, sort_keys=True, default=str)


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def variables(text: str) -> Iterator[str]:
    """What ``Fn::Sub`` puts values in place of."""
    for literal, name in VARIABLE.findall(text):
        if not literal:
            yield name.strip()


def names_in(raw: object) -> Iterator[str]:
    """What an expression refers to by ``Ref`` or in an ``Fn::Sub``."""
    left = [raw]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()
            if isinstance(value.get("Ref"), str):
                yield value["Ref"]
            text = value.get("Fn::Sub")
            text = text[0] if isinstance(text, list) and text else text
            if isinstance(text, str):
                yield from variables(text)
