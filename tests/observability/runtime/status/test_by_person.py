"""What people do to the page: post, resolve, override, announce; and every refusal in one sentence."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from constructs_lib.observability.runtime.status.by_person import MAX_OPEN
from constructs_lib.observability.runtime.status.changes import (
    Announce,
    Change,
    Configured,
    Override,
    Post,
    Resolve,
    apply,
    initial,
)
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.values import InvalidStateError, RefusedError, Text

from .pages import COMPONENTS, NOON, TITLES, WORDS, after, alarm, at, component, page, post

MORE = Text(en="It is better now.")


def announce(minutes: float = 0, starts: float = 10, ends: float = 20, entry: str = "upgrade") -> Announce:
    """A maintenance of the web shop."""
    return Announce(at=at(minutes), entry=entry, components=("web",), starts=at(starts), ends=at(ends), text=WORDS)


def test_t5_a_person_posts_adds_and_resolves() -> None:
    """The three steps of an incident are one entry with three lines, in the person's own words."""
    state = after(page(), post(1), post(5, text=MORE, components=()), Resolve(at=at(9), entry="checkout"))
    (incident,) = state.entries
    assert [(line.at, line.line, line.text) for line in incident.updates] == [
        (at(1), "note", WORDS),
        (at(5), "note", MORE),
        (at(9), "resolved", None),
    ]
    assert (incident.opened, incident.resolved, incident.components) == (at(1), at(9), ("web",))
    assert component(state).person is None


def test_a_person_says_what_a_component_is_until_the_incident_is_resolved() -> None:
    """What the person says stands beside what the alarms say, neither changes the other, and resolving lifts it."""
    claim = Post(at=at(1), entry="checkout", text=WORDS, components=("web", "api"), state="outage")
    state = after(page(), claim, alarm(2), alarm(3, "OK"))
    for name in ("web", "api"):
        person = component(state, name).person
        assert person is not None
        assert (person.state, person.since, person.entry) == ("outage", at(1), "checkout")
    assert component(state, "mail").person is None
    assert component(state).machine.state == "operational"
    assert state.entries[0].updates[0].line == "outage"
    lifted = after(state, Resolve(at=at(9), entry="checkout", text=MORE))
    assert [component.person for component in lifted.components] == [None, None, None]
    assert lifted.entries[0].updates[-1].text == MORE


def test_a_later_post_says_it_of_all_components_of_the_incident() -> None:
    """Without names, what is said holds for those that the incident is about."""
    state = after(
        page(),
        post(1, components=("web", "api")),
        Post(at=at(2), entry="checkout", text=MORE, state="degraded"),
    )
    assert [c.person.state if c.person else None for c in state.components] == ["degraded", "degraded", None]


def test_a_post_may_add_a_component() -> None:
    """An incident that turns out to be wider names each component once."""
    state = after(page(), post(1), post(2, text=MORE, components=("api", "web")))
    assert state.entries[0].components == ("web", "api")


def test_the_same_post_twice_is_one() -> None:
    """A program that tries again after a lost answer writes nothing twice."""
    changes: tuple[Change, ...] = (
        Post(at=at(1), entry="checkout", text=WORDS, components=("web",), state="outage"),
        announce(2),
        Override(at=at(3), component="api", state="degraded"),
        Resolve(at=at(4), entry="checkout"),
    )
    state = page()
    for change in changes:
        state = after(state, change, now=5)
        assert apply(state, change, at(5)) is state


def test_a_retry_of_a_post_does_not_bring_back_what_was_lifted() -> None:
    """The post is known already, so what it claimed is not claimed again."""
    claim = Post(at=at(1), entry="checkout", text=WORDS, components=("web",), state="outage")
    state = after(page(), claim, Resolve(at=at(2), entry="checkout"))
    assert apply(state, claim, at(60)) is state


def test_words_may_follow_after_the_end_and_do_not_open_it_again() -> None:
    """What was learnt is written to the incident that is over."""
    state = after(page(), post(1), Resolve(at=at(2), entry="checkout"), post(9, text=MORE, components=()))
    assert state.entries[0].resolved == at(2)
    assert state.entries[0].updates[-1].text == MORE


def test_an_override_stands_until_it_is_taken_back() -> None:
    """A false alarm is not shown; the alarms go on being read, and are believed again afterwards."""
    state = after(page(), alarm(1), Override(at=at(2), component="web", state="operational"), alarm(3, felt="outage"))
    person = component(state).person
    assert person is not None
    assert person.state == "operational"
    assert component(state).machine.state == "outage"
    state = after(state, Override(at=at(4), component="web", state=None))
    assert component(state).person is None
    assert apply(state, Override(at=at(5), component="web", state=None), at(60)) is state


