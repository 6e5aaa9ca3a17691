"""The commands by name, and what their errors come to."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from typing import Final

from constructs_lib.command_line import COULD_NOT_RUN, Parser, finished
from constructs_lib.guardrails import command as check
from constructs_lib.ops.outside import Outside, real

_OF_THE_EXTRA: Final = ("boto3", "botocore", "rich")


def main(arguments: Sequence[str] | None = None, outside: Outside | None = None) -> int:
    """Runs one command and returns its exit code: see docs/commands.md."""
    world = outside or real()
    words = sys.argv[1:] if arguments is None else arguments
    return finished(lambda: _run(words, world), world)


def _run(words: Sequence[str], world: Outside) -> int:
    if words[:1] == ["check"]:  # by itself: the others would have to be loaded for their arguments
        return check.run(words[1:], world)
    try:
        parser = _parser()
        options, left = parser.parse_known_args(words)
        _take_late(parser, options, left)
        code: int = options.run(options, world)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _OF_THE_EXTRA:
            raise
        world.complain(f"this needs {error.name}, which is not installed; install 'moorings[ops]'")
        return COULD_NOT_RUN
    return code


def _take_late(parser: Parser, options: Namespace, left: Sequence[str]) -> None:
    """A word that may be left out, and that stands behind an option: argparse took it for left out (Python 3.11).

    https://github.com/python/cpython/issues/59317
    """
    if not left:
        return
    name: str = getattr(options, "last_word", "")
    kind: Callable[[str], object] = getattr(options, "last_type", str)
    if len(left) > 1 or left[0].startswith("-") or not name or getattr(options, name) is not None:
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    try:
        setattr(options, name, kind(left[0]))
    except ArgumentTypeError as error:
        parser.error(f"argument {name.upper()}: {error}")


def _parser() -> Parser:
    from constructs_lib.ops import (
        diff,
        freeze,
        history,
        images_check,
        images_list,
        images_preview,
        images_verify,
        ports,
        promote,
        release,
        restart,
        rollback,
        status,
        status_page,
        thaw,
        verify,
    )

    parser = Parser(
        prog="moorings", description="Keep the images that run, check what is about to be deployed, and release."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    check.configure(commands.add_parser("check", help=check.HELP, description=check.__doc__))
    images = commands.add_parser("images", help="what a lifecycle policy does to images")
    of_images = images.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in (
        ("check", images_check),
        ("list", images_list),
        ("preview", images_preview),
        ("verify", images_verify),
    ):
        command.configure(of_images.add_parser(name, help=command.HELP, description=command.__doc__))
    for name, command in (
        ("status", status),
        ("verify", verify),
        ("promote", promote),
        ("release", release),
        ("rollback", rollback),
        ("restart", restart),
        ("freeze", freeze),
        ("thaw", thaw),
        ("history", history),
        ("diff", diff),
        ("ports", ports),
        ("status-page", status_page),
    ):
        command.configure(commands.add_parser(name, help=command.HELP, description=command.__doc__))
    return parser
