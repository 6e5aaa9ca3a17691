"""Times as text: for programs and for readers of each language. Standard library only."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from .values import Language

_JST: Final = timezone(timedelta(hours=9))
"""Japan has one time zone and no summer time, so it may stand in a page that is made once for all."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso(moment: datetime) -> str:
    """In full, for programs: the same time can be read back."""
    return moment.isoformat().replace("+00:00", "Z")


def iso_seconds(moment: datetime) -> str:
    """For programs, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def readable(moment: datetime, language: Language) -> str:
    """For readers: in UTC, and in Japanese in Japan's time."""
    return f"{_date(moment, language)}{_clock(moment, language)}"


def readable_after(end: datetime, start: datetime, language: Language) -> str:
    """For readers who have just read ``start``: on the same day, only the time of the day."""
    return _clock(end, language) if _date(end, language) == _date(start, language) else readable(end, language)


def _date(moment: datetime, language: Language) -> str:
    if language == "ja":
        there = moment.astimezone(_JST)
        return f"{there.year}年{there.month}月{there.day}日 "
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, "


def _clock(moment: datetime, language: Language) -> str:
    return f"{moment.astimezone(_JST):%H:%M} JST" if language == "ja" else f"{moment:%H:%M} UTC"


def duration(length: timedelta, language: Language) -> str:
    """For readers: days, hours and minutes, the two greatest of them; at least a minute."""
    minutes = max(1, round(length.total_seconds() / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if language == "ja":
        parts = [f"{n}{unit}" for n, unit in ((days, "日"), (hours, "時間"), (minutes, "分")) if n]
        return "".join(parts[:2])
    names = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    return " ".join([f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in names if n][:2])
