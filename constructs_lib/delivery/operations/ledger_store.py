"""The ledger in Parameter Store: one parameter an entry, and its creation is the lock (lessons W4, Q5).

What it rests on, and where AWS says so:

* ``PutParameter`` without ``Overwrite`` creates a parameter or is refused, so of two writers one wins
  (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html).
* Reading may lag behind writing for a second or two, lists most of all (https://github.com/aws/aws-sdk-js/issues/4349).
  So a creation that is refused is the truth, and what was refused is read by its own name. A list is completed by
  asking for the numbers that should follow. The fence, :meth:`Ledger.overtaken`, is a reading too: it stops whoever is
  late by more than that, and a lease leaves two minutes at least.
* Parameter Store refuses writes to one parameter in quick succession as ``TooManyUpdates``, which botocore does not try
  again (https://github.com/airbnb/streamalert/issues/682). So they are made again here, after a pause.
* An answer can be lost, and botocore then calls again: a refused creation can be one's own. Every entry carries a text
  that no other has, and is known by it.
* Of a parameter 100 versions are kept, and the oldest goes silently where it has no label, as ours have none
  (https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html). So renewals never end.
* A name can be used again only 30 seconds after its deletion, and no number is used twice: the newest is never deleted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from constructs_lib.delivery.ledger import Entry, to_prune
from constructs_lib.delivery.readiness import at_work

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

LEASE: Final = timedelta(minutes=3)
"""How long an entry holds its place after its owner last said that it is at work."""

RENEWED_AFTER: Final = timedelta(minutes=1)
"""A lease is renewed no more often than this. Two minutes at least are always left, for clocks that differ."""

_BATCH: Final = 10  # names that DeleteParameters takes, and the largest page of GetParametersByPath
_PAUSES: Final = (0.5, 1.0, 2.0)  # seconds before a call is made again that met another writer, or came too early


class Busy(Exception):  # noqa: N818  (a named state of a release)
    """Another release of this service is under way (lesson Q5).

    Attributes:
        entry: the one that is under way.
    """

    def __init__(self, entry: Entry, place: str) -> None:
        super().__init__(f"{place} is busy: {'; '.join(at_work(entry))}")
        self.entry = entry


class LostRace(Exception):  # noqa: N818
    """Somebody began a release after this one had looked at the ledger (lesson Q5).

    Attributes:
        number: the number that is taken.
    """

    def __init__(self, number: int, place: str) -> None:
        super().__init__(
            f"{place} is busy: entry {number} of its ledger was begun by somebody else in the meantime; look at "
            f"`moorings history {place}`, then ask again"
        )
        self.number = number


class Overtaken(Exception):  # noqa: N818
    """Another release has taken over, so this one must not write any more (lesson Q5).

    Attributes:
        entry: the one that was overtaken.
    """

    def __init__(self, entry: Entry, place: str) -> None:
        super().__init__(
            f"{entry.action} {entry.number} of {place} was taken over by entry {entry.number + 1} of its ledger, "
            f"because nothing was heard of it for too long; look at `moorings history {place}`"
        )
        self.entry = entry


class Ledger:
    """The releases of one service, in Parameter Store (lessons W4, Q5).

    Numbers go up by one: a new entry is always the newest and one, and the newest is never deleted.
    """

    def __init__(
        self,
        ssm: SSMClient,
        path: str,
        pause: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """``path`` is :func:`constructs_lib.naming.release_path`; ``pause`` waits for that many seconds.

        ``say`` takes a sentence about each entry that cannot be read and is left out.
        """
        self._ssm, self._path, self._pause, self._say = ssm, path, pause, say

    @property
    def place(self) -> str:
        """How a person names the service, such as ``shop/production/web``."""
        return self._path.removeprefix("/moorings/").removesuffix("/releases")

    def entries(self) -> list[Entry]:
        """All entries, the newest first. An old one that cannot be read is left out, so that one can still go back.

        Raises:
            ValueError: the newest is no entry, and it is the lock; its name is in the message.
        """
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(
            Path=self._path, Recursive=False, PaginationConfig={"PageSize": _BATCH}
        )
        found: list[Entry] = []
        unread: list[tuple[int, ValueError]] = []
        for one in (one for page in pages for one in page["Parameters"]):
            try:
                found.append(self._entry(one["Name"], one["Value"]))
            except ValueError as error:
                last = one["Name"].rpartition("/")[2]
                unread.append((int(last) if last.isdecimal() else 0, error))
        found.sort(key=lambda entry: entry.number, reverse=True)
        for number, why in unread:
            if not found or number > found[0].number:
                raise why
            self._say(f"left out: {why}")
        while (later := self._read(found[0].number + 1 if found else 1)) is not None:
            found.insert(0, later)
        return found

    def begin(self, draft: Entry, seen: Sequence[Entry], now: datetime) -> Entry:
        """Creates the entry that follows those that were ``seen``, which is the lock; the entry as it is stored.

        The number and the lease of ``draft`` do not matter. What was decided from ``seen`` holds: the creation
        succeeds only when nobody has begun anything since. An open entry whose lease has run out does not stop it.

        Raises:
            Busy: another release is under way.
            LostRace: one was begun since, and may have ended.
        """
        newest = max(seen, key=lambda one: one.number, default=None)
        if newest is not None and newest.open:
            newest = self._read(newest.number) or newest  # its owner may have said something since
            if newest.alive(now):
                raise Busy(newest, self.place)
        number = newest.number + 1 if newest is not None else 1
        entry = replace(draft, number=number, lease=now + LEASE, token=secrets.token_hex(8))
        for pause in (*_PAUSES, None):
            if self._create(entry):
                return entry
            there = self._read(number)
            if there is not None and there.token == entry.token:
                return entry
            if there is not None and there.alive(now):
                raise Busy(there, self.place)
            if there is not None or pause is None:
                break
            self._pause(pause)
        raise LostRace(number, self.place)

    def save(self, entry: Entry) -> None:
        """Writes an entry over what is stored of it."""
        for pause in _PAUSES:
            try:
                return self._put(entry, overwrite=True)
            except self._ssm.exceptions.TooManyUpdates:
                self._pause(pause)
        return self._put(entry, overwrite=True)

    def overtaken(self, entry: Entry) -> bool:
        """Whether a later entry exists, so that the owner of this one must not write any more."""
        return self._read(entry.number + 1) is not None

    def renew(self, entry: Entry, now: datetime) -> Entry:
        """The entry with a lease from now on. Nothing is called when it was renewed less than a minute ago.

        Raises:
            Overtaken: a later entry exists.
        """
        if entry.lease - now > LEASE - RENEWED_AFTER:
            return entry
        if self.overtaken(entry):
            raise Overtaken(entry, self.place)
        renewed = replace(entry, lease=now + LEASE)
        self.save(renewed)
        return renewed

    def prune(self, entries: Iterable[Entry]) -> list[int]:
        """Deletes the old ones of these entries that no rollback needs; their numbers."""
        numbers = to_prune(list(entries))
        for start in range(0, len(numbers), _BATCH):
            self._ssm.delete_parameters(Names=[self._name(number) for number in numbers[start : start + _BATCH]])
        return numbers

    def _create(self, entry: Entry) -> bool:
        """Whether it was created; not when the number is taken, or is being taken at this moment."""
        try:
            self._put(entry, overwrite=False)
        except (self._ssm.exceptions.ParameterAlreadyExists, self._ssm.exceptions.TooManyUpdates):
            return False
        return True

    def _put(self, entry: Entry, *, overwrite: bool) -> None:
        self._ssm.put_parameter(
            Name=self._name(entry.number),
            Description=f"An entry of the ledger of {self._path}. Written by a release; do not edit it.",
            Value=entry.to_json(),
            Type="String",
            Tier="Standard",
            Overwrite=overwrite,
        )

    def _read(self, number: int) -> Entry | None:
        try:
            found = self._ssm.get_parameter(Name=self._name(number))["Parameter"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return self._entry(found["Name"], found["Value"])

    def _name(self, number: int) -> str:
        return f"{self._path}/{number}"

    def _entry(self, name: str, value: str) -> Entry:
        try:
            entry = Entry.from_json(value)
        except ValueError as error:
            raise ValueError(f"the parameter {name} cannot be read: {error}") from error
        if name != self._name(entry.number):
            raise ValueError(
                f"the parameter {name} must hold the entry of that number, got number {entry.number}; "
                "look at its history in Parameter Store and put back what a release wrote, or delete it"
            )
        return entry
