"""Makes an image the one that a service runs: verify, record, pin, release, wait; and back again when it fails."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.release import Request
from constructs_lib.ops.changes import change
from constructs_lib.ops.delivery_command import add_delivery, add_image, reason
from constructs_lib.ops.outside import Outside

HELP: Final = "makes an image the one that a service runs"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    add_image(
        parser,
        "the image: its digest, its first 7 digits or more, or its build tag; by default the newest build, or what ran "
        "last in the environment before",
    )
    parser.add_argument("--now", action="store_true", help="outside the maintenance window too; needs --reason")
    parser.add_argument("--reason", type=reason, metavar="TEXT", help="why it cannot wait; the ledger keeps it")
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    if options.now != (options.reason is not None):
        given = "--now" if options.now else "--reason"
        raise CouldNotRun(f"--now and --reason TEXT must be given together, got {given} alone; give both, or neither")
    request = Request(action="release", target=options.digest, now_reason=options.reason or "")
    return change(options, outside, request)
