"""Holds all releases of an environment, with a reason, until `moorings thaw`. One that is under way goes on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE, CouldNotRun
from constructs_lib.delivery.operations.freeze import freeze
from constructs_lib.ops.delivery_command import Answer, add_delivery, answered, reason
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import one_line
from constructs_lib.ops.status import meant

HELP: Final = "holds all releases of an environment"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser, service=False)
    parser.add_argument(
        "--reason", type=reason, required=True, metavar="TEXT", help="why, for whoever wants to release"
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        application, environment = whole_environment(door, options.env)
        made = freeze(
            door.world.clients.ssm,
            application,
            environment,
            who=door.who(),
            reason=options.reason,
            now=door.world.now(),
        )
        place = f"{application}/{environment}"
        return Answer(
            code=FINE,
            lines=(f"{place} is {one_line(str(made))}", f"`moorings thaw {place}` lifts it"),
            result={
                "environment": place,
                "result": "frozen",
                "who": made.who,
                "at": made.at.isoformat(),
                "reason": made.reason,
            },
        )

    return answered(options, outside, work)


def whole_environment(door: Door, env: str) -> tuple[str, str]:
    """Application and environment that ENV means. A name that is misspelt must not seem to be frozen.

    Raises:
        SettingsNotFound: there is no such environment.
        CouldNotRun: several applications have one.
    """
    found = sorted({(one.application, one.environment) for one in meant(door, env)})
    if len(found) > 1:
        places = ", ".join("/".join(one) for one in found)
        raise CouldNotRun(f"ENV must name one environment, got {env!r}; say which: {places}")
    return found[0]
