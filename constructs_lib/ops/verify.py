"""Would a release go through? Each thing that could stand in its way, as OK, NG or SKIP, with the fix. Reads only."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE, FOUND, CouldNotRun
from constructs_lib.delivery.image_names import is_image_name
from constructs_lib.delivery.operations.release import Request, verify
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.ops.delivery_command import (
    Answer,
    add_delivery,
    add_image,
    answered,
    checks_as_json,
    checks_as_text,
)
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside

HELP: Final = "would a release go through? a list of checks"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    add_image(
        parser,
        "the image, or with `--for rollback` the number of its release; by default the one that would be taken",
        number=True,
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
    action, target = options.action, options.digest
    if action == "restart" and target is not None:
        raise CouldNotRun(f"a restart takes no DIGEST, got {target!r}; it is of what runs")
    if action == "release" and target is not None and not is_image_name(target):
        raise CouldNotRun(f"a number such as {target} names what ran here before; use it with `--for rollback`")

    def work(door: Door) -> Answer:
        settings = find(door.world.clients.ssm, options.env)
        checks = verify(door.world, settings, Request(action=action, target=target))
        bad = sum(check.result == "NG" for check in checks)
        told = "is ready" if not bad else f"is not ready, {bad} of {len(checks)} checks NG"
        return Answer(
            code=FOUND if bad else FINE,
            lines=(f"{settings.place}, {action}: {told}", *checks_as_text(checks)),
            result={
                "service": settings.place,
                "action": action,
                "ready": not bad,
                "checks": checks_as_json(checks),
            },
        )

    return answered(options, outside, work)
