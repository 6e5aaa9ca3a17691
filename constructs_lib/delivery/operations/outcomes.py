"""Why a command made no release, or left one open: each has its own exit code (lessons W4, Q5)."""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.delivery.readiness import Check


class Refused(Exception):  # noqa: N818  (an answer, not an error of the program)
    """A check stands in the way, or there is nothing to release; nothing was changed (lessons Q7, W6)."""

    def __init__(self, sentence: str, checks: Sequence[Check] = ()) -> None:
        super().__init__(sentence)
        self.checks = tuple(checks)


class Busy(Exception):  # noqa: N818
    """Another release or update is under way, or took over from this one (lesson Q5)."""


class NothingToDo(Exception):  # noqa: N818
    """The service runs what was asked for already; nothing was changed (lesson W4)."""


class NeedsRepair(Exception):  # noqa: N818
    """Something must be mended by a person first; the sentence says what and how (lesson W4)."""


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C: the entry stays open, its lease has ended, and the next command takes it over (lesson W4)."""


class Failure(Exception):  # noqa: N818
    """A release cannot go on, and goes back now (lesson W4). It never leaves :func:`release.run`."""
