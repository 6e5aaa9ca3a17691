"""The ledger of a service: every release, rollback and restart, newest first, with what became of it and why."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from typing import Final

from constructs_lib.command_line import FINE
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.ops.delivery_command import Answer, add_delivery, answered
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.entries import as_json, notes
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import aligned, minute, one_line
from constructs_lib.ops.service_status import entries_of
from constructs_lib.ops.tables import short

HELP: Final = "every release of a service, newest first"


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_delivery(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    def work(door: Door) -> Answer:
        settings = find(door.world.clients.ssm, options.env)
        entries = entries_of(door, settings)
        return Answer(
            code=FINE,
            lines=(f"{settings.place}: {_count(len(entries))}", *_table(entries)),
            result={"service": settings.place, "releases": [as_json(entry) for entry in entries]},
        )

    return answered(options, outside, work)


def _count(number: int) -> str:
    return f"{number} entries, newest first" if number > 1 else ("1 entry" if number else "no entry")


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    rows = aligned([_row(entry) for entry in entries])
    for entry, line in zip(entries, rows, strict=True):
        yield line
        for note in notes(entry):
            yield f"    {note}"


def _row(entry: Entry) -> list[str]:
    who = one_line(entry.who)
    return [
        str(entry.number).rjust(3),
        minute(entry.began),
        entry.action,
        entry.state,
        short(entry.digest),
        entry.build_tag or "-",
        who,
    ]
