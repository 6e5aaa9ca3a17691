"""What other pages and replays say of an alarm's time follows from the one set of numbers (lesson W3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from constructs_lib.observability.detection.detection_budget import DetectionBudget
from constructs_lib.observability.detection.timings import EVALUATION, PUBLICATION
from constructs_lib.services.task.health_check import HealthCheck
from tests.incidents.ports_cloudwatch import LATE
from tests.observability.detection.test_detection_budget import spec

DOCS = Path(__file__).resolve().parents[3] / "docs"
CHECK = HealthCheck.http("/healthz", port=8080, program="python3")
FUNCTION_SECONDS = 5
NO_TARGET = spec("Minimum", value=1, comparison="LessThanThreshold", fault_seconds=CHECK.out_of_rotation_seconds)
"""What would switch a listener to a page, and back when a whole minute is well again."""
WELL_AGAIN = replace(
    NO_TARGET, metric=replace(NO_TARGET.metric, statistic="Maximum"), fault_seconds=2 * CHECK.container.interval_seconds
)


def test_a_switch_that_shows_a_page_takes_as_long_as_the_decision_says() -> None:
    """35 s of checks, the alarm, and the function: there and back, in the decision and in the lesson."""
    there, back = DetectionBudget.of(NO_TARGET), DetectionBudget.of(WELL_AGAIN)
    assert CHECK.out_of_rotation_seconds == 35
    assert there.usual_seconds + FUNCTION_SECONDS == 135
    assert there.worst_seconds + FUNCTION_SECONDS == 225
    assert back.usual_seconds + FUNCTION_SECONDS == 180
    assert back.worst_seconds + FUNCTION_SECONDS == 270
    decision = (DOCS / "decisions" / "0016-a-page-instead-of-504.md").read_text()
    assert "**usually 135 s and at worst 225 s**" in decision
    assert "**usually 180 s and at worst 270 s**" in decision
    lesson = (DOCS / "lessons" / "Q4-a-page-instead-of-504.md").read_text()
    assert (
        "would need 135 s to show the page, at worst\n225 s, and 180 s to take it away again, at worst 270 s" in lesson
    )


def test_the_replay_of_the_ports_counts_with_the_same_numbers() -> None:
    """From a sample to its alarm: publication and evaluation, two minutes."""
    assert LATE.total_seconds() == PUBLICATION.seconds + EVALUATION.seconds == 120
