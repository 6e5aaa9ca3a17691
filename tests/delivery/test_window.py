"""The maintenance window: cron's fields, the clock on the wall, and both nights on which it is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from constructs_lib.delivery.window import MaintenanceWindow
from tests.support import TOKEN, refused

TOKYO = "Asia/Tokyo"
NEW_YORK = "America/New_York"  # in 2026: 02:00 became 03:00 on 8 March, and 02:00 became 01:00 on 1 November
NIGHTS = MaintenanceWindow(opens="0 22 * * MON-FRI", minutes=240, time_zone=TOKYO)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def window(opens: str, minutes: int = 60, zone: str = "UTC") -> MaintenanceWindow:
    return MaintenanceWindow(opens=opens, minutes=minutes, time_zone=zone)


def openings(of: MaintenanceWindow, after: str, count: int) -> list[str]:
    """The next openings as UTC text, one found from the other."""
    found, now = [], utc(after)
    for _ in range(count):
        now = of.next_opening(now)
        found.append(f"{now:%Y-%m-%d %H:%M}")
    return found


# Lesson W6, before and after.


def test_w6_hours_without_a_time_zone_are_somebody_elses_night() -> None:
    """Before: 22:00, agreed in Tokyo and kept by a schedule in UTC, lets a release through at 8 in Tokyo's morning."""
    without = window("0 22 * * MON-FRI", 240)
    assert without.is_open(local("2026-04-02T08:00", TOKYO))
    assert not without.is_open(local("2026-04-01T23:00", TOKYO))


def test_w6_a_window_holds_noon_back_and_lets_the_night_through() -> None:
    """After: Tokyo's morning and noon are closed, its night is open, and the window says when the wait ends."""
    noon, night = local("2026-04-01T12:00", TOKYO), local("2026-04-01T23:00", TOKYO)
    assert not NIGHTS.is_open(local("2026-04-02T08:00", TOKYO))
    assert not NIGHTS.is_open(noon)
    assert NIGHTS.next_opening(noon) == utc("2026-04-01T13:00")
    assert NIGHTS.is_open(night)
    assert NIGHTS.closes(night) == utc("2026-04-01T17:00")


# When it is open.


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-04-01T21:59:59", False),
        ("2026-04-01T22:00:00", True),
        ("2026-04-02T01:59:59", True),
        ("2026-04-02T02:00:00", False),
        ("2026-04-04T01:00:00", True),  # Saturday, still Friday's night
        ("2026-04-04T23:00:00", False),
        ("2026-04-06T01:00:00", False),  # Monday, but Sunday's night
    ],
)
def test_it_is_open_from_its_first_moment_and_closed_at_its_last(at: str, is_open: bool) -> None:
    """The window opens at 22:00:00 and is closed at 02:00:00; a night belongs to the day on which it begins."""
    assert NIGHTS.is_open(local(at, TOKYO)) is is_open
    assert (NIGHTS.closes(local(at, TOKYO)) is not None) is is_open


def test_the_next_opening_is_never_now() -> None:
    """While it is open, and at its first moment, the next opening is the next day's."""
    assert NIGHTS.next_opening(utc("2026-04-01T13:00")) == utc("2026-04-02T13:00")
    assert NIGHTS.next_opening(utc("2026-04-01T12:59:59")) == utc("2026-04-01T13:00")


def test_answers_are_in_utc() -> None:
    """A moment that is added to or compared must not be a local time, to which Python adds what a clock shows."""
    assert NIGHTS.next_opening(local("2026-04-01T12:00", TOKYO)).tzinfo is UTC
    closes = NIGHTS.closes(local("2026-04-01T23:00", TOKYO))
    assert closes is not None
    assert closes.tzinfo is UTC


def test_windows_that_overlap_are_one() -> None:
    """Three openings of an hour, half an hour apart, close two hours after the first; the next day's are not joined."""
    assert window("0,30 6,7 * * *", 60).closes(utc("2026-04-01T06:10")) == utc("2026-04-01T08:30")


def test_windows_that_meet_are_one() -> None:
    """A window that opens at the moment at which another closes leaves no break between them."""
    assert window("0 6,7 * * *", 60).closes(utc("2026-04-01T06:10")) == utc("2026-04-01T08:00")


