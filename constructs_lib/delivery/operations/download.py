"""Bytes from a pre-signed address, which go on where they broke off."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import HTTPException
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from constructs_lib.command_line import CouldNotRun

SECONDS: Final = 30
"""How long a server may be silent."""

TRIES: Final = 5
"""How often an address is opened without a mebibyte coming."""

_CHUNK: Final = 64 * 1024
_PROGRESS: Final = 1024 * 1024
_BROKEN: Final = (OSError, HTTPException)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Stream(Protocol):
    """An open download (lesson Q3)."""

    def read(self, most: int, /) -> bytes:
        """At most so many bytes; none at the end."""

    def close(self) -> None:
        """Ends it."""


Open: TypeAlias = Callable[[str, int], Stream]
"""Opens an address so that the first byte read is the one at this offset."""


def open_address(url: str, offset: int) -> Stream:
    """Opens an address over HTTPS. It is a secret while it is valid, so it stands in no message.

    Plain HTTP is for the local cloud: on the loopback interface only.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise CouldNotRun(f"a layer's address must be https, got {parts.scheme!r}; look at the endpoint of ECR")
    request = Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})  # noqa: S310  (checked above)
    answer = urlopen(request, timeout=SECONDS)  # noqa: S310  (checked above)
    stream: Stream = answer
    try:
        _skip(stream, offset - _begins_at(answer.status, answer.headers.get("Content-Range", ""), offset))
    except BaseException:
        stream.close()
        raise
    return stream


def _begins_at(status: int, content_range: str, offset: int) -> int:
    """Which byte an answer begins with: a server may give the whole instead of the rest."""
    if status == 200:
        return 0
    found = re.match(r"bytes (\d+)-", content_range)
    if found is None or int(found[1]) > offset:
        raise OSError(f"the server answered {status} {content_range!r} when asked for what follows byte {offset}")
    return int(found[1])


def _skip(stream: Stream, count: int) -> None:
    while count:
        passed = stream.read(min(_CHUNK, count))
        if not passed:
            raise OSError("the server ended before the byte that it was asked for")
        count -= len(passed)


class Download:
    """A blob of known size, read in parts (lesson Q3).

    Args:
        address: asks for an address, which is valid for some minutes only.
        size: how many bytes there are.
        what: how a person names it.
        open_address: opens an address.
        sleep: waits for some seconds.
    """

    def __init__(
        self, *, address: Callable[[], str], size: int, what: str, open_address: Open, sleep: Callable[[float], None]
    ) -> None:
        self._address, self._size, self._what = address, size, what
        self._open, self._sleep = open_address, sleep
        self._stream: Stream | None = None
        self._offset = self._broke_at = self._tries = 0

    def read(self, most: int) -> bytes:
        """The next ``most`` bytes, fewer at the end.

        Raises:
            CouldNotRun: the download broke off again and again.
        """
        wanted = min(most, self._size - self._offset)
        part = bytearray()
        while len(part) < wanted:
            reason = "it ended too early"
            try:
                if self._stream is None:
                    self._stream = self._open(self._address(), self._offset)
                chunk = self._stream.read(min(_CHUNK, wanted - len(part)))
            except _BROKEN as error:
                chunk, reason = b"", str(error) or type(error).__name__
            if chunk:
                part += chunk
                self._offset += len(chunk)
            else:
                self._broken(reason)
        return bytes(part)

    def close(self) -> None:
        """Ends it."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _broken(self, reason: str) -> None:
        self.close()
        self._tries = 1 if self._offset - self._broke_at >= _PROGRESS else self._tries + 1
        self._broke_at = self._offset
        if self._tries >= TRIES:
            raise CouldNotRun(
                f"the download of {self._what} broke off {TRIES} times, last at byte {self._offset} of {self._size}:"
                f" {reason}; run this again, and look at the network's way to S3 if it stays so"
            )
        self._sleep(2 ** (self._tries - 1))
