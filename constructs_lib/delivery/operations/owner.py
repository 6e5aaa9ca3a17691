"""Whoever works on an entry of the ledger: says how far it came, and that it is still alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from constructs_lib.delivery.ledger import Entry, State
from constructs_lib.delivery.operations.errors import failures, may_pass, why
from constructs_lib.delivery.operations.ledger_store import LEASE, Ledger, Overtaken
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.settings import DeliverySettings

_T = TypeVar("_T")

Purpose: TypeAlias = Literal["release", "back"]
"""Why a stack is updated: to bring an entry's digest, or the one before it."""


def asked_by(entry: Entry, purpose: Purpose | None = None) -> str:
    """How the tokens begin by which the updates of an entry are asked for: CloudFormation's events carry them."""
    return f"moorings-{entry.number}-{entry.token or 'entry'}-" + (f"{purpose}-" if purpose else "")


@dataclass(slots=True, kw_only=True)
class Owner:
    """At work on one entry (lessons W4, Q5).

    Args:
        world: what is outside.
        settings: the service's.
        ledger: its ledger.
        entry: the entry as it was last stored.
        said: the last line of progress.
    """

    world: World
    settings: DeliverySettings
    ledger: Ledger
    entry: Entry
    said: str = ""

    def still(self) -> None:
        """Asked before each act that changes something: whoever was overtaken must not write.

        Raises:
            Overtaken: a later entry exists.
        """
        if self.ledger.overtaken(self.entry):
            raise Overtaken(self.entry, self.settings.place)

    def at(self, state: State, reason: str = "") -> None:
        """Stores how far it came, with a new lease; what comes next may write at once.

        Raises:
            Overtaken: a later entry exists.
        """
        lease = self.world.now() + LEASE
        self.store(replace(self.entry, state=state, reason=reason or self.entry.reason, lease=lease))

    def note(self, state: State) -> None:
        """Like :meth:`at`, after AWS was asked: that it cannot be stored at this moment is no reason to go back.

        The next renewal stores it.

        Raises:
            Overtaken: a later entry exists.
        """
        try:
            self.at(state)
        except failures() as error:
            if not may_pass(error):
                raise
            self.entry = replace(self.entry, state=state)
            self.say(f"the ledger could not be written, {why(error)}; trying again")

    def store(self, entry: Entry) -> None:
        """Stores the entry, unless a later one exists: what is closed must not be opened again.

        Raises:
            Overtaken: a later entry exists.
        """
        self.still()
        self.ledger.save(entry)
        self.entry = entry

    def end(self, state: Literal["successful", "failed"], reason: str = "") -> Entry:
        """Stores its end.

        Raises:
            Overtaken: a later entry exists.
        """
        self.store(self.entry.ending(state, self.world.now(), reason))
        return self.entry

    def pause(self, seconds: float) -> None:
        """Waits, and renews the lease. A renewal that fails is tried again at the next pause.

        Raises:
            Overtaken: a later entry exists.
        """
        self.world.sleep(seconds)
        try:
            self.entry = self.ledger.renew(self.entry, self.world.now())
        except failures() as error:
            if not may_pass(error):
                raise
            self.say(f"the lease could not be renewed, {why(error)}; trying again")

    def asked(self, ask: Callable[[], _T]) -> _T | None:
        """The answer, or None when AWS did not give one and may do so later."""
        try:
            return ask()
        except failures() as error:
            if not may_pass(error):
                raise
            self.say(f"AWS did not answer, {why(error)}; asking again")
            return None

    def say(self, line: str) -> None:
        """One line of progress, unless it is the same as the last."""
        if line != self.said:
            self.world.say(line)
        self.said = line

    @property
    def name(self) -> str:
        """How a person names the entry."""
        return f"{self.entry.action} {self.entry.number} of {self.settings.place}"
