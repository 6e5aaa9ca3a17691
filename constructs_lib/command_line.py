"""What every command shares: exit codes, writing, and errors that are one sentence. Standard library only."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn, TextIO

FINE: Final = 0
FOUND: Final = 1
COULD_NOT_RUN: Final = 2
BUSY: Final = 3
INTERRUPTED: Final = 130


class CouldNotRun(Exception):  # noqa: N818  (it is what the exit code 2 means)
    """Wrong input, or something that stops the command (lesson Q2); the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where a command writes, and its clock (lesson Q2).

    Args:
        out: where results go.
        err: where errors go.
        now: the time.
    """

    out: TextIO
    err: TextIO
    now: Callable[[], datetime]

    def say(self, line: str) -> None:
        """One line of a result."""
        with self._writing():
            self.out.write(line + "\n")

    def write(self, text: str) -> None:
        """A whole result. Letters that the output's encoding lacks are written as their numbers."""
        encoding = self.out.encoding or "utf-8"
        with self._writing():
            self.out.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def say_json(self, result: Mapping[str, object]) -> None:
        """The whole result as JSON."""
        with self._writing():
            self.out.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")

    def tell(self, line: str, *, aside: bool) -> None:
        """One line of progress, written at once; ``aside`` means beside the results, where errors go.

        What cannot be written is dropped: the work that it tells of must not stop because nobody reads on.
        """
        stream = self.err if aside else self.out
        encoding = stream.encoding or "utf-8"
        try:
            stream.write((line + "\n").encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except OSError:
            _drop(stream)

    def finish(self) -> None:
        """What was said has been written after this, or it is told that it could not be."""
        with self._writing():
            self.out.flush()

    def complain(self, sentence: str) -> None:
        """One error."""
        encoding = self.err.encoding or "utf-8"
        try:
            self.err.write(f"moorings: {sentence}\n".encode(encoding, "backslashreplace").decode(encoding))
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


def real_console() -> Console:
    """The real one."""
    return Console(out=sys.stdout, err=sys.stderr, now=lambda: datetime.now(UTC))


def finished(work: Callable[[], int], console: Console) -> int:
    """The exit code of a command, whatever stops it: 0 fine, 1 found something, 2 wrong input or could not run."""
    try:
        code = work()
        console.finish()
    except BrokenPipeError:  # whoever reads has read enough
        return COULD_NOT_RUN
    except CouldNotRun as error:
        console.complain(str(error))
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        console.complain("interrupted before it was done")
        return COULD_NOT_RUN
    except SystemExit as ended:  # argparse has printed its help
        return ended.code if isinstance(ended.code, int) else COULD_NOT_RUN
    return code


class Parser(ArgumentParser):
    """An argument parser whose errors are one sentence (lesson Q2)."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where the help is.

        Raises:
            CouldNotRun: always.
        """
        raise CouldNotRun(f"{message}; see `{self.prog} --help`")


def assignment(text: str) -> tuple[str, str]:
    """The type of an option such as ``--parameter NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"must be NAME=VALUE, got {text!r}")
    return name, value


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from ``low`` to ``high``."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ArgumentTypeError(f"must be a whole number from {low} to {high}, got {text!r}")
        return int(text)

    return number


def _drop(stream: TextIO) -> None:
    """What is left in the stream goes nowhere, or Python would try again at its end, and complain."""
    with suppress(OSError):  # it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
