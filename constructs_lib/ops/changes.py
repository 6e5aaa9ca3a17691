"""Release, rollback and restart as commands: they differ in what they ask for, and in nothing else."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.release import Request, run
from constructs_lib.delivery.operations.settings_store import find
from constructs_lib.delivery.readiness import short
from constructs_lib.naming import NOT_RELEASED
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

    with _stopped_like_ctrl_c():
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
        complaint=f"{entry.action} {entry.number} of {place} failed; {_as_before(entry)}. Of {image(entry)}: "
        f"{entry.reason or 'see above'} `moorings status {place}` says how it is now",
    )


def _as_before(entry: Entry) -> str:
    if entry.previous == NOT_RELEASED:
        return "it stands with zero tasks, as before"
    return f"it runs {short(entry.previous)}, as before"


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """A process that is told to end, or whose terminal closes, leaves its entry as Ctrl-C does: free for the next."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    former = {one: signal.signal(one, interrupt) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)
