"""An incident or a maintenance with its lines, as frozen values. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .values import LINES, MAX_LINES, MAX_NAME, Line, Text, identifier, moment, one_of, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One line of an entry (lesson T5).

    Args:
        at: when it was so, or was said.
        by: who says it; a machine never changes or removes a person's line.
        line: what it reports.
        text: a person's own words; None where fixed words say it all.
        component: what a machine's line is about; None for a person's, which is about the whole entry.
    """

    at: datetime
    by: Literal["machine", "person"]
    line: Line
    text: Text | None = None
    component: str | None = None

    def __post_init__(self) -> None:
        moment("at", self.at)
        one_of("by", self.by, ("machine", "person"))
        one_of("line", self.line, LINES)
        if self.component is not None:
            identifier("component", self.component, MAX_NAME)
        if (self.component is None) != (self.by == "person"):
            raise refused("component", self.component, "given in a machine's line only", "a person writes to an entry")
        if self.by == "machine" and (self.text is not None or self.line in ("note", "resolved")):
            raise refused("a machine's line", self.line, "one of the fixed sentences", "post it as a person")
        if self.line == "note" and self.text is None:
            raise refused("text", None, "given in a note", "write what there is to say")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An incident or an announced maintenance, with its history (lessons T5 and W6).

    Args:
        id: its name, with which a person resolves it.
        kind: which of the two.
        components: the names of those it is about.
        opened: when it began, or was announced.
        updates: its lines, the oldest first.
        resolved: when it was over, or called off; None while open.
        starts: the announced beginning; for a maintenance only.
        ends: the announced end; for a maintenance only.
    """

    id: str
    kind: Literal["incident", "maintenance"]
    components: tuple[str, ...]
    opened: datetime
    updates: tuple[Update, ...]
    resolved: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None

    def __post_init__(self) -> None:
        identifier("entry", self.id)
        one_of("kind", self.kind, ("incident", "maintenance"))
        if not self.components or len(set(self.components)) != len(self.components):
            raise refused(f"components of {self.id}", self.components, "named, each once", "name at least one")
        for name in self.components:
            identifier("component", name, MAX_NAME)
        moment("opened", self.opened)
        if self.resolved is not None:
            moment("resolved", self.resolved)
        if not self.updates or len(self.updates) > MAX_LINES:
            raise refused(f"lines of {self.id}", len(self.updates), f"1 to {MAX_LINES}", "open another incident")
        self._check_times()

    def _check_times(self) -> None:
        """A maintenance has a beginning before its end, and an incident has neither."""
        if self.kind == "incident":
            if self.starts is not None or self.ends is not None:
                raise refused(f"times of {self.id}", self.starts or self.ends, "absent", "announce a maintenance")
            return
        moment("starts", self.starts)
        moment("ends", self.ends)
        if self.starts is not None and self.ends is not None and self.starts >= self.ends:
            raise refused("ends", self.ends.isoformat(), "after starts", "give the later time as the end")

    @property
    def by_person(self) -> bool:
        """Whether a person has written to it; then only a person ends it."""
        return any(update.by == "person" for update in self.updates)

    def end(self) -> datetime | None:
        """When it was or will be over, as far as known."""
        times = [time for time in (self.resolved, self.ends) if time is not None]
        return min(times, default=None)

    def is_over(self, now: datetime) -> bool:
        """Whether nothing of it is left to come."""
        end = self.end()
        return end is not None and end <= now
