"""The one object that is the truth: read, changed and written only where nobody else has written in between.

See ``docs/decisions/0030-one-object-is-the-truth.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from .changes import Change, apply, initial
from .objects import TRIES, Found, Objects, OvertakenError
from .state import PageState
from .state_json import from_json, to_json
from .values import InvalidStateError, Text

KEY: Final = "state/state.json"
"""Beside the pages, where CloudFront may not read."""


def changed(state: PageState, changes: Iterable[Change], now: datetime) -> PageState:
    """``state`` after these, one after the other; the same object if nothing changes."""
    for change in changes:
        state = apply(state, change, now)
    return state


class StateUnreadableError(Exception):
    """The state is there and is none; it is left as it is (lesson T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is in the bucket (lesson T5).

    Args:
        found: the object; None: there is none.
        state: what it says; None: there is none.
    """

    found: Found | None
    state: PageState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStore:
    """Holds what the page knows (lesson T5).

    Args:
        objects: its bucket.
    """

    objects: Objects

    def read(self) -> Stored:
        """The state as it is.

        Raises:
            StateUnreadableError: it cannot be read. Nothing writes over it: it holds what people have written.
        """
        found = self.objects.read(KEY)
        if found is None:
            return Stored(found=None, state=None)
        try:
            return Stored(found=found, state=from_json(found.body))
        except InvalidStateError as error:
            raise StateUnreadableError(f"s3://{self.objects.bucket}/{KEY} cannot be read: {error}") from error

    def change(self, make: Callable[[PageState], PageState], *, titles: Text | None = None) -> PageState:
        """The state that ``make`` makes of the one that is there; it is written if it is another one.

        A call that S3 has carried out and not answered is made again, and seems to be overtaken by itself: so what
        ``make`` does must change nothing the second time. Each change of :mod:`.changes` is such a one.

        Args:
            make: pure, for it is called again when somebody else has written in between.
            titles: of the page, when there is no state yet; None: there must be one.

        Raises:
            StateUnreadableError: the state cannot be read, or there is none and ``titles`` is None.
            RefusedError: a person asked for what cannot be.
            OvertakenError: others have written in between each time.
        """
        for _ in self.objects.tries():
            stored = self.read()
            before = stored.state or (initial(titles) if titles else None)
            if before is None:
                raise StateUnreadableError(f"s3://{self.objects.bucket}/{KEY} is not there; deploy the status page")
            after = make(before)
            if after is stored.state:
                return after
            try:
                self._write(after, stored.found)
            except OvertakenError:
                continue
            return after
        raise OvertakenError(f"s3://{self.objects.bucket}/{KEY} was written by others {TRIES} times in between")

    def _write(self, state: PageState, instead_of: Found | None) -> None:
        self.objects.write(
            KEY,
            to_json(state).encode(),
            instead_of=instead_of,
            content_type="application/json",
            cache="no-store",
            metadata={"revision": str(state.revision)},
        )
