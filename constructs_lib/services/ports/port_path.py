"""One place where connections may run out: what it holds, and what is needed (lesson W1). Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

Verdict = Literal["holds", "tight", "runs out"]

WANTED: Final = Fraction(1, 2)
"""The headroom to keep: callers who all ask again double the connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPath:
    """One place where connections may run out (lesson W1).

    Args:
        name: which one.
        holds: connections that fit.
        needs: connections that the peak takes.
        arithmetic: where the two numbers come from.
    """

    name: str
    holds: int
    needs: int
    arithmetic: str

    @property
    def headroom(self) -> float:
        """The share of what it holds that the peak leaves free; below 0 it runs out."""
        return 1 - self.needs / self.holds

    @property
    def verdict(self) -> Verdict:
        """``tight``: it holds, and less than half is free."""
        if self.needs > self.holds:
            return "runs out"
        return "tight" if self.needs > self.holds * WANTED else "holds"

    @property
    def used_percent(self) -> int:
        """How much of what it holds the peak takes, rounded up."""
        return math.ceil(Fraction(100 * self.needs, self.holds))

    @property
    def word(self) -> str:
        """The verdict as part of a sentence."""
        return "is tight" if self.verdict == "tight" else self.verdict

    @property
    def sentence(self) -> str:
        """One line with the arithmetic in it."""
        return f"{self.name}: {self.arithmetic}: {self.used_percent} % is used, it {self.word}."
