"""What could not be read: one sentence each, and the rest is still read (lesson Q2).

A reading with a gap is never taken for complete, so no pin leaves an image because AWS did not answer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from .errors import code, failures, why

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import FailureTypeDef

GIVE_UP: Final = 20
"""After so many refusals in a row a call is not made again in this reading. Each has been tried ``aws.TRIES`` times by
then, and in an outage the time is better spent on pinning what is known."""

TIME_LIMIT: Final = 120.0
"""Seconds from the beginning of a reading after which no call is begun. The function has 420: it may wait for 35 before
it reads, and a call that was begun in time and hangs goes on for some 115. The rest is for pinning what is known."""

_GONE: Final = frozenset(
    {"ClusterNotFoundException", "ParameterNotFound", "ResourceNotFoundException", "StateMachineDoesNotExist"}
)
"""What was listed and is deleted by now starts nothing, and a parameter that is not there yet releases nothing."""

_T = TypeVar("_T")


class Gaps:
    """Asks AWS, and keeps what was refused (lesson Q2). Several threads may share one.

    Args:
        clock: seconds from any beginning. The time that a reading has begins now.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + TIME_LIMIT
        self._lock = Lock()
        self._sentences: set[str] = set()
        self._refused: Counter[str] = Counter()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All gaps, in an order that depends on nothing but them."""
        with self._lock:
            return tuple(sorted(self._sentences))

    def add(self, sentence: str) -> None:
        """Keeps one gap."""
        with self._lock:
            self._sentences.add(sentence)

    def ask(self, call: str, of: str, function: Callable[[], _T], *, gone: Container[str] = _GONE) -> _T | None:
        """The answer to one call, or None.

        Args:
            call: such as ``ecs:DescribeTasks``; it is also the permission that is needed.
            of: what it is about.
            function: makes the call.
            gone: error codes which say that there is nothing to read. They are no gap.
        """
        return next(self.pages(call, of, (function() for _ in range(1)), gone=gone), None)

    def pages(self, call: str, of: str, pages: Iterable[_T], *, gone: Container[str] = _GONE) -> Iterator[_T]:
        """The pages of a list, up to the first that is refused, or for which no time is left."""
        from botocore.exceptions import ParamValidationError

        if self._given_up(call):
            return
        try:
            for page in self._in_time(pages):
                self._answered(call)
                yield page
        except failures() as error:
            if isinstance(error, ParamValidationError):
                raise  # AWS was not even asked
            if code(error) not in gone:
                self._refuse(call, f"{call} of {of} failed: {why(error)}")

    def check(
        self,
        call: str,
        asked: Sequence[str],
        answered: Sequence[object],
        named: Iterable[FailureTypeDef],
        *,
        may_be_missing: Container[str] = (),
    ) -> None:
        """Keeps what a call with several names answered in part, and nobody sees unless they look."""
        told = list(named)
        for failure in told:
            arn, reason = failure.get("arn", "no ARN"), failure.get("reason", "no reason")
            if reason != "MISSING" or arn not in may_be_missing:
                self.add(f"{call} of {arn} failed: {reason}, {failure.get('detail', '')}")
        if len(answered) + len(told) < len(asked):
            self.add(f"{call} answered {len(answered)} of {len(asked)} and named {len(told)} failures: {asked[0]} …")

    def _in_time(self, pages: Iterable[_T]) -> Iterator[_T]:
        """The pages, each of which may cost a call."""
        calls = iter(pages)
        while not self._late() and (page := next(calls, None)) is not None:
            yield page

    def _late(self) -> bool:
        late = self._clock() >= self._end
        if late:
            self.add(
                f"reading took more than {TIME_LIMIT:.0f} seconds, so the rest was not asked for; "
                "look for a service of AWS that hangs or throttles"
            )
        return late

    def _given_up(self, call: str) -> bool:
        with self._lock:
            return self._refused[call] >= GIVE_UP

    def _answered(self, call: str) -> None:
        with self._lock:
            if self._refused[call] < GIVE_UP:
                self._refused[call] = 0

    def _refuse(self, call: str, sentence: str) -> None:
        with self._lock:
            self._sentences.add(sentence)
            self._refused[call] += 1
            if self._refused[call] == GIVE_UP:
                self._sentences.add(f"{call} was refused {GIVE_UP} times in a row, so the rest was not asked for")
