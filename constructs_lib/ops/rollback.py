"""Makes an earlier image the one that a service runs: the last successful one before it, or another that is named."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Final

from constructs_lib.delivery.operations.release import Request
from constructs_lib.ops.changes import change
from constructs_lib.ops.delivery_command import DIGEST, add_delivery
from constructs_lib.ops.outside import Outside

HELP: Final = "goes back to an image that ran before"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    parser.add_argument(
        "--to",
        type=_target,
        metavar="DIGEST|N",
        help="the image, or the number of its release as `moorings history` shows it; by default the last successful "
        "release of another image than the one that runs",
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    return change(options, outside, Request(action="rollback", target=options.to))


def _target(text: str) -> str:
    number = text.isascii() and text.isdigit() and not text.startswith("0") and len(text) < 10
    if not number and not DIGEST.fullmatch(text):
        raise ArgumentTypeError(
            f"must be a release's number such as 12, or 'sha256:' and 64 hexadecimal digits, got {text!r}; "
            "`moorings history` shows the numbers"
        )
    return text
