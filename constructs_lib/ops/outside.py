"""What a command touches besides its arguments, so that tests can put something else there. No AWS is loaded here."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NoReturn, TextIO

from constructs_lib.images.runtime.aws import Clients, config, connect

FINE: Final = 0
FOUND: Final = 1
COULD_NOT_RUN: Final = 2

FORMATS: Final = ("text", "json")

TRIES: Final = 3
"""Of a call to ECR. It is asked first, so an endpoint that is silent is told soon; the others keep the guard's tries,
for where many share a service's request rate fewer would leave gaps."""


class CouldNotRun(Exception):  # noqa: N818  (it is what the exit code 2 means)
    """Wrong input, or something that stops the command (lesson Q2); the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world as a command sees it (lesson Q2).

    Args:
        out: where results go.
        err: where errors go.
        connect: AWS clients of a region and a profile.
        now: the time.
        sleep: waits for some seconds.
    """

    out: TextIO
    err: TextIO
    connect: Callable[[str | None, str | None], Clients]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def say(self, line: str) -> None:
        """One line of a result."""
        with self._writing():
            self.out.write(line + "\n")

    def say_json(self, result: Mapping[str, object]) -> None:
        """The whole result as JSON."""
        with self._writing():
            self.out.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")

    def finish(self) -> None:
        """What was said has been written after this, or it is told that it could not be."""
        with self._writing():
            self.out.flush()

    def complain(self, sentence: str) -> None:
        """One error."""
        try:
            self.err.write(f"moorings: {sentence}\n")
            self.err.flush()
        except OSError:  # there is nobody left to tell
            _drop(self.err)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as error:
            letters = ascii(error.object[error.start : error.end])
            raise CouldNotRun(
                f"the output's encoding must have {letters}, got {error.encoding}; set PYTHONIOENCODING=utf-8"
            ) from error
        except OSError as error:
            _drop(self.out)
            if isinstance(error, BrokenPipeError):
                raise
            raise CouldNotRun(f"the output cannot be written: {error.strerror}") from error


def real() -> Outside:
    """The real world."""
    return Outside(out=sys.stdout, err=sys.stderr, connect=_connect, now=lambda: datetime.now(UTC), sleep=time.sleep)


def _connect(region: str | None, profile: str | None) -> Clients:
    from boto3.session import Session
    from botocore.config import Config

    # boto3 reads AWS_DEFAULT_REGION only; other tools of AWS, and many build services, use AWS_REGION.
    named = region or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    session = Session(region_name=named, profile_name=profile)
    fewer = config().merge(Config(retries={"mode": "standard", "total_max_attempts": TRIES}))
    return replace(connect(session), ecr=session.client("ecr", config=fewer))


def _drop(stream: TextIO) -> None:
    """What is left in the stream goes nowhere, or Python would try again at its end, and complain."""
    with suppress(OSError):  # it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Parser(ArgumentParser):
    """An argument parser whose errors are one sentence (lesson Q2)."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where the help is."""
        self.exit(COULD_NOT_RUN, f"moorings: {message}; see `{self.prog} --help`\n")


def add_format(parser: ArgumentParser) -> None:
    """The option that every command has."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="text for people, json for programs")


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from ``low`` to ``high``."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"must be a whole number from {low} to {high}, got {text!r}")
        return int(text)

    return number
