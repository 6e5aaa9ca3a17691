"""When operators and users learned of each incident, and when they would with ours: ``make replay``.

``python -m tests.incidents told`` prints it alone; ``python -m tests.incidents.told_replay`` as the table of
docs/lessons/T5-who-learned-when.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from rich.console import Console
from rich.table import Column, Table

from constructs_lib.alarm_spec import AlarmSpec
from tests.incidents.told_cloud import Told, Waits, told
from tests.incidents.told_stories import BEFORE, STORIES, Story, alarms

USERS_SECONDS: Final = 180
"""Within which the page should say it, from the beginning of the first minute with an error."""

COLUMNS: Final = ("story", "operators: then", "operators: ours", "users: then", "users: ours", "users within 180 s")
MODEL: Final = (
    "A model. 'Then' is the write-ups': WebORCA's hours of 26 March 2025; Twilio's differences, as its write-up gives "
    "two beginnings; of the third no hour is told. Every curve is assumed, as said above. 'Ours' is reckoned: the "
    "library's alarms over these minutes, its composite alarms, and its status page's own code; publication, "
    "composite, delivery and the page's way are assumed (detection/timings.py, tests/incidents/told_cloud.py). AWS was "
    "not called. Operators of Q are reckoned from the deletion, its users from their first error. Other alarms page on "
    "WebORCA's ports hours before the first error (W1); here nobody acts on them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """One story with our alarms, as it usually is and at worst."""

    usual: Told
    worst: Told


def play(story: Story, specs: Sequence[AlarmSpec]) -> Ours:
    """Plays a story with these alarms, from some quiet minutes before it to some after."""
    first = story.first.astimezone(UTC)
    begins, ends = first - timedelta(minutes=BEFORE), first + timedelta(minutes=len(story.fault) + BEFORE)
    usual, worst = (
        told(specs, story.samples, begins=begins, ends=ends, waits=Waits.of(worst=worst)) for worst in (False, True)
    )
    return Ours(usual=usual, worst=worst)


@cache
def ours(story_number: int) -> Ours:
    """With the library's alarms."""
    return play(STORIES[story_number], alarms())


def run(console: Console) -> int:
    """Prints it; the exit code says whether it shows what it should."""
    table = Table(
        *(Column(name, overflow="fold") for name in COLUMNS),
        title="Who learned of it when, after the first error; ours: usually / at worst",
        show_lines=True,
    )
    for row in rows():
        table.add_row(*row)
    console.print(table)
    for line in assumptions():
        console.print(line)
    console.print(MODEL)
    return verdict([(story, ours(number)) for number, story in enumerate(STORIES)])


def verdict(played: Sequence[tuple[Story, Ours]]) -> int:
    """0 when users learn no later than then even at worst, and of each incident they learn in one story at least.

    Operators too, but for Twilio's: within a minute, as they were, no alarm of CloudWatch's tells anybody.
    """
    for story, one in played:
        users, paged = one.worst.users, one.worst.paged
        if story.told is not None and users is not None and users - story.felt > story.told:
            return 1
        if story.lesson != "T" and story.known is not None and paged is not None and paged - story.first > story.known:
            return 1
    learned = {story.lesson for story, one in played if one.worst.users is not None}
    return 0 if learned == {story.lesson for story, _ in played} else 1


def rows() -> Iterator[tuple[str, ...]]:
    """The table."""
    for number, story in enumerate(STORIES):
        one = ours(number)
        yield (
            f"{number + 1}. {story.lesson}: {story.name}",
            _then(story.known, story.how),
            _both(story.first, one.usual.paged, one.worst.paged, "no page") + _why(one),
            _then(story.told, story.where),
            _both(story.felt, one.usual.users, one.worst.users, "the page says nothing; a person must") + _states(one),
            _within(story, one),
        )


def assumptions() -> Iterator[str]:
    """What is ours of each story."""
    for number, story in enumerate(STORIES):
        yield f"{number + 1}. {story.assumed}"


def markdown() -> str:
    """For the page."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _then(time: timedelta | None, words: str) -> str:
    return words if time is None else f"{_length(time)}, {words}"


def _both(first: datetime, usual: datetime | None, worst: datetime | None, never: str) -> str:
    if usual is None or worst is None:
        return never
    return f"{_length(usual - first)} / {_length(worst - first)}"


def _why(one: Ours) -> str:
    return f" ({one.usual.why})" if one.usual.paged else ""


def _states(one: Ours) -> str:
    return f" ({', '.join(state for _, state in one.usual.page)})" if one.usual.page else ""


def _within(story: Story, one: Ours) -> str:
    if one.usual.users is None or one.worst.users is None:
        return "no"
    most = story.felt + timedelta(seconds=USERS_SECONDS)
    return "yes" if one.worst.users <= most else "usually" if one.usual.users <= most else "no"


def _length(time: timedelta) -> str:
    if time < timedelta(0):
        return f"{_length(-time)} before"
    seconds = int(time.total_seconds())
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 60} min" + (f" {seconds % 60:02} s" if seconds % 60 else "")


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n" + "".join(f"{line}\n" for line in assumptions()))
