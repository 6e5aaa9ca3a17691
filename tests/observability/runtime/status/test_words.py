"""The fixed sentences: all there in both languages, and no more in them than is filled in."""

from __future__ import annotations

import re
from datetime import timedelta
from string import Formatter
from typing import get_args

import pytest

from constructs_lib.observability.runtime.status.shown import Phase
from constructs_lib.observability.runtime.status.times import duration, iso, iso_seconds, readable, readable_after
from constructs_lib.observability.runtime.status.values import LANGUAGES, STATES, Language
from constructs_lib.observability.runtime.status.words import WORDS, Words

from .pages import NOON, at

KANA = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def sentences(words: Words) -> dict[str, str]:
    """Every sentence of a language by where it stands."""
    whole: dict[str, str] = {"resolved": words.resolved}
    for name in ("headline", "states", "machine", "person", "phases", "parts"):
        whole |= {f"{name}.{key}": sentence for key, sentence in getattr(words, name).items()}
    return whole


def filled(sentence: str) -> set[str]:
    """What a sentence wants to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_say_the_same() -> None:
    """The same sentences, each with the same gaps; only the time in UTC is Japanese alone."""
    english, japanese = sentences(WORDS["en"]), sentences(WORDS["ja"])
    assert sorted(english) == sorted(japanese)
    assert {place: filled(words) for place, words in english.items()} == {
        place: filled(words) - {"utc"} for place, words in japanese.items()
    }


def test_every_state_and_phase_has_words_of_its_own() -> None:
    """No two states are called the same, in either language."""
    for language in LANGUAGES:
        words = WORDS[language]
        for table in (words.states, words.headline):
            assert sorted(table) == sorted(STATES)
            assert len(set(table.values())) == len(STATES)
        assert sorted(words.phases) == sorted(get_args(Phase))
        assert sorted(words.machine) == sorted(words.person) == ["degraded", "operational", "outage"]


def test_japanese_is_japanese_and_english_is_english() -> None:
    """Nothing was left untranslated."""
    assert [place for place, words in sentences(WORDS["ja"]).items() if not KANA.search(words)] == []
    assert [place for place, words in sentences(WORDS["en"]).items() if not words.isascii()] == []


def test_no_sentence_needs_escaping() -> None:
    """They go into the page as they are."""
    for language in LANGUAGES:
        assert [words for words in sentences(WORDS[language]).values() if re.search('[<>&"]', words)] == []


@pytest.mark.parametrize(("language", "words"), [("en", "22 Nov 2026, 12:00 UTC"), ("ja", "2026年11月22日 21:00 JST")])
def test_a_time_is_readable(language: Language, words: str) -> None:
    """In UTC, and in Japanese in Japan's time: there is no script that could know the reader's."""
    assert readable(NOON, language) == words


@pytest.mark.parametrize(
    ("language", "minutes", "words"),
    [
        ("en", 100, "13:40 UTC"),
        ("en", 720, "23 Nov 2026, 00:00 UTC"),
        ("ja", 179, "23:59 JST"),
        ("ja", 180, "2026年11月23日 00:00 JST"),
    ],
)
def test_an_end_on_the_same_day_is_only_a_time(language: Language, minutes: float, words: str) -> None:
    """On the reader's same day, which begins at 15:00 UTC in Japan."""
    assert readable_after(at(minutes), NOON, language) == words


@pytest.mark.parametrize(
    ("minutes", "english", "japanese"),
    [
        (0, "1 minute", "1分"),
        (1.4, "1 minute", "1分"),
        (59, "59 minutes", "59分"),
        (60, "1 hour", "1時間"),
        (90, "1 hour 30 minutes", "1時間30分"),
        (1440, "1 day", "1日"),
        (2 * 1440 + 61, "2 days 1 hour", "2日1時間"),
    ],
)
def test_a_length_is_readable(minutes: float, english: str, japanese: str) -> None:
    """The two greatest parts of it, and never nothing."""
    assert duration(timedelta(minutes=minutes), "en") == english
    assert duration(timedelta(minutes=minutes), "ja") == japanese


def test_times_for_programs() -> None:
    """In full where it is kept, in seconds where it is shown."""
    moment = NOON + timedelta(microseconds=394000)
    assert iso(moment) == "2026-11-22T12:00:00.394000Z"
    assert iso_seconds(moment) == "2026-11-22T12:00:00Z"