def test_a_window_that_never_closes_is_no_endless_search() -> None:
    """A window that is always open answers at once, with a time a week ahead or later."""
    now = utc("2026-04-01T06:10")
    closes = window("0 * * * *", 60).closes(now)
    assert closes is not None
    assert timedelta(days=7) <= closes - now <= timedelta(days=7, hours=1)


# Cron's fields.


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        ("0 6 * * *", ["2026-01-01 06:00", "2026-01-02 06:00"]),
        ("*/20 6 1 1 *", ["2026-01-01 06:00", "2026-01-01 06:20", "2026-01-01 06:40", "2027-01-01 06:00"]),
        ("5-15/5 6 1 1 *", ["2026-01-01 06:05", "2026-01-01 06:10", "2026-01-01 06:15", "2027-01-01 06:05"]),
        ("59,1 6 1 JAN *", ["2026-01-01 06:01", "2026-01-01 06:59", "2027-01-01 06:01"]),
        ("0 6 31 * *", ["2026-01-31 06:00", "2026-03-31 06:00", "2026-05-31 06:00"]),
        ("0 6 1 apr,Jun *", ["2026-04-01 06:00", "2026-06-01 06:00", "2027-04-01 06:00"]),
        ("0 6 1 NOV-DEC *", ["2026-11-01 06:00", "2026-12-01 06:00", "2027-11-01 06:00"]),
        # 1 January 2026 is a Thursday.
        ("0 6 * * THU", ["2026-01-01 06:00", "2026-01-08 06:00"]),
        ("0 6 * * sat-SUN", ["2026-01-03 06:00", "2026-01-04 06:00", "2026-01-10 06:00"]),
        ("0 6 * * 0", ["2026-01-04 06:00", "2026-01-11 06:00"]),
        ("0 6 * * 7", ["2026-01-04 06:00", "2026-01-11 06:00"]),
        ("0 6 * * 5-7", ["2026-01-02 06:00", "2026-01-03 06:00", "2026-01-04 06:00", "2026-01-09 06:00"]),
        ("0 6 29 2 *", ["2028-02-29 06:00", "2032-02-29 06:00"]),
        # Both kinds of day given: either. One of them starts with '*': both must fit.
        ("0 6 15 * MON", ["2026-01-05 06:00", "2026-01-12 06:00", "2026-01-15 06:00", "2026-01-19 06:00"]),
        ("0 6 */10 * MON", ["2026-05-11 06:00", "2026-06-01 06:00", "2026-08-31 06:00"]),
        ("0 6 13 * */5", ["2026-02-13 06:00", "2026-03-13 06:00", "2026-09-13 06:00"]),
    ],
)
def test_the_five_fields_mean_what_they_mean_in_cron(opens: str, expected: list[str]) -> None:
    """Numbers, names, lists, ranges, steps, both Sundays, and the rule of the two kinds of day."""
    assert openings(window(opens), "2026-01-01T00:00", len(expected)) == expected


def test_a_leap_day_on_a_sunday_is_found() -> None:
    """The rarest date comes once in 28 to 40 years: after 2072 the next is in 2112, because 2100 has no leap day."""
    assert openings(window("0 0 29 2 */7"), "2032-03-01T00:00", 2) == ["2060-02-29 00:00", "2088-02-29 00:00"]
    assert openings(window("0 0 29 2 */7"), "2088-03-01T00:00", 1) == ["2128-02-29 00:00"]


# The nights on which the clock is changed.


def test_a_time_that_is_skipped_opens_the_window_as_if_the_clock_had_not_been_changed() -> None:
    """On 8 March New York has no 02:30; the window opens one hour and a half after midnight's end all the same."""
    sundays = window("30 2 * * SUN", 60, NEW_YORK)
    assert openings(sundays, "2026-03-01T12:00", 2) == ["2026-03-08 07:30", "2026-03-15 06:30"]
    assert sundays.is_open(local("2026-03-08T03:30", NEW_YORK))
    assert sundays.is_open(local("2026-03-08T04:29", NEW_YORK))
    assert not sundays.is_open(local("2026-03-08T03:29", NEW_YORK))
    assert not sundays.is_open(local("2026-03-08T04:30", NEW_YORK))


