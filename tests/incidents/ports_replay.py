"""Incident W1, printed: as the write-up tells it and with our library, and then what would have gone otherwise.

``python -m tests.incidents.ports_replay`` prints the tables as they are in docs/lessons/W1-when-the-page-comes.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from rich.console import Console, Group
from rich.table import Table

from constructs_lib.services.ports.local_ports import WIDE
from tests.incidents.ports_cases import cases_table
from tests.incidents.ports_day import ASKED, CHANGED, CONFIRMED, ERRORS, FIRST_ERROR, SUSPECTED, WENT_BACK, at
from tests.incidents.ports_service import FIFTH_LESS, HIDDEN, LARGE_POOL, ROLLBACK, Service
from tests.incidents.ports_story import COMMAND, Course, Told, play

MODEL: Final = (
    "A model: the hours in the column 'then' are the write-up's, but for that of the update, which it does not give. "
    "It has a second cause, logs that could not be written (W2), and does not say which errors were whose. The "
    "sessions of each minute, four tasks, 2.2 requests of a session a minute, answers within a second, two minutes "
    "until an alarm sees a sample, and 30 from a page to the command are assumed (tests/incidents/ports_*.py). Alarms, "
    "thresholds and the comparison are the library's own; CloudWatch and the kernel are models. AWS was not called."
)
MORE_SOCKETS: Final = "more-sockets-than-before"
USED_UP: Final = "ports-nearly-used-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way in which it could have gone."""

    name: str
    service: Service
    watched: bool = True
    acts_on: str | None = None

    def course(self) -> Course:
        """How it went."""
        return _played(self)


@cache
def _played(variant: Variant) -> Course:
    return play(variant.service, watched=variant.watched, acts_on=variant.acts_on)


_ONE_COMMAND: Final = (at(25, 22), at(25, 22, 15))
THEN: Final = Variant(name="the kernel's range, no alarm of ours", service=Service(), watched=False)
OURS: Final = Variant(name="ours, somebody acts on the page", service=Service(local_ports=WIDE), acts_on=MORE_SOCKETS)
ASLEEP: Final = Variant(name="ours, nobody acts", service=Service(local_ports=WIDE))
COMMANDED: Final = Variant(
    name="ours, released within 15 minutes at 22:00, nobody acts",
    service=Service(local_ports=WIDE, changed=_ONE_COMMAND),
)
SEEN: Final = Variant(name="our alarms, the kernel's range, nobody acts", service=Service())
MORNING: Final = Variant(
    name="our alarms, the kernel's range, somebody acts on the page at 80 %", service=Service(), acts_on=USED_UP
)
DAYLIGHT: Final = Variant(
    name="ours, an update that shows only with 20,000 sessions, nobody acts",
    service=Service(local_ports=WIDE, after=HIDDEN),
)
LARGE: Final = Variant(
    name="ours, a pool of 5,000 in each task before the update, nobody acts",
    service=Service(local_ports=WIDE, before=LARGE_POOL),
)
FIFTH: Final = Variant(
    name="ours, an update that adds 20 %, nobody acts", service=Service(local_ports=WIDE, before=FIFTH_LESS)
)
FIFTH_SEEN: Final = Variant(
    name="our alarms, the kernel's range, 20 % more, nobody acts", service=Service(before=FIFTH_LESS)
)
VARIANTS: Final = (THEN, OURS, ASLEEP, COMMANDED, SEEN, MORNING, DAYLIGHT, LARGE, FIFTH, FIFTH_SEEN)


def run(console: Console) -> int:
    """Prints it all; the exit code says whether it shows what it should."""
    console.print(Group(side_by_side(), variants(), cases_table()))
    console.print(MODEL)
    return verdict(THEN.course(), OURS.course(), ASLEEP.course())


def verdict(then: Course, *ours: Course) -> int:
    """0 when ports ran out unseen then, and with ours a page came before the first error and they never did."""
    early = all((page := one.first("page")) is not None and page.at < FIRST_ERROR and not one.out for one in ours)
    return 0 if then.out and not then.told and early else 1


TIMELINE: Final = ("W1, March 2025", "then, by the write-up", "with our library, a model")
WAYS: Final = ("way", "first notice", "first page", "ports ran out", "requests refused", "most ports used")


def side_by_side() -> Table:
    """Then and ours, for the terminal."""
    return _table(TIMELINE, rows())


def variants() -> Table:
    """All ways, for the terminal."""
    return _table(WAYS, ways())


def timeline_markdown() -> str:
    """Then and ours, for the page."""
    return _markdown(TIMELINE, rows())


def variants_markdown() -> str:
    """All ways, for the page."""
    return _markdown(WAYS, ways())


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    made = Table(*columns, show_lines=True)
    for line in lines:
        made.add_row(*line)
    return made


def _markdown(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in (columns, ("---",) * len(columns), *lines))


def rows() -> Iterator[tuple[str, str, str]]:
    """The timeline: what, then, ours."""
    ours, asleep = OURS.course(), ASLEEP.course()
    page, back = ours.first("page"), ours.went_back
    assert page is not None
    assert back is not None
    yield "update put in", f"{_span(*CHANGED)} (assumed)", _span(*CHANGED)
    yield (
        "first page",
        "none",
        f"{_time(page.at)}, {page.what}, {_length(FIRST_ERROR - page.at)} before the first error",
    )
    guess = "26 March 16:02, the middleware's resources; its runtime was changed that night"
    yield "first guess", guess, "none needed: the page names the cause"
    yield (
        "who knew first",
        f"a vendor, {_time(ASKED)}; found in the records {_time(CONFIRMED)}",
        f"{_time(page.at)}, whoever is on call",
    )
    yield "errors", "; ".join(_span(*one) for one in ERRORS), _ran_out(ours)
    after = f"{_time(SUSPECTED)}, {_length(SUSPECTED - FIRST_ERROR)} after the first error"
    yield "ports suspected", after, f"{_time(page.at)}: the page says so"
    yield "way back", "considered 27 March 16:00", f"{_time(page.at)}, in the page: `{COMMAND}`"
    done = f"command {_time(back)}, done {_time(back + ROLLBACK)}"
    yield "went back", f"maintenance of {_span(*WENT_BACK)}", f"{done}; had nobody acted: {_ran_out(asleep)}"


def ways() -> Iterator[tuple[str, ...]]:
    """How each way would have gone."""
    for one in VARIANTS:
        course = one.course()
        yield (
            one.name,
            _said(course.first("notice")),
            _said(course.first("page")),
            _ran_out(course),
            f"{course.refused:.2%}",
            f"{course.most:.0%}",
        )


def _said(told: Told | None) -> str:
    return "none" if told is None else f"{_time(told.at)}, {told.what}"


def _ran_out(course: Course) -> str:
    if not course.out:
        return "never out of ports"
    first = _span(*course.out[0])
    return first if len(course.out) == 1 else f"{first} and {len(course.out) - 1} times more"


def _time(moment: datetime) -> str:
    return f"{moment.day} March {moment:%H:%M}"


def _span(begins: datetime, ends: datetime) -> str:
    return f"{_time(begins)} to {ends:%H:%M}"


def _length(time: timedelta) -> str:
    return f"{time // timedelta(minutes=1) // 60} h {time // timedelta(minutes=1) % 60:02} min"


if __name__ == "__main__":
    print(timeline_markdown(), variants_markdown(), sep="\n")
