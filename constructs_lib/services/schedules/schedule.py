"""When a task is run, as EventBridge Scheduler takes it (lesson T4). Standard library only.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from constructs_lib.checks import concrete, invalid, whole_number

Unit: TypeAlias = Literal["minutes", "hours", "days"]

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,2}))?", re.ASCII)
_EXAMPLE: Final = "write such as '0 3 * * ? *': minute, hour, day of month, month, day of week, year"
_LONGEST: Final = 256  # of an expression; of a time zone's name it is 50
_YEAR_OF_MINUTES: Final = 525_600


@dataclass(frozen=True, slots=True)
class _Field:
    """One of a cron expression's six fields.

    Args:
        low: the least number.
        high: the greatest number.
        names: names of the numbers, from ``low`` on.
        alone: what else the field may be, as a whole.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    alone: re.Pattern[str] | None = None

    def has(self, text: str) -> bool:
        """Whether AWS takes this text for the field."""
        if self.alone and self.alone.fullmatch(text):
            return True
        return all(self._has_part(part) for part in text.split(","))

    def _has_part(self, part: str) -> bool:
        found = _PART.fullmatch(part)
        if found is None:
            return False
        first, last, step = (self._number(found[key]) for key in ("first", "last", "step"))
        if step is not None and step < 1:
            return False
        for number, key in ((first, "first"), (last, "last")):
            if found[key] is not None and (number is None or not self.low <= number <= self.high):
                return False
        return first is None or last is None or first <= last

    def _number(self, text: str | None) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        return int(text) if text is not None and text.isdecimal() else None


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31, alone=re.compile(r"\?|L|(?:[1-9]|[12][0-9]|3[01])W")),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, re.compile(rf"\?|L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])")),
    _Field("year", 1970, 2199),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a task is run, and how late it may begin (lesson T4). Make one with :meth:`cron` or :meth:`rate`.

    It begins within a minute of the time that is meant. Where clocks are put forward, a time that is skipped is
    skipped; where they are put back, a time that comes twice counts once
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time).

    Args:
        expression: ``cron(…)`` or ``rate(…)``, in AWS's form.
        time_zone: the IANA time zone by whose clock it is meant, such as ``Asia/Tokyo``; ``UTC`` by default.
        late_minutes: how long it is tried again when the task could not be started, in minutes, 1 to 1440; 60 by
            default. After that the run is given up, and somebody is told.

    Raises:
        ValueError: an expression or time zone that AWS would refuse, or ``late_minutes`` out of its range.
    """

    expression: str
    time_zone: str = "UTC"
    late_minutes: int = 60

    def __post_init__(self) -> None:
        concrete("expression", self.expression, "make it with Schedule.cron or Schedule.rate")
        kind, _, rest = self.expression.partition("(")
        if not rest.endswith(")") or kind not in ("cron", "rate"):
            fix = "make it with Schedule.cron or Schedule.rate; to run a task once, use `aws ecs run-task`"
            raise invalid("expression", self.expression, "'cron(…)' or 'rate(…)'", fix)
        if kind == "cron":
            _check_cron(rest[:-1])
        else:
            _check_rate(rest[:-1])
        _check_zone(self.time_zone)
        whole_number("late_minutes", self.late_minutes, low=1, high=1440, fix="AWS tries for a day at most")

    @classmethod
    def cron(cls, fields: str, *, time_zone: str = "UTC", late_minutes: int = 60) -> Schedule:
        """By the clock: ``Schedule.cron("0 3 * * ? *", time_zone="Asia/Tokyo")`` is every night at three.

        Args:
            fields: minute, hour, day of month, month, day of week (1 is Sunday) and year. One of the two days is ``?``.
            time_zone: an IANA time zone; ``UTC`` by default.
            late_minutes: how late it may begin, in minutes, 1 to 1440; 60 by default.
        """
        concrete("fields", fields, _EXAMPLE)
        if fields.startswith("cron("):
            raise invalid("fields", fields, "the six fields alone", "leave out 'cron(' and ')'")
        return cls(expression=f"cron({' '.join(fields.split())})", time_zone=time_zone, late_minutes=late_minutes)

    @classmethod
    def rate(cls, value: int, unit: Unit, *, late_minutes: int = 60) -> Schedule:
        """Again and again: ``Schedule.rate(15, "minutes")``. It begins as soon as the first release turns it on.

        Args:
            value: every so many of them, a year at most.
            unit: ``minutes``, ``hours`` or ``days``.
            late_minutes: how late it may begin, in minutes, 1 to 1440; 60 by default.
        """
        if unit not in get_args(Unit):
            raise invalid("unit", unit, "'minutes', 'hours' or 'days'", "AWS has no other")
        whole_number("value", value, low=1, high=_YEAR_OF_MINUTES, fix="use Schedule.cron for less than once a year")
        return cls(expression=f"rate({value} {unit[:-1] if value == 1 else unit})", late_minutes=late_minutes)


def _check_cron(text: str) -> None:
    fields = text.split(" ")
    if len(fields) != len(_FIELDS) or len(text) > _LONGEST - len("cron()"):
        raise invalid("fields", text, f"six fields with a space between, {_LONGEST} characters at most", _EXAMPLE)
    for field, given in zip(_FIELDS, fields, strict=True):
        if not field.has(given):
            between = f"from {field.low} to {field.high}"
            raise invalid(field.name, given, f"what AWS takes there, such as '*' or a number {between}", _EXAMPLE)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise invalid("day of month and day of week", f"{fields[2]} {fields[4]}", "'?' in one of them", _EXAMPLE)


def _check_rate(text: str) -> None:
    value, _, unit = text.partition(" ")
    plural = unit if unit.endswith("s") else f"{unit}s"
    if not re.fullmatch(r"[1-9][0-9]{0,5}", value) or plural not in get_args(Unit):
        raise invalid("rate", text, "a number and 'minutes', 'hours' or 'days'", "make it with Schedule.rate")


def _check_zone(name: str) -> None:
    concrete("time_zone", name, "write such as 'Asia/Tokyo'")
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise invalid(
            "time_zone",
            name,
            "an IANA time zone that this machine knows",
            "write such as 'Asia/Tokyo' or 'UTC', or install tzdata where the machine has no time zones",
        ) from error
