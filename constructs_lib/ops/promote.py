"""Copies to an environment's repository the image that ran in the one before it. Nothing is released by it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from constructs_lib.command_line import FINE
from constructs_lib.delivery.operations.layer_copy import amount
from constructs_lib.delivery.operations.outcomes import Interrupted
from constructs_lib.delivery.operations.promotion import Promotion, promote
from constructs_lib.delivery.operations.registry import RepositoryAccess
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.ops.delivery_command import Answer, add_delivery, add_image, answered
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.tables import counted

HELP: Final = "copies the image that ran in the environment before"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    add_image(
        parser, "the image: its digest, its first 7 digits or more, or its build tag; by default what ran there last"
    )
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        settings = find(door.world.clients.ssm, options.env)
        target = RepositoryAccess(ecr=door.world.clients.ecr, registry=settings.account, name=settings.repository)
        try:
            done = promote(
                settings,
                lambda: door.upstream(settings),
                target,
                wanted=options.digest,
                say=door.world.say,
                sleep=door.world.sleep,
            )
        except KeyboardInterrupt as interrupt:
            raise Interrupted(
                f"interrupted; what is copied stays, and `moorings promote {settings.place}` goes on from there"
            ) from interrupt
        return _answer(settings, done)

    return answered(options, outside, work)


def _answer(settings: DeliverySettings, done: Promotion) -> Answer:
    copied = done.copied
    image = f"{done.digest} ({', '.join(done.tags)})"
    if copied.changed:
        layers = f"{counted(copied.layers_copied, 'layer')} copied, {copied.layers_present} there before"
        line = f"{image} from {done.origin} is in {done.target}: {layers}, {amount(copied.bytes)}"
    else:
        line = f"{image} from {done.origin} was in {done.target} already; nothing was changed"
    return Answer(
        code=FINE,
        lines=(line, f"  `moorings release {settings.place} {done.digest}` makes it run"),
        result={
            "result": "promoted" if copied.changed else "nothing to do",
            "reason": None,
            "service": settings.place,
            "digest": done.digest,
            "build_tag": done.build_tag,
            "tags": list(done.tags),
            "origin": done.origin,
            "source": done.source,
            "target": done.target,
            "tags_put": list(copied.tags),
            "manifests_put": copied.manifests,
            "layers_copied": copied.layers_copied,
            "layers_present": copied.layers_present,
            "bytes_copied": copied.bytes,
        },
    )
