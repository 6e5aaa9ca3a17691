"""Shows that a long step runs, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def step(console: Console, text: str) -> Iterator[None]:
    """A spinner while the step runs, in a terminal; one line when it has ended, everywhere."""
    began = time.monotonic()
    with console.status(f"{text} …"):
        yield
    console.print(f"  [green]✓[/] {text} ({time.monotonic() - began:.0f} s)")
