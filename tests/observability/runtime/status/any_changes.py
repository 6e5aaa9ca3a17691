"""Anything that can happen to a page, for Hypothesis."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from constructs_lib.observability.runtime.status.changes import (
    AlarmChanged,
    Announce,
    Change,
    Checked,
    Clock,
    Override,
    Post,
    Resolve,
)
from constructs_lib.observability.runtime.status.values import FELT, STATES, VALUES, Text

from .pages import NOON

NAMES = ("web", "api", "mail")
MINUTES = st.integers(0, 240)
TIMES = MINUTES.map(lambda minutes: NOON + timedelta(minutes=minutes))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)
TEXTS = st.builds(Text, en=WORDS, ja=WORDS) | st.builds(Text, ja=WORDS)
IDS = st.sampled_from(("one", "two", "web-20261122t120000z"))
SOME = st.lists(st.sampled_from(NAMES), unique=True, max_size=3).map(tuple)

ALARMS: st.SearchStrategy[AlarmChanged] = st.builds(
    AlarmChanged,
    component=st.sampled_from((*NAMES, "gone")),
    felt=st.sampled_from(FELT),
    value=st.sampled_from(VALUES),
    timestamp=TIMES,
)
PEOPLE: st.SearchStrategy[Change] = st.one_of(
    st.builds(Post, at=TIMES, entry=IDS, text=TEXTS, components=SOME, state=st.none() | st.sampled_from(STATES)),
    st.builds(Resolve, at=TIMES, entry=IDS, text=st.none() | TEXTS),
    st.builds(Override, at=TIMES, component=st.sampled_from(NAMES), state=st.none() | st.sampled_from(STATES)),
    st.builds(
        Announce,
        at=TIMES,
        entry=IDS,
        components=SOME,
        starts=TIMES,
        ends=TIMES.map(lambda time: time + timedelta(minutes=30)),
        text=TEXTS,
    ),
)
CHANGES: st.SearchStrategy[Change] = st.one_of(ALARMS, PEOPLE, st.just(Checked()), st.just(Clock()))
