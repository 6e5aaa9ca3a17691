"""A bucket in memory whose callers take turns, and may die at any call."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from botocore.exceptions import ClientError

BUCKET, ACCOUNT = "shop--production--status-111111111111-eu-west-1", "111111111111"


class Died(BaseException):
    """The process of a caller is no more; nothing in it can catch that."""


@dataclass
class Bucket:
    """S3 as far as it is documented: one key is atomic, a condition is checked in the same step.

    Attributes:
        objects: tag, bytes and metadata by key.
        history: every write, in order.
    """

    objects: dict[str, tuple[str, bytes, Mapping[str, str]]] = field(default_factory=dict)
    history: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def get_object(self, **request: Any) -> Any:
        """An object."""
        if request["Key"] not in self.objects:
            raise error("NoSuchKey", "GetObject")
        etag, body, metadata = self.objects[request["Key"]]
        return {"ETag": etag, "Body": io.BytesIO(body), "Metadata": metadata}

    def head_object(self, **request: Any) -> Any:
        """An object without its bytes; S3 gives no code with it, but the status."""
        if request["Key"] not in self.objects:
            raise error("404", "HeadObject")
        etag, _, metadata = self.objects[request["Key"]]
        return {"ETag": etag, "Metadata": metadata}

    def put_object(self, **request: Any) -> object:
        """Writes where the condition holds; a write without one is refused, as the bucket's policy does."""
        key, match, none = request["Key"], request.get("IfMatch"), request.get("IfNoneMatch")
        if match is None and none != "*":
            raise error("AccessDenied", "PutObject")
        if match is not None and key not in self.objects:
            raise error("NoSuchKey", "PutObject")
        if (none and key in self.objects) or (match is not None and self.objects[key][0] != match):
            raise error("PreconditionFailed", "PutObject")
        self.history.append((key, request["Body"], request["Metadata"]))
        self.objects[key] = (f'"{len(self.history)}"', request["Body"], request["Metadata"])
        return {}


def error(code: str, operation: str) -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


@dataclass
class Guarded:
    """The bucket for one caller: each call waits for its turn; at one of them the caller may die.

    Attributes:
        dies: at which call, counted from 0; None: never.
        after: whether that call is still carried out.
    """

    bucket: Bucket
    turn: Callable[[], None]
    dies: int | None = None
    after: bool = False
    calls: int = 0

    def _call(self, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        self.turn()
        number, self.calls = self.calls, self.calls + 1
        if number == self.dies and not self.after:
            raise Died
        try:
            return method(**request)
        finally:
            if number == self.dies:
                raise Died

    def get_object(self, **request: Any) -> Any:
        """In its turn."""
        return self._call(self.bucket.get_object, request)

    def head_object(self, **request: Any) -> Any:
        """In its turn."""
        return self._call(self.bucket.head_object, request)

    def put_object(self, **request: Any) -> object:
        """In its turn."""
        return self._call(self.bucket.put_object, request)


class Turns:
    """Runs callers in threads, one at work at a time: who is next is decided before, so it can be repeated."""

    def __init__(self) -> None:
        self._go: list[threading.Semaphore] = []
        self._told: SimpleQueue[tuple[int, bool]] = SimpleQueue()

    def turn(self, number: int) -> Callable[[], None]:
        """What the caller of this number waits with, before each call."""
        self._go.append(threading.Semaphore(0))

        def wait() -> None:
            self._told.put((number, True))
            if not self._go[number].acquire(timeout=30):
                raise Died

        return wait

    def run(self, callers: Sequence[Callable[[], object]], order: Sequence[int]) -> list[BaseException | None]:
        """Runs them to their ends in this order, which is gone through again and again; what each raised."""
        raised: list[BaseException | None] = [None] * len(callers)

        def work(number: int) -> None:
            try:
                callers[number]()
            except BaseException as error:
                raised[number] = error
            self._told.put((number, False))

        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(callers))]
        for thread in threads:
            thread.start()
        waiting: set[int] = set()
        for _ in threads:
            self._hear(waiting)
        place = 0
        while waiting:
            wanted = order[place % len(order)] if order else 0
            place += 1
            number = sorted(waiting)[wanted % len(waiting)]
            waiting.remove(number)
            self._go[number].release()
            self._hear(waiting)
        return raised

    def _hear(self, waiting: set[int]) -> None:
        number, waits = self._told.get(timeout=30)
        if waits:
            waiting.add(number)
