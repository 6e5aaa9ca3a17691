"""Lifts what `moorings freeze` holds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE
from constructs_lib.delivery.operations.freeze import thaw
from constructs_lib.ops.delivery_command import Answer, add_delivery, answered
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.freeze import whole_environment
from constructs_lib.ops.outside import Outside

HELP: Final = "lets releases of an environment go on"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser, service=False)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        application, environment = whole_environment(door, options.env)
        lifted = thaw(door.world.clients.ssm, application, environment)
        place = f"{application}/{environment}"
        return Answer(
            code=FINE,
            lines=(f"{place} is not frozen any more" if lifted else f"{place} was not frozen",),
            result={"environment": place, "result": "thawed" if lifted else "was not frozen"},
        )

    return answered(options, outside, work)
