"""The state in its bucket: read, written where nobody else has, and never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from constructs_lib.observability.runtime.status.changes import AlarmChanged, Clock, Post
from constructs_lib.observability.runtime.status.objects import TRIES, Objects, OvertakenError
from constructs_lib.observability.runtime.status.publish import Mark, publish
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.store import StateStore, StateUnreadableError, changed
from constructs_lib.observability.runtime.status.values import RefusedError, Text
from tests.fake_aws.core import FakeAws
from tests.fake_aws.s3 import FakeS3
from tests.observability.runtime.status.bucket import ACCOUNT, BUCKET
from tests.observability.runtime.status.support import NOW, PAGES, SETTINGS, STATE, objects

RED = AlarmChanged(component="web", felt="degraded", value="ALARM", timestamp=NOW)
WORDS = Post(at=NOW, entry="incident-1", text=Text(en="We look into it."), components=("web",))

AWS = FakeAws(FakeS3())


@pytest.fixture(scope="module")
def client() -> Any:
    """A real client; making one takes long."""
    return AWS.client("s3")


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    """An empty bucket; retries do not pause."""
    fake = FakeS3()
    AWS.services = {"s3": fake}
    AWS.calls.clear()
    with patch("botocore.endpoint.time.sleep"):
        yield fake


@pytest.fixture
def bucket(client: Any, s3: FakeS3) -> Objects:  # noqa: ARG001  (it must be there first)
    """The same, as the function sees it."""
    return objects(client)


def act(bucket: Objects, *todo: Any, titles: Text | None = SETTINGS.titles) -> PageState:
    """Changes the state."""
    every = (SETTINGS.configured, *todo)
    return StateStore(objects=bucket).change(lambda state: changed(state, every, NOW), titles=titles)


def stored(s3: FakeS3) -> Any:
    """The state as it is in the bucket."""
    return json.loads(s3.objects[f"{BUCKET}/{STATE}"])


def test_the_first_state_is_written_where_there_is_none(bucket: Objects, s3: FakeS3) -> None:
    """With the titles of the page; the object says its revision and that nobody should cache it."""
    state = act(bucket)
    assert state.titles.en == "Shop status"
    assert stored(s3)["revision"] == state.revision
    assert s3.metadata[f"{BUCKET}/{STATE}"] == {"revision": str(state.revision)}


def test_what_changes_nothing_is_not_written(bucket: Objects, s3: FakeS3) -> None:
    """A doubled event costs a reading."""
    act(bucket, RED)
    act(bucket, RED, Clock())
    assert len(s3.writes) == 1
    assert AWS.calls["s3.PutObject"] == 1


@pytest.mark.parametrize(
    "fault", [("PreconditionFailed", 412), ("ConditionalRequestConflict", 409), ("NoSuchKey", 404)]
)
def test_who_is_overtaken_reads_again(fault: tuple[str, int], bucket: Objects, s3: FakeS3) -> None:
    """By any of S3's three answers; what was written in between stays, and what is new is added to it."""
    act(bucket, RED)
    s3.faults["PutObject", STATE] = [fault, fault]
    state = act(bucket, WORDS)
    assert AWS.calls["s3.PutObject"] == 4
    assert state.entry("incident-1") is not None
    assert stored(s3)["revision"] == state.revision


def test_who_is_always_overtaken_says_so_and_waits_in_between(client: Any, s3: FakeS3) -> None:
    """Twelve tries, with pauses that grow to a second at most and vary; then it is an error, and nothing is written."""
    waits: list[float] = []
    bucket = objects(client, sleep=waits.append, chance=lambda: 1.0)
    s3.faults["PutObject", STATE] = [("PreconditionFailed", 412)] * 20
    with pytest.raises(OvertakenError, match="12 times in between"):
        act(bucket, WORDS)
    assert TRIES == 12
    assert waits == [0.1, 0.2, 0.4, 0.8, *[1.0] * 7]
    assert s3.objects == {}
    assert AWS.calls["s3.PutObject"] == 12


def test_pauses_vary(client: Any, s3: FakeS3) -> None:
    """Two who met do not meet again at the same time."""
    waits: list[float] = []
    s3.faults["PutObject", STATE] = [("ConditionalRequestConflict", 409)] * 2
    act(objects(client, sleep=waits.append, chance=lambda: 0.25))
    assert waits == [0.025, 0.05]


