"""Events that AWS's own services send to EventBridge."""

from __future__ import annotations

import json
import queue
import threading

from local_cloud.server.emulator import Properties, eventbridge, responses

_events: queue.Queue[tuple[str, str, Properties]] = queue.Queue()


def install() -> None:
    """Start the thread that delivers."""
    threading.Thread(target=_deliver, daemon=True, name="moorings_deliver_events").start()


def emit(source: str, kind: str, resource: str | None, detail: Properties) -> None:
    """Queue an event. A thread delivers them in order, because a target may call the emulator back."""
    resources = [resource] if resource else []
    entry = {"Source": source, "DetailType": kind, "Resources": resources, "Detail": json.dumps(detail)}
    _events.put((responses.get_account_id(), responses.get_region(), entry))


def _deliver() -> None:
    while True:
        account, region, entry = _events.get()
        with responses.request_scope(account, region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
