"""The function: when it scans, what it writes and what it raises."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from constructs_lib.images.runtime import handler
from constructs_lib.images.runtime.memory import Last, Memory
from constructs_lib.images.runtime.settings import VARIABLE
from tests.images.runtime.guard_world import NOON, TABLE, WEB, World

SECOND = timedelta(seconds=1)


@pytest.fixture
def world(world: World) -> World:
    """A world with an image that a task runs."""
    world.start(world.ecr.push(WEB, ["build-1"]))
    return world


def told_of(seconds: float) -> dict[str, object]:
    """An invocation for an event so many seconds after noon."""
    return {"Records": [{"body": json.dumps((NOON + seconds * SECOND).isoformat())}]}


def last(world: World) -> Last:
    """What is remembered of the last scan."""
    return Memory(world.clients.dynamodb, TABLE).last(world.now)


def test_an_event_is_answered_by_a_scan(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The log has a line for the pin and one with the metrics, and the answer has the same numbers."""
    answer = world.handle(told_of(-30))
    expected = {"ImagesInUse": 1, "PinnedImages": 1, "ImagesAtRisk": 0, "ImagesMissing": 0, "ScanIncomplete": 0}
    assert answer == expected
    pin, metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert pin["message"] == "pin put"
    assert {name: metrics[name] for name in expected} == expected
    assert (metrics["Application"], metrics["Environment"]) == ("shop", "staging")


def test_an_event_that_a_scan_has_seen_is_dropped(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It costs one read of the memory and one line."""
    world.handle(told_of(-30))
    capsys.readouterr()
    world.aws.calls.clear()
    world.wait(minutes=10)
    assert world.handle(told_of(-5)) == {}
    assert world.aws.calls == {"dynamodb.GetItem": 1}
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert world.handle(told_of(-4)) != {}


def test_two_scans_begin_at_least_35_seconds_apart(world: World) -> None:
    """The second waits for what is left."""
    world.handle(told_of(-30))
    world.wait(seconds=10)
    slept: list[float] = []
    world.handle(told_of(0), sleep=slept.append)
    assert slept == [25]


def test_a_call_by_hand_does_not_scan(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It could run beside a scan that the queue began; a person sends a message to the queue instead."""
    assert world.handle({}) == {}
    assert "send a message to the queue" in capsys.readouterr().out
    assert world.aws.calls == {}
    assert world.handle({"Records": [{"body": "now"}]}) != {}


def test_a_boto3_without_the_archive_is_refused_by_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scan would fail, and nobody would know why: the error says what to do."""
    model = world.clients.ecr.meta.service_model
    older = [name for name in model.operation_names if name != "UpdateImageStorageClass"]
    monkeypatch.setitem(vars(model), "operation_names", older)
    with pytest.raises(RuntimeError, match="must know ECR's UpdateImageStorageClass, got"):
        world.handle(told_of(-30))


def test_an_unexpected_error_is_raised_and_its_event_is_answered_later(world: World) -> None:
    """Lambda counts the error and the message comes back: the scan that broke off has not answered it."""

    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        world.handle(told_of(-30), read=broken)
    assert last(world) == Last(began=NOON)
    world.wait(minutes=2)
    assert world.handle(told_of(-30))["PinnedImages"] == 1


def test_an_incomplete_scan_answers_its_events(world: World) -> None:
    """Else an outage of AWS would make the guard scan without end. The schedule scans again."""
    world.gaps = ("ECS is away",)
    assert world.handle(told_of(-30))["ScanIncomplete"] == 1
    world.wait(minutes=2)
    assert world.handle(told_of(-30)) == {}


def test_a_scan_whose_memory_is_lost_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function runs without its table, it is an incomplete scan, and the next one pins what is left."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    del world.dynamodb.tables[TABLE]
    for _ in range(2):
        answer = world.handle(told_of(-30))
        assert (answer["PinnedImages"], answer["ScanIncomplete"]) == (1, 1)


def test_lambda_calls_main(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """It takes its settings from the environment, and everything else is made for the one call."""
    entry = {"repository": f"arn:aws:ecr:eu-west-1:111111111111:repository/{WEB}", "releases": ["/shop/web"]}
    text = {
        "application": "shop",
        "environment": "staging",
        "table": TABLE,
        "repositories": [entry],
        "account": "111111111111",
        "region": "eu-west-1",
        "revisions_kept": 3,
        "releases_kept": 3,
    }
    monkeypatch.setenv(VARIABLE, json.dumps(text))
    given: list[Any] = []

    def handle(*args: Any, **kwargs: Any) -> dict[str, int]:
        given.append((args, kwargs))
        return {"ImagesInUse": 0}

    monkeypatch.setattr(handler, "connect", lambda: world.clients)
    monkeypatch.setattr(handler, "handle", handle)
    assert handler.main({"Records": []}, None) == {"ImagesInUse": 0}
    ((event, clients, settings), kwargs) = given[0]
    assert event == {"Records": []}
    assert clients is world.clients
    assert [one.name for one in settings.repositories] == [WEB]
    assert kwargs["clock"]().utcoffset() == timedelta()
