"""Release, rollback and restart as commands: they differ in what they ask for, and in nothing else."""

from __future__ import annotations

from argparse import Namespace

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.release import Request, run
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.ops.delivery_command import Answer, answered
from constructs_lib.ops.delivery_world import Door
from constructs_lib.ops.entries import as_json, image, notes
from constructs_lib.ops.outside import Outside

_DONE = {"release": "runs", "rollback": "is back on", "restart": "runs new tasks of"}


def change(options: Namespace, outside: Outside, request: Request) -> int:
    """Does what is asked, with progress, and tells what came of it."""

    def work(door: Door) -> Answer:
        settings = find(door.world.clients.ssm, options.env)
        return _answer(settings.place, run(door.world, settings, request))

    return answered(options, outside, work)


def _answer(place: str, entry: Entry) -> Answer:
    result: dict[str, object] = {
        "result": entry.state,
        "reason": entry.reason or None,
        "release": as_json(entry),
        "checks": [],
    }
    if entry.state == "successful":
        line = f"{place} {_DONE[entry.action]} {image(entry)}: {entry.action} {entry.number} is successful"
        return Answer(code=FINE, lines=(line, *(f"  {note}" for note in notes(entry))), result=result)
    return Answer(
        code=FOUND,
        result=result,
        complaint=f"{entry.action} {entry.number} of {image(entry)} to {place} failed: {entry.reason or 'see above'}; "
        f"`moorings status {place}` says what runs",
    )
