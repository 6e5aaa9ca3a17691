"""Replaces the tasks of a service by new ones of the same image, and waits for them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.delivery.operations.release import Request
from constructs_lib.ops.changes import change
from constructs_lib.ops.delivery_command import add_delivery
from constructs_lib.ops.outside import Outside

HELP: Final = "replaces the tasks of a service, with the same image"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    return change(options, outside, Request(action="restart"))
