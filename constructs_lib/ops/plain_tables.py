"""Aligned text without rich, for commands that also run where only boto3 is installed. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """The rows with their columns one under the other; the last column is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def one_line(text: str) -> str:
    """A text from elsewhere, such as a reason, on one line and without what could move a terminal's cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def minute(at: datetime) -> str:
    """A time as people compare it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
