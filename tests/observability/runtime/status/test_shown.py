"""What is shown when: a person before a maintenance before the alarms, and the clock decides the middle one."""

from __future__ import annotations

import pytest

from constructs_lib.observability.runtime.status.changes import Announce, Checked, Override, Post, Resolve
from constructs_lib.observability.runtime.status.shown import components, is_late, overall, phase, worst
from constructs_lib.observability.runtime.status.state import PageState

from .pages import NOON, TITLES, WORDS, after, alarm, at, page, post

WINDOW = Announce(at=NOON, entry="upgrade", components=("web",), starts=at(10), ends=at(20), text=WORDS)


def web(state: PageState, minutes: float) -> tuple[str, str, object]:
    """What is shown of the web shop some minutes after noon."""
    each = components(state, at(minutes))[0]
    return each.state, each.by, each.since


def test_w6_a_maintenance_begins_and_ends_by_the_clock() -> None:
    """Nothing happens to the state; the time alone turns the component, to the second."""
    state = after(page(), WINDOW, now=0)
    assert web(state, 9.99) == ("operational", "alarms", None)
    assert web(state, 10) == ("maintenance", "maintenance", at(10))
    assert web(state, 19.99) == ("maintenance", "maintenance", at(10))
    assert web(state, 20) == ("operational", "alarms", None)
    assert [phase(state.entries[0], at(minutes)) for minutes in (9.99, 10, 20)] == ["planned", "under-way", "over"]
    assert components(state, at(15))[1].state == "operational"


def test_a_maintenance_that_is_called_off_never_begins() -> None:
    """Before its beginning it is called off, afterwards it is over."""
    state = after(page(), WINDOW, now=0)
    off = after(state, Resolve(at=at(5), entry="upgrade"), now=5)
    assert (phase(off.entries[0], at(15)), web(off, 15)[0]) == ("called-off", "operational")
    over = after(state, Resolve(at=at(15), entry="upgrade"), now=15)
    assert (phase(over.entries[0], at(15)), web(over, 15)[0]) == ("over", "operational")


def test_an_outage_during_a_maintenance_is_shown_as_maintenance_and_afterwards_as_outage() -> None:
    """What was announced is what is shown; what monitoring sees is said beside it, and stays after the end."""
    state = after(page(), WINDOW, alarm(1), alarm(2, felt="outage"), now=3)
    assert web(state, 3) == ("outage", "alarms", at(2))
    assert web(state, 15) == ("maintenance", "maintenance", at(10))
    assert components(state, at(15))[0].component.machine.state == "outage"
    assert web(state, 20) == ("outage", "alarms", at(2))


def test_a_persons_word_is_shown_before_all() -> None:
    """Also in a maintenance, and also when the alarms say something else."""
    claim = Override(at=at(2), component="web", state="operational")
    state = after(page(), WINDOW, alarm(1, felt="outage"), claim, now=2)
    assert web(state, 3) == ("operational", "person", at(2))
    assert web(state, 15) == ("operational", "person", at(2))


def test_the_whole_is_as_good_as_its_worst() -> None:
    """Operational, maintenance, degraded, outage, in this order; nothing at all is operational."""
    state = after(page(), WINDOW, now=0)
    assert overall(state, NOON) == "operational"
    assert overall(state, at(15)) == "maintenance"
    state = after(state, alarm(1, component="api"), now=1)
    assert overall(state, at(15)) == "degraded"
    state = after(state, alarm(2, component="mail", felt="outage"), now=2)
    assert overall(state, at(15)) == "outage"
    assert overall(PageState(titles=TITLES), NOON) == "operational"


def test_an_incident_was_as_bad_as_its_worst_line() -> None:
    """A note alone says nothing of it."""
    state = after(page(), post(1), post(2, "other", components=("api",)))
    assert worst(state.entries[0]) is None
    state = after(state, alarm(3), alarm(4, felt="outage"), alarm(5, "OK", "outage"), alarm(6, "OK"))
    assert worst(state.entries[0]) == "outage"
    assert [phase(entry, at(7)) for entry in state.entries] == ["open", "open"]


@pytest.mark.parametrize(("minutes", "late"), [(5, False), (5.01, True)])
def test_reports_are_late_after_five_minutes(minutes: float, late: bool) -> None:
    """Alarms are read every minute: after five the page says since when they were not."""
    state = after(page(), Checked(), now=0)
    assert is_late(state, at(minutes)) is late


def test_reports_are_late_before_the_first() -> None:
    """A page whose alarms nobody has read does not look like one that knows."""
    assert is_late(page(), NOON)


def test_a_person_may_say_maintenance() -> None:
    """An emergency needs no announcement; the line is the person's own words."""
    state = after(page(), Post(at=at(1), entry="now", text=WORDS, components=("web",), state="maintenance"))
    assert web(state, 2) == ("maintenance", "person", at(1))
    assert state.entries[0].updates[0].line == "note"