def test_a_time_that_comes_twice_opens_the_window_twice() -> None:
    """On 1 November New York has 01:30 twice, an hour apart; the clock on the wall is right both times."""
    sundays = window("30 1 * * SUN", 15, NEW_YORK)
    assert openings(sundays, "2026-10-26T12:00", 3) == ["2026-11-01 05:30", "2026-11-01 06:30", "2026-11-08 06:30"]
    for fold in (0, 1):
        assert sundays.is_open(local("2026-11-01T01:40", NEW_YORK, fold))
        assert not sundays.is_open(local("2026-11-01T01:50", NEW_YORK, fold))


@pytest.mark.parametrize(
    ("night", "closes"), [("2026-03-07T23:00", "2026-03-08T08:00"), ("2026-10-31T23:00", "2026-11-01T07:00")]
)
def test_it_stays_open_for_real_minutes_while_the_clock_is_changed(night: str, closes: str) -> None:
    """A window of four hours from 23:00 is open for four hours: until 04:00 in spring and 02:00 in autumn."""
    nights = window("0 23 * * *", 240, NEW_YORK)
    start = local(night, NEW_YORK)
    assert nights.closes(start) == utc(closes)
    assert nights.is_open(utc(closes) - timedelta(seconds=1))
    assert not nights.is_open(utc(closes))
    assert nights.is_open((utc(closes) - timedelta(seconds=1)).astimezone(ZoneInfo(NEW_YORK)))
    assert not nights.is_open(utc(closes).astimezone(ZoneInfo(NEW_YORK)))


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_window_of_every_hour_has_no_hole_when_the_clock_is_changed(day: date) -> None:
    """Open from every full hour for an hour means always open, also in the hour that is skipped or comes twice."""
    always = window("0 * * * *", 60, NEW_YORK)
    midnight = datetime.combine(day, time(0), UTC)
    assert all(always.is_open(midnight + timedelta(minutes=10 * number)) for number in range(24 * 6))


def test_a_day_that_was_skipped_loses_no_window() -> None:
    """Samoa had no 30 December 2011; a window on that day opens at the same time of the day after it."""
    day = window("0 12 30 12 *", 60, "Pacific/Apia")
    assert openings(day, "2011-12-01T00:00", 1) == ["2011-12-30 22:00"]
    assert openings(day, "2011-12-30T21:00", 1) == ["2011-12-30 22:00"]
    assert day.is_open(utc("2011-12-30T22:30"))


def test_openings_come_in_order_where_the_clock_goes_back_over_midnight() -> None:
    """In 2010 St. John's went from 00:01 on Sunday to 23:01 on Saturday, so midnight came before the second 23:30."""
    nights = window("0,30 0,23 * * *", 10, "America/St_Johns")
    expected = ["2010-11-07 02:30", "2010-11-07 03:00", "2010-11-07 03:30", "2010-11-07 04:00"]
    assert openings(nights, "2010-11-07T02:15", 4) == expected


# Wrong values.


@pytest.mark.parametrize(
    ("opens", "field", "wrong"),
    [
        ("60 * * * *", "minute", "60"),
        ("* 24 * * *", "hour", "24"),
        ("* * 0 * *", "day of month", "0"),
        ("* * 32 * *", "day of month", "32"),
        ("* * * 13 *", "month", "13"),
        ("* * * 0 *", "month", "0"),
        ("* * * * 8", "day of week", "8"),
        ("* * * * FUNDAY", "day of week", "FUNDAY"),
        ("MON * * * *", "minute", "MON"),
        ("* * * MON *", "month", "MON"),
        ("5-1 * * * *", "minute", "5-1"),
        ("* * * * FRI-MON", "day of week", "FRI-MON"),
        ("5/15 * * * *", "minute", "5/15"),
        ("*/0 * * * *", "minute", "*/0"),
        ("1,,2 * * * *", "minute", "1,,2"),
        (", * * * *", "minute", ","),
        ("-1 * * * *", "minute", "-1"),
        ("1- * * * *", "minute", "1-"),
        ("* * ? * *", "day of month", "?"),
        ("٣ * * * *", "minute", "٣"),
        ("*5 * * * *", "minute", "*5"),
    ],
)
def test_a_wrong_field_is_named(opens: str, field: str, wrong: str) -> None:
    """What cron does not know, or what readers of cron understand differently, is refused by the field's name."""
    fix = refused(
        lambda: window(opens), f"opens, in its field {field},", wrong, "alone, in a list or in a rising range"
    )
    assert "0 22 * * MON-FRI" in fix


