"""Tables in the terminal. rich is loaded when one is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from constructs_lib.ops.outside import Outside

_WIDTH: Final = 160
"""Of a table that goes to a file or a pipe, where nothing says how wide it may be."""


def show(outside: Outside, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; a cell that is too long goes on in the next line."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    terminal = outside.out.isatty()
    console = Console(file=outside.out, width=None if terminal else _WIDTH, markup=False, emoji=False, highlight=False)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        outside.say(line.rstrip())


def short(digest: str) -> str:
    """A digest as a person compares it."""
    return digest.removeprefix("sha256:")[:12]


def age(span: timedelta) -> str:
    """How long ago, in its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Bytes as ECR's console shows them."""
    return f"{count / 1_000_000:.1f} MB"
