"""The pages as files: one HTML a language and a feed, from the state and the time. Standard library only.

No script and no timed reload: the page says of when it is, and how to see a newer one
(docs/decisions/0029-a-page-without-scripts.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..plain_text import for_html, one_line  # noqa: TID252  (the package has another name in Lambda)
from .feed import feed
from .icons import favicon, icon
from .markup import Markup
from .shown import components, is_late, is_unknown, overall, phase, worst
from .state import PageState
from .style import page_csp, style_sheet
from .values import LANGUAGES, MAX_TITLE, STATES, Language
from .words import WORDS

KEYS: Final[Mapping[Language, str]] = {"en": "index.html", "ja": "ja/index.html"}
"""Where the page of each language is."""

FEED: Final = "status.json"


def render(state: PageState, now: datetime) -> Mapping[str, bytes]:
    """The files by their keys: ``index.html`` (English), ``ja/index.html`` and ``status.json``."""
    pages = {KEYS[language]: _page(state, language, now).encode() for language in LANGUAGES}
    return {**pages, FEED: feed(state, now)}


def _page(state: PageState, language: Language, now: datetime) -> str:
    markup = Markup(state, language, now)
    return (
        f'<!doctype html>\n<html lang="{language}">\n{_head(state, language, now)}\n<body>\n'
        f"{_header(markup)}\n<main>\n{_now(markup)}\n{_components(markup)}\n{_entries(markup)}\n</main>\n"
        f"{_footer(markup)}\n</body>\n</html>\n"
    )


def _head(state: PageState, language: Language, now: datetime) -> str:
    style, words = style_sheet(), WORDS[language]
    now_is = None if is_unknown(state, now) else overall(state, now)
    name = for_html(one_line(state.titles.of(language)[0]), MAX_TITLE)
    tab = words.parts["unknown"] if now_is is None else words.states[now_is]
    others = "".join(f'<link rel="alternate" hreflang="{other}" href="{_way(language, other)}">' for other in LANGUAGES)
    return (
        f'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{page_csp(style)}">'
        f"<title>{tab} - {name}</title>"
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f'<meta name="revision" content="{state.revision}">'
        f'<link rel="icon" href="{favicon(now_is)}">{others}'
        f'<link rel="alternate" type="application/json" href="{_up(language)}{FEED}">'
        f"<style>{style}</style></head>"
    )


def _header(markup: Markup) -> str:
    links = "".join(_language_link(markup.language, other) for other in LANGUAGES)
    name = markup.title(markup.state.titles)
    return (
        f'<header><p>{name}</p><nav aria-label="{markup.part("languages")}"><ul role="list">{links}</ul></nav></header>'
    )


def _language_link(here: Language, there: Language) -> str:
    current = ' aria-current="page"' if there == here else ""
    way = _way(here, there)
    return f'<li><a href="{way}" lang="{there}" hreflang="{there}"{current}>{WORDS[there].own_name}</a></li>'


def _now(markup: Markup) -> str:
    """The state of all, the time of it, and a banner when the alarms were not read for too long."""
    now_is = overall(markup.state, markup.now)
    late = ""
    if is_late(markup.state, markup.now):
        checked = markup.state.checked
        said = markup.part("never") if checked is None else markup.part("late", time=markup.time(checked))
        late = f'<p class="late">{said}</p>'
    as_of = markup.part("as-of", time=markup.time(markup.now), utc=f"{markup.now:%H:%M}")
    reload = f'<a class="reload" href="{_way(markup.language, markup.language)}">{markup.part("reload")}</a>'
    headline = f'<span class="{now_is}">{icon(now_is)}</span> {markup.words.headline[now_is]}'
    if is_unknown(markup.state, markup.now):
        headline = markup.part("unknown-headline")
    elif now_is == "operational" and any(phase(entry, markup.now) == "open" for entry in markup.state.entries):
        headline = markup.part("open-headline")
    return f'<h1>{headline}</h1><p class="asof"><span>{as_of}</span> {reload}</p>{late}'


def _components(markup: Markup) -> str:
    rows = "".join(markup.row(each) for each in components(markup.state, markup.now))
    body = f'<ul class="list" role="list">{rows}</ul>' if rows else f"<p>{markup.part('no-components')}</p>"
    return _section(markup, "components", body)


def _entries(markup: Markup) -> str:
    """What is going on, what is planned, and what was: the worst first, the soonest first, the newest first."""
    phases = [(phase(entry, markup.now), entry) for entry in reversed(markup.state.entries)]
    current = [entry for where, entry in phases if where in ("open", "under-way")]
    current.sort(key=lambda entry: STATES.index(worst(entry) or "operational"), reverse=True)
    planned = sorted(
        (entry for where, entry in phases if where == "planned"), key=lambda entry: entry.starts or markup.now
    )
    past = [entry for where, entry in phases if where in ("resolved", "over", "called-off")]
    sections = []
    for name, entries in (("current", current), ("planned", planned), ("history", past)):
        if entries:
            sections.append(_section(markup, name, "".join(map(markup.entry, entries))))
        elif name == "history":
            sections.append(_section(markup, name, f"<p>{markup.part('no-history')}</p>"))
    return "\n".join(sections)


def _section(markup: Markup, name: str, body: str) -> str:
    """A part of the page with its heading; an entry's id has no dot, so no two are the same."""
    return f'<section aria-labelledby="part.{name}"><h2 id="part.{name}">{markup.part(name)}</h2>{body}</section>'


def _footer(markup: Markup) -> str:
    feed_link = f'<a href="{_up(markup.language)}{FEED}">{markup.part("feed")}</a>'
    return f"<footer><p>{markup.part('fresh')}</p><p>{markup.part('about')}</p><p>{feed_link}</p></footer>"


def _up(language: Language) -> str:
    return "../" * KEYS[language].count("/")


def _way(here: Language, there: Language) -> str:
    """The address of one page from another, which holds wherever the pages are."""
    return _up(here) + KEYS[there]
