"""Text that somebody else wrote, made safe to show. Standard library only.

A stop reason holds what a registry answered or what any user gave to ``StopTask --reason``. Such a text may hold
markup, mentions of everybody, line breaks that forge a line of ours, marks that turn the reading direction round
(https://trojansource.codes) and characters that nobody sees. Every function here cuts and cleans first and escapes
last, so its result goes in as it is: escaping it again would show the escapes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

LONGEST: Final = 2_000
"""How many characters are shown, unless told otherwise."""

SUBJECT_LONGEST: Final = 99
"""SNS refuses a subject of 100 characters or more
(https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_RequestParameters)."""

_MARKS_IN_A_ROW: Final = 4  # more of them on one letter cover the lines above and below
_LINE_BREAKS: Final = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad"  # controls; soft hyphen
    "\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # zero width; direction
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"  # tags: a text within the text that only programs read
)
_NO_CHARACTER: Final = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACES: Final = re.compile(r"\s+")
_NOT_PRINTABLE_ASCII: Final = re.compile(r"[^ -~]")
_CHAT: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})  # noqa: RUF001  (they look alike on purpose)


def shown(text: str, limit: int = LONGEST) -> str:
    """``text`` in NFC, without what is unseen or turns the reading direction, at most ``limit`` characters.

    Of control characters, only line feeds stay; a tabulator becomes a space. What is cut ends with ``…``, and no
    letter loses its marks. Doing it twice changes nothing.

    Raises:
        ValueError: ``limit`` is less than 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}; to show nothing, leave the text out")
    text = _UNSEEN.sub("", _LINE_BREAKS.sub("\n", text).replace("\t", " "))
    enough = 4 * limit + 16  # a long row of marks takes NFC time that grows with its square
    clean = _few_marks(unicodedata.normalize("NFC", _NO_CHARACTER.sub("\ufffd", text[:enough])))
    if len(clean) <= limit and len(text) <= enough:
        return clean
    end = min(limit - 1, len(clean))
    while 0 < end < len(clean) and _is_mark(clean[end]):
        end -= 1
    return clean[:end] + "…"


def one_line(text: str, limit: int = LONGEST) -> str:
    """``text`` as :func:`shown`, with each run of spaces and line breaks as one space: it cannot forge a line."""
    return shown(_SPACES.sub(" ", shown(text, 4 * limit)).strip(), limit)


def for_html(text: str, limit: int = LONGEST) -> str:
    """For the text or a quoted attribute of an HTML element; put it into ``<bdi>``, so that it stands by itself."""
    return html.escape(shown(text, limit), quote=True)


def for_markdown(text: str, limit: int = LONGEST) -> str:
    """For chat: a code span of one line, in which nothing is a link, a mention or the end of the span.

    Whether a mention inside a code span calls people depends on the chat, and no AWS page says what Amazon Q Developer
    does with one. So ``<``, ``>``, ``@`` and back quotes become characters that only look like them.
    """
    line = one_line(text, limit).translate(_CHAT)
    return f"`{line}`" if line else ""


def for_mail_subject(text: str, limit: int = SUBJECT_LONGEST) -> str:
    """For an SNS subject: one line of printable ASCII, never empty, less than 100 characters.

    Today's reference takes UTF-8, and AWS's own senders still replace what is not ASCII
    (https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-validation-truncation.html). A
    refused subject loses the whole message, so the stricter reading is kept.
    """
    most = min(limit, SUBJECT_LONGEST)
    plain = _NOT_PRINTABLE_ASCII.sub("?", one_line(text, 4 * most).replace("…", "...")).strip()
    if len(plain) > most:
        plain = plain[: most - 3].rstrip() + "..." if most > len("...") else plain[:most].rstrip()
    return plain or "-"


def for_terminal(text: str, limit: int = LONGEST) -> str:
    """For a terminal: one line without escape sequences. Markup of ``rich`` is the caller's to switch off."""
    return one_line(text, limit)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _few_marks(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)