def test_an_older_override_does_not_undo_a_newer_one() -> None:
    """Two people at once: the one who spoke last is heard, whoever was written first; the other one is told."""
    newer, older = (
        Override(at=at(3), component="web", state="operational"),
        Override(at=at(2), component="web", state="outage"),
    )
    state = after(page(), newer)
    for late in (older, Override(at=at(2), component="web", state=None)):
        with pytest.raises(RefusedError, match="when somebody set 'web' to operational, got 2026-11-22T12:02:00Z"):
            apply(state, late, at(60))
    assert after(page(), older, newer).components == state.components


def test_resolving_lifts_its_own_word_and_no_other() -> None:
    """That of another incident stays, and what was said by itself is taken back by itself."""
    first = Post(at=at(1), entry="first", text=WORDS, components=("web", "api", "mail"), state="degraded")
    second = Post(at=at(2), entry="second", text=WORDS, components=("web",), state="outage")
    state = after(page(), first, second, Override(at=at(3), component="api", state="operational"))
    state = after(state, Resolve(at=at(4), entry="first"))
    said = [component.person and (component.person.state, component.person.entry) for component in state.components]
    assert said == [("outage", "second"), ("operational", None), None]


def test_a_false_alarm_is_hidden_and_its_incident_ended_in_either_order() -> None:
    """The component stays operational, though its alarm is red, and nothing opens again."""
    hidden, ended = (
        Override(at=at(2), component="web", state="operational"),
        Resolve(at=at(3), entry="web-20261122t120100z"),
    )
    for changes in ((hidden, ended), (ended, hidden)):
        state = after(page(), alarm(1), *changes, alarm(4, "INSUFFICIENT_DATA", "outage"))
        person = component(state).person
        assert person is not None
        assert person.state == "operational"
        assert [entry.resolved for entry in state.entries] == [at(3)]


def test_w6_a_maintenance_is_announced_moved_and_called_off() -> None:
    """The same id moves it; the words of both times stay."""
    state = after(page(), announce(0), now=0)
    moved = Announce(at=at(2), entry="upgrade", components=("web", "api"), starts=at(30), ends=at(50), text=MORE)
    state = after(state, moved, now=2)
    (entry,) = state.entries
    assert (entry.starts, entry.ends, entry.components) == (at(30), at(50), ("web", "api"))
    assert [line.text for line in entry.updates] == [WORDS, MORE]
    off = after(state, Resolve(at=at(5), entry="upgrade"), now=5)
    assert off.entries[0].resolved == at(5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            (post(1, components=("shop",)),),
            "component must be one that the page shows (web, api, mail), got 'shop'; name one of them",
        ),
        (
            (post(1, components=()),),
            "components must be named for the new incident 'checkout'; name them, or post to one of "
            "the open entries (there is none)",
        ),
        (
            (Resolve(at=at(1), entry="checkout"),),
            "entry must be one of the open entries (there is none), got 'checkout'; copy the id from the status page",
        ),
        (
            (post(1, "first"), Resolve(at=at(2), entry="checkout")),
            "entry must be one of first, got 'checkout'; copy the id from the status page",
        ),
        (
            (post(1), Resolve(at=at(2), entry="checkout"), Resolve(at=at(3), entry="checkout")),
            "entry must be open to be resolved, 'checkout' is over; post to it to add words",
        ),
        (
            (
                post(1),
                Resolve(at=at(2), entry="checkout"),
                Post(at=at(3), entry="checkout", text=MORE, state="outage"),
            ),
            "state must be left out for 'checkout', which is no open incident, got 'outage'; open a new incident",
        ),
        (
            (announce(0, 70, 80), Post(at=at(1), entry="upgrade", text=MORE, state="outage")),
            "state must be left out for 'upgrade', which is no open incident, got 'outage'; open a new incident",
        ),
        (
            (Override(at=at(1), component="shop", state="outage"),),
            "component must be one that the page shows (web, api, mail), got 'shop'; name one of them",
        ),
        (
            (announce(0, 10, 60),),
            "ends must be in the future, got 2026-11-22T13:00:00Z; announce what is still to come",
        ),
        (
            (post(1), announce(2, 70, 80, "checkout")),
            "entry must be a maintenance that is not over, got 'checkout'; choose a new id",
        ),
        (
            (post(66),),
            "the time must not be in the future, got 2026-11-22T13:06:00Z; set this machine's clock",
        ),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(changes: tuple[Change, ...], sentence: str) -> None:
    """What, the value, what is allowed and the fix; nothing is changed."""
    *before, last = changes
    state = after(page(), *before)
    with pytest.raises(RefusedError) as refusal:
        apply(state, last, at(60))
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (Resolve(at=at(90), entry="upgrade"), "in the future"),
        (Override(at=at(90), component="web", state=None), "in the future"),
        (announce(90, 100, 110), "in the future"),
        (announce(0, 80, 80), "ends must be after starts"),
        (Announce(at=at(0), entry="x", components=(), starts=at(70), ends=at(80), text=WORDS), "named, each once"),
        (Announce(at=at(0), entry="X!", components=("web",), starts=at(70), ends=at(80), text=WORDS), "lower-case"),
    ],
)
def test_an_impossible_time_or_name_is_refused(change: Change, part: str) -> None:
    """No request can put a time ahead or a bad name into the state."""
    with pytest.raises(InvalidStateError, match=part):
        apply(page(), change, at(60))


