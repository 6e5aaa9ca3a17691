"""What alarms do to the page: late, doubled and unordered events, incidents that open and end by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from constructs_lib.observability.runtime.status.by_machine import REOPENED_WITHIN
from constructs_lib.observability.runtime.status.changes import Announce, Change, Checked, Clock, Resolve, apply
from constructs_lib.observability.runtime.status.values import MAX_ENTRIES, MAX_LINES, Text

from .pages import NOON, WORDS, after, alarm, at, component, page, post


def test_t5_a_red_alarm_is_on_the_page_and_a_green_one_takes_it_back() -> None:
    """The component leaves operational with the alarm and an incident opens; both end with it, without a person."""
    red = after(page(), alarm(1))
    (incident,) = red.entries
    assert component(red).machine.state == "degraded"
    assert component(red, "api").machine.state == "operational"
    assert (incident.kind, incident.components, incident.opened, incident.resolved) == (
        "incident",
        ("web",),
        at(1),
        None,
    )
    assert [(line.by, line.line, line.component) for line in incident.updates] == [("machine", "degraded", "web")]
    green = after(red, alarm(9, "OK"))
    (incident,) = green.entries
    assert component(green).machine.state == "operational"
    assert incident.resolved == at(9)
    assert [line.line for line in incident.updates] == ["degraded", "operational"]


def test_the_worse_of_two_alarms_is_shown_and_one_incident_tells_of_both() -> None:
    """An outage is told after the degradation, in the same incident, which ends when both are green."""
    state = after(page(), alarm(1), alarm(2, felt="outage"))
    assert component(state).machine.state == "outage"
    state = after(state, alarm(3, "OK"))
    assert component(state).machine.state == "outage"
    assert state.entries[0].resolved is None
    state = after(state, alarm(4, "OK", "outage"))
    assert [(entry.resolved, [line.line for line in entry.updates]) for entry in state.entries] == [
        (at(4), ["degraded", "outage", "operational"])
    ]


def test_an_outage_that_lessens_is_degraded_again() -> None:
    """When the outage is over and the degradation is not, the incident says so and stays open."""
    state = after(page(), alarm(1), alarm(2, felt="outage"), alarm(3, "OK", "outage"))
    assert component(state).machine.state == "degraded"
    assert state.entries[0].resolved is None
    assert [line.line for line in state.entries[0].updates] == ["degraded", "outage", "degraded"]


def test_a_new_composite_alarm_that_says_nothing_is_no_news() -> None:
    """INSUFFICIENT_DATA, in which a composite alarm is made, is not red."""
    state = after(page(), alarm(1, "INSUFFICIENT_DATA"), alarm(1, "INSUFFICIENT_DATA", "outage"))
    assert component(state).machine.state == "operational"
    assert not component(state).machine.is_known
    assert state.entries == ()


def test_an_alarm_that_is_made_anew_has_not_recovered() -> None:
    """A red alarm is deleted and made again: until it has looked, nobody says that all is well again."""
    red = after(page(), alarm(1))
    state = after(red, alarm(2, "INSUFFICIENT_DATA"))
    assert state is red
    assert after(state, alarm(3, "OK")).entries[0].resolved == at(3)


@pytest.mark.parametrize("value", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_a_doubled_event_changes_nothing(value: str) -> None:
    """The same event again gives the very same object, so nothing is written."""
    event = alarm(1, value)  # type: ignore[arg-type]
    state = after(page(), event)
    assert apply(state, event, at(60)) is state


def test_a_late_event_changes_nothing() -> None:
    """What was so before is not so now, in whichever order it is told."""
    state = after(page(), alarm(5, "OK"))
    assert apply(state, alarm(4), at(60)) is state


def test_two_readings_of_one_moment_give_the_worse_in_both_orders() -> None:
    """Equal times are no reason to believe the better one, nor the one that came last."""
    for first, second in permutations((alarm(1), alarm(1, "OK"))):
        assert component(after(page(), first, second)).machine.state == "degraded"


def test_all_orders_of_the_same_events_give_the_same_components() -> None:
    """Five events of two alarms in all 120 orders: the page shows the same of each component."""
    events = (alarm(1), alarm(2, felt="outage"), alarm(3, "OK", "outage"), alarm(4, "OK"), alarm(5, felt="outage"))
    pages = {after(page(), *order).components for order in permutations(events)}
    assert len(pages) == 1
    assert {component.machine.state for component in next(iter(pages)) if component.name == "web"} == {"outage"}


def test_the_lines_of_an_incident_stand_in_the_order_in_which_they_hold() -> None:
    """The outage's event came late: its line comes after the one that it makes untrue, not before."""
    state = after(page(), alarm(2), alarm(1, felt="outage"))
    (incident,) = state.entries
    assert [(line.at, line.line) for line in incident.updates] == [(at(2), "degraded"), (at(2), "outage")]


