"""Pages to test with, by hand: a clock, three components, and what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from constructs_lib.observability.runtime.status.changes import AlarmChanged, Change, Configured, Post, apply, initial
from constructs_lib.observability.runtime.status.state import Component, PageState
from constructs_lib.observability.runtime.status.values import AlarmValue, Felt, Text

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TITLES = Text(en="Shop status", ja="ショップの稼働状況")
COMPONENTS = (
    ("web", Text(en="Web shop", ja="ウェブショップ")),
    ("api", Text(en="API", ja="API")),
    ("mail", Text(en="Order e-mails", ja="注文メール")),
)
WORDS = Text(en="We see errors at checkout.", ja="決済画面でエラーが発生しています。")


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def page() -> PageState:
    """The page with three components, of which nothing is known."""
    return apply(initial(TITLES), Configured(titles=TITLES, components=COMPONENTS), NOON)


def alarm(minutes: float, value: AlarmValue = "ALARM", felt: Felt = "degraded", component: str = "web") -> AlarmChanged:
    """What CloudWatch says of one alarm."""
    return AlarmChanged(component=component, felt=felt, value=value, timestamp=at(minutes))


def post(minutes: float, entry: str = "checkout", *, text: Text = WORDS, components: Sequence[str] = ("web",)) -> Post:
    """What a person says, without saying what the component is."""
    return Post(at=at(minutes), entry=entry, text=text, components=tuple(components))


def after(state: PageState, *changes: Change, now: float = 60) -> PageState:
    """The page after all changes, as of some minutes after noon."""
    for change in changes:
        state = apply(state, change, at(now))
    return state


def component(state: PageState, name: str = "web") -> Component:
    """A component that is there."""
    found = state.component(name)
    assert found is not None
    return found
