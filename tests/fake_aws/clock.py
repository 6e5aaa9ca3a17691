"""Time that passes only when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

STEP = 5.0


class Clock:
    """The time of a fake world.

    Attributes:
        listeners: called with each new time, at most :data:`STEP` seconds after the last.
    """

    def __init__(self, at: datetime = datetime(2026, 4, 1, 10, tzinfo=UTC)) -> None:
        self._at = at
        self.listeners: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        """The time."""
        return self._at

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        left = seconds
        while left > 0:
            step = min(STEP, left)
            self._at += timedelta(seconds=step)
            left -= step
            for listener in self.listeners:
                listener(self._at)
