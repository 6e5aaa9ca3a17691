"""Entries as text, which of them were good, and which may go."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.delivery.ledger import (
    ENTRIES_KEPT,
    RELEASES_KEPT,
    Action,
    Entry,
    State,
    left_open,
    parameter_value,
    successful,
    to_prune,
    withdrawn,
)

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def entry(number: int = 1, state: State = "successful", image: int = 1, action: Action = "release") -> Entry:
    return Entry(
        number=number,
        action=action,
        state=state,
        digest=digest(image),
        previous="none",
        who="arn:aws:sts::111111111111:assumed-role/deployer/anna",
        began=NOW,
        lease=NOW + timedelta(minutes=3),
    )


FULL = replace(
    entry(12),
    ended=NOW + timedelta(minutes=9),
    build_tag="production-20260401T101500Z-0123456789ab",
    commit="0123456789ab",
    origin="shop/staging/web release 12",
    check="digest",
    override="the shop is down",
    reason="a task stopped: CannotPullContainerError",
    token="0123456789abcdef",
)


# As text.


def test_nothing_is_lost_in_the_parameter() -> None:
    """Every field, set to something else than its default, comes back."""
    assert all(getattr(FULL, field.name) not in ("", None) for field in fields(Entry))
    assert Entry.from_json(FULL.to_json()) == FULL
    assert Entry.from_json(entry().to_json()) == entry()


def test_the_text_is_what_people_and_other_tools_read() -> None:
    """The keys are a promise: times with a zone, and no key for what is not known."""
    assert json.loads(entry(3, "begun").to_json()) == {
        "number": 3,
        "action": "release",
        "state": "begun",
        "digest": digest(1),
        "previous": "none",
        "who": "arn:aws:sts::111111111111:assumed-role/deployer/anna",
        "began": "2026-04-01T12:00:00+00:00",
        "lease": "2026-04-01T12:03:00+00:00",
        "check": "none",
    }


def test_a_key_of_a_later_version_is_left_out() -> None:
    """An entry that a later version wrote is read by this one, as far as it knows it."""
    text = json.dumps({**json.loads(FULL.to_json()), "ticket": "OPS-1"})
    assert Entry.from_json(text) == FULL


def test_a_time_is_read_in_utc() -> None:
    """A writer in another zone, or another program, gives the same moment."""
    tokyo = replace(FULL, began=NOW.astimezone(timezone(timedelta(hours=9))))
    assert Entry.from_json(tokyo.to_json()) == FULL
    assert Entry.from_json(tokyo.to_json()).began.tzinfo is UTC


@pytest.mark.parametrize(
    "change",
    [
        {"state": "done"},
        {"action": "deploy"},
        {"number": 0},
        {"number": "12"},
        {"number": True},
        {"number": 1.5},
        {"began": "2026-04-01T12:00:00"},
        {"began": "yesterday"},
        {"began": 5},
        {"lease": None},
        {"digest": 5},
        {"digest": None},
        {"reason": ["a"]},
    ],
)
def test_an_entry_with_a_wrong_field_is_refused(change: dict[str, object]) -> None:
    """A state that is not known, a number that is none or a time without a zone is not guessed at."""
    text = json.dumps({**json.loads(FULL.to_json()), **change})
    with pytest.raises(ValueError, match=r"an entry of the ledger must .*, got .*; its history in Parameter Store"):
        Entry.from_json(text)


@pytest.mark.parametrize("text", ["", "none", "[]", "5", "null", "{}", '{"number": 1}', '"a"'])
def test_text_that_is_no_entry_is_refused(text: str) -> None:
    """What is no JSON object, or lacks what an entry must have, is refused with what it is."""
    with pytest.raises(ValueError, match="an entry of the ledger must be JSON") as error:
        Entry.from_json(text)
    assert f"got {text!r}" in str(error.value)


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\u6771", "\U0001f6a2", '"', "\\", "\n", "\0", "{"])
def test_long_texts_are_cut_until_parameter_store_takes_them(letter: str) -> None:
    """A standard parameter holds 4096 bytes, and a letter can be six of them; the digest and the numbers stay."""
    long = replace(FULL, reason=letter * 9000, override=letter * 9000, origin=letter * 9000)
    text = long.to_json()
    assert len(text.encode()) <= 4096
    read = Entry.from_json(text)
    assert replace(read, reason="", override="", origin="") == replace(long, reason="", override="", origin="")
    assert all(letter * 9000 == given + letter * (9000 - len(given)) for given in (read.reason, read.override))


@pytest.mark.parametrize("letter", ["x", "\u6771", "\n"])
def test_a_reason_is_not_cut_more_than_it_must_be(letter: str) -> None:
    """What a person needs to know is as long as the parameter has room for."""
    text = replace(FULL, reason=letter * 9000).to_json()
    assert 4090 <= len(text.encode()) <= 4096
    assert Entry.from_json(text).override == FULL.override


@settings(max_examples=200, deadline=None)
@given(reason=st.text(st.sampled_from('{}\\"a\u6771\n'), max_size=30))
def test_parameter_store_takes_any_text(reason: str) -> None:
    """Two opening braces would be refused as a reference to another parameter; whatever is said, there are none."""
    text = replace(FULL, reason=reason).to_json()
    assert "{{" not in text
    assert Entry.from_json(text).reason == reason
    assert json.loads(parameter_value({"reason": reason})) == {"reason": reason}


def test_what_is_no_letter_does_not_stop_a_release() -> None:
    """A terminal with another encoding passes on halves of letters, which no parameter can hold."""
    assert Entry.from_json(replace(FULL, override="caf\udce9").to_json()).override == "caf?"


# Its life.


@pytest.mark.parametrize("state", get_args(State))
def test_it_is_open_until_it_is_successful_or_failed(state: State) -> None:
    """Two states are ends, and no lease keeps an entry alive that has come to its end."""
    ended = state in {"successful", "failed"}
    assert entry(1, state).open is not ended
    assert entry(1, state).alive(NOW) is not ended


def test_it_is_alive_while_its_lease_runs() -> None:
    """At the moment at which the lease ends, the next release may take over."""
    assert entry(1, "waiting").alive(NOW + timedelta(minutes=2, seconds=59))
    assert not entry(1, "waiting").alive(NOW + timedelta(minutes=3))


def test_an_end_says_when_and_why() -> None:
    """The lease ends with it, and a reason that was there stays when no new one is given."""
    failed = replace(entry(1, "undoing"), reason="no task started").ending("failed", NOW)
    assert (failed.state, failed.ended, failed.lease, failed.reason) == ("failed", NOW, NOW, "no task started")
    assert entry(1, "waiting").ending("failed", NOW, "broken off").reason == "broken off"


def test_what_was_left_open_is_told_oldest_first() -> None:
    """Entries before one's own that have no end: their owners were stopped or overtaken."""
    entries = [entry(5, "begun"), entry(4, "waiting"), entry(3), entry(2, "failed"), entry(1, "begun")]
    assert [one.number for one in left_open(entries, 5)] == [1, 4]


