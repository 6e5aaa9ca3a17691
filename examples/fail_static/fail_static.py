"""Configuration that goes on when its source is down (lesson T2). Copy it and ``steps.py`` into your application.

It asks the AppConfig agent in the background and falls back step by step: what it has in memory, its own copy on the
task's disk, the copy in S3, the file in the image. It says from which step the answer is, and how old that is.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger(__name__)
TOLERATED_SECONDS = 300
"""Clocks differ a little; a copy of a time still later is refused, or it would never be replaced."""
NEWER_SECONDS = 120
"""So much newer a copy must be than what is in memory: one answer that is late does not change the configuration.
During a deployment the agent may already have the next version, and the copy has only what was deployed to the end."""


class NoConfigurationError(Exception):
    """There never was a good one: each step failed, the file in the image too."""


class RefusedError(Exception):
    """What came is no configuration to take."""


@dataclass(frozen=True)
class Configuration:
    """What to work with. All threads share ``content``: read it, do not change it.

    ``source`` is agent, memory (the agent's last answer), disk, s3 or image. ``age`` is the seconds since it was
    confirmed: by the agent, which may answer from a cache of its own, or by what wrote the copy.
    """

    content: Mapping[str, Any]
    source: str
    age: float


@dataclass(frozen=True)
class Copy:
    """A configuration, its version, and when it was last known to be the right one (seconds since 1970)."""

    content: Mapping[str, Any]
    version: str
    confirmed_at: float


class FailStatic:
    """``get()`` answers from memory, whatever happens outside; a thread of its own asks each ``every`` seconds.

    Only who asks before the first good one waits, and no longer than ``wait`` seconds. ``check`` raises for what the
    application cannot work with; that is never taken, and never kept. Of copies only a newer one is taken. What the
    agent says is taken, be its version older: a deployment that was rolled back looks so.
    """

    def __init__(
        self,
        steps: Mapping[str, Callable[[], Copy]],
        *,
        check: Callable[[Mapping[str, Any]], object],
        keep: Callable[[Copy], object] | None = None,
        clock: Callable[[], float] = time.time,
        every: float = 15,
        wait: float = 8,
    ) -> None:
        self._steps, self._check, self._keep, self._clock = steps, check, keep, clock
        self._every, self._wait = every, wait
        self._good: tuple[str, Copy] | None = None  # replaced as a whole, so readers need no lock
        self._said: dict[str, str] = {}
        self._reset()
        reset = weakref.WeakMethod(self._reset)
        os.register_at_fork(after_in_child=lambda: (own := reset()) and own())

    def _reset(self) -> None:
        """A forked process has what was in memory, but no thread, and locks that nobody would ever release."""
        self._starting, self._refreshing = threading.Lock(), threading.Lock()
        self._asked, self._closed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def get(self) -> Configuration:
        """The configuration. It raises ``NoConfigurationError`` only as long as there never was a good one."""
        if self._thread is None:
            self._start()
        if self._good is None:
            self._asked.wait(self._wait)
        good = self._good
        if good is None:
            raise NoConfigurationError("no step has a good configuration; the log says why")
        source, copy = good
        return Configuration(copy.content, source, max(0.0, self._clock() - copy.confirmed_at))

    def refresh(self) -> None:
        """Asks the steps in their order until one has something to take; what there is stays if none has."""
        with self._refreshing:
            failed = []
            for source, read in self._steps.items():
                try:
                    copy = read()
                    self._judge(source, copy)
                except Exception as error:  # whatever is wrong with a step, the next one is asked
                    failed.append(f"{source}: {type(error).__name__} {error}"[:160])
                else:
                    self._good = source, copy
                    break
            else:
                if self._good is not None and self._good[0] == "agent":
                    self._good = "memory", self._good[1]
            self._tell(failed)

    def close(self) -> None:
        """Ends the thread; ``get()`` goes on with what there is."""
        self._closed.set()

    def _judge(self, source: str, copy: Copy) -> None:
        if copy.confirmed_at > self._clock() + TOLERATED_SECONDS:
            raise RefusedError("it is of a time to come")
        known = -math.inf if self._good is None or source == "agent" else self._good[1].confirmed_at
        if copy.confirmed_at <= known + NEWER_SECONDS:
            raise RefusedError("it is no newer")
        self._check(copy.content)

    def _tell(self, failed: list[str]) -> None:
        why = f" ({'; '.join(failed)})" if failed else ""
        if self._good is None:
            return self._say("step", "none", f"there is no configuration{why}")
        source, copy = self._good
        age = max(0.0, self._clock() - copy.confirmed_at)
        self._say("step", source, f"configuration from {source}, {age:.0f} s old, version {copy.version!r}{why}")
        if source == "agent" and self._keep is not None:
            try:
                self._keep(copy)
            except Exception as error:  # such as a full disk, which is no reason to stop
                self._say("disk", "lost", f"no copy can be kept on disk: {type(error).__name__} {error}")
            else:
                self._said["disk"] = "kept"
        return None

    def _say(self, about: str, what: str, line: str) -> None:
        """One line when something has become different, and no more."""
        if self._said.get(about) != what:
            LOG.log(logging.INFO if what == "agent" else logging.WARNING, line)
        self._said[about] = what

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="configuration", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        closed, asked = self._closed, self._asked
        while not closed.is_set():
            self.refresh()
            asked.set()
            closed.wait(self._every)
