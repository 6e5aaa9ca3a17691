"""How alarms are evaluated here: AWS's own tables of missing data, and the metric math that our alarms use."""

from __future__ import annotations

import pytest

from local_cloud.server.evaluation import UnknownExpressionError, check, reckon, state

KEPT = None
BAD, INSUFFICIENT = "ALARM", "INSUFFICIENT_DATA"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html: "0" is good, "X" is
# bad, "-" is missing; the columns are missing, ignore, breaching and notBreaching.
THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "0----": ("OK", "OK", "OK", "OK"),
    "-----": (INSUFFICIENT, KEPT, BAD, "OK"),
    "0XX-X": (BAD, BAD, BAD, BAD),
    "--X--": (BAD, KEPT, BAD, "OK"),
}
TWO_OF_THREE = {
    "0-X-X": (BAD, BAD, BAD, BAD),
    "00X0X": (BAD, BAD, BAD, BAD),
    "0-X--": ("OK", "OK", BAD, "OK"),
    "----0": ("OK", "OK", BAD, "OK"),
    "---X-": (BAD, KEPT, BAD, "OK"),
}
ROWS = [(3, *row) for row in THREE_OF_THREE.items()] + [(2, *row) for row in TWO_OF_THREE.items()]


@pytest.mark.parametrize(("needed", "points", "expected"), ROWS, ids=[f"{row[0]} of 3: {row[1]}" for row in ROWS])
def test_missing_data_means_what_aws_s_tables_say(needed: int, points: str, expected: tuple[str | None, ...]) -> None:
    """Each row of AWS's two tables, for each of the four ways to treat missing data."""
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points]
    shared = {"EvaluationPeriods": 3, "DatapointsToAlarm": needed, "Threshold": 1}
    found = tuple(
        state(
            values,
            {**shared, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": treatment},
        )
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    )
    assert found == expected


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanOrEqualToThreshold", ["OK", BAD, BAD]),
        ("GreaterThanThreshold", ["OK", "OK", BAD]),
        ("LessThanThreshold", [BAD, "OK", "OK"]),
        ("LessThanOrEqualToThreshold", [BAD, BAD, "OK"]),
    ],
)
def test_a_value_is_compared_with_the_threshold(comparison: str, states: list[str]) -> None:
    """Below, at and above the threshold, without a number of datapoints: then all must be wrong."""
    alarm = {"EvaluationPeriods": 1, "Threshold": 2, "ComparisonOperator": comparison}
    assert [state([value], alarm) for value in (1.0, 2.0, 3.0)] == states


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a+b", 3),
        ("a+none", 1),
        ("none+none", None),
        ("(a+b)/(a+c)", 0.5),
        ("a/zero", None),
        ("a/none", None),
        ("IF(a+b>=3,(a+b)/c,0)", 0.6),
        ("IF(a+b>=4,(a+b)/c,0)", 0),
        ("IF(none>=4,1,0)", None),
        ("c-a*b", 3),
    ],
)
def test_metric_math_is_reckoned(expression: str, value: float | None) -> None:
    """Sums, shares and floors; one of two that are added may be missing, a share of nothing has no value."""
    assert reckon(expression, {"a": 1, "b": 2, "c": 5, "zero": 0, "none": None}) == value


@pytest.mark.parametrize("expression", ["FILL(a,0)", "a if b else c", "__import__('os')", "a+", "RATE(a)", "unknown("])
def test_other_metric_math_is_refused(expression: str) -> None:
    """It would be an alarm that is never red."""
    with pytest.raises(UnknownExpressionError, match="metric math"):
        check(expression)
