"""How long CloudWatch Logs can keep lines. Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.checks import invalid

RETENTION_DAYS: Final[dict[int, str]] = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}
"""Days that CloudWatch accepts, with CDK's name of each (``aws_logs.RetentionDays``).

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""


def check_retention(what: str, days: int) -> int:
    """``days`` itself, refused when CloudWatch Logs does not accept it."""
    if not isinstance(days, int) or isinstance(days, bool) or days not in RETENTION_DAYS:
        raise invalid(what, days, f"one of {', '.join(map(str, RETENTION_DAYS))}", "CloudWatch Logs accepts no other")
    return days
