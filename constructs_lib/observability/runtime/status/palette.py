"""The colours of the page, light and dark, and how well they stand out. Standard library only.

Colour only repeats what word and shape say. Text stands out by 4.5:1 and shapes by 3:1, as WCAG asks
(https://www.w3.org/TR/WCAG22/#contrast-minimum, https://www.w3.org/TR/WCAG22/#non-text-contrast).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .values import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one scheme, as ``#rrggbb`` (lesson T5).

    Args:
        page: behind all.
        surface: behind a component or an entry.
        text: words.
        muted: words of less weight.
        link: words that lead elsewhere.
        line: borders, which only please the eye.
        states: words and shapes of the states.
    """

    page: str
    surface: str
    text: str
    muted: str
    link: str
    line: str
    states: Mapping[State, str]


LIGHT: Final = Palette(
    page="#f4f6f8",
    surface="#ffffff",
    text="#17202a",
    muted="#4d5b69",
    link="#0b57b0",
    line="#cfd6dd",
    states={"operational": "#11703c", "maintenance": "#1f5fae", "degraded": "#8f5200", "outage": "#b3201b"},
)

DARK: Final = Palette(
    page="#10161c",
    surface="#19222b",
    text="#e9eef3",
    muted="#a9b6c3",
    link="#8ec1ff",
    line="#35424f",
    states={"operational": "#5fce8d", "maintenance": "#86b8ff", "degraded": "#f0b253", "outage": "#ff938a"},
)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
