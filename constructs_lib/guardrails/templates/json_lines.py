"""On which line of a JSON text something stands. What lies beside the way is skipped by the parser of ``json``."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping
from json import JSONDecoder
from typing import Final

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_VALUE: Final = JSONDecoder()


def lines(text: str, places: Collection[tuple[str | int, ...]]) -> Mapping[tuple[str | int, ...], int]:
    """The line of each place, from 1; of what is not there, the line of the nearest that holds it.

    Args:
        text: valid JSON.
        places: ways from the top: keys of objects and numbers of array items.
    """
    found: dict[tuple[str | int, ...], int] = {}
    _walk(text, _skip(text, 0), (), {place[:end] for place in places for end in range(len(place) + 1)}, found)
    starts = [match.end() for match in re.finditer("\n", text)]
    result = {}
    for place in places:
        nearest = place
        while nearest not in found:
            nearest = nearest[:-1]
        result[place] = bisect_right(starts, found[nearest]) + 1
    return result


def _walk(
    text: str,
    position: int,
    here: tuple[str | int, ...],
    wanted: Collection[tuple[str | int, ...]],
    found: dict[tuple[str | int, ...], int],
) -> int:
    """Notes where the wanted places begin, and returns where the value ends."""
    found.setdefault(here, position)
    opening = text[position]
    if opening not in "{[":
        return _VALUE.raw_decode(text, position)[1]
    position = _skip(text, position + 1)
    number = 0
    while text[position] not in "}]":
        start = position
        key: str | int = number
        if opening == "{":
            key, position = _VALUE.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        place = (*here, key)
        if place in wanted:
            found[place] = start
            position = _walk(text, position, place, wanted, found)
        else:
            position = _VALUE.raw_decode(text, position)[1]
        number += 1
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return position + 1


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # it matches nothing, too
    return match.end()