def test_a_write_that_s3_did_and_did_not_answer_is_not_done_twice(bucket: Objects, s3: FakeS3) -> None:
    """botocore asks again after a 500 that came late, and finds its own write: the post is there once."""
    act(bucket, RED)
    real = s3.respond
    late = [True]

    def respond(operation: str, request: Any) -> Any:
        answer = real(operation, request)
        if operation == "PutObject" and late:
            late.clear()
            return 500, {}, b"<Error><Code>InternalError</Code><Message>later</Message></Error>"
        return answer

    with patch.object(s3, "respond", respond):
        state = act(bucket, WORDS)
    entry = state.entry("incident-1")
    assert entry is not None
    assert [update.by for update in entry.updates] == ["person"]
    assert AWS.calls["s3.PutObject"] == 3


@pytest.mark.parametrize(
    ("body", "fix"),
    [
        (b"", "restore an earlier version"),
        (b"{", "restore an earlier version"),
        (b'{"version": 2}', "read it with the release that wrote it"),
        (b"[]", "cannot be read"),
        (b'{"version": 1, "revision": "x"}', "cannot be read"),
    ],
)
def test_a_state_that_cannot_be_read_is_left_as_it_is(body: bytes, fix: str, bucket: Objects, s3: FakeS3) -> None:
    """It may hold what people have written, so nothing writes over it; the sentence says how to go on."""
    s3.objects[f"{BUCKET}/{STATE}"] = body
    with pytest.raises(StateUnreadableError, match=fix):
        act(bucket, RED)
    assert s3.objects[f"{BUCKET}/{STATE}"] == body
    assert s3.writes == []


def test_without_titles_there_must_be_a_state(bucket: Objects, s3: FakeS3) -> None:
    """A person cannot make a page that was not deployed."""
    with pytest.raises(StateUnreadableError, match="deploy the status page"):
        act(bucket, WORDS, titles=None)
    assert s3.writes == []


def test_what_a_person_may_not_is_refused_and_not_written(bucket: Objects, s3: FakeS3) -> None:
    """The reducer's refusal comes through."""
    act(bucket)
    with pytest.raises(RefusedError, match="nobody"):
        act(bucket, Post(at=NOW, entry="x", text=Text(en="x"), components=("nobody",)))
    assert len(s3.writes) == 1


@pytest.mark.parametrize("operation", ["GetObject", "PutObject", "HeadObject"])
def test_who_may_not_gets_the_error_and_no_other_try(operation: str, bucket: Objects, s3: FakeS3) -> None:
    """AccessDenied is no race."""
    act(bucket)
    s3.failing[operation] = ("AccessDenied", 403)
    with pytest.raises(ClientError, match=r"AccessDenied|403|Forbidden"):
        publish(bucket, act(bucket, RED), NOW)
    assert AWS.calls[f"s3.{operation}"] <= 2


def test_throttling_is_tried_again_by_botocore(bucket: Objects, s3: FakeS3) -> None:
    """A 503 SlowDown is no answer."""
    s3.faults["PutObject", STATE] = [("SlowDown", 503)]
    act(bucket, RED)
    assert AWS.calls["s3.PutObject"] == 2


def test_a_bucket_of_somebody_else_is_refused(bucket: Objects, s3: FakeS3) -> None:
    """The name is known to all; whoever took it first must not be told what people write."""
    s3.owner = "222222222222"
    with pytest.raises(ClientError, match="AccessDenied"):
        act(bucket, RED)
    assert s3.owner != ACCOUNT
    assert s3.writes == []


def test_an_absent_state_that_one_may_not_see_is_no_first_state(bucket: Objects, s3: FakeS3) -> None:
    """Without the right to list, S3 answers 403 of what is not there: that is an error, and no reason to begin anew."""
    s3.lists = False
    with pytest.raises(ClientError, match="AccessDenied"):
        act(bucket)


# Pages.


def mark(revision: int, seconds: int, digest: str = "a") -> Mark:
    """From which state, and when."""
    return Mark(revision=revision, rendered=NOW + timedelta(seconds=seconds), digest=digest)


