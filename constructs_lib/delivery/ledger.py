"""What a release is and what became of it: the entries of the ledger (lessons W4, Q5). Standard library only.

An entry is one SSM parameter, ``<release path>/<number>``. Its creation is the lock: Parameter Store lets only one of
two writers create a parameter. Numbers go up by one and are never used twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, get_args

Action: TypeAlias = Literal["release", "rollback", "restart"]
"""What somebody asked for."""

State: TypeAlias = Literal[
    "begun", "pinned", "preparing", "written", "updating", "waiting", "undoing", "successful", "failed"
]
"""How far it came. ``begun``: the entry exists. ``pinned``: the image cannot expire. ``preparing``: the task that runs
before a release was asked for, if the service has one. ``written``: the release parameter
holds the digest. ``updating``: CloudFormation was asked. ``waiting``: the stack is updated, and tasks and targets are
watched. ``undoing``: it failed, and the former digest is being brought back. The last two are ends."""

ENDS: Final = ("successful", "failed")

ENTRIES_KEPT: Final = 30
"""Entries that stay when older ones are deleted; the successful ones that a rollback may need stay besides."""

RELEASES_KEPT: Final = 5
"""Images of former successful releases that stay pinned, besides the one that runs."""

MOST_BYTES: Final = 4096
"""What a standard parameter holds (https://docs.aws.amazon.com/general/latest/gr/ssm.html)."""

_TIMES: Final = ("began", "lease", "ended")
_CUT: Final = ("reason", "override", "origin")  # what a long entry loses first


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
        token: a text that no other entry has; whoever wrote the entry knows it by that.
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
    token: str = ""

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
        """The parameter's value. Long texts are cut, so that Parameter Store takes it."""
        values = {key: value for key, value in asdict(self).items() if value not in ("", None)}
        values |= {key: value.isoformat() for key, value in values.items() if isinstance(value, datetime)}
        for key in _CUT:
            too_long = len(parameter_value(values).encode()) - MOST_BYTES
            if too_long > 0 and key in values:
                values[key] = _cut(values[key], too_long)
        return parameter_value(values)

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
            for key in _TIMES:
                if key in values:
                    values[key] = _time(values[key])
            entry = cls(**values)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"an entry of the ledger must be JSON as a release writes it, got {text[:80]!r}; "
                "its history in Parameter Store has what it was before"
            ) from error
        wrong = _wrong(entry)
        if wrong:
            raise ValueError(
                f"an entry of the ledger must have {wrong}, got {text[:80]!r}; "
                "its history in Parameter Store has what it was before, and a later version may know it"
            )
        return entry


def parameter_value(values: Mapping[str, object]) -> str:
    """Flat values as JSON that Parameter Store takes: it refuses two opening braces, so the second is escaped.

    What a terminal passed on that is no letter becomes ``?``.
    """
    text = json.dumps(values, ensure_ascii=False).replace("{{", "{\\u007b")
    return text.encode("utf-8", "replace").decode()


def left_open(entries: Iterable[Entry], before: int) -> list[Entry]:
    """Entries older than a number that have no end, oldest first: whoever worked on them was stopped or overtaken."""
    return sorted((one for one in entries if one.open and one.number < before), key=lambda one: one.number)


def successful(entries: Iterable[Entry]) -> list[Entry]:
    """Releases and rollbacks that came to a good end, newest first; each digest once, where it was last."""
    found: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda one: one.number, reverse=True):
        if entry.state == "successful" and entry.action != "restart":
            found.setdefault(entry.digest, entry)
    return list(found.values())


def withdrawn(entries: Iterable[Entry]) -> set[str]:
    """Digests that somebody went back from, and that nobody brought again since: they ran, and were not good."""
    found: set[str] = set()
    for entry in sorted(entries, key=lambda one: one.number):
        if entry.state == "successful" and entry.action != "restart":
            if entry.action == "rollback":
                found.add(entry.previous)
            found.discard(entry.digest)
    return found


def to_prune(entries: Sequence[Entry]) -> list[int]:
    """Numbers of entries to delete: old ones that no rollback needs. The newest is never among them."""
    newest = sorted(entries, key=lambda one: one.number, reverse=True)
    needed = {one.number for one in newest[:ENTRIES_KEPT]}
    needed |= {one.number for one in successful(entries)[: RELEASES_KEPT + 1]}
    return sorted(one.number for one in newest if one.number not in needed)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time must have a zone, got {text!r}")
    return at.astimezone(UTC)


def _wrong(entry: Entry) -> str:
    """What an entry lacks; empty when it is one."""
    if not isinstance(entry.number, int) or isinstance(entry.number, bool) or entry.number < 1:
        return "a number of 1 and up"
    if entry.state not in get_args(State) or entry.action not in get_args(Action):
        return "a known state and action"
    texts = (getattr(entry, one.name) for one in fields(Entry) if one.type in ("str", str))
    return "" if all(isinstance(text, str) for text in texts) else "text where a text belongs"


def _cut(text: str, bytes_too_many: int) -> str:
    """The text without its end, shorter by so many bytes as JSON."""
    while text and bytes_too_many > 0:
        bytes_too_many -= len(parameter_value({"": text[-1]}).encode()) - len(parameter_value({"": ""}).encode())
        text = text[:-1]
    return text
