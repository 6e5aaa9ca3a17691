"""The function that Lambda calls: by an alarm's event at once, and by the clock each minute."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from .alarm_events import Dropped, is_alarm_event, read_event
from .aws import Clients, connect, failures, why
from .changes import Clock
from .objects import Objects
from .publish import publish
from .reconcile import AlarmsUnreadError, brought, missing, read_alarms
from .settings import StatusSettings
from .state import PageState
from .store import StateStore, changed


def main(event: Mapping[str, object], _context: object) -> dict[str, object]:
    """Answers an event. What is not expected is raised, is tried again, and is left in a queue."""
    settings = StatusSettings.from_environment(os.environ)
    clients = connect(settings.source_region)
    objects = Objects(s3=clients.s3, bucket=settings.bucket, account=settings.account)
    return handle(event, clients, objects, settings, clock=lambda: datetime.now(UTC))


def handle(
    event: object, clients: Clients, objects: Objects, settings: StatusSettings, *, clock: Callable[[], datetime]
) -> dict[str, object]:
    """Brings the state and then the pages up to date; what was done, as the log has it.

    Raises:
        AlarmsUnreadError: the alarms could not be read. The pages are up to date all the same, and say so.
    """
    store, now = StateStore(objects=objects), clock()
    if isinstance(event, Mapping) and is_alarm_event(event):
        told = read_event(event, settings, now)
        if isinstance(told, Dropped):
            return _said({"dropped": told.because})
        late, changes = "", (settings.configured, told)
        state = store.change(lambda state: changed(state, changes, now), titles=settings.titles)
    else:
        late, state = _by_the_clock(clients, store, settings, now)
    written = publish(objects, state, clock())
    done = _said({"revision": state.revision, "written": written, **({"late": late} if late else {})})
    if late:
        raise AlarmsUnreadError(late)
    return done


def _by_the_clock(
    clients: Clients, store: StateStore, settings: StatusSettings, now: datetime
) -> tuple[str, PageState]:
    """Why not all alarms could be read, and the state with what could be."""
    try:
        readings = read_alarms(clients.cloudwatch, settings)
    except _unread() as error:
        nothing = (settings.configured, Clock())
        state = store.change(lambda state: changed(state, nothing, now), titles=settings.titles)
        return f"the alarms in {settings.source_region} could not be read: {why(error)}", state
    state = store.change(lambda state: brought(state, settings, readings, now), titles=settings.titles)
    gone = missing(readings, state)
    return (f"the alarms of {', '.join(gone)} are not there any more" if gone else ""), state


def _unread() -> tuple[type[Exception], ...]:
    return (AlarmsUnreadError, *failures())


def _said(done: dict[str, object]) -> dict[str, object]:
    print(json.dumps(done))
    return done
