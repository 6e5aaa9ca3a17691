"""A shape for each state, so that nobody needs to see its colour. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from .palette import LIGHT
from .values import State

_SHAPES: Final[Mapping[State, str]] = {
    # a ring with a tick, a diamond with a bar, a triangle with an exclamation mark, a filled square with a cross
    "operational": '<circle cx="12" cy="12" r="10"/><path d="m7 12.5 3.5 3.5L17 9"/>',
    "maintenance": '<path d="M12 1.5 22.5 12 12 22.5 1.5 12zM7.5 12h9"/>',
    "degraded": '<path d="M12 2.5 22.5 21h-21zM12 9v6M12 17.2v1"/>',
    "outage": '<path fill="currentColor" d="M2.5 2.5h19v19h-19z"/><path class="cut" d="m8 8 8 8M16 8l-8 8"/>',
}
_UNKNOWN: Final = '<circle cx="12" cy="12" r="10"/><path d="M9 9.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.1-1.5 2.2M12 17v.5"/>'
"""A ring with a question mark."""


def icon(state: State | None) -> str:
    """The shape, in the colour of the words beside it; the words say what it means, so readers aloud skip it.

    ``None`` is for what is not known.
    """
    return f'<svg aria-hidden="true" focusable="false" {_attributes()}>{_shape(state)}</svg>'


def favicon(state: State | None) -> str:
    """The shape as an address of an image, for the tab of a browser."""
    colour = LIGHT.muted if state is None else LIGHT.states[state]
    shape = _shape(state).replace("currentColor", colour).replace('class="cut"', 'stroke="#fff"')
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {_attributes(colour)}>{shape}</svg>'
    return "data:image/svg+xml," + quote(svg)


def _shape(state: State | None) -> str:
    return _UNKNOWN if state is None else _SHAPES[state]


def _attributes(colour: str = "currentColor") -> str:
    line = f'stroke="{colour}" stroke-width="2.25" stroke-linecap="round" stroke-linejoin="round"'
    return f'viewBox="0 0 24 24" fill="none" {line}'
