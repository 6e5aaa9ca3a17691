"""Entries of the ledger as the commands show them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from constructs_lib.delivery.ledger import Entry
from constructs_lib.ops.plain_tables import minute, one_line


def as_json(entry: Entry) -> dict[str, object]:
    """All fields; empty ones are null."""
    return {
        "number": entry.number,
        "action": entry.action,
        "state": entry.state,
        "digest": entry.digest,
        "previous": entry.previous,
        "who": entry.who,
        "began": entry.began.isoformat(),
        "ended": _time(entry.ended),
        "lease": entry.lease.isoformat(),
        "build_tag": entry.build_tag or None,
        "commit": entry.commit or None,
        "origin": entry.origin or None,
        "check": entry.check,
        "override": entry.override or None,
        "reason": entry.reason or None,
    }


def notes(entry: Entry) -> Iterator[str]:
    """What does not go into a column, a line each."""
    if entry.origin:
        by = "" if entry.check == "none" else f", known by its {entry.check}"
        yield f"from {one_line(entry.origin)}{by}"
    if entry.override:
        yield f"outside the window: {one_line(entry.override)}"
    if entry.reason:
        yield one_line(entry.reason)


def image(entry: Entry) -> str:
    """The image of an entry as a person names it."""
    return f"{entry.digest} ({entry.build_tag})" if entry.build_tag else entry.digest


def what_is_next(entry: Entry, now: datetime) -> str:
    """What becomes of an entry that is open."""
    begun = f"{entry.action} {entry.number} of {image(entry)} by {one_line(entry.who)} is open since "
    begun += f"{minute(entry.began)}, {entry.state}"
    if entry.alive(now):
        return f"{begun}; it is at work, or was stopped hard: nothing else begins before {entry.lease:%H:%M:%S} UTC"
    return (
        f"{begun}, and nobody works on it: the next release, rollback or restart looks at what AWS made of it, ends it "
        "as successful or failed, and then does what it was asked for"
    )


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
