"""The client against a source that fails in all ways, with real sockets, a real disk and boto3 (lesson T2)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.services.configuration.runtime.copies import Copy
from tests.examples.configuration_source import FOLDER, MODES, NOON, PATH, Source, check, client, source

FAIL_STATIC, STEPS = client()
LIMIT = 0.5
"""Seconds for the agent in these tests; it is 1 in an application."""


@pytest.fixture
def agent() -> Iterator[Source]:
    """In the place of the AppConfig agent."""
    with source() as server:
        yield server


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """In the place of S3, with a copy of an hour ago."""
    with source() as server:
        server.content = envelope(3, "2026-11-22T11:00:00Z")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url.split("/applications")[0])
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield server


def envelope(price: object, at: str = "2026-11-22T12:00:00Z") -> dict[str, Any]:
    """A copy as it is written."""
    return {"version": "7", "confirmed_at": at, "content": {"price": price}}


def eventually(holds: Callable[[], object]) -> None:
    """Waits for what another thread does."""
    until = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < until
        threading.Event().wait(0.01)


def test_what_the_agent_answers_is_read(agent: Source) -> None:
    """The body is the configuration, and a header its version; it is confirmed now."""
    found = STEPS.from_agent(f"{agent.url}?flag=price")
    assert (found.content, found.version) == ({"price": 7}, "7")
    assert abs(found.confirmed_at - time.time()) < 10
    assert agent.lines == [f"GET {PATH}?flag=price HTTP/1.1"]


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "good"])
def test_after_whatever_the_source_does_a_task_serves_and_says_how_old_it_is(
    mode: str, agent: Source, tmp_path: Path
) -> None:
    """It had one good answer: the fault is found within the limit, nothing of it is taken, and no good copy is lost."""
    place = tmp_path / STEPS.FILE
    now = [NOON]
    steps = {"agent": partial(STEPS.from_agent, agent.url, LIMIT), "disk": partial(STEPS.from_file, place)}
    running = FAIL_STATIC.FailStatic(
        steps, check=check, keep=partial(STEPS.keep, place), clock=lambda: time.time() + now[0] - NOON, every=1000
    )
    assert running.get().source == "agent"
    eventually(place.exists)
    kept = place.read_bytes()
    agent.mode = mode
    agent.content = {"price": 8}
    begun = time.monotonic()
    running.refresh()
    assert time.monotonic() - begun < 10
    now[0] += 6 * 3600
    found = running.get()
    assert (found.content, found.source) == ({"price": 7}, "memory")
    assert 6 * 3600 <= found.age < 6 * 3600 + 30
    assert place.read_bytes() == kept
    agent.mode = "good"
    running.refresh()
    assert (running.get().content, running.get().source) == ({"price": 8}, "agent")
    running.close()


def test_no_more_is_read_than_a_configuration_may_have(agent: Source) -> None:
    """A source that never ends costs four MiB of memory, and what is under way in the kernel."""
    agent.mode = "endless"
    with pytest.raises(FAIL_STATIC.RefusedError, match="larger than 4194304"):
        STEPS.from_agent(agent.url, 20)
    assert agent.sent < 32 * 1024 * 1024


def test_a_source_that_is_gone_is_refused_at_once() -> None:
    """Nothing listens, as while the agent's container starts."""
    with source() as server:
        url = server.url
    with pytest.raises(OSError, match="refused"):
        STEPS.from_agent(url)


