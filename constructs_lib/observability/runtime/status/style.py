"""How the page looks, as one style sheet inside it, and which contents a browser may load. Standard library only."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from .palette import DARK, LIGHT, Palette
from .values import STATES

CSP: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The header ``Content-Security-Policy`` of every page: no script, no other host, no frame.

The page itself allows but its own style sheet, by hash (``page_csp``), and a browser keeps to both. So a new release
of the pages never meets a header that only knows the style sheet of the old one.
"""

_RULES: Final = """
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
[lang=ja],[lang=ja] body{font-family:system-ui,-apple-system,"Hiragino Sans","Yu Gothic UI",Meiryo,"Noto Sans CJK JP",
"Noto Sans JP",sans-serif;line-height:1.75;line-break:strict;word-break:auto-phrase}
header,main,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.25rem 1.5rem;
padding-top:1rem}
header p{margin:0;font-weight:700;font-size:1.125rem}
ul{list-style:none;margin:0;padding:0}
nav ul{display:flex;gap:.5rem;margin:0 -.5rem}
a{color:var(--link);text-underline-offset:.2em}
a:focus-visible{outline:.1875rem solid var(--link);outline-offset:.125rem;border-radius:.125rem}
nav a,.reload,footer a{display:inline-block;min-height:1.75rem;padding:.125rem .5rem}
.reload,footer a{padding-inline:0}
.asof,.where{display:flex;flex-wrap:wrap;align-items:center;gap:0 .625rem}
nav a[aria-current]{color:var(--text);font-weight:700;text-decoration:none}
h1{display:flex;align-items:center;gap:.75rem;margin:1.25rem 0 .5rem;font-size:1.625rem;line-height:1.3}
h1 svg{flex:none;width:2.25rem;height:2.25rem}
h2{margin:2.25rem 0 .75rem;font-size:1.1875rem;line-height:1.4}
h3{margin:0;font-size:1.0625rem;line-height:1.5}
p{margin:.25rem 0}
svg{width:1.25rem;height:1.25rem;vertical-align:-.25rem}
.asof,.where,.note,.when,.by,footer{color:var(--muted);font-size:.9375rem}
.late{border:.125rem solid var(--degraded);border-radius:.5rem;padding:.625rem .875rem;margin:1rem 0;
background:var(--surface);font-weight:600}
.list{border:.0625rem solid var(--line);border-radius:.5rem;background:var(--surface)}
.list>li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 .75rem;padding:.75rem 1rem}
.list>li+li{border-top:.0625rem solid var(--line)}
.name{font-weight:600}
.note{flex-basis:100%}
.cut{stroke:var(--surface)}
.state{display:inline-flex;align-items:center;gap:.3125rem;font-weight:700}.state svg{flex:none}
.operational{color:var(--operational)}.degraded{color:var(--degraded)}
.outage{color:var(--outage)}.maintenance{color:var(--maintenance)}
article{border:.0625rem solid var(--line);border-inline-start-width:.25rem;border-radius:.5rem;
background:var(--surface);padding:.875rem 1rem;margin:.75rem 0}
.was-degraded{border-inline-start-color:var(--degraded)}.was-outage{border-inline-start-color:var(--outage)}
.lines{margin-top:.5rem}
.lines li{border-top:.0625rem solid var(--line);padding:.625rem 0}
.lines li:last-child{padding-bottom:0}
.said{white-space:pre-line}
footer{margin-top:2.5rem;padding-bottom:2.5rem}
@media (forced-colors:active){.cut{stroke:Canvas}.late,.list,article{border-color:CanvasText}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media print{body{background:none}}
"""


def style_sheet() -> str:
    """The whole style sheet; nothing in it loads anything or moves."""
    return (
        ":root{color-scheme:light dark;"
        + _variables(LIGHT)
        + "}@media (prefers-color-scheme:dark){:root{"
        + _variables(DARK)
        + "}}"
        + _RULES.replace("\n", "")
    )


def page_csp(style: str) -> str:
    """What a page says of itself: of styles, only this one. (``frame-ancestors`` counts in the header only.)"""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _variables(palette: Palette) -> str:
    plain = ("page", "surface", "text", "muted", "link", "line")
    colours = {name: getattr(palette, name) for name in plain} | {state: palette.states[state] for state in STATES}
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
