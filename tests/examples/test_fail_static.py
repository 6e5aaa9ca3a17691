"""The client that goes on when its source is down: its decisions, with steps and a clock of our own (lesson T2)."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.examples.configuration_source import FOLDER, NOON, check, client

FAIL_STATIC, STEPS = client()
HOUR = 3600.0


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Steps:
    """What each step answers: a copy, or an exception."""

    def __init__(self, clock: Clock, **answers: Any) -> None:
        self.clock = clock
        self.answers: dict[str, Any] = dict.fromkeys(("agent", "disk", "s3", "image"), OSError("down")) | answers
        self.asked: list[str] = []
        self.kept: list[Any] = []

    def made(self) -> dict[str, Callable[[], Any]]:
        return {name: lambda name=name: self.read(name) for name in self.answers}  # type: ignore[misc]

    def read(self, name: str) -> Any:
        self.asked.append(name)
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        if name == "agent":
            return FAIL_STATIC.Copy(answer.content, answer.version, self.clock())
        return answer


def copy(price: object, at: float = NOON, version: str = "7") -> Any:
    """A copy of the configuration."""
    return FAIL_STATIC.Copy({"price": price}, version, at)


def made(clock: Clock, steps: Steps, **more: Any) -> Any:
    """A client whose thread has asked once and then sleeps, so that the tests ask by ``refresh`` themselves."""
    return FAIL_STATIC.FailStatic(
        steps.made(), check=check, keep=steps.kept.append, clock=clock, **{"every": 1000, **more}
    )


@pytest.fixture
def clock() -> Clock:
    """At noon."""
    return Clock()


def told(found: Any) -> tuple[object, str, float]:
    """A configuration as a plain value."""
    return found.content["price"], found.source, found.age


def test_each_step_stands_in_for_the_one_before(clock: Clock) -> None:
    """Agent, memory, disk, S3, image: where a value is from and how old it is, is told with it."""
    three_hours, a_day = NOON - 3 * HOUR, NOON - 24 * HOUR
    answers = {"agent": copy(1), "disk": copy(2, three_hours), "s3": copy(3, a_day), "image": copy(4, 0)}
    ages = {"agent": 0, "disk": 3 * HOUR, "s3": 24 * HOUR, "image": NOON}
    for number, name in enumerate(answers):
        steps = Steps(clock, **dict(list(answers.items())[number:]))
        new = made(clock, steps)
        assert told(new.get()) == (number + 1, name, ages[name])
        new.close()
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    assert told(running.get()) == (1, "agent", 0)
    steps.answers["agent"] = TimeoutError()
    clock.now += 30
    running.refresh()
    assert told(running.get()) == (1, "memory", 30)
    running.close()


def test_hours_of_outage_and_its_age(clock: Clock) -> None:
    """A task that had one answer serves it for six hours, says so, and goes on with the next answer."""
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    running.get()
    steps.answers["agent"] = ConnectionRefusedError()
    for minute in range(1, 361):
        clock.now = NOON + 60 * minute
        running.refresh()
        assert told(running.get()) == (1, "memory", 60 * minute)
    steps.answers["agent"] = copy(2, version="8")
    running.refresh()
    assert told(running.get()) == (2, "agent", 0)
    running.close()


def test_a_dead_agent_beside_a_living_copy(clock: Clock) -> None:
    """The agent's container has ended and AppConfig is well: the copy in S3 is confirmed on, and is followed."""
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    running.get()
    steps.answers["agent"] = ConnectionRefusedError()
    clock.now += 600
    steps.answers["s3"] = copy(2, NOON + 500, "8")
    running.refresh()
    assert told(running.get()) == (2, "s3", 100)
    running.refresh()
    assert told(running.get()) == (2, "s3", 100)
    running.close()


@pytest.mark.parametrize(
    ("at", "taken"), [(-1, False), (0, False), (120, False), (121, True), (300, True), (301, False)]
)
def test_only_a_newer_copy_is_taken(clock: Clock, at: float, taken: bool) -> None:
    """Not an older one, not one just as old or hardly newer, not one whose clock is more than five minutes ahead."""
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    running.get()
    steps.answers |= {"agent": OSError(), "s3": copy(2, NOON + at)}
    running.refresh()
    assert running.get().content["price"] == (2 if taken else 1)
    running.close()


def test_a_copy_of_a_time_to_come_is_no_start_either(clock: Clock) -> None:
    """It would never be replaced; the next step is taken."""
    new = made(clock, Steps(clock, s3=copy(3, NOON + HOUR), image=copy(4, 0)))
    assert new.get().source == "image"
    new.close()


