"""Would a release go through? Each thing that could stand in its way, as OK, NG or SKIP, with the fix. Reads only."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.delivery.operations.release import Request, verify
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.ops.delivery_command import Answer, add_delivery, answered, checks_as_json, checks_as_text, digest
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside

HELP: Final = "would a release go through? a list of checks"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    parser.add_argument(
        "digest", metavar="DIGEST", nargs="?", type=digest, help="the image; by default the one that would be taken"
    )
    parser.add_argument(
        "--for",
        dest="action",
        choices=("release", "rollback", "restart"),
        default="release",
        help="what is meant to be done (%(default)s)",
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        settings = find(door.world.clients.ssm, options.env)
        checks = verify(door.world, settings, Request(action=options.action, target=options.digest))
        bad = sum(check.result == "NG" for check in checks)
        told = "is ready" if not bad else f"is not ready, {bad} of {len(checks)} checks NG"
        return Answer(
            code=FOUND if bad else FINE,
            lines=(f"{settings.place}, {options.action}: {told}", *checks_as_text(checks)),
            result={
                "service": settings.place,
                "action": options.action,
                "ready": not bad,
                "checks": checks_as_json(checks),
            },
        )

    return answered(options, outside, work)