@pytest.mark.parametrize(("minutes", "entries"), [(15, 1), (15.01, 2)])
def test_a_flap_goes_on_with_the_same_incident(minutes: float, entries: int) -> None:
    """Red again within fifteen minutes of its end is the same incident, later another one."""
    assert timedelta(minutes=15) == REOPENED_WITHIN
    state = after(page(), alarm(1), alarm(2, "OK"), alarm(2 + minutes))
    assert len(state.entries) == entries
    assert state.entries[-1].resolved is None
    assert state.entries[-1].updates[-1].line == "degraded"


def test_a_flap_goes_on_with_its_incident_past_other_entries() -> None:
    """What a person announced or called off in between is another matter."""
    window = Announce(at=at(1), entry="upgrade", components=("web",), starts=at(70), ends=at(80), text=WORDS)
    state = after(page(), alarm(1), window, alarm(2, "OK"), Resolve(at=at(3), entry="upgrade"), alarm(4))
    assert [(entry.kind, entry.resolved) for entry in state.entries] == [("incident", None), ("maintenance", at(3))]


def test_a_recovery_is_told_in_every_open_incident_of_the_component() -> None:
    """Two people opened one each: both say that monitoring sees it well again, and neither ends."""
    state = after(page(), post(1, "one"), post(1, "two"), post(1, "api", components=("api",)), alarm(2), alarm(3, "OK"))
    assert [[line.line for line in entry.updates] for entry in state.entries] == [
        ["note", "operational"],
        ["note", "degraded", "operational"],
        ["note"],
    ]
    assert [entry.resolved for entry in state.entries] == [None, None, None]


def test_a_flap_does_not_go_on_with_what_a_person_has_ended() -> None:
    """A person who has ended an incident is not contradicted: a new one opens."""
    state = after(page(), alarm(1), post(2, "web-20261122t120100z"))
    ended = after(state, alarm(3, "OK"), Resolve(at=at(4), entry="web-20261122t120100z"))
    again = after(ended, alarm(5))
    assert [entry.resolved for entry in again.entries] == [at(4), None]
    assert again.entries[0] == ended.entries[0]


def test_a_machine_does_not_end_what_a_person_writes_to() -> None:
    """The recovery is told and the incident stays open, with the person's words as they were."""
    state = after(page(), alarm(1), post(2, "web-20261122t120100z"), alarm(3, "OK"))
    (incident,) = state.entries
    assert incident.resolved is None
    assert [(line.by, line.line) for line in incident.updates] == [
        ("machine", "degraded"),
        ("person", "note"),
        ("machine", "operational"),
    ]
    assert incident.updates[1].text == WORDS


def test_an_alarm_joins_the_incident_that_a_person_has_opened() -> None:
    """One cause is one incident, whoever was first."""
    state = after(page(), post(1, components=("web", "api")), alarm(2), alarm(3, component="api"), alarm(4, "OK"))
    (incident,) = state.entries
    assert [(line.line, line.component) for line in incident.updates] == [
        ("note", None),
        ("degraded", "web"),
        ("degraded", "api"),
        ("operational", "web"),
    ]
    assert incident.resolved is None


def test_an_alarm_of_another_component_has_an_incident_of_its_own() -> None:
    """Voice was fine and Messaging was not: the page tells components apart."""
    state = after(page(), post(1), alarm(2, component="api"))
    assert [entry.components for entry in state.entries] == [("web",), ("api",)]


def test_an_alarm_during_a_maintenance_opens_an_incident_of_its_own() -> None:
    """The announcement stays as it is, and what monitoring saw is in the history."""
    announced = Announce(at=at(0), entry="upgrade", components=("web",), starts=at(1), ends=at(9), text=WORDS)
    state = after(page(), announced, alarm(2, felt="outage"), now=3)
    assert [(entry.kind, len(entry.updates)) for entry in state.entries] == [("maintenance", 1), ("incident", 1)]


def test_what_the_page_does_not_know_changes_nothing() -> None:
    """An alarm of a component that was removed is no reason to fail."""
    state = page()
    assert apply(state, alarm(1, component="gone"), at(60)) is state


@pytest.mark.parametrize(("ahead", "believed"), [(5, True), (5.01, False)])
def test_a_time_far_ahead_is_not_believed(ahead: float, believed: bool) -> None:
    """It would be the newest for as long; a clock that is a little ahead is believed, and shown as now."""
    state = apply(page(), alarm(ahead), NOON)
    assert (component(state).machine.state == "degraded") is believed
    assert [entry.opened for entry in state.entries] == [NOON] * believed