@pytest.mark.parametrize(
    ("mine", "there", "written"),
    [
        (mark(2, 0), mark(1, 60, "b"), True),  # of a later state, though an older clock
        (mark(2, 0), mark(1, 0), True),  # the same bytes of a later state: the mark must go on
        (mark(1, 60, "b"), mark(2, 0), False),
        (mark(2, 60, "b"), mark(2, 0), True),  # the same state at a later time: a maintenance has begun
        (mark(2, 0, "b"), mark(2, 60), False),
        (mark(2, 0, "b"), mark(2, 0), False),
        (mark(2, 60), mark(2, 0), False),  # nothing to tell
    ],
)
def test_which_page_is_the_newer_one(mine: Mark, there: Mark, written: bool) -> None:
    """By the revision, then by the clock; the same bytes of the same state are not written again."""
    assert mine.replaces(there) == written


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"revision": "9"},
        {"revision": "x", "rendered": NOW.isoformat()},
        {"revision": "9", "rendered": "2026-04-01"},
    ],
)
def test_a_page_without_a_mark_is_older_than_all(metadata: dict[str, str]) -> None:
    """Such as one that somebody put there by hand."""
    assert mark(0, 0).replaces(Mark.of(metadata))


def test_a_mark_comes_back_as_it_was() -> None:
    """S3 keeps it as text."""
    assert Mark.of(mark(7, 3).as_metadata()) == mark(7, 3)


def test_pages_are_written_once(bucket: Objects, s3: FakeS3) -> None:
    """With their types and marks, for CloudFront to keep for seconds; the second time there is nothing to do."""
    state = act(bucket, RED)
    assert [f"page/{key}" for key in publish(bucket, state, NOW)] == list(PAGES)
    assert publish(bucket, state, NOW) == []
    assert len(publish(bucket, state, NOW + timedelta(seconds=60))) == 3  # each says of when it is
    assert {s3.metadata[f"{BUCKET}/{key}"]["revision"] for key in PAGES} == {str(state.revision)}
    assert json.loads(s3.objects[f"{BUCKET}/page/status.json"])
    assert b"Website" in s3.objects[f"{BUCKET}/page/index.html"]


def test_what_is_sent_with_a_page(client: Any, bucket: Objects) -> None:
    """UTF-8 in its type, five seconds at the edge and none in the browser; the state nowhere."""
    sent: dict[str, Any] = {}
    client.meta.events.register(
        "before-parameter-build.s3.PutObject", lambda params, **_: sent.update({params["Key"]: dict(params)})
    )
    publish(bucket, act(bucket), NOW)
    assert {(one["ContentType"], one["CacheControl"]) for key, one in sent.items() if key.endswith(".html")} == {
        ("text/html; charset=utf-8", "public, max-age=0, s-maxage=5")
    }
    assert sent["page/status.json"]["ContentType"] == "application/json; charset=utf-8"
    assert sent[STATE]["CacheControl"] == "no-store"
    assert {one["ExpectedBucketOwner"] for one in sent.values()} == {ACCOUNT}


def test_a_page_of_a_later_state_stays(bucket: Objects, s3: FakeS3) -> None:
    """A slow publisher finds it and goes."""
    old = act(bucket)
    publish(bucket, act(bucket, RED), NOW)
    before = dict(s3.objects)
    assert publish(bucket, old, NOW + timedelta(seconds=30)) == []
    assert s3.objects == before


@pytest.mark.parametrize(
    "fault", [("PreconditionFailed", 412), ("ConditionalRequestConflict", 409), ("NoSuchKey", 404)]
)
def test_a_publisher_that_is_overtaken_looks_again(fault: tuple[str, int], bucket: Objects, s3: FakeS3) -> None:
    """And writes if it is still the newer one."""
    state = act(bucket, RED)
    s3.faults["PutObject", "page/index.html"] = [fault]
    assert len(publish(bucket, state, NOW)) == 3
    assert AWS.calls["s3.PutObject"] == 1 + 4


def test_a_publisher_that_is_always_overtaken_says_so(bucket: Objects, s3: FakeS3) -> None:
    """Others are at work on the page; the minute's run looks again."""
    state = act(bucket, RED)
    s3.faults["PutObject", "page/status.json"] = [("PreconditionFailed", 412)] * TRIES
    with pytest.raises(OvertakenError, match=r"page/status\.json"):
        publish(bucket, state, NOW)
    assert f"{BUCKET}/page/index.html" in s3.objects
