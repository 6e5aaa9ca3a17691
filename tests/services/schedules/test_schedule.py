"""A schedule is what EventBridge Scheduler takes, or is refused in one sentence (lesson T4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.schedules.schedule import Schedule
from tests.support import TOKEN, refused, run_without_cdk


@pytest.mark.parametrize(
    "fields",
    [
        "0 3 * * ? *",
        "15 10 ? * 6L 2026-2027",
        "0/5 8-17 ? * MON-FRI *",
        "0,30 * 1,15 JAN-MAR,DEC ? *",
        "0 0 L * ? *",
        "0 0 31W 12 ? 2199",
        "59 23 ? * TUE#5 1970/2",
        "*/10 */2 ? 1-12/3 1-7 *",
        "0 9 ? * L *",
        "0 9 ? * SAT#1 *",
    ],
)
def test_what_aws_documents_is_taken(fields: str) -> None:
    """Lists, ranges, steps, names, the last day or weekday, the nearest weekday, and the third Tuesday."""
    assert Schedule.cron(fields).expression == f"cron({fields})"


@pytest.mark.parametrize(
    ("fields", "what", "value"),
    [
        ("0 3 * * *", "fields", "0 3 * * *"),
        ("0 3 * * ? * *", "fields", "0 3 * * ? * *"),
        ("60 3 * * ? *", "minute", "60"),
        ("-1 3 * * ? *", "minute", "-1"),
        ("x 3 * * ? *", "minute", "x"),
        ("JAN 3 * * ? *", "minute", "JAN"),
        ("?  3 * * ? *", "minute", "?"),
        ("0 24 * * ? *", "hour", "24"),
        ("0 5-3 * * ? *", "hour", "5-3"),
        ("0 */0 * * ? *", "hour", "*/0"),
        ("0 3, * * ? *", "hour", "3,"),
        ("0 3 0 * ? *", "day of month", "0"),
        ("0 3 32 * ? *", "day of month", "32"),
        ("0 3 0W * ? *", "day of month", "0W"),
        ("0 3 6L * ? *", "day of month", "6L"),
        ("0 3 1 13 ? *", "month", "13"),
        ("0 3 1 MON ? *", "month", "MON"),
        ("0 3 ? * 0 *", "day of week", "0"),
        ("0 3 ? * 8 *", "day of week", "8"),
        ("0 3 ? * MON#6 *", "day of week", "MON#6"),
        ("0 3 ? * 3W *", "day of week", "3W"),
        ("0 3 * * ? 1969", "year", "1969"),
        ("0 3 * * ? 2200", "year", "2200"),
        ("0 3 * * * *", "day of month and day of week", "* *"),
        ("0 3 ? * ? *", "day of month and day of week", "? ?"),
        ("0 3 1 * MON *", "day of month and day of week", "1 MON"),
        ("0 " + ",".join(map(str, [3] * 130)) + " * * ? *", "fields", None),
    ],
)
def test_what_aws_would_refuse_is_refused_before(fields: str, what: str, value: str | None) -> None:
    """A field out of its range, a step of nothing, both days or neither, and an expression that is too long."""
    refused(lambda: Schedule.cron(fields), what, fields if value is None else value, "")


@pytest.mark.parametrize(
    ("value", "unit", "expression"),
    [(1, "minutes", "rate(1 minute)"), (15, "minutes", "rate(15 minutes)"), (1, "days", "rate(1 day)")],
)
def test_a_rate_is_written_as_aws_writes_it(value: int, unit: Any, expression: str) -> None:
    """One of a unit is singular."""
    made = Schedule.rate(value, unit)
    assert made.expression == expression
    assert (made.time_zone, made.late_minutes) == ("UTC", 60)
    assert Schedule(expression=expression) == made


@pytest.mark.parametrize(
    ("arguments", "what", "value", "allowed"),
    [
        ({"expression": "at(2026-11-22T03:00:00)"}, "expression", "at(2026-11-22T03:00:00)", "'cron(…)' or 'rate(…)'"),
        ({"expression": "0 3 * * ? *"}, "expression", "0 3 * * ? *", "'cron(…)' or 'rate(…)'"),
        ({"expression": "cron(0 3 * * ? *"}, "expression", "cron(0 3 * * ? *", "'cron(…)' or 'rate(…)'"),
        ({"expression": TOKEN}, "expression", TOKEN, "not a Token"),
        ({"expression": "rate(0 minutes)"}, "rate", "0 minutes", "a number and"),
        ({"expression": "rate(5 weeks)"}, "rate", "5 weeks", "a number and"),
        ({"expression": "rate(5)"}, "rate", "5", "a number and"),
        ({"expression": "rate(1 day)", "time_zone": "Mars/Base"}, "time_zone", "Mars/Base", "an IANA time zone"),
        ({"expression": "rate(1 day)", "time_zone": ""}, "time_zone", "", "a text that is not empty"),
        ({"expression": "rate(1 day)", "late_minutes": 0}, "late_minutes", 0, "from 1 to 1440"),
        ({"expression": "rate(1 day)", "late_minutes": 1441}, "late_minutes", 1441, "from 1 to 1440"),
    ],
)
def test_other_wrong_values_are_refused(arguments: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """A run that happens once is no schedule; Scheduler tries for a minute at least and a day at most."""
    refused(lambda: Schedule(**arguments), what, value, allowed)


@pytest.mark.parametrize(("value", "unit", "what"), [(0, "hours", "value"), (1, "weeks", "unit"), (1, "hour", "unit")])
def test_a_wrong_rate_is_refused(value: int, unit: Any, what: str) -> None:
    """AWS has minutes, hours and days, and no zero."""
    refused(lambda: Schedule.rate(value, unit), what, value if what == "value" else unit, "")


def test_a_wrong_schedule_fails_before_cdk_starts() -> None:
    """The value is pure: neither CDK nor Node is loaded for a typing error."""
    said = run_without_cdk(
        "from constructs_lib.services.schedules.schedule import Schedule\nSchedule.cron('0 25 * * ? *')"
    )
    assert said.startswith("hour must be ")


FIELD = st.sampled_from(
    ["*", "?", "0", "1", "5-7", "7-5", "L", "3W", "MON", "JAN", "2#3", "*/2", "*/0", "99", "1,2", ","]
)


@given(st.lists(FIELD, min_size=6, max_size=6))
def test_what_is_taken_names_one_day_by_one_field(fields: list[str]) -> None:
    """Whatever is put together: an accepted expression has ``?`` in exactly one of its days, and no empty part."""
    try:
        made = Schedule.cron(" ".join(fields))
    except ValueError as error:
        assert " must be " in str(error)  # noqa: PT017  (what is refused is the other half of the property)
        return
    days = made.expression.removeprefix("cron(").removesuffix(")").split(" ")
    assert [days[2], days[4]].count("?") == 1
    assert "," not in days
    assert "*/0" not in days
    assert "?" not in (days[0], days[1], days[3], days[5])


def test_fields_that_have_cron_around_them_already_are_refused() -> None:
    """Who copies an expression of AWS's is told what to leave out, and not that its minute is wrong."""
    fields = "cron(0 3 * * ? *)"
    assert "leave out 'cron('" in refused(lambda: Schedule.cron(fields), "fields", fields, "the six fields alone")
