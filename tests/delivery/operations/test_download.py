"""Downloads from a real server on this machine, which breaks off, forgets ranges, or refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.download import Download, Stream, open_address

CONTENT = bytes(number % 251 for number in range(300_000))


class Server:
    """What the next requests get; at the end of the list, all of it.

    Attributes:
        plan: for each request the bytes after which it breaks off, or a status that refuses it.
        ranges: whether it knows ranges.
        begins: added to the byte with which a range is said to begin.
        asked: the ``Range`` of each request.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.plan: list[int | str] = []
        self.ranges = True
        self.begins = 0
        self.asked: list[str | None] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        wanted = request.headers["Range"]
        self.asked.append(wanted)
        step = self.plan.pop(0) if self.plan else len(CONTENT)
        if isinstance(step, str):
            request.send_error(int(step))
            return
        start = 0
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) + self.begins
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT) - start))
        request.end_headers()
        request.wfile.write(CONTENT[start:][:step])


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of this test's own."""
    found: list[Server] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found[0].answer(self)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.append(Server(f"http://127.0.0.1:{listening.server_port}/layer?X-Amz-Signature=secret"))
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found[0]
    listening.shutdown()
    listening.server_close()
    thread.join()


def fetched(
    server: Server,
    *,
    part: int = 100_000,
    sleep: Callable[[float], None] = lambda _seconds: None,
    opened: Callable[[str, int], Stream] = open_address,
) -> bytes:
    """The content, read in parts."""
    download = Download(
        address=lambda: server.url, size=len(CONTENT), what="layer 1 of 1", open_address=opened, sleep=sleep
    )
    with closing(download):
        parts = iter(lambda: download.read(part), b"")
        return b"".join(parts)


def test_all_of_it_in_one_request(server: Server) -> None:
    """Without a break there is one request, and no range."""
    assert fetched(server) == CONTENT
    assert server.asked == [None]


def test_a_broken_download_goes_on_where_it_was(server: Server) -> None:
    """The second request asks for the rest, and nothing comes twice."""
    server.plan = [123_456]
    assert fetched(server) == CONTENT
    assert server.asked == [None, "bytes=123456-"]


def test_a_server_without_ranges_begins_again(server: Server) -> None:
    """It answers 200 with the whole, of which the beginning is passed over."""
    server.plan, server.ranges = [123_456], False
    assert fetched(server) == CONTENT
    assert server.asked == [None, "bytes=123456-"]


def test_a_range_may_begin_earlier_and_not_later(server: Server) -> None:
    """What was not asked for is passed over; what would leave a hole is no answer."""
    server.plan, server.begins = [123_456], -1000
    assert fetched(server) == CONTENT
    server.plan, server.begins = [123_456], 1
    with pytest.raises(
        CouldNotRun, match=r"byte 123456 of 300000: the server answered 206 .* what follows byte 123456"
    ):
        fetched(server)


def test_an_address_that_has_expired_is_asked_for_again(server: Server) -> None:
    """Each try takes a new address; 403 and 503 are tried again."""
    server.plan = ["403", "503"]
    slept: list[float] = []
    assert fetched(server, sleep=slept.append) == CONTENT
    assert slept == [1, 2]


def test_progress_gives_new_tries() -> None:
    """A layer may break off often, when at least a mebibyte comes in between."""
    content, times = bytes(2**20), 9
    reads: list[int] = []

    class Broken:
        def __init__(self, offset: int) -> None:
            self.left = min(len(content), 2**20 * times - offset)

        def read(self, most: int, /) -> bytes:
            taken = min(most, self.left)
            self.left -= taken
            return content[:taken]

        def close(self) -> None:
            """Nothing is open."""

    def opened(_url: str, offset: int) -> Stream:
        reads.append(offset)
        return Broken(offset)

    size = 2**20 * times
    download = Download(address=lambda: "", size=size, what="it", open_address=opened, sleep=lambda _seconds: None)
    assert len(download.read(size)) == size
    assert reads == [number * 2**20 for number in range(times)]


def test_it_gives_up_and_keeps_the_address_to_itself(server: Server) -> None:
    """The sentence says how far it came and why; the signature stands nowhere."""
    server.plan = [1000, *["500"] * 9]
    with pytest.raises(CouldNotRun, match=r"broke off 5 times, last at byte 1000 of 300000: HTTP Error 500") as told:
        fetched(server)
    assert "secret" not in str(told.value)
    assert len(server.asked) == 5


def test_a_server_that_is_not_there_is_told(server: Server) -> None:
    """A refused connection is a break like any other."""
    server.url = "http://127.0.0.1:1/layer"
    with pytest.raises(CouldNotRun, match="Connection refused"):
        fetched(server)


def test_a_silent_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and never answers; each try ends by itself."""
    monkeypatch.setattr("constructs_lib.delivery.operations.download.SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server.url = f"http://127.0.0.1:{silent.getsockname()[1]}/layer"
        with pytest.raises(CouldNotRun, match=r"broke off 5 times, last at byte 0 of 300000: .*timed out"):
            fetched(server)


def test_https_is_opened() -> None:
    """Nobody listens there, and that is all that is wrong."""
    with pytest.raises(OSError, match="Connection refused"):
        open_address("https://127.0.0.1:1/layer", 0)


@pytest.mark.parametrize("url", ["http://example.com/layer", "file:///etc/passwd", "ftp://127.0.0.1/layer"])
def test_only_https_leaves_this_machine(url: str) -> None:
    """Layers come from S3 over HTTPS; a file is never read."""
    with pytest.raises(CouldNotRun, match="a layer's address must be https, got"):
        open_address(url, 0)
