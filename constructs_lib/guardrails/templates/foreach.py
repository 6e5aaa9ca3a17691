"""``Fn::ForEach`` written out, as ``AWS::LanguageExtensions`` does it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.errors import UnusableInput

MOST: Final = 1_000_000
"""Values that all loops of a template may make; CloudFormation takes 500 resources and 1 MB."""

_PREFIX: Final = "Fn::ForEach::"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9]")

Collection: TypeAlias = Callable[[object], Sequence[str] | None]
"""The items that a loop's collection comes to; None when only CloudFormation can tell."""


class ForEach:
    """Writes loops out (lesson Q8).

    Args:
        items: what a collection comes to.
        name: the file, for errors.
    """

    def __init__(self, items: Collection, name: str) -> None:
        self._items = items
        self._name = name
        self._left = MOST

    def entries(self, section: Mapping[str, object], place: Place) -> Iterator[tuple[str, object, Place]]:
        """A section's entries, with the place that each was written at.

        A loop over what cannot be known gives each entry once, with the loop's variable left in it.
        """
        for key, value in section.items():
            here = (*place, key)
            if not key.startswith(_PREFIX):
                yield key, self.inside(value), here
                continue
            if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)):
                continue
            variable, collection, body = value
            items = self._items(collection)
            cost = _size(body)
            for item in [None] if items is None else items:
                self._left -= cost
                if self._left < 0:
                    raise UnusableInput(f"{self._name} must make at most {MOST} values with Fn::ForEach; shorten it")
                written = _left_open(body, variable) if item is None else _replaced(body, variable, item)
                if isinstance(written, dict):
                    yield from self._from_body(written, body, (*here, 2))

    def inside(self, value: object) -> object:
        """A value with the loops inside it written out."""
        if isinstance(value, list):
            return [self.inside(item) for item in value]
        if not isinstance(value, dict):
            return value
        if any(key.startswith(_PREFIX) for key in value):
            return {key: item for key, item, _ in self.entries(value, ())}
        return {key: self.inside(item) for key, item in value.items()}

    def _from_body(self, written: dict[str, object], body: object, place: Place) -> Iterator[tuple[str, object, Place]]:
        """The entries of one turn; each keeps the place of the key that it was made from."""
        sources = list(body) if isinstance(body, dict) else []
        for number, (key, value, inner) in enumerate(self.entries(written, place)):
            source = sources[number] if number < len(sources) and len(sources) == len(written) else key
            yield key, value, inner if len(inner) > len(place) + 1 else (*place, source)


def _replaced(value: object, variable: str, item: str) -> object:
    """The value of one turn."""
    if isinstance(value, str):
        plain = value.replace(f"${{{variable}}}", item)
        return plain.replace(f"&{{{variable}}}", _NO_NAME.sub("", item))
    if isinstance(value, list):
        return [_replaced(part, variable, item) for part in value]
    if isinstance(value, dict):
        if value == {"Ref": variable}:
            return item
        return {str(_replaced(key, variable, item)): _replaced(part, variable, item) for key, part in value.items()}
    return value


def _left_open(value: object, variable: str) -> object:
    """The value of a turn whose item is not known: texts with the variable become functions, which are unknown."""
    if isinstance(value, str):
        return {"Fn::Sub": value} if f"${{{variable}}}" in value else value
    if isinstance(value, list):
        return [_left_open(part, variable) for part in value]
    if isinstance(value, dict):
        return {key: part if key == "Fn::Sub" else _left_open(part, variable) for key, part in value.items()}
    return value


def _size(value: object) -> int:
    """How many values it is."""
    size = 0
    left = [value]
    while left:
        part = left.pop()
        size += 1
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            left += part.values()
    return size
