"""S3, as far as a few objects in one bucket need it: conditional writes, and who may see that one is not there."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest

from tests.fake_aws.core import Answer, RawService


class FakeS3(RawService):
    """Objects by their path, ``/bucket/key`` or the host's bucket with the key.

    Attributes:
        objects: what is there; a test may put anything there.
        writes: every object that was ever written, in order.
        failing: an error's code and status that each call of an operation gets, by the operation.
        lists: whether the caller may list the bucket; if not, what is not there is forbidden.
        metadata: what the writer of each object said of it.
        faults: errors to come, by the operation and key they are for, each once.
        owner: the account whose bucket it is.
    """

    name = "s3"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.writes: list[bytes] = []
        self.failing: dict[str, tuple[str, int]] = {}
        self.lists = True
        self.metadata: dict[str, dict[str, str]] = {}
        self.faults: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.owner = "111111111111"

    def respond(self, operation: str, request: AWSPreparedRequest) -> Answer:
        """The answer to a request."""
        if operation in self.failing:
            return _error(*self.failing[operation])
        place = urlsplit(request.url)
        key = f"{place.netloc.split('.s3')[0]}{place.path}"
        if faults := self.faults.get((operation, key.partition("/")[2])):
            return _error(*faults.pop(0))
        if _header(request, "x-amz-expected-bucket-owner") not in (None, self.owner):
            return _error("AccessDenied", 403)
        if operation in ("GetObject", "HeadObject"):
            if key not in self.objects:
                return _error("NoSuchKey", 404) if self.lists else _error("AccessDenied", 403)
            said = {f"x-amz-meta-{name}": value for name, value in self.metadata.get(key, {}).items()}
            body = self.objects[key]
            return 200, {"ETag": etag(body), **said}, body if operation == "GetObject" else b""
        assert operation == "PutObject", operation
        match, none = _header(request, "If-Match"), _header(request, "If-None-Match")
        if match is not None and key not in self.objects:
            return _error("NoSuchKey", 404)
        if (match is not None and etag(self.objects[key]) != match) or (none == "*" and key in self.objects):
            return _error("PreconditionFailed", 412)
        body = _body(request)
        self.objects[key] = body
        self.metadata[key] = _metadata(request)
        self.writes.append(body)
        return 200, {"ETag": etag(body)}, b""


def etag(body: bytes) -> str:
    """S3's tag of an object that it encrypts with its own keys."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _error(code: str, status: int) -> Answer:
    return status, {}, f"<Error><Code>{escape(code)}</Code><Message>{escape(code)}</Message></Error>".encode()


def _header(request: AWSPreparedRequest, name: str) -> str | None:
    value: Any = request.headers.get(name)
    return value.decode() if isinstance(value, bytes) else value


def _metadata(request: AWSPreparedRequest) -> dict[str, str]:
    start = "x-amz-meta-"
    names = [name for name in request.headers if name.lower().startswith(start)]
    return {name.lower().removeprefix(start): _header(request, name) or "" for name in names}


def _body(request: AWSPreparedRequest) -> bytes:
    """The object; botocore may send it in chunks, with a checksum behind it."""
    body: Any = request.body
    raw: bytes = body.read() if hasattr(body, "read") else body
    if "aws-chunked" not in (_header(request, "Content-Encoding") or ""):
        return raw
    found = b""
    while True:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return found
        found, raw = found + raw[:length], raw[length + 2 :]
