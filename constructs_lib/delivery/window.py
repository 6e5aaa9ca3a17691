"""When an environment may be released to (lesson W6). Standard library only.

Local time is what people agree on, so the window opens by the clock on the wall of its time zone. Where that clock is
changed:

* a time that is skipped opens the window as if the clock had not been changed: 02:30 becomes 03:30, so no night is
  lost;
* a time that comes twice opens the window twice, because the clock on the wall says so both times;
* it stays open for so many minutes of real time, whatever the clock does meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from constructs_lib.checks import concrete, invalid, whole_number

_MONTH_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = tuple(name[:3].upper() for name in _MONTH_NAMES)
_DAYS: Final = tuple(name[:3].upper() for name in _DAY_NAMES)
_MONTH_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,3}))?", re.ASCII)
_TEXT: Final = re.compile(r"(?P<opens>.+) for (?P<minutes>[0-9]{1,5}) minutes in (?P<zone>\S+)")
_CYCLE: Final = 146_097  # days of 400 years, after which dates fall on the same weekdays again
_NEAR: Final = timedelta(days=2)  # further than any clock is from UTC, or was ever moved
_FEW: Final = 4  # times of a day that are said one by one
_EXAMPLE: Final = "write such as '0 22 * * MON-FRI': minute, hour, day of month, month, day of week"


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """What the five fields say, as numbers. Sunday is 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def has(self, day: date) -> bool:
        """Whether it opens on this day. As in cron, a day of month and a day of week that are both given are either."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return of_month and of_week
        return of_month or of_week

    @property
    def possible(self) -> bool:
        """Whether there is any such day in any year: in 400 years each date falls on each weekday."""
        either = not (self.any_day or self.any_weekday)
        return either or any(min(self.days) <= _MONTH_DAYS[month - 1] for month in self.months)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """When releases may happen, by the clock of a time zone (lesson W6).

    ``MaintenanceWindow(opens="0 22 * * MON-FRI", minutes=240, time_zone="Asia/Tokyo")`` is open from 22:00 to 02:00,
    for the first time on Monday evening. A night belongs to the day on which it begins: this one is open on Saturday at
    01:00, and not on Monday at 01:00.

    Args:
        opens: when it opens, in cron's five fields: minute, hour, day of month, month, day of week. ``*``, numbers,
            lists, ranges, steps after ``*`` or a range, ``JAN`` to ``DEC``, ``SUN`` to ``SAT`` (0 and 7 are Sunday).
            When both kinds of day are given, it opens on either; a field that starts with ``*`` is not given.
        minutes: how long it stays open, 1 to 10080 (a week).
        time_zone: an IANA name, such as ``Asia/Tokyo`` or ``UTC``.

    Raises:
        ValueError: something else than that, or a date that never comes, such as 30 February.
    """

    opens: str
    minutes: int
    time_zone: str
    _schedule: _Schedule = field(init=False, repr=False, compare=False)
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole_number("minutes", self.minutes, low=1, high=10_080, fix="a window is open for a week at most")
        object.__setattr__(self, "opens", " ".join(concrete("opens", self.opens, _EXAMPLE).split()))
        object.__setattr__(self, "_zone", _zone(self.time_zone))
        object.__setattr__(self, "_schedule", _schedule(self.opens))

    def is_open(self, now: datetime) -> bool:
        """Whether a release may happen now. It opens at its first moment and is closed at its last."""
        now = _utc(now)
        return bool(self._openings(now - self._length, now))

    def next_opening(self, now: datetime) -> datetime:
        """When it opens next after now, in UTC; when it is open, that is the time after this one."""
        now = _utc(now)
        start = now.astimezone(self._zone).date() - _NEAR
        for day in (start + timedelta(days=number) for number in range(_CYCLE)):
            if any(at > now for at in self._on(day, day)):
                return min(at for at in self._on(day, day + _NEAR) if at > now)
        raise AssertionError(f"{self.opens} never comes")  # pragma: no cover  (such a window is refused)

    def closes(self, now: datetime) -> datetime | None:
        """Until when it is open without a break, in UTC, looking a week ahead; ``None`` when it is closed."""
        now = _utc(now)
        end: datetime | None = None
        for opening in self._openings(now - self._length, now + timedelta(days=7)):
            if opening > (end or now):
                break
            end = opening + self._length
        return end

    def to_text(self) -> str:
        """All of it in one line, which :meth:`from_text` reads."""
        return f"{self.opens} for {self.minutes} minutes in {self.time_zone}"

    @classmethod
    def from_text(cls, text: str) -> MaintenanceWindow:
        """The window that a line of :meth:`to_text` says.

        Raises:
            ValueError: it is no such line.
        """
        found = _TEXT.fullmatch(text)
        if not found:
            form = "'<five fields of cron> for <number> minutes in <time zone>'"
            raise invalid("a window's text", text, form, "write '0 22 * * MON-FRI for 240 minutes in Asia/Tokyo'")
        return cls(opens=found["opens"], minutes=int(found["minutes"]), time_zone=found["zone"])

    def __str__(self) -> str:
        """In plain words, such as ``Monday to Friday at 22:00 (Asia/Tokyo) for 4 hours``."""
        counts = zip(("hour", "minute"), divmod(self.minutes, 60), strict=True)
        length = " and ".join(f"{count} {word}{'s' * (count > 1)}" for word, count in counts if count)
        return f"{_days(self._schedule, self.opens.split())} {_times(self._schedule)} ({self.time_zone}) for {length}"

    @property
    def _length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def _openings(self, after: datetime, until: datetime) -> list[datetime]:
        """The moments when it opens, later than ``after`` and no later than ``until``, in order."""
        first, last = after.astimezone(self._zone).date() - _NEAR, until.astimezone(self._zone).date() + _NEAR
        return sorted({at for at in self._on(first, last) if after < at <= until})

    def _on(self, first: date, last: date) -> Iterator[datetime]:
        """The moments when it opens on these days, in UTC; about in order."""
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if self._schedule.has(day):
                for hour in self._schedule.hours:
                    for minute in self._schedule.minutes:
                        yield from self._moments(datetime.combine(day, time(hour, minute)))

    def _moments(self, wall: datetime) -> Iterator[datetime]:
        """When the clock on the wall says this: once, twice, or, where it is skipped, when it would have."""
        once, again = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield once
        if again > once:
            yield again


def _utc(now: datetime) -> datetime:
    """In UTC, where adding minutes means minutes: Python adds to a local time what the clock on the wall would show."""
    if now.tzinfo is None:
        raise invalid("now", now, "a time with a time zone", "use datetime.now(UTC)")
    return now.astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    concrete("time_zone", name, "write such as 'Asia/Tokyo'")
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise invalid(
            "time_zone",
            name,
            "an IANA time zone that this machine knows",
            "write such as 'Asia/Tokyo' or 'UTC', or install tzdata where the machine has no time zones",
        ) from error


def _schedule(text: str) -> _Schedule:
    parts = text.split(" ")
    if len(parts) != len(_FIELDS):
        raise invalid("opens", text, "cron's five fields", _EXAMPLE)
    minutes, hours, days, months, weekdays = (_numbers(one, part) for one, part in zip(_FIELDS, parts, strict=True))
    schedule = _Schedule(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        any_day=parts[2].startswith("*"),
        any_weekday=parts[4].startswith("*"),
    )
    if not schedule.possible:
        raise invalid("opens", text, "a date that comes in some year", "no such month has such a day; name another day")
    return schedule


def _numbers(of: _Field, text: str) -> frozenset[int]:
    """The numbers that one field says."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise _wrong(of, text)
        first, last, step = match["first"], match["last"], int(match["step"] or 1)
        low, high = of.low, of.high
        if first is not None:
            if match["step"] is not None and last is None:
                raise _wrong(of, text)  # readers of cron differ on what '5/15' is
            low = _number(of, first, text)
            high = low if last is None else _number(of, last, text)
            if of.names is _DAYS and high == 0 < low:
                high = 7  # 'SAT-SUN'
        if low > high or step < 1:
            raise _wrong(of, text)
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _number(of: _Field, word: str, text: str) -> int:
    if word.upper() in of.names:
        return of.names.index(word.upper()) + (of.names is _MONTHS)
    if not word.isdigit() or not of.low <= int(word) <= of.high:
        raise _wrong(of, text)
    return int(word)