def test_a_maintenance_that_is_over_is_not_moved() -> None:
    """A new one is announced instead."""
    state = after(page(), announce(0), now=0)
    with pytest.raises(RefusedError, match="not over"):
        apply(state, announce(21, 30, 40), at(21))


def test_people_cannot_open_more_than_there_is_room_for() -> None:
    """There is always room for the alarms of each component."""
    state = page()
    for number in range(MAX_OPEN):
        state = after(state, post(1, f"entry-{number}"))
    for change in (post(1, "one-more"), announce(0, 70, 80)):
        with pytest.raises(RefusedError, match="at most 45 entries may be open"):
            apply(state, change, at(60))
    assert after(state, alarm(1, component="api")).entries[-1].components == ("api",)


def test_a_full_entry_takes_no_more_words_and_can_be_resolved() -> None:
    """Nothing that a person writes is dropped: it is refused before."""
    state = after(page(), post(0))
    for number in range(1, 50):
        state = after(state, post(number / 10, text=Text(en=f"{number}"), components=()))
    with pytest.raises(RefusedError, match="open a new incident"):
        apply(state, post(9, text=MORE), at(60))
    ended = after(state, Resolve(at=at(10), entry="checkout"))
    assert len(ended.entries[0].updates) == 51
    with pytest.raises(RefusedError, match="open a new incident"):
        apply(ended, post(11, text=MORE), at(60))


def test_a_deployment_keeps_what_is_said_of_components_that_stay() -> None:
    """Titles and order change; alarms' and people's words stay; an incident of a machine alone ends with its alarms."""
    claim = Post(at=at(2), entry="checkout", text=WORDS, components=("mail",), state="outage")
    state = after(page(), alarm(1), alarm(1, component="api"), claim)
    new = (("mail", Text(en="Post")), ("web", COMPONENTS[0][1]), ("search", Text(en="Search")))
    deployed = after(state, Configured(titles=Text(en="Store"), components=new), now=70)
    assert [(c.name, c.titles.en) for c in deployed.components] == [
        ("mail", "Post"),
        ("web", "Web shop"),
        ("search", "Search"),
    ]
    assert component(deployed).machine == component(state).machine
    assert component(deployed, "mail").person == component(state, "mail").person
    assert [(e.components, e.resolved) for e in deployed.entries] == [
        (("web",), None),
        (("api",), at(70)),
        (("mail",), None),
    ]
    assert deployed.titles == Text(en="Store")
    assert apply(deployed, Configured(titles=Text(en="Store"), components=new), at(71)) is deployed


def test_a_persons_incident_survives_its_components() -> None:
    """A deployment that removes the component does not end what a person has opened."""
    state = after(page(), post(1), Configured(titles=TITLES, components=COMPONENTS[1:]))
    assert state.entries[0].resolved is None


def test_a_page_with_nothing_on_it_is_a_page() -> None:
    """Before the first deployment of components there is a page, and a person is told that it has none."""
    state: PageState = initial(TITLES)
    assert (state.revision, state.components, state.entries) == (0, (), ())
    with pytest.raises(RefusedError, match=r"\(none yet\)"):
        apply(state, post(1), at(60))


@pytest.mark.parametrize("now", [datetime(2026, 11, 22, 12), NOON.astimezone(timezone(timedelta(hours=9)))])
def test_a_clock_that_does_not_say_utc_is_refused(now: datetime) -> None:
    """A time without its zone, or in another one, is a fault of the program."""
    with pytest.raises(InvalidStateError, match="a time in UTC"):
        apply(page(), post(1), now)