@pytest.mark.parametrize("opens", ["* * * *", "* * * * * *", "cron(0 22 * * ? *)"])
def test_anything_but_five_fields_is_refused(opens: str) -> None:
    """EventBridge's six fields, or four, are not guessed at."""
    refused(lambda: window(opens), "opens", opens, "cron's five fields")


@pytest.mark.parametrize("opens", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30-31 FEB */2"])
def test_a_date_that_never_comes_is_refused(opens: str) -> None:
    """A search for 30 February would have no end, so there is no such window."""
    refused(lambda: window(opens), "opens", opens, "a date that comes in some year")


def test_a_date_that_never_comes_is_no_fault_beside_a_weekday() -> None:
    """With a day of week given too, the window opens on that day, as cron has it."""
    assert openings(window("0 0 30 2 MON"), "2026-01-31T00:00", 2) == ["2026-02-02 00:00", "2026-02-09 00:00"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "../etc", "/etc/localtime", "JST+9\0", "Asia/Tokyo\n"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    """A folder, a path or an unknown place is no time zone, and the sentence says what to write."""
    fix = refused(lambda: window("0 0 * * *", 60, zone), "time_zone", zone, "an IANA time zone")
    assert "Asia/Tokyo" in fix


@pytest.mark.parametrize("minutes", [0, -1, 10_081, True, 1.5])
def test_a_length_that_is_none_is_refused(minutes: int) -> None:
    """A window is open for a minute to a week."""
    refused(lambda: window("0 0 * * *", minutes), "minutes", minutes, "a whole number from 1 to 10080")


@pytest.mark.parametrize("text", ["", TOKEN])
def test_a_token_is_refused(text: str) -> None:
    """A window is judged where it is written, so it must be known there."""
    with pytest.raises(ValueError, match="opens must be"):
        window(text)
    with pytest.raises(ValueError, match="time_zone must be"):
        window("0 0 * * *", 60, text)


def test_a_time_without_a_zone_is_refused() -> None:
    """A local time of nobody's clock is not compared with the window's."""
    naive = datetime(2026, 4, 1, 12)
    asks: list[Callable[[datetime], object]] = [NIGHTS.is_open, NIGHTS.next_opening, NIGHTS.closes]
    for ask in asks:
        refused(partial(ask, naive), "now", naive, "a time with a time zone")


# As text, and in words.


def test_it_is_one_line_of_text() -> None:
    """The settings parameter holds the window as this line."""
    assert NIGHTS.to_text() == "0 22 * * MON-FRI for 240 minutes in Asia/Tokyo"
    assert MaintenanceWindow.from_text(NIGHTS.to_text()) == NIGHTS


@pytest.mark.parametrize("text", ["", "0 22 * * *", "0 22 * * * for minutes in UTC", "0 22 * * * for 60 minutes in "])
def test_text_that_is_no_window_is_refused(text: str) -> None:
    """A damaged line is refused with the form that it must have."""
    refused(lambda: MaintenanceWindow.from_text(text), "a window's text", text, "for <number> minutes in <time zone>")


@pytest.mark.parametrize(
    ("opens", "minutes", "words"),
    [
        ("0 22 * * MON-FRI", 240, "Monday to Friday at 22:00 (UTC) for 4 hours"),
        ("30 6,18 * * SAT,SUN", 60, "Saturday and Sunday at 06:30 and 18:30 (UTC) for 1 hour"),
        ("0 0 1 JAN-MAR *", 90, "day 1 of the month in January to March at 00:00 (UTC) for 1 hour and 30 minutes"),
        ("0 0 1,15 * MON", 61, "Monday or day 1 and 15 of the month at 00:00 (UTC) for 1 hour and 1 minute"),
        ("*/15 9-17 * * *", 1, "every day at minute 0, 15, 30 and 45 of hour 9 to 17 (UTC) for 1 minute"),
        ("* * * * *", 2, "every day at every minute of every hour (UTC) for 2 minutes"),
        ("0 0 29 2 */7", 60, "Sunday and day 29 of the month in February at 00:00 (UTC) for 1 hour"),
        ("0 0 * * MON,WED-FRI", 60, "Monday and Wednesday to Friday at 00:00 (UTC) for 1 hour"),
    ],
)
def test_it_says_itself_in_plain_words(opens: str, minutes: int, words: str) -> None:
    """A refusal outside the window can say when it is open, to somebody who does not read cron."""
    assert str(window(opens, minutes)) == words


# Properties.


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    """One field, mostly narrow ones."""
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, 30)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    part = st.one_of(number.map(str), ranges, steps)
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=2).map(",".join))