def _wrong(of: _Field, text: str) -> ValueError:
    names = f" or {of.names[0]} to {of.names[-1]}" if of.names else ""
    allowed = f"'*', or {of.low} to {of.high}{names}, alone, in a list or in a rising range; '*' and ranges with a step"
    return invalid(f"opens, in its field {of.name},", text, allowed, _EXAMPLE)


def _times(schedule: _Schedule) -> str:
    """The times of a day in words."""
    hours, minutes = schedule.hours, schedule.minutes
    if len(hours) * len(minutes) <= _FEW:
        return "at " + _joined([f"{hour:02}:{minute:02}" for hour in hours for minute in minutes])
    of = "every hour" if len(hours) == len(range(24)) else f"hour {_runs(hours)}"
    return f"at {'every minute' if len(minutes) == len(range(60)) else f'minute {_runs(minutes)}'} of {of}"


def _days(schedule: _Schedule, parts: Sequence[str]) -> str:
    """The days in words."""
    from_monday = [*_DAY_NAMES[1:], _DAY_NAMES[0]]
    week = sorted((day - 1) % 7 for day in schedule.weekdays)
    of_week = _runs(week, from_monday) if parts[4] != "*" else ""
    of_month = f"day {_runs(sorted(schedule.days))} of the month" if parts[2] != "*" else ""
    either = " and " if schedule.any_day or schedule.any_weekday else " or "
    days = either.join(filter(None, (of_week, of_month))) or "every day"
    return days if parts[3] == "*" else f"{days} in {_runs(sorted(schedule.months), ['', *_MONTH_NAMES])}"


def _runs(numbers: Sequence[int], names: Sequence[str] = ()) -> str:
    """Numbers in words, three and more in a row as a range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words: list[str] = []
    for run in runs:
        said = [names[number] if names else str(number) for number in run]
        words += [f"{said[0]} to {said[-1]}"] if said[2:] else said
    return _joined(words)


def _joined(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