def test_a_rollback_is_obeyed(clock: Clock) -> None:
    """AppConfig answers with the version before when an alarm has rolled a deployment back."""
    steps = Steps(clock, agent=copy(2, version="8"))
    running = made(clock, steps)
    running.get()
    clock.now += 15
    steps.answers["agent"] = copy(1, version="7")
    running.refresh()
    assert told(running.get()) == (1, "agent", 0)
    assert [one.version for one in steps.kept] == ["8", "7"]
    running.close()


def test_what_the_check_refuses_is_not_taken_and_not_kept(clock: Clock) -> None:
    """The application cannot work with it; neither memory nor disk ever has it."""
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    running.get()
    steps.answers["agent"] = copy("seven", version="8")
    running.refresh()
    assert told(running.get()) == (1, "memory", 0)
    assert [one.version for one in steps.kept] == ["7"]
    running.close()


def test_only_what_the_agent_says_is_kept_on_disk(clock: Clock) -> None:
    """A copy of a copy would look younger than what it is a copy of."""
    steps = Steps(clock, s3=copy(3, NOON - HOUR))
    new = made(clock, steps)
    new.get()
    assert steps.kept == []
    new.close()


def test_a_line_for_each_change_and_no_more(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of refusals are one line, which names the step, the age and the reason."""
    caplog.set_level(logging.INFO)
    steps = Steps(clock, agent=copy(1))
    running = made(clock, steps)
    running.get()
    steps.answers["agent"] = TimeoutError("timed out")
    for _ in range(100):
        clock.now += 15
        running.refresh()
        running.get()
    steps.answers["agent"] = copy(1)
    for _ in range(100):
        running.refresh()
    lines = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert [level for level, _ in lines] == ["INFO", "WARNING", "INFO"]
    assert lines[0][1] == "configuration from agent, 0 s old, version '7'"
    assert lines[1][1].startswith("configuration from memory, 15 s old, version '7' (agent: TimeoutError timed out; ")
    running.close()


def test_a_disk_that_is_full_stops_nothing_and_is_told_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The task serves from memory; only the next start would lack the copy."""

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    running = FAIL_STATIC.FailStatic(
        Steps(clock, agent=copy(1)).made(), check=check, keep=full, clock=clock, every=1000
    )
    for _ in range(5):
        running.refresh()
    assert running.get().source == "agent"
    assert sum("No space left" in one.getMessage() for one in caplog.records) == 1
    running.close()


def test_nothing_at_all_is_an_error_within_the_limit(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A task without any configuration does not start, and says why; as soon as there is one it serves."""
    steps = Steps(clock)
    new = made(clock, steps)
    for _ in range(2):
        with pytest.raises(FAIL_STATIC.NoConfigurationError):
            new.get()
    assert [one.getMessage().count("down") for one in caplog.records] == [4]
    steps.answers["s3"] = copy(3)
    new.refresh()
    assert new.get().source == "s3"
    new.close()


def test_who_waits_for_the_first_one_waits_no_longer_than_the_limit(clock: Clock) -> None:
    """All threads that ask together wait together, not one after the other."""
    over = threading.Event()
    steps = Steps(clock)

    def hang() -> Any:
        over.wait(30)
        raise TimeoutError

    new = FAIL_STATIC.FailStatic({**steps.made(), "agent": hang}, check=check, clock=clock, every=1000, wait=0.5)
    begun, took = time.monotonic(), []

    def ask() -> None:
        with pytest.raises(FAIL_STATIC.NoConfigurationError):
            new.get()
        took.append(time.monotonic() - begun)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    over.set()
    assert len(took) == 8
    assert min(took) > 0.45
    assert max(took) < 3
    new.close()


def test_many_threads_start_one_thread_and_see_whole_values(clock: Clock) -> None:
    """Content and age always belong together, whichever thread asks while values change."""
    steps = Steps(clock, agent=copy(0, version="0"))
    running = made(clock, steps)
    wrong: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            found = running.get()
            if found.source != "agent" or not isinstance(found.content["price"], int):
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(300):
        steps.answers["agent"] = copy(number, version=str(number))
        running.refresh()
    own = [thread for thread in threading.enumerate() if thread.name == "configuration"]
    over.set()
    for thread in threads:
        thread.join(10)
    running.close()
    assert wrong == []
    assert len(own) == 1


def test_requests_that_come_together_start_one_thread(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the start takes."""
    started: list[threading.Thread] = []

    class Slow(threading.Thread):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            started.append(self)
            threading.Event().wait(0.05)

    running = made(clock, Steps(clock, agent=copy(1)))
    threads = [threading.Thread(target=running.get) for _ in range(8)]
    monkeypatch.setattr(FAIL_STATIC.threading, "Thread", Slow)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    running.close()
    assert len(started) == 1


def test_the_thread_asks_again_and_ends() -> None:
    """Nobody calls ``refresh`` in an application."""
    asked = threading.Semaphore(0)

    def agent() -> Any:
        asked.release()
        return FAIL_STATIC.Copy({"price": 1}, "7", time.time())

    running = FAIL_STATIC.FailStatic({"agent": agent}, check=check, every=0.01)
    running.get()
    for _ in range(5):
        assert asked.acquire(timeout=10)
    thread = running._thread
    running.close()
    thread.join(10)
    assert not thread.is_alive()
    assert running.get().content == {"price": 1}


FORK = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from fail_static import Copy, FailStatic

answers = {"price": 1}
hold = threading.Event()
def agent():
    if os.getpid() == parent and answers["price"] == 1:
        entered.set()
        hold.wait(30)  # the refresh of the parent holds its lock while the process forks
    return Copy(dict(answers), "7", time.time())
parent, entered = os.getpid(), threading.Event()
old = Copy({"price": 0}, "1", 0.0)
running = FailStatic({"agent": agent}, check=lambda content: None, every=0.05)
running._good = "image", old
running.get()
entered.wait(30)
child = os.fork()
if child == 0:
    answers["price"] = 2
    first = running._good[1].content["price"]
    until = time.monotonic() + 20
    while running.get().content["price"] != 2 and time.monotonic() < until:
        time.sleep(0.01)
    print("child", first, running.get().content["price"], running.get().source, flush=True)
    os._exit(0)
os.waitpid(child, 0)
hold.set()
"""


def test_a_forked_worker_has_the_value_and_a_thread_of_its_own() -> None:
    """gunicorn with ``preload_app`` forks after the first answer, be a refresh under way with its lock held."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, str(FOLDER)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "child 0 2 agent\n"


def test_a_client_that_is_dropped_is_not_kept_by_the_fork_hook(clock: Clock) -> None:
    """Hooks stay for ever; this one holds nothing."""
    import weakref

    running = made(clock, Steps(clock, agent=copy(1)))
    gone = weakref.ref(running)
    del running
    gc.collect()
    assert gone() is None
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


PRICES = st.integers(0, 3) | st.sampled_from(["seven", None, True])


class AnySequence(RuleBasedStateMachine):
    """Whatever happens outside, in whatever order."""

    @initialize()
    def begin(self) -> None:
        """A client that never asked."""
        self.clock = Clock()
        self.steps = Steps(self.clock)
        self.client = FAIL_STATIC.FailStatic(
            self.steps.made(), check=strict, keep=self.steps.kept.append, clock=self.clock, every=1000, wait=0
        )
        self.client._thread = threading.current_thread()  # the machine asks by ``refresh``, so no thread is started
        self.had_one = False

    @rule(step=st.sampled_from(["agent", "disk", "s3", "image"]), price=PRICES, at=st.integers(-9, 2), number=st.text())
    def answers(self, step: str, price: object, at: int, number: str) -> None:
        """A step has a copy, good or not, old or of a time to come."""
        self.steps.answers[step] = copy(price, self.clock.now + at * 400, number)

    @rule(
        step=st.sampled_from(["agent", "disk", "s3", "image"]),
        error=st.sampled_from([TimeoutError(), ConnectionResetError(), ValueError("{"), RecursionError()]),
    )
    def fails(self, step: str, error: Exception) -> None:
        """A step fails in any way."""
        self.steps.answers[step] = error

    @rule(seconds=st.sampled_from([0, 1, 15, 400, 10_000, -500]))
    def passes(self, seconds: int) -> None:
        """Time passes, or somebody sets the clock back."""
        self.clock.now += seconds

    @rule()
    def refresh(self) -> None:
        """The thread's turn."""
        before = self.client._good
        self.client.refresh()
        if self.client._good is None:
            return
        source, found = self.client._good
        if source != "agent" and before is not None and found is not before[1]:
            assert found.confirmed_at > before[1].confirmed_at + 120, "a newer copy was replaced by an older one"
        if source == "agent":
            assert self.steps.kept[-1] is found

    @invariant()
    def serves(self) -> None:
        """After one good value there always is one, the check let it through, and no step was asked for it."""
        if not hasattr(self, "client"):
            return
        asked = len(self.steps.asked)
        try:
            found = self.client.get()
        except FAIL_STATIC.NoConfigurationError:
            assert not self.had_one
        else:
            self.had_one = True
            assert type(found.content["price"]) is int
            assert found.age >= 0
            assert found.source in ("agent", "memory", "disk", "s3", "image")
        assert len(self.steps.asked) == asked, "a request went outside"
        assert all(type(one.content["price"]) is int for one in self.steps.kept)


def strict(content: Mapping[str, Any]) -> None:
    """A whole number, and no truth."""
    if type(content["price"]) is not int:
        raise ValueError("price")


AnySequence.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None, database=None)
test_any_sequence_of_faults = AnySequence.TestCase


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Each test ends what it started."""
    yield
    for thread in threading.enumerate():
        if thread.name == "configuration":
            thread.join(5)
