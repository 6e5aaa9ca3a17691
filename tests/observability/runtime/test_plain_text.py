"""Text that somebody else wrote is shown as text (lesson W5): what never comes out, and what is kept."""

from __future__ import annotations

import html
import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_lib.observability.runtime.plain_text import (
    LONGEST,
    for_html,
    for_mail_subject,
    for_markdown,
    for_terminal,
    one_line,
    shown,
)
from tests.observability.sample_events import sample

ODD = st.sampled_from("a\n\r\t\u202e\u200b\u0301<>@`e \ud800é")
ANY = st.text(st.characters(), max_size=300) | st.text(ODD, max_size=80)
LIMITS = st.integers(min_value=1, max_value=120)
NEVER = {"Cc", "Cf", "Cs", "Zl", "Zp"}
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u2065\u3164\ufe0f\uffa0\ufff0\U000e0100"
"""Characters of other categories that nobody sees (Unicode's Default_Ignorable_Code_Point)."""


@given(ANY, LIMITS)
@example("\r\n\u2028\x1b[31m\U000e0041\u2066", 5)
@example("e" + "\u0301" * 50, 3)
@example("\u0301" * 50, 3)
def test_nothing_unseen_comes_out_and_nothing_grows(text: str, limit: int) -> None:
    """No controls but line feeds, no direction marks, no zero width, no tags, no surrogates; NFC; at most the limit."""
    made = shown(text, limit)
    assert len(made) <= limit
    assert not [character for character in made if unicodedata.category(character) in NEVER and character != "\n"]
    assert not set(made) & set(FILLERS)
    assert unicodedata.is_normalized("NFC", made)
    made.encode()


@given(ANY, LIMITS)
@example("a\u200b\u0301", 5)
@example("\u1100" + "\u0301" * 9 + "\u1161", 20)
def test_twice_is_once(text: str, limit: int) -> None:
    """What was shown may be shown again, shorter lines too."""
    assert shown(shown(text, limit), limit) == shown(text, limit)
    assert one_line(one_line(text, limit), limit) == one_line(text, limit)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60))
def test_ordinary_text_is_left_alone(text: str) -> None:
    """A reason in plain ASCII is shown as it is."""
    assert shown(text, 60) == text


@given(ANY, LIMITS)
def test_the_cut_is_told_and_takes_no_marks_from_a_letter(text: str, limit: int) -> None:
    """What was cut ends with an ellipsis; before it stands no half of a letter."""
    whole, made = shown(text, 10_000), shown(text, limit)
    if len(whole) > limit:
        assert made.endswith("…")
        after = whole[len(made) - 1]
        assert made == "…" or not unicodedata.category(after).startswith("M")
    else:
        assert made == whole


def test_every_character_of_unicode_was_thought_of() -> None:
    """None of those that nobody sees comes out, whichever plane it is in."""
    kept = {
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in NEVER and chr(code) in shown(chr(code))
    }
    assert kept == {"\n"}


@given(ANY, LIMITS)
def test_html_is_text(text: str, limit: int) -> None:
    """No element, no end of an attribute; and a browser shows what ``shown`` gives."""
    made = for_html(text, limit)
    assert not set("<>\"'") & set(made)
    assert html.unescape(made) == shown(text, limit) or "&" in text


@given(ANY, LIMITS)
@example("`` ` <!channel> @everyone [x](https://e.example) ``", 100)
def test_chat_gets_one_code_span(text: str, limit: int) -> None:
    """One line between two back quotes with none between them, no mention, no link in angle brackets."""
    made = for_markdown(text, limit)
    assert made == "" or re.fullmatch(r"`[^`<>@\n\r]+`", made)
    assert len(made) <= limit + 2


@given(ANY, st.integers(min_value=1, max_value=300))
@example("x" * 300, 300)
@example("…" * 99, 99)
def test_a_subject_is_what_sns_takes(text: str, limit: int) -> None:
    """Printable ASCII that begins with no space, less than 100 characters, never empty."""
    made = for_mail_subject(text, limit)
    assert re.fullmatch(r"[!-~]([ -~]*[!-~])?", made)
    assert len(made) <= min(limit, 99)


def test_a_long_subject_says_that_it_is_cut() -> None:
    """Ninety-nine characters, the last three of them dots."""
    assert for_mail_subject("x" * 200) == "x" * 96 + "..."
    assert for_mail_subject("\u200b") == "-"
    assert for_mail_subject("0 0", 2) == "0"


@given(ANY, LIMITS)
def test_a_terminal_gets_one_line(text: str, limit: int) -> None:
    """No escape sequence and no line break can forge what stands beside it."""
    made = for_terminal(text, limit)
    assert made.isprintable() or not made.translate({ord(" "): None}).isascii()
    assert "\n" not in made
    assert "\x1b" not in made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hostile-bidi", "safe gnp.exe isolated zerowidth tags café"),
        ("hostile-controls", "first line Subject: injected Bcc: x@example.com"),
    ],
)
def test_samples_of_hostile_reasons(name: str, expected: str) -> None:
    """What turns round, hides or forges lines is gone, and the words are still there."""
    assert one_line(sample(name)["detail"]["stoppedReason"]).startswith(expected)


def test_a_million_marks_take_no_time() -> None:
    """A reason that fills an event is cut before it is normalised."""
    made = shown("e" + "\u0301\u0323" * 450_000)
    assert len(made) <= LONGEST
    assert made.endswith("…")


@pytest.mark.parametrize("limit", [0, -1])
def test_no_limit_below_one(limit: int) -> None:
    """One character is the least that can be shown."""
    with pytest.raises(ValueError, match=f"limit must be at least 1, got {limit}; "):
        shown("text", limit)
