"""Tables in the terminal. rich is loaded when one is printed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from constructs_lib.ops.outside import Outside

_WIDTH: Final = 160
"""Of a table that goes to a file or a pipe, where nothing says how wide it may be."""

_LEAST: Final = 120
"""A narrower terminal gets a block for each row: in a table its columns would be a few letters wide."""


def show(outside: Outside, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; a cell that is too long goes on in the next line."""
    width = shutil.get_terminal_size((_WIDTH, 0)).columns if outside.out.isatty() else _WIDTH
    for line in _table(outside, columns, rows, width) if width >= _LEAST else _blocks(columns, rows):
        outside.say(line.rstrip())


def _table(outside: Outside, columns: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> list[str]:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(file=outside.out, width=width, markup=False, emoji=False, highlight=False)
    with console.capture() as printed:
        console.print(table)
    return printed.get().splitlines()


def _blocks(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first cell, and under it each other one that is not empty, with its column's name."""
    indent = max(len(column) for column in columns[1:]) + 4
    for first, *cells in rows:
        yield first
        for column, cell in zip(columns[1:], cells, strict=True):
            for number, line in enumerate(cell.splitlines()):
                yield ("" if number else f"  {column}").ljust(indent) + line


def short(digest: str) -> str:
    """A digest as a person compares it."""
    return digest.removeprefix("sha256:")[:12]


def counted(count: int, noun: str) -> str:
    """A number of things, such as ``1 image``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


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
