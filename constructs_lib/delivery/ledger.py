"""What a release is and what became of it: the entries of the ledger (lessons W4, Q5). Standard library only.

An entry is one SSM parameter, ``<release path>/<number>``. Its creation is the lock: Parameter Store lets only one of
two writers create a parameter. Numbers go up by one and are never used twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, get_args

Action: TypeAlias = Literal["release", "rollback", "restart"]
"""What somebody asked for."""

State: TypeAlias = Literal["begun", "pinned", "written", "updating", "waiting", "undoing", "successful", "failed"]
"""How far it came. ``begun``: the entry exists. ``pinned``: the image cannot expire. ``written``: the release parameter
holds the digest. ``updating``: CloudFormation was asked. ``waiting``: the stack is updated, and tasks and targets are
watched. ``undoing``: it failed, and the former digest is being brought back. The last two are ends."""

ENDS: Final = ("successful", "failed")

ENTRIES_KEPT: Final = 30
"""Entries that stay when older ones are deleted; the successful ones that a rollback may need stay besides."""

RELEASES_KEPT: Final = 5
"""Images of former successful releases that stay pinned, besides the one that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One release, rollback or restart of a service (lessons W4, Q5).

    Args:
        number: 1 and up.
        action: what was asked for.
        state: how far it came.
        digest: the image that the service shall run.
        previous: the digest that ran before; ``none`` before the first release.
        who: the caller's ARN, or who started the build.
        began: when.
        lease: until when whoever works on it may be taken to be alive.
        ended: when it came to an end; ``None`` while it has not.
        build_tag: the image's build tag; empty when it has none.
        commit: the first 12 digits of the commit; empty when the image has no build tag.
        origin: where the image comes from, such as ``shop/staging/web release 12``; empty when it was built here.
        check: how it was made sure that it ran before elsewhere: ``digest``, ``commit``, or ``none``.
        override: the reason given for a release outside the window; empty when there was none.
        reason: why it failed, or what else a person should know.
    """

    number: int
    action: Action
    state: State
    digest: str
    previous: str
    who: str
    began: datetime
    lease: datetime
    ended: datetime | None = None
    build_tag: str = ""
    commit: str = ""
    origin: str = ""
    check: Literal["digest", "commit", "none"] = "none"
    override: str = ""
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether it has not come to its end."""
        return self.state not in ENDS

    def alive(self, now: datetime) -> bool:
        """Whether somebody may still be at work on it."""
        return self.open and now < self.lease

    def ending(self, state: Literal["successful", "failed"], now: datetime, reason: str = "") -> Entry:
        """The same entry at its end."""
        return replace(self, state=state, ended=now, lease=now, reason=reason or self.reason)

    def to_json(self) -> str:
        """The parameter's value; 4 KB at most, so a long reason is cut."""
        values = asdict(replace(self, reason=self.reason[:1500], override=self.override[:500]))
        texts = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
        return json.dumps({key: value for key, value in texts.items() if value not in ("", None)})

    @classmethod
    def from_json(cls, text: str) -> Entry:
        """The entry that a parameter holds. Keys of later versions are left out.

        Raises:
            ValueError: it is no entry.
        """
        try:
            values = json.loads(text)
            known = {field.name for field in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            for key in ("began", "lease", "ended"):
                if key in values:
                    values[key] = datetime.fromisoformat(values[key]).astimezone(UTC)
            entry = cls(**values)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"an entry of the ledger must be JSON as a release writes it, got {text[:80]!r}"
            ) from error
        if entry.state not in get_args(State) or entry.action not in get_args(Action):
            raise ValueError(f"an entry of the ledger must have a known state and action, got {text[:80]!r}")
        return entry


def successful(entries: Iterable[Entry]) -> list[Entry]:
    """Releases and rollbacks that came to a good end, newest first; each digest once, where it was last."""
    found: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda one: one.number, reverse=True):
        if entry.state == "successful" and entry.action != "restart":
            found.setdefault(entry.digest, entry)
    return list(found.values())


def to_prune(entries: Sequence[Entry]) -> list[int]:
    """Numbers of entries to delete: old ones that no rollback needs. The newest is never among them."""
    newest = sorted(entries, key=lambda one: one.number, reverse=True)
    needed = {one.number for one in newest[:ENTRIES_KEPT]}
    needed |= {one.number for one in successful(entries)[: RELEASES_KEPT + 1]}
    return sorted(one.number for one in newest if one.number not in needed)