def test_two_incidents_of_one_second_have_two_names() -> None:
    """The name is made of component and second, and a number where that is taken."""
    name = "web-20261122t120100z"
    state = after(page(), alarm(1), post(1, name), Resolve(at=at(1), entry=name), alarm(1.005, felt="outage"))
    assert [entry.id for entry in state.entries] == [name, f"{name}-2"]


def test_a_flapping_alarm_does_not_fill_the_state() -> None:
    """A thousand flaps leave one incident with sixty lines: how it began, and the newest."""
    state = page()
    for minute in range(1000):
        state = after(state, alarm(minute, "ALARM" if minute % 2 == 0 else "OK"), now=minute)
    (incident,) = state.entries
    assert len(incident.updates) == MAX_LINES == 60
    assert (incident.updates[0].at, incident.updates[-1].at) == (at(0), at(999))


def test_a_flapping_alarm_does_not_push_a_person_out_of_an_incident() -> None:
    """The machine's oldest lines give way, never the person's."""
    state = after(page(), alarm(0), post(0.5, "web-20261122t120000z"), now=1)
    for minute in range(1, 201):
        state = after(state, alarm(minute, "OK" if minute % 2 else "ALARM"), now=minute)
    (incident,) = state.entries
    assert [line.text for line in incident.updates if line.by == "person"] == [WORDS]
    assert len(incident.updates) == MAX_LINES


def test_many_incidents_do_not_push_out_what_a_person_wrote() -> None:
    """Of a hundred entries a machine's oldest gives way to the next; the person's, older than all, stays."""
    state = after(page(), post(0, components=("mail",)), Resolve(at=at(1), entry="checkout"), now=1)
    for number in range(150):
        start = 10 + number * 30
        state = after(state, alarm(start), alarm(start + 1, "OK"), now=start + 1)
    assert len(state.entries) == MAX_ENTRIES == 100
    assert state.entries[0].updates[0].text == WORDS
    assert state.entries[1].opened == at(10 + 51 * 30)
    assert state.entries[-1].opened == at(10 + 149 * 30)


def test_a_full_page_of_open_entries_still_shows_the_component() -> None:
    """There is no room for another incident and none is over: none is dropped, and the component is right."""
    (incident,) = after(page(), post(1, components=("api",))).entries
    full = replace(page(), entries=tuple(replace(incident, id=f"entry-{number}") for number in range(MAX_ENTRIES)))
    state = after(full, alarm(2))
    assert component(state).machine.state == "degraded"
    assert state.entries == full.entries


def test_the_history_is_kept_for_ninety_days() -> None:
    """What has been over for longer goes with the next change; what is open stays."""
    state = after(page(), alarm(0), alarm(1, "OK"), post(1, components=("api",)), now=1)
    day = 24 * 60
    assert [entry.id for entry in after(state, Clock(), now=90 * day).entries] == ["web-20261122t120000z", "checkout"]
    assert [entry.id for entry in after(state, Clock(), now=90 * day + 1).entries] == ["checkout"]


def test_the_ninety_days_begin_at_the_end() -> None:
    """A maintenance announced half a year ahead is in the history after its end; an incident that lasts is, too."""
    day = 24 * 60
    window = Announce(at=at(0), entry="move", components=("web",), starts=at(100 * day), ends=at(101 * day), text=WORDS)
    state = after(page(), window, alarm(1, component="api"), now=1)
    later = after(state, alarm(150 * day, "OK", component="api"), now=150 * day)
    assert [entry.id for entry in later.entries] == ["move", "api-20261122t120100z"]
    assert [entry.id for entry in after(later, Clock(), now=192 * day).entries] == ["api-20261122t120100z"]


def test_lines_stand_in_the_order_of_their_times() -> None:
    """A post that was held up on its way stands where it belongs."""
    state = after(page(), alarm(1), alarm(5, felt="outage"), post(3, "web-20261122t120100z"))
    assert [line.at for line in state.entries[0].updates] == [at(1), at(3), at(5)]


def test_a_change_counts_and_no_change_does_not() -> None:
    """Of two states the one with the greater revision is the newer; time alone changes nothing."""
    state = page()
    assert after(state, alarm(1)).revision == state.revision + 1
    unchanged: tuple[Change, ...] = (Clock(),)
    assert after(state, *unchanged) is state


def test_the_time_of_the_last_reading_only_goes_on() -> None:
    """Of two readings that end at once the later counts."""
    state = apply(apply(page(), Checked(), at(2)), Checked(), at(1))
    assert state.checked == at(2)


def test_texts_that_are_the_same_are_the_same() -> None:
    """Two equal texts are equal values, so a doubled post is seen to be one."""
    assert Text(en="a") == Text(en="a")
