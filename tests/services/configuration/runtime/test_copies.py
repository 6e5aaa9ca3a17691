"""The pure part of the copy, and what any order of events leaves of it (lesson T2)."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.services.configuration.runtime.clients import Clients
from constructs_lib.services.configuration.runtime.copies import (
    Copy,
    Deployment,
    UnreadableError,
    content_of,
    in_force,
    minutes_since,
)
from tests.fake_aws.core import FakeAws
from tests.services.configuration.runtime.world import World

NOW = datetime(2026, 4, 1, 10, tzinfo=UTC)
STATES = ("VALIDATING", "DEPLOYING", "BAKING", "COMPLETE", "ROLLING_BACK", "ROLLED_BACK", "REVERTED")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
STEP = st.sampled_from(
    ["run", "run", "run", "deploy", "complete", "roll back", "revert", "down", "up", "late", "slow", "lose", "spoil"]
)


@given(content=st.dictionaries(st.text(), JSON, max_size=4), minutes=st.integers(0, 100_000))
def test_a_copy_is_read_as_it_was_written(content: dict[str, Any], minutes: int) -> None:
    """Any JSON object comes back the same, and so does the time."""
    copy = Copy(version="7", confirmed_at=NOW - timedelta(minutes=minutes), content=content)
    assert Copy.from_json(copy.to_json(), NOW) == copy


@given(text=st.binary(max_size=60))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    """Whatever stands in S3 or AppConfig is a copy or unreadable, and never an error of the function."""
    for read in (content_of, lambda one: Copy.from_json(one, NOW)):
        with contextlib.suppress(UnreadableError):
            read(text)


@given(states=st.lists(st.sampled_from(STATES), max_size=8), data=st.data())
def test_in_force_is_the_newest_complete_one(states: list[str], data: st.DataObject) -> None:
    """In whatever order they come."""
    made = [
        Deployment(number=number, state=state, version=str(number), due_at=None)
        for number, state in enumerate(states, start=1)
    ]
    found = in_force(data.draw(st.permutations(made)))
    newest = max((number for number, state in enumerate(states, start=1) if state == "COMPLETE"), default=None)
    assert (found and found.number) == newest


def test_an_age_is_never_negative() -> None:
    """A clock that is behind makes nothing younger than now."""
    assert minutes_since(NOW + timedelta(minutes=3), NOW) == 0
    assert minutes_since(NOW - timedelta(seconds=90), NOW) == 1.5


def test_a_copy_may_be_of_a_clock_that_is_a_little_ahead() -> None:
    """Five minutes are tolerated, and not a second more."""
    text = Copy(version="1", confirmed_at=NOW, content={}).to_json()
    assert Copy.from_json(text, NOW - timedelta(minutes=5)).confirmed_at == NOW
    with pytest.raises(UnreadableError, match="no time that has come"):
        Copy.from_json(text, NOW - timedelta(minutes=5, seconds=1))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=25))
def test_no_order_of_events_leaves_what_was_not_good(
    clients: tuple[FakeAws, Clients], monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    """Whatever happens, each copy that is written was in force when AppConfig was asked, and none is ever older.

    Deployments go on, are taken back and reverted; AppConfig and S3 fail; runs overlap; somebody spoils the object.
    """
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    world = World(*clients)
    history: list[tuple[datetime, str | None]] = []

    def note() -> None:
        complete = [one for one in world.appconfig.deployments if one["State"] == "COMPLETE"]
        history.append((world.now, complete[-1]["ConfigurationVersion"] if complete else None))

    for step in steps:
        world.later(1)
        _take(world, step, note)
        note()
    previous: datetime | None = None
    for raw in world.s3.writes:
        written = json.loads(raw)
        at = datetime.fromisoformat(written["confirmed_at"])
        assert written["version"] in {version for then, version in history if then == at}
        assert written["content"] == {"deployed": int(written["version"])}
        assert previous is None or at >= previous
        previous = at
    world.appconfig.down, world.s3.failing = None, {}
    world.later(1)
    world.run()
    note()
    now, version = history[-1]
    if version is not None:
        assert (world.copy["version"], world.copy["confirmed_at"]) == (version, now.isoformat())


def _take(world: World, step: str, note: Any) -> None:
    deployments = world.appconfig.deployments
    last = deployments[-1] if deployments else None
    if step == "run":
        world.run()
    elif step == "deploy":
        version = 1 + len(world.appconfig.versions)
        world.appconfig.deploy(json.dumps({"deployed": version}), state="DEPLOYING", at=world.now)
    elif step in ("complete", "roll back") and last and last["State"] == "DEPLOYING":
        last["State"] = "COMPLETE" if step == "complete" else "ROLLED_BACK"
    elif step == "revert" and last and last["State"] == "COMPLETE":
        last["State"] = "REVERTED"
    elif step in ("down", "up"):
        world.appconfig.down = ("InternalServerException", 500) if step == "down" else None
    elif step == "lose":
        world.s3.failing = {} if world.s3.failing else {"PutObject": ("InternalError", 500)}
    elif step == "spoil":
        for place in world.s3.objects:
            world.s3.objects[place] = b"spoiled"
    elif step in ("late", "slow"):
        _race(world, "s3.PutObject" if step == "late" else "s3.GetObject", note)


def _race(world: World, call: str, note: Any) -> None:
    """A run hangs before a call; meanwhile a deployment ends, and another run does all its work."""
    done: list[bool] = []

    def meanwhile(operation: str, _params: object) -> None:
        if operation == call and not done:
            done.append(True)
            note()
            world.later(1)
            _take(world, "complete", note)
            note()
            world.run()

    world.aws.before = meanwhile
    world.run()
    world.aws.before = lambda _operation, _params: None