def test_a_flapping_source_gives_the_last_good_value_and_a_line_for_each_change(
    agent: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """Good, bad, good: every answer is one that was good, and the log tells each change of the step once."""
    caplog.set_level(logging.INFO)
    running = FAIL_STATIC.FailStatic({"agent": partial(STEPS.from_agent, agent.url, LIMIT)}, check=check, every=1000)
    running.get()
    for number in range(20):
        agent.mode = ("good", "500", "html", "reset")[number % 4]
        agent.content = {"price": number}
        running.refresh()
        assert running.get().content == {"price": number - number % 4}
        assert running.get().source == ("memory" if number % 4 else "agent")
    told = [one.getMessage().split(",")[0] for one in caplog.records]
    assert told == ["configuration from agent", "configuration from memory"] * 5
    running.close()


def test_before_who_asks_at_each_request_stands_still_with_the_source(agent: Source) -> None:
    """8 threads that ask by urllib answer nothing while the source hangs; with a time-out, 8 in each."""
    agent.mode = "silent"
    answered: list[float] = []

    def handle() -> None:
        with urllib.request.urlopen(agent.url) as answer:  # noqa: S310  (a time-out is what it lacks)
            answered.append(len(answer.read()))

    threads = [threading.Thread(target=_quietly(handle), daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: agent.hanging == 8)
    threads[0].join(1)
    assert (len(answered), sum(thread.is_alive() for thread in threads)) == (0, 8)

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(agent.url, timeout=1)  # noqa: S310
    assert time.monotonic() - begun >= 1
    agent.over.set()
    for thread in threads:
        thread.join(10)


def test_after_requests_do_not_notice_that_the_source_hangs(agent: Source) -> None:
    """The same 8 threads answer 8,000 requests while one question to the source hangs, and ask it nothing."""
    running = FAIL_STATIC.FailStatic({"agent": partial(STEPS.from_agent, agent.url, 60)}, check=check, every=1000)
    running.get()
    agent.mode = "silent"
    asked = agent.asked
    hanging = threading.Thread(target=running.refresh)
    hanging.start()
    eventually(lambda: agent.hanging == 1)
    answered = [0] * 8

    def handle(number: int) -> None:
        for _ in range(1000):
            assert running.get().content == {"price": 7}
            answered[number] += 1

    threads = [threading.Thread(target=handle, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert hanging.is_alive()
    assert answered == [1000] * 8
    assert agent.asked == asked + 1
    agent.over.set()
    hanging.join(10)
    running.close()


def new_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> Any:
    """A client as a container's settings make it: an empty directory, a copy in S3, a file in the image."""
    directory = tmp_path / "fresh"
    directory.mkdir()
    baked = tmp_path / "baked.json"
    baked.write_text(json.dumps(envelope(4, "2026-11-01T00:00:00Z")))
    for name, value in {"URL": url, "DIRECTORY": str(directory), "COPY": "s3://copies/shop/production.json"}.items():
        monkeypatch.setenv(f"MOORINGS_CONFIG_{name}", value)
    return STEPS.from_environment(check=check, baked=baked)


def test_after_a_new_task_in_the_middle_of_the_outage_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, agent: Source, s3: Source
) -> None:
    """Nothing in memory, nothing on its disk, an agent that has nothing: the copy in S3, and its age."""
    agent.mode = "504"
    new = new_task(monkeypatch, tmp_path, agent.url)
    new._clock = lambda: NOON
    found = new.get()
    assert (found.content, found.source, found.age) == ({"price": 3}, "s3", 3600)
    assert s3.asked == 1
    new.close()


@pytest.mark.parametrize("mode", ["500", "truncated", "silent", "404", "html", "drips"])
def test_after_a_new_task_serves_with_s3_down_too(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, agent: Source, s3: Source
) -> None:
    """The file in the image is three weeks old, and says so; the limit holds for the first request."""
    agent.mode, s3.mode = "silent", mode
    monkeypatch.setattr(STEPS, "S3_SECONDS", 2.0)
    new = new_task(monkeypatch, tmp_path, agent.url)
    new._clock = lambda: NOON
    begun = time.monotonic()
    found = new.get()
    assert time.monotonic() - begun < new._wait
    assert (found.content, found.source, found.age) == ({"price": 4}, "image", 21.5 * 86400)
    new.close()


def test_a_container_that_is_restarted_in_the_outage_has_its_own_copy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, agent: Source
) -> None:
    """The directory is a volume of the task; S3 is not asked, and boto3 not needed."""
    first = new_task(monkeypatch, tmp_path, agent.url)
    first.get()
    eventually((tmp_path / "fresh" / STEPS.FILE).exists)
    first.close()
    agent.mode = "reset"
    second = STEPS.from_environment(check=check, baked=tmp_path / "baked.json")
    found = second.get()
    assert (found.content, found.source) == ({"price": 7}, "disk")
    second.close()


def test_settings_that_are_missing_leave_their_steps_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a developer's machine there is the file alone."""
    for name in ("URL", "DIRECTORY", "COPY"):
        monkeypatch.delenv(f"MOORINGS_CONFIG_{name}", raising=False)
    baked = tmp_path / "baked.json"
    baked.write_text(json.dumps(envelope(4)))
    running = STEPS.from_environment(check=check, baked=baked)
    assert running.get().source == "image"
    assert list(running._steps) == ["image"]
    running.close()


def test_boto3_is_imported_where_s3_is_reached() -> None:
    """An application whose agent answers never pays for it."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import steps; print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(FOLDER)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"price": 7}',
        b'{"version": "7", "confirmed_at": "2026-11-22T12:00:00Z"}',
        b'{"version": "7", "confirmed_at": "2026-11-22T12:00:00Z", "content": [1]}',
        b'{"version": null, "confirmed_at": "2026-11-22T12:00:00Z", "content": {}}',
        b'{"version": "7", "confirmed_at": "2026-11-22T12:00:00", "content": {}}',
        b'{"version": "7", "confirmed_at": "noon", "content": {}}',
        b'{"version": "7", "confirmed_at": 1795348800, "content": {}}',
        b'{"version": "7", "confirmed_at": "2026-11-22T12:00:00Z", "content": {"a": Infinity}}',
        b'{"version": "7", "confirmed_at": "2026-11-22T12:00:00Z", "content": {"a": "' + b"x" * (4 << 20) + b'"}}',
        b"\xff\xfe\x00",
    ],
)
def test_a_copy_of_another_shape_is_refused(raw: bytes, tmp_path: Path) -> None:
    """Half-written, not ours, without a time or a zone, too large: none of it is a copy."""
    place = tmp_path / "copy"
    place.write_bytes(raw)
    with pytest.raises((FAIL_STATIC.RefusedError, ValueError)):
        STEPS.from_file(place)


def copy(price: int, at: float = NOON, version: str = "7") -> Any:
    """A copy in memory."""
    return FAIL_STATIC.Copy({"price": price}, version, at)


def test_the_copy_of_the_library_is_read() -> None:
    """What its function writes to S3, the client understands."""
    at = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    written = Copy(version="7", confirmed_at=at, content={"price": 7}).to_json()
    assert STEPS.read_copy(written) == copy(7)


def test_a_copy_is_kept_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends while it writes leaves the copy before; the new one is written before it is moved there."""
    place = tmp_path / STEPS.FILE
    STEPS.keep(place, copy(1))
    moved: list[int] = []
    real_replace, real_write = Path.replace, Path.write_bytes

    def replace(path: Path, target: Path) -> Path:
        moved.append(path.stat().st_mode & 0o777)
        assert path.parent == place.parent
        assert json.loads(path.read_bytes())["content"] == {"price": 2}
        return real_replace(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    STEPS.keep(place, copy(2, NOON + 1))
    assert moved == [0o600]
    assert STEPS.from_file(place) == copy(2, NOON + 1)
    assert place.stat().st_mode & 0o777 == 0o600

    def full(path: Path, data: bytes) -> int:
        real_write(path, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        STEPS.keep(place, copy(3, NOON + 2))
    assert STEPS.from_file(place) == copy(2, NOON + 1)
    assert [path.name for path in tmp_path.iterdir()] == [STEPS.FILE]


@pytest.mark.parametrize(
    ("before", "new", "written"),
    [
        (copy(1, NOON), copy(2, NOON + 1), True),
        (copy(1, NOON + 1), copy(2, NOON), False),
        (copy(1, NOON), copy(1, NOON + 299), False),
        (copy(1, NOON), copy(1, NOON + 300), True),
        (copy(1, NOON), copy(1, NOON + 1, "8"), True),
        (copy(1, NOON + 10 * 365 * 86400), copy(2, NOON), True),
    ],
)
def test_a_newer_copy_on_disk_is_never_replaced_by_an_older_one(
    before: Any, new: Any, written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may have been faster; what is unchanged waits five minutes; a time to come is wrong."""
    monkeypatch.setattr(STEPS.time, "time", lambda: NOON + 1000)
    place = tmp_path / STEPS.FILE
    STEPS.keep(place, before)
    STEPS.keep(place, new)
    assert STEPS.from_file(place) == (new if written else before)


def test_a_spoiled_copy_is_written_over(tmp_path: Path) -> None:
    """It is no copy at all."""
    place = tmp_path / STEPS.FILE
    place.write_bytes(b'{"version": "7", "conf')
    STEPS.keep(place, copy(1))
    assert STEPS.from_file(place) == copy(1)


def test_a_read_that_hangs_is_left_and_not_begun_again() -> None:
    """One thread hangs, not one for each try; when it has ended the next try counts."""
    over = threading.Event()
    begun: list[int] = []

    def read() -> Any:
        begun.append(1)
        over.wait(30)
        return copy(1)

    limited = STEPS.within(0.05, read)
    for what in ("no answer in 0.05 s", "still hangs", "still hangs"):
        with pytest.raises(TimeoutError, match=what):
            limited()
    assert len(begun) == 1
    over.set()
    eventually(lambda: not any(one.name.startswith("Thread-") and "run" in one.name for one in threading.enumerate()))
    assert limited() == copy(1)


def test_a_read_with_a_limit_fails_as_the_read_does() -> None:
    """The reason is not lost in the thread."""

    def read() -> Any:
        raise PermissionError("AccessDenied")

    with pytest.raises(PermissionError, match="AccessDenied"):
        STEPS.within(5, read)()


def test_the_tiny_application_serves_and_tells_its_age(agent: Source, tmp_path: Path) -> None:
    """Started as a process: an answer from the agent, and where it is from; without a good one it does not start."""
    agent.content = {"greeting": "good day"}
    environment = {
        "PATH": os.environ["PATH"], "PORT": "0", "MOORINGS_CONFIG_URL": agent.url,
        "MOORINGS_CONFIG_DIRECTORY": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().removeprefix("listens on port ").strip()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.read() == b"good day"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/configuration", timeout=10) as answer:
            assert json.load(answer)["source"] == "agent"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _quietly(call: Callable[[], None]) -> Callable[[], None]:
    """The source goes away at the end of the test, and with it the answer."""

    def run() -> None:
        try:
            call()
        except OSError:
            return

    return run
