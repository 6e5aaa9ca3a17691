"""Holds all releases of an environment, with a reason, until `moorings thaw`. One that is under way goes on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE, FOUND, CouldNotRun
from constructs_lib.delivery.operations.freeze import AlreadyFrozen, Freeze, freeze
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
        place = f"{application}/{environment}"
        ssm, now = door.world.clients.ssm, door.world.now()
        try:
            made = freeze(ssm, application, environment, who=door.who(), reason=options.reason, now=now)
        except AlreadyFrozen as there:
            return Answer(code=FOUND, result=_as_json(place, "frozen already", there.freeze), complaint=str(there))
        return Answer(
            code=FINE,
            lines=(f"{place} is {one_line(str(made))}", f"`moorings thaw {place}` lifts it"),
            result=_as_json(place, "frozen", made),
        )

    return answered(options, outside, work)


def _as_json(place: str, result: str, held: Freeze) -> dict[str, object]:
    """Whose freeze it is, is who holds the environment, not who asked."""
    return {
        "environment": place,
        "result": result,
        "who": held.who,
        "at": held.at.isoformat(),
        "reason": held.reason,
    }


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
