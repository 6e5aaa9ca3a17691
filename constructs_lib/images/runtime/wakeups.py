"""When an event needs a scan of its own: pure functions. Standard library only.

Events come in storms, and one scan answers all that happened before it. So the queue holds each message back for
``DELAY``, a message that a later scan has covered is dropped, and two scans begin at least ``GAP`` apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

DELAY: Final = timedelta(seconds=30)
"""``DelaySeconds`` of the queue. With ``GAP``: events spread over a minute cost two scans, and each is answered by a
scan that begins within 40 seconds of it, unless a scan takes longer."""

GAP: Final = timedelta(seconds=35)
"""From the beginning of one scan to the next."""

SETTLED: Final = timedelta(seconds=5)
"""A scan covers an event that is at least this much older: AWS's listings may lag behind its events."""


_NEVER_COVERED: Final = datetime(9000, 1, 1, tzinfo=UTC)


def newest(event: Mapping[str, object]) -> datetime | None:
    """The time of the newest event among the messages of one invocation; None when it has none.

    A message is the event's ``time`` as a JSON text. One that cannot be read counts as now: it costs a scan.
    """
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        return None
    return max(_time(record) for record in records)


def covered(event_time: datetime | None, last_began: datetime | None) -> bool:
    """Whether the last scan has seen what the event tells of."""
    return event_time is not None and last_began is not None and event_time + SETTLED <= last_began


def seconds_to_wait(now: datetime, last_began: datetime | None) -> float:
    """How long to wait before the next scan, 0 to 35 seconds; a last one in the future is a clock that was wrong."""
    if last_began is None or last_began > now:
        return 0.0
    return max(timedelta(), last_began + GAP - now).total_seconds()


def _time(record: Mapping[str, object]) -> datetime:
    try:
        text = json.loads(str(record["body"]))
        moment = datetime.fromisoformat(text)
    except (KeyError, TypeError, ValueError):
        return _NEVER_COVERED
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
