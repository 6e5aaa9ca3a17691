"""Makes an earlier image the one that a service runs: the last successful one before it, or another that is named."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.delivery.operations.release import Request
from constructs_lib.ops.changes import change
from constructs_lib.ops.delivery_command import add_delivery, image_or_number
from constructs_lib.ops.outside import Outside

HELP: Final = "goes back to an image that ran before"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    parser.add_argument(
        "--to",
        type=image_or_number,
        metavar="DIGEST|N",
        help="the image by its digest, its first 7 digits or more, or its build tag, or the number of its release as "
        "`moorings history` shows it; by default the last successful release of another image than the one that runs",
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    return change(options, outside, Request(action="rollback", target=options.to))
