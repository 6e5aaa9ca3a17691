"""What a command touches besides its arguments, so that tests can put something else there. No AWS is loaded here."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn, TextIO

from constructs_lib.images.runtime.aws import Clients, connect

FINE: Final = 0
FOUND: Final = 1
COULD_NOT_RUN: Final = 2

FORMATS: Final = ("text", "json")


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
        self.out.write(line + "\n")

    def say_json(self, result: Mapping[str, object]) -> None:
        """The whole result as JSON."""
        self.out.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")

    def complain(self, sentence: str) -> None:
        """One error."""
        self.err.write(f"moorings: {sentence}\n")


def real() -> Outside:
    """The real world."""
    return Outside(out=sys.stdout, err=sys.stderr, connect=_connect, now=lambda: datetime.now(UTC), sleep=time.sleep)


def _connect(region: str | None, profile: str | None) -> Clients:
    from boto3.session import Session

    return connect(Session(region_name=region, profile_name=profile))


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
