"""The times of all alarms of an environment, as rows (lesson W3). Standard library only.

A row for each kind of alarm, however many zones, gateways and services have one; its numbers are those of the slowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Severity
from constructs_lib.observability.detection.detection_budget import DetectionBudget
from constructs_lib.observability.detection.timings import COMPOSITE, DELIVERY, PUBLICATION, TARGET_SECONDS, TIMINGS
from constructs_lib.observability.runbooks import runbook_of

_ASSUMED: Final = PUBLICATION.seconds + COMPOSITE.seconds + DELIVERY.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of alarm (lesson W3).

    Args:
        alarm: what its runbook is called.
        severity: whether it wakes somebody.
        count: how many alarms of the kind there are.
        usual_seconds: from the fault to the page, mostly; of the slowest.
        worst_seconds: the longest from the fault to the page; of the slowest.
        stands_in: what tells of the fault sooner; empty where nothing was said.
    """

    alarm: str
    severity: Severity
    count: int
    usual_seconds: int
    worst_seconds: int
    stands_in: str


def rows(specs: Iterable[AlarmSpec]) -> tuple[Row, ...]:
    """Pages first, and of each severity the quickest first."""
    kinds: dict[tuple[Severity, str], list[AlarmSpec]] = {}
    for spec in specs:
        kinds.setdefault((spec.severity, runbook_of(spec)), []).append(spec)
    found = [_row(alarm, severity, alike) for (severity, alarm), alike in kinds.items()]
    return tuple(
        sorted(found, key=lambda row: (row.severity == "notice", row.usual_seconds, row.worst_seconds, row.alarm))
    )


def printed(environment: str, specs: Iterable[AlarmSpec]) -> str:
    """What the synthesis prints of an environment: a line for each page, and one for all notices."""
    told = rows(specs)
    pages = [row for row in told if row.severity == "page"]
    late = [row for row in pages if row.worst_seconds > TARGET_SECONDS]
    usually = [row for row in pages if row.usual_seconds <= TARGET_SECONDS]
    lines = [
        f"{environment}: seconds from a fault to its page. Of {len(pages)} kinds {len(usually)} usually come within "
        f"{TARGET_SECONDS}, and {len(late)} may come later; up to {_ASSUMED} of each are assumed",
        *_columns(pages),
    ]
    notices = ", ".join(f"{row.alarm} {ceil(row.worst_seconds / 60)}" for row in told if row.severity == "notice")
    return "\n".join([*lines, f"  notices, which wake nobody, in minutes at worst: {notices}"] if notices else lines)


def markdown(specs: Iterable[AlarmSpec]) -> str:
    """The same as a table of a document."""
    lines = ["| alarm | severity | usual s | worst s | what stands in |", "|---|---|---|---|---|"]
    lines += [
        f"| `{row.alarm}` | {row.severity} | {row.usual_seconds} | {row.worst_seconds} | {row.stands_in} |"
        for row in rows(specs)
    ]
    return "\n".join(lines) + "\n"


def timings() -> str:
    """The numbers that all budgets are made of, as a table of a document."""
    lines = ["| term | at most s | | |", "|---|---|---|---|"]
    lines += [
        f"| {one.step} | {one.seconds} | {'documented' if one.documented else '**assumed**'} | {one.source} |"
        for one in TIMINGS
    ]
    return "\n".join(lines) + "\n"


def _row(alarm: str, severity: Severity, alike: Sequence[AlarmSpec]) -> Row:
    budgets = [DetectionBudget.of(spec) for spec in alike]
    slowest = max(range(len(alike)), key=lambda number: budgets[number].worst_seconds)
    return Row(
        alarm=alarm,
        severity=severity,
        count=len(alike),
        usual_seconds=max(budget.usual_seconds for budget in budgets),
        worst_seconds=budgets[slowest].worst_seconds,
        stands_in=alike[slowest].slower_because or "",
    )


def _columns(pages: Sequence[Row]) -> Iterator[str]:
    width = max((len(row.alarm) for row in pages), default=0)
    yield f"  {'page':<{width}}  usual  worst  until then"
    for row in pages:
        yield f"  {row.alarm:<{width}}  {row.usual_seconds:>5}  {row.worst_seconds:>5}  {row.stands_in}".rstrip()