# Which of them were good.


def test_a_rollback_chooses_among_good_releases_newest_first() -> None:
    """Failed and open entries are none, a restart is no release, and a digest stands where it was last good."""
    entries = [
        entry(1, image=1),
        entry(2, image=2),
        entry(3, image=1, action="rollback"),
        entry(4, "failed", image=3),
        entry(5, "waiting", image=4),
        entry(6, image=2, action="restart"),
    ]
    assert [(one.number, one.digest) for one in successful(entries)] == [(3, digest(1)), (2, digest(2))]


# Which of them may go.


def test_old_entries_go_and_what_a_rollback_needs_stays() -> None:
    """With one good digest in ten entries, the good ones stay however old they are."""
    entries = [entry(n, "successful" if n % 10 == 5 else "failed", image=n) for n in range(1, 101)]
    gone = set(to_prune(entries))
    assert gone == set(range(1, 71)) - {45, 55, 65}


LEDGERS = st.lists(
    st.builds(
        entry,
        state=st.sampled_from(get_args(State)),
        image=st.integers(1, 12),
        action=st.sampled_from(get_args(Action)),
    ),
    max_size=120,
).map(lambda found: [replace(one, number=number) for number, one in enumerate(found, 1)])


@settings(max_examples=100, deadline=None)
@given(entries=LEDGERS)
def test_pruning_takes_nothing_that_is_needed(entries: list[Entry]) -> None:
    """The newest entry stays, and so do the releases that rollback and pins look for; few enough stay."""
    gone = to_prune(entries)
    kept = [one for one in entries if one.number not in gone]
    assert len(kept) == len(entries) - len(gone) <= ENTRIES_KEPT + RELEASES_KEPT + 1
    assert kept[-1:] == entries[-1:]
    assert successful(kept)[: RELEASES_KEPT + 1] == successful(entries)[: RELEASES_KEPT + 1]
    assert to_prune(kept) == []


@settings(max_examples=100, deadline=None)
@given(entries=LEDGERS, later=LEDGERS)
def test_pruning_late_takes_nothing_that_later_releases_need(entries: list[Entry], later: list[Entry]) -> None:
    """Who prunes by an old list deletes nothing that the whole ledger would keep among its good releases."""
    everything = entries + [replace(one, number=one.number + len(entries)) for one in later]
    needed = {one.number for one in successful(everything)[: RELEASES_KEPT + 1]}
    assert not needed & set(to_prune(entries))


def test_what_somebody_went_back_from_is_withdrawn_until_it_is_brought_again() -> None:
    """A release that was followed by a rollback ran, and was not good; a failed rollback withdraws nothing."""
    history = [
        entry(1, image=1),
        entry(2, image=2),
        replace(entry(3, image=1, action="rollback"), previous=digest(2)),
        replace(entry(4, "failed", image=3, action="rollback"), previous=digest(1)),
    ]
    assert withdrawn(history) == withdrawn(reversed(history)) == {digest(2)}
    assert withdrawn([*history, entry(5, "failed", image=2)]) == {digest(2)}
    assert withdrawn([*history, entry(5, image=2)]) == set()
