"""What holds whatever happens, in whatever order: alarms and people, late, doubled and mixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from constructs_lib.observability.runtime.status.changes import (
    AlarmChanged,
    Change,
    Clock,
    Override,
    Post,
    Resolve,
    apply,
)
from constructs_lib.observability.runtime.status.entries import Entry, Update
from constructs_lib.observability.runtime.status.page import render
from constructs_lib.observability.runtime.status.shown import components, overall
from constructs_lib.observability.runtime.status.state import Component, PageState
from constructs_lib.observability.runtime.status.state_json import from_json, to_json
from constructs_lib.observability.runtime.status.values import InvalidStateError

from .any_changes import ALARMS, CHANGES, PEOPLE
from .pages import NOON, after, page


def told(state: PageState, change: Change, now: datetime) -> PageState:
    """The page after a change; a person's that is refused changes nothing."""
    try:
        return apply(state, change, now)
    except InvalidStateError:
        return state


def said(entry: Entry) -> list[Update]:
    """What people have written to an entry."""
    return [line for line in entry.updates if line.by == "person"]


@given(events=st.lists(ALARMS, max_size=12), data=st.data())
def test_any_order_of_the_same_alarms_shows_the_same(events: list[AlarmChanged], data: st.DataObject) -> None:
    """Also when some come twice: of each alarm the newest is kept, so the components are equal."""
    doubled = events + (data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else [])
    other = data.draw(st.permutations(doubled))
    assert after(page(), *events, now=300).components == after(page(), *other, now=300).components


@given(events=st.lists(ALARMS, max_size=10), persons=st.lists(PEOPLE, max_size=10), data=st.data())
def test_what_people_say_does_not_depend_on_alarms(
    events: list[AlarmChanged], persons: list[Change], data: st.DataObject
) -> None:
    """Alarms between people's requests, or none at all: the people's column is the same, and so is the alarms'."""
    now = NOON + timedelta(minutes=300)
    own = [change for change in persons if getattr(change, "entry", "") != "web-20261122t120000z"]
    turns = data.draw(st.permutations(["alarm"] * len(events) + ["person"] * len(own)))
    sources: dict[str, Iterator[Change]] = {"alarm": iter(events), "person": iter(own)}
    mixed = [next(sources[turn]) for turn in turns]
    alone, together = page(), page()
    for change in own:
        alone = told(alone, change, now)
    for change in mixed:
        together = told(together, change, now)
    assert [c.person for c in alone.components] == [c.person for c in together.components]
    assert [c.machine for c in after(page(), *events, now=300).components] == [c.machine for c in together.components]


class AnyDay(RuleBasedStateMachine):
    """A day of the page: alarms and people in any order, the clock going on, each state written and read back."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.state = page()
        self.before = self.state
        self.said: dict[str, list[Update]] = {}

    def _apply(self, change: Change) -> None:
        self.before = self.state
        self.state = told(self.state, change, self.now)

    @rule(minutes=st.integers(1, 90))
    def time_goes_on(self, minutes: int) -> None:
        """Nothing but the clock."""
        self.now += timedelta(minutes=minutes)
        self._apply(Clock())

    @rule(change=ALARMS)
    def an_alarm(self, change: AlarmChanged) -> None:
        """A machine writes nothing that is a person's, and never fails."""
        self.before = self.state
        self.state = apply(self.state, change, self.now)
        assert [c.person for c in self.state.components] == [c.person for c in self.before.components]
        for entry in self.before.entries:
            now = self.state.entry(entry.id)
            assert now is not None
            assert said(now) == said(entry)
            if said(entry):
                assert (now.resolved, now.starts, now.ends) == (entry.resolved, entry.starts, entry.ends)

    @rule(change=PEOPLE)
    def a_person(self, change: Change) -> None:
        """A person writes nothing that is a machine's."""
        self._apply(change)
        assert [c.machine for c in self.state.components] == [c.machine for c in self.before.components]
        for entry in self.before.entries:
            now = self.state.entry(entry.id)
            assert now is not None
            assert not Counter(said(entry)) - Counter(said(now))
        if isinstance(change, Resolve | Override | Post):
            assert told(self.state, change, self.now).revision == self.state.revision

    @rule(change=CHANGES)
    def anything(self, change: Change) -> None:
        """Whatever it is, what people have written is there afterwards."""
        kept = {entry.id: said(entry) for entry in self.state.entries}
        self._apply(change)
        for name, lines in kept.items():
            now = self.state.entry(name)
            assert now is not None
            assert not Counter(lines) - Counter(said(now))

    @precondition(lambda self: self.state is not self.before)
    @invariant()
    def a_change_counts_once(self) -> None:
        """A new object has the next revision and differs in more than that."""
        assert self.state.revision == self.before.revision + 1

    @invariant()
    def it_is_kept_as_it_is(self) -> None:
        """What is written is read back, to the microsecond."""
        assert from_json(to_json(self.state)) == self.state

    @invariant()
    def a_person_is_shown_before_all(self) -> None:
        """Where a person has said something, just that is shown."""
        for each in components(self.state, self.now):
            person = each.component.person
            assert person is None or (each.state, each.by, each.since) == (person.state, "person", person.since)

    @invariant()
    def a_red_component_without_a_person_is_not_shown_operational(self) -> None:
        """Only a person can show a red component as operational."""
        for each in components(self.state, self.now):
            if each.component.person is None and each.component.machine.state != "operational":
                assert each.state != "operational"

    @invariant()
    def it_can_be_shown(self) -> None:
        """There is always a page, in both languages, with a heading for the whole."""
        files = render(self.state, self.now)
        assert sorted(files) == ["index.html", "ja/index.html", "status.json"]
        assert overall(self.state, self.now).encode() in files["status.json"]
        assert all(files[key].count(b"<h1>") == 1 for key in ("index.html", "ja/index.html"))

    @invariant()
    def a_machines_incident_ends_with_its_alarms(self) -> None:
        """An incident that only machines wrote to is open only while its component is red."""
        for entry in self.state.entries:
            if entry.kind == "incident" and entry.resolved is None and not said(entry):
                found: Component | None = self.state.component(entry.components[0])
                assert found is not None
                assert found.machine.state != "operational"


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
