"""The words, limits and checks that the values of the status page share. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

State = Literal["operational", "degraded", "outage", "maintenance"]
"""What a component can be."""

Felt = Literal["degraded", "outage"]
"""What an alarm of a component says of it when it is red."""

AlarmValue = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
"""The states of a CloudWatch alarm, in CloudWatch's words."""

Line = Literal["operational", "degraded", "outage", "note", "resolved"]
"""What a line of an entry reports; a machine writes the first three, a person any."""

Language = Literal["en", "ja"]
"""The languages of the page."""

LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")
STATES: Final[tuple[State, ...]] = ("operational", "maintenance", "degraded", "outage")
"""All states, the best first: the worst of several is the one that stands last here."""

LINES: Final[tuple[Line, ...]] = ("operational", "degraded", "outage", "note", "resolved")
FELT: Final[tuple[Felt, ...]] = ("degraded", "outage")
VALUES: Final[tuple[AlarmValue, ...]] = ("OK", "INSUFFICIENT_DATA", "ALARM")
"""All values; of two with the same time the one that stands last here is believed."""

VERSION: Final = 1
MAX_TEXT: Final = 1000
"""Characters of a person's text, in each language."""
MAX_TITLE: Final = 80
MAX_NAME: Final = 40
MAX_ID: Final = 80
"""A machine's id is the component's name and a time."""
MAX_COMPONENTS: Final = 50
MAX_ENTRIES: Final = 100
MAX_LINES: Final = 60
"""Lines of one entry; when it is full, a machine's oldest give way and a person is asked to open another."""
KEPT: Final = timedelta(days=90)
"""How long an entry stays in the history after its end."""

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class InvalidStateError(ValueError):
    """A value that no status page can have, said in one sentence (lesson T5)."""


class RefusedError(InvalidStateError):
    """A person asked for what cannot be, said in one sentence with the fix (lesson T5)."""


def refused(what: str, value: object, allowed: str, fix: str) -> InvalidStateError:
    """The error for a wrong value: what, the value (its beginning), what is allowed, the fix."""
    seen = repr(value)
    return InvalidStateError(f"{what} must be {allowed}, got {seen[:80]}{'…' if len(seen) > 80 else ''}; {fix}")


def identifier(what: str, value: object, longest: int = MAX_ID) -> None:
    """Refuses what is no name of a component or an entry."""
    if not isinstance(value, str) or not _ID.fullmatch(value) or len(value) > longest:
        raise refused(
            what,
            value,
            f"lower-case letters and digits in words joined by single hyphens, at most {longest} characters",
            "choose one such as 'web'",
        )


def one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuses what is none of a few words."""
    if value not in allowed or not isinstance(value, str):
        raise refused(what, value, f"one of {', '.join(allowed)}", "choose one of them")


def moment(what: str, value: object) -> None:
    """Refuses what is no time with a time zone."""
    if not isinstance(value, datetime) or value.utcoffset() != timedelta(0):
        raise refused(what, value, "a time in UTC", "pass a datetime whose tzinfo is UTC")


def text(what: str, value: object, longest: int) -> None:
    """Refuses what cannot be kept and shown as text in UTF-8."""
    if not isinstance(value, str) or len(value) > longest:
        raise refused(what, value, f"a text of at most {longest} characters", "say it in fewer words")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise refused(what, value, "valid Unicode", "remove the characters that are none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The same words in both languages of the page; at least one of them (lesson T5).

    Args:
        en: in English; empty where nobody translated it, and the page then shows the other.
        ja: in Japanese; empty likewise.
    """

    en: str = ""
    ja: str = ""

    def __post_init__(self) -> None:
        for what, value in (("en", self.en), ("ja", self.ja)):
            text(what, value, MAX_TEXT)
        if not self.en.strip() and not self.ja.strip():
            raise refused("text", (self.en, self.ja), "in English or Japanese or both", "write at least one of them")

    def of(self, language: Language) -> tuple[str, Language]:
        """The words for readers of a language, and the language that they really are in."""
        own, other = (self.en, self.ja) if language == "en" else (self.ja, self.en)
        if own.strip():
            return own, language
        return other, "ja" if language == "en" else "en"
