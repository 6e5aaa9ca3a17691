"""What the synthesis prints of an environment's alarms: short, true, and one line for each kind (lesson W3)."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.observability.detection.table import Row, markdown, printed, rows
from tests.observability.detection.test_detection_budget import spec

ERRORS = spec(felt="degraded", slower_because="ECS's events tell sooner")
ZONES = [
    spec(
        "Maximum",
        value=1,
        periods=minutes,
        fault_seconds=35,
        what=f"unhealthy-targets-{minutes}",
        runbook="unhealthy-targets",
        slower_because=f"after {minutes} minutes",
    )
    for minutes in (2, 3)
]
QUIET = spec("Average", period=300, periods=3, severity="notice", what="nobody-wakes")


def test_alarms_of_one_kind_are_one_row() -> None:
    """Zones, gateways and services are not told one by one; the slowest counts, with what stands in for it."""
    assert rows([*ZONES, replace(ZONES[0], component="api")]) == (
        Row(
            alarm="unhealthy-targets",
            severity="page",
            count=3,
            usual_seconds=250,
            worst_seconds=340,
            stands_in="after 3 minutes",
        ),
    )


def test_pages_come_first_and_the_quickest_of_them() -> None:
    """Who reads the first lines knows what wakes somebody."""
    assert [row.alarm for row in rows([QUIET, *ZONES, ERRORS])] == ["errors", "unhealthy-targets", "nobody-wakes"]
    assert [row.worst_seconds for row in rows([QUIET, *ZONES, ERRORS])] == [190, 340, 1085]


def test_the_quickest_is_the_one_that_usually_is() -> None:
    """Its worst case may be another one's: here silence, which only a whole minute shows."""
    low = spec("Minimum", value=2, comparison="LessThanThreshold", missing="breaching", what="too-few")
    slow = spec(fault_seconds=35, what="later")
    assert [(row.usual_seconds, row.worst_seconds) for row in rows([slow, low])] == [(95, 245), (130, 220)]


def test_the_synthesis_prints_a_line_for_each_page_and_one_for_all_notices() -> None:
    """Seconds usually and at worst, and what stands in; the first line says how many may be late."""
    assert printed("staging", [QUIET, *ZONES, ERRORS]).splitlines() == [
        "staging: seconds from a fault to its page. Of 2 kinds 1 usually come within 120, and 2 may come later; up to "
        "70 of each are assumed",
        "  page               usual  worst  until then",
        "  errors               100    190  ECS's events tell sooner",
        "  unhealthy-targets    250    340  after 3 minutes",
        "  notices, which wake nobody, in minutes at worst: nobody-wakes 19",
    ]


def test_without_notices_nothing_is_said_of_them() -> None:
    """And a page without a reason ends its line with its seconds."""
    assert printed("staging", [spec(period=10)]).splitlines()[1:] == [
        "  page    usual  worst  until then",
        "  errors     45     85",
    ]


def test_the_same_rows_are_a_table_of_a_document() -> None:
    """Markdown, with the notices as rows of their own."""
    assert markdown([QUIET, ERRORS]) == (
        "| alarm | severity | usual s | worst s | what stands in |\n"
        "|---|---|---|---|---|\n"
        "| `errors` | page | 100 | 190 | ECS's events tell sooner |\n"
        "| `nobody-wakes` | notice | 995 | 1085 |  |\n"
    )
