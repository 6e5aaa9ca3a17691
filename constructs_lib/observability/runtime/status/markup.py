"""The parts of the page as HTML. Whatever a person wrote is text, cleaned and escaped, and stands by itself.

Standard library only.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from ..plain_text import for_html, one_line, shown  # noqa: TID252  (the package has another name in Lambda)
from .entries import Entry, Update
from .icons import icon
from .shown import Shown, phase, worst
from .state import PageState
from .times import duration, iso_seconds, readable, readable_after
from .values import MAX_TEXT, MAX_TITLE, Language, State, Text
from .words import WORDS

_GAPS: Final = re.compile(r"\n\s*\n\s*\n")


class Markup:
    """Writes for readers of one language (lesson T5)."""

    def __init__(self, state: PageState, language: Language, now: datetime) -> None:
        self.state = state
        self.language = language
        self.now = now
        self.words = WORDS[language]

    def part(self, name: str, **filled: str) -> str:
        """A fixed sentence, with safe text filled in."""
        return self.words.parts[name].format(**filled)

    def time(self, moment: datetime) -> str:
        """A time for readers and for programs."""
        return _time(moment, readable(moment, self.language))

    def title(self, text: Text) -> str:
        """A name that somebody chose."""
        words, language = text.of(self.language)
        return f"<bdi{self._lang(language)}>{for_html(one_line(words), MAX_TITLE)}</bdi>"

    def component(self, name: str) -> str:
        """The title of a component; its name when the page does not show it any more."""
        found = self.state.component(name)
        return self.title(Text(en=name) if found is None else found.titles)

    def state_word(self, state: State) -> str:
        """Shape and word of a state."""
        return f'<span class="state {state}">{icon(state)} {self.words.states[state]}</span>'

    def row(self, each: Shown) -> str:
        """A component with its state."""
        notes = []
        if each.since is not None:
            notes.append(self.part("by-person" if each.by == "person" else "since", time=self.time(each.since)))
        machine = each.component.machine.state
        if each.by == "maintenance" and machine in ("degraded", "outage"):
            notes.append(self.part(f"also-{machine}"))
        note = f'<span class="note">{" ".join(notes)}</span>' if notes else ""
        name = f'<span class="name">{self.title(each.component.titles)}</span>'
        word = (
            self.state_word(each.state)
            if each.known
            else f'<span class="state">{icon(None)} {self.part("unknown")}</span>'
        )
        return f"<li>{name} {word}{note}</li>"

    def entry(self, entry: Entry) -> str:
        """An incident or a maintenance with all its lines, the newest first."""
        names = self.words.separator.join(self.component(name) for name in entry.components)
        said = worst(entry)
        badge, kind = ("", "") if said is None else (f" {self.state_word(said)}", f' class="was-{said}"')
        lines = "".join(f"<li>{self._line(update)}</li>" for update in reversed(entry.updates))
        return (
            f'<article{kind} aria-labelledby="{entry.id}">'
            f'<h3 id="{entry.id}">{self.part(entry.kind, components=names)}</h3>'
            f'<p class="where">{self.words.phases[phase(entry, self.now)]}{badge}</p>'
            f'<p class="when">{self._when(entry)}</p>'
            f'<ul class="lines" role="list">{lines}</ul></article>'
        )

    def _when(self, entry: Entry) -> str:
        start = entry.opened if entry.starts is None else entry.starts
        end = entry.end()
        if end is None or phase(entry, self.now) == "called-off":
            end = entry.ends
        if end is None:
            return self.part("from", start=self.time(start))
        length = duration(end - start, self.language)
        until = _time(end, readable_after(end, start, self.language))
        return self.part("from-to", start=self.time(start), end=until, length=length)

    def _line(self, update: Update) -> str:
        by = self.part(update.by)
        head = f'<p class="by">{self.time(update.at)} · {by}</p>'
        if update.component is not None:
            return head + f"<p>{self.words.machine[update.line].format(component=self.component(update.component))}</p>"
        fixed = self.words.resolved if update.line == "resolved" else self.words.person.get(update.line, "")
        if fixed:
            head += f"<p>{fixed}</p>"
        return head if update.text is None else head + self._said(update.text)

    def _said(self, text: Text) -> str:
        """A person's own words: their line breaks stay, and no more than one empty line in a row."""
        words, language = text.of(self.language)
        kept = _GAPS.sub("\n\n", shown(words, MAX_TEXT)).strip()
        return f'<p class="said" dir="auto"{self._lang(language)}>{for_html(kept, MAX_TEXT)}</p>'

    def _lang(self, language: Language) -> str:
        return "" if language == self.language else f' lang="{language}"'


def _time(moment: datetime, words: str) -> str:
    return f'<time datetime="{iso_seconds(moment)}">{words}</time>'
