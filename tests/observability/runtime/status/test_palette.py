"""The colours stand out as WCAG asks, light and dark, by its own formula."""

from __future__ import annotations

import pytest

from constructs_lib.observability.runtime.status.palette import DARK, LIGHT, Palette, contrast
from constructs_lib.observability.runtime.status.style import CSP, page_csp, style_sheet
from constructs_lib.observability.runtime.status.values import STATES


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        ("#00ff00", "#000000", 15.3),
    ],
)
def test_the_formula_is_wcags(one: str, other: str, ratio: float) -> None:
    """Known pairs, in both orders; #767676 is the lightest grey that is readable on white."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_all_words_stand_out(palette: Palette) -> None:
    """Every colour of words, those of the states too, against everything that it stands on: at least 4.5:1."""
    words = (palette.text, palette.muted, palette.link, *palette.states.values())
    weak = [
        (word, ground) for word in words for ground in (palette.page, palette.surface) if contrast(word, ground) < 4.5
    ]
    assert weak == []
    assert sorted(palette.states) == sorted(STATES)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_cross_stands_out_from_its_square(palette: Palette) -> None:
    """It is cut out in the colour of what is behind: at least 3:1."""
    assert contrast(palette.states["outage"], palette.surface) >= 3


def test_a_palette_that_is_too_weak_would_be_seen() -> None:
    """The usual traffic-light green and amber on white are not readable."""
    assert contrast("#2ecc71", "#ffffff") < 4.5
    assert contrast("#f39c12", "#ffffff") < 3


def test_both_schemes_are_in_the_style_sheet() -> None:
    """Light by default, dark where the reader's device asks for it; nothing is loaded and nothing moves."""
    style = style_sheet()
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    assert all(colour in light for colour in LIGHT.states.values())
    assert all(colour in dark for colour in DARK.states.values())
    for word in ("url(", "@import", "@font-face", "@keyframes", "transition:.", "<"):
        assert word not in style


def test_the_header_allows_no_script_no_frame_and_no_other_host() -> None:
    """Only styles of the page and images inside it; the page narrows the styles to its own."""
    assert CSP == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page_csp("a{}") == (
        "default-src 'none'; style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