ZONES = st.sampled_from(
    ["UTC", TOKYO, NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))


@st.composite
def windows(draw: st.DrawFn) -> MaintenanceWindow:
    """Any window that is allowed."""
    parts = [draw(fields(*ends)) for ends in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))]
    try:
        return window(" ".join(parts), draw(st.sampled_from([1, 60, 240, 1440, 10_080])), draw(ZONES))
    except ValueError as error:
        assume("a date that comes" not in str(error))
        raise


@settings(deadline=None, max_examples=60)
@given(of=windows(), now=MOMENTS)
def test_the_answers_agree_with_each_other(of: MaintenanceWindow, now: datetime) -> None:
    """It is open from the next opening on, open until it closes, and closed from then to the next opening."""
    following = of.next_opening(now)
    assert following > now
    assert of.is_open(following)
    closes = of.closes(now)
    assert (closes is not None) == of.is_open(now)
    if closes is None:
        assert not of.is_open(following - timedelta(microseconds=1))
        return
    assert closes > now
    assert of.is_open(closes - timedelta(microseconds=1))
    assert not of.is_open(closes) or closes >= now + timedelta(days=7)


@settings(deadline=None, max_examples=60)
@given(of=windows())
def test_text_and_window_are_the_same(of: MaintenanceWindow) -> None:
    """Nothing is lost on the way through the settings parameter."""
    assert MaintenanceWindow.from_text(of.to_text()) == of


@settings(deadline=None, max_examples=40)
@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    weekday=st.integers(0, 6),
    zone=ZONES,
    length=st.integers(1, 600),
    now=MOMENTS,
)
def test_it_is_what_a_walk_back_through_the_minutes_finds(
    hour: int, minute: int, weekday: int, zone: str, length: int, now: datetime
) -> None:
    """Away from changed clocks: it is open when one of the last minutes was that weekday, hour and minute there."""
    now = now.replace(second=0, microsecond=0)
    there = ZoneInfo(zone)
    past = [(now - timedelta(minutes=back)).astimezone(there) for back in range(length)]
    near = [now + timedelta(hours=step) for step in range(-60, 61, 6)]
    assume(len({at.astimezone(there).utcoffset() for at in near}) == 1)
    expected = any((at.isoweekday() % 7, at.hour, at.minute) == (weekday, hour, minute) for at in past)
    assert window(f"{minute} {hour} * * {weekday}", length, zone).is_open(now) is expected


@pytest.mark.parametrize(
    ("zone", "around", "skipped"),
    [
        (NEW_YORK, "2026-03-08T12:00", ["2026-03-08 07:00", "2026-03-08 07:30"]),
        (NEW_YORK, "2026-11-01T12:00", []),
        ("America/St_Johns", "2010-11-07T12:00", []),
        ("Australia/Lord_Howe", "2026-04-04T12:00", []),
        ("Australia/Lord_Howe", "2026-10-03T12:00", ["2026-10-03 15:30"]),
        ("Africa/Cairo", "2026-04-24T00:00", ["2026-04-23 22:00", "2026-04-23 22:30"]),
    ],
)
def test_it_opens_whenever_the_clock_on_the_wall_says_so(zone: str, around: str, skipped: list[str]) -> None:
    """A walk through every minute of three days finds the same openings, but for the times that were skipped."""
    there, start = ZoneInfo(zone), utc(around) - timedelta(hours=36)
    minutes = [start + timedelta(minutes=number) for number in range(1, 72 * 60)]
    walls = [(at, at.astimezone(there)) for at in minutes]
    seen = {f"{at:%Y-%m-%d %H:%M}" for at, wall in walls if wall.hour in (0, 2, 23) and wall.minute in (0, 30)}
    of, found = window("0,30 0,2,23 * * *", 1, zone), list[str]()
    now = of.next_opening(start)
    while now <= minutes[-1]:
        found.append(f"{now:%Y-%m-%d %H:%M}")
        now = of.next_opening(now)
    assert found == sorted(seen | set(skipped))
