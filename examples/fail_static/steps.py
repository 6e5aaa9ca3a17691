"""Where ``FailStatic`` asks: the agent, the disk, S3, the image. Standard library; boto3 where S3 is reached."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fail_static import TOLERATED_SECONDS, Copy, FailStatic, RefusedError

LARGEST = 4 * 1024 * 1024
"""Bytes of a configuration. AppConfig stores 2 MB unless its quota was raised to 4."""
AGENT_SECONDS, S3_SECONDS = 1.0, 5.0
"""Total limits. The agent is in the same task; S3's holds the import of boto3, slow on a quarter of a vCPU."""
UNCHANGED_SECONDS = 300
FILE = "last-good-configuration.json"


def from_environment(*, check: Callable[[Mapping[str, Any]], object], baked: Path) -> FailStatic:
    """The client as the container's settings describe it; ``baked`` is the copy in the image."""
    url, directory, uri = (os.environ.get(f"MOORINGS_CONFIG_{name}", "") for name in ("URL", "DIRECTORY", "COPY"))
    steps: dict[str, Callable[[], Copy]] = {}
    if url:
        steps["agent"] = partial(from_agent, url)
    if directory:
        steps["disk"] = partial(from_file, Path(directory, FILE))
    if uri:
        steps["s3"] = within(S3_SECONDS, partial(from_s3, uri))
    steps["image"] = partial(from_file, baked)
    return FailStatic(steps, check=check, keep=partial(keep, Path(directory, FILE)) if directory else None)


def from_agent(url: str, seconds: float = AGENT_SECONDS) -> Copy:
    """What the AppConfig agent answers, with a limit in total: a time-out alone lets a byte a second go on for ever.

    Only 200 is an answer; 400, 404, 500, 502 and 504 are its errors.
    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent-retrieving-data.html
    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-OpenAPI.html
    """
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=seconds)
    connection.connect()
    stop = threading.Timer(seconds, partial(_shut, connection.sock))
    stop.daemon = True
    stop.start()
    try:
        connection.request("GET", f"{place.path}?{place.query}" if place.query else place.path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RefusedError(f"status {answer.status}")
        content = _object(answer.read(LARGEST + 1))
        return Copy(content, answer.headers.get("Configuration-Version", ""), time.time())
    finally:
        stop.cancel()
        connection.close()


def from_file(path: Path) -> Copy:
    """A copy that was kept on disk, or that the image was built with."""
    with path.open("rb") as file:
        return read_copy(file.read(LARGEST + 1))


def from_s3(uri: str) -> Copy:
    """The copy that is kept for new tasks."""
    import boto3
    from botocore.config import Config

    place = urlsplit(uri)
    limits = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    client = boto3.session.Session(region_name=os.environ.get("AWS_REGION")).client("s3", config=limits)
    answer = client.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
    return read_copy(answer["Body"].read(LARGEST + 1))


def read_copy(raw: bytes) -> Copy:
    """A copy as ``keep`` and the library write it: version, confirmed_at (UTC) and content."""
    copy = _object(raw)
    content, version, at = copy.get("content"), copy.get("version"), copy.get("confirmed_at")
    if not (isinstance(content, dict) and isinstance(version, str | int) and isinstance(at, str)):
        raise RefusedError("it is no copy of a configuration")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise RefusedError("its time has no zone")
    return Copy(content, str(version), moment.timestamp())


def keep(path: Path, copy: Copy) -> None:
    """Writes the copy beside its place and moves it there as a whole; never over a newer one.

    What is unchanged is written each five minutes only: its age is then told as more than it is, never as less. It is
    not synced: a process may end at any time, but when the host does, the task's disk is gone with it.
    """
    with contextlib.suppress(Exception):  # none, or a spoiled one, which is written over
        kept = from_file(path)
        same = (kept.content, kept.version) == (copy.content, copy.version)
        until = copy.confirmed_at - UNCHANGED_SECONDS if same else copy.confirmed_at
        if until < kept.confirmed_at <= time.time() + TOLERATED_SECONDS:
            return
    at = datetime.fromtimestamp(int(copy.confirmed_at), UTC).isoformat()  # rounded down: never newer than it is
    raw = json.dumps({"version": copy.version, "confirmed_at": at, "content": copy.content}).encode()
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.touch(0o600)
        new.write_bytes(raw)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def within(seconds: float, read: Callable[[], Copy]) -> Callable[[], Copy]:
    """The same with a limit in total, whatever it hangs in; it is not begun anew as long as it hangs."""
    last: list[threading.Thread] = []

    def run(answer: list[Copy | Exception]) -> None:
        try:
            answer.append(read())
        except Exception as error:
            answer.append(error)

    def limited() -> Copy:
        if last and last[0].is_alive():
            raise TimeoutError("the read before still hangs")
        answer: list[Copy | Exception] = []
        last[:] = [threading.Thread(target=run, args=(answer,), daemon=True)]
        last[0].start()
        last[0].join(seconds)
        if not answer:
            raise TimeoutError(f"no answer in {seconds:g} s")
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    return limited


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > LARGEST:
        raise RefusedError(f"it is larger than {LARGEST} bytes")
    found = json.loads(raw, parse_constant=_number, parse_float=_number)
    if not isinstance(found, dict):
        raise RefusedError("it is no JSON object")
    return found


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # NaN and Infinity, which Python reads, and 1e400
        raise RefusedError(f"{text[:40]} is no JSON")
    return number


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was faster
        connection.shutdown(socket.SHUT_RDWR)
