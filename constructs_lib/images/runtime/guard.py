"""One scan: gather what is in use and what is stored, decide, and put the pins where they belong.

Repositories are independent of each other: what fails in one is told, and the others go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from . import registry
from .aws import Clients, at_once
from .decision import decide
from .errors import code, failures, why
from .memory import Last, Memory
from .model import Plan, Reading, UsedImage
from .pinning import PinResult, put_pins, restore
from .pins import is_pin
from .references import RepositoryId
from .registry import Listing, Unreadable
from .report import Outcome, Report
from .settings import Settings
from .shield import spares_pins
from .uses import read_uses


class Reader(Protocol):
    """Reads what is in use, as :func:`read_uses` does (lesson Q2)."""

    def __call__(
        self, clients: Clients, *, releases: Mapping[str, RepositoryId], revisions_kept: int, releases_kept: int
    ) -> Reading: ...


def scan(
    clients: Clients,
    settings: Settings,
    *,
    memory: Memory,
    clock: Callable[[], datetime],
    read: Reader = read_uses,
) -> Report:
    """Pins every image in use, and frees the pins of those that are not.

    What AWS refuses is told in the report, never raised.
    """
    began = clock()
    last = memory.last(began)
    memory.began(began)
    reading = read(
        clients,
        releases=settings.releases,
        revisions_kept=settings.revisions_kept,
        releases_kept=settings.releases_kept,
    )
    # The repositories are read after the uses: an image that was pushed and started meanwhile is not missing.
    used: defaultdict[RepositoryId, list[UsedImage]] = defaultdict(list)
    for entry in reading.used:
        used[entry.reference.repository].append(entry)
    work = _Work(
        clients=clients,
        memory=memory,
        movable=registry.read_settings(clients.ecr, settings.repositories),
        now=clock(),
        last=last,
        readable=not reading.gaps and not memory.gaps,
        writer=settings.writer,
    )
    outcomes = at_once(lambda one: work.keep(one, used.get(one, ())), settings.repositories)
    read_all = not reading.gaps and not any(outcome.gaps for outcome in outcomes)
    if not memory.gaps:
        memory.ended(began, complete=read_all)
    return Report(began=began, outcomes=tuple(outcomes), gaps=(*reading.gaps, *memory.gaps))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What all repositories of one scan have in common."""

    clients: Clients
    memory: Memory
    movable: Mapping[RepositoryId, bool | Unreadable]
    now: datetime
    last: Last
    readable: bool
    writer: str

    def keep(self, id: RepositoryId, used: Sequence[UsedImage]) -> Outcome:
        """Reads one repository, decides and acts."""
        ecr, gaps = self.clients.ecr, []
        try:
            listing = registry.read_images(ecr, id)
        except failures() as error:
            gaps.append(f"the images of repository {id.name} could not be read: {why(error)}")
            if code(error) != "RepositoryNotFoundException":
                return Outcome(repository=id, gaps=tuple(gaps))
            listing = Listing(images={})  # it has gone, and what is in use there with it
        movable = self.movable[id]
        if isinstance(movable, Unreadable) and not gaps:
            gaps.append(f"the settings of repository {id.name} could not be read: {movable.why}")
        problems = registry.read_children(ecr, id, listing, _indexes(listing, used))
        gaps += [f"repository {id.name}, {problem}" for problem in problems]
        policy = registry.read_policy(ecr, id) if used and not gaps else None
        if isinstance(policy, Unreadable):
            gaps.append(f"the lifecycle policy of repository {id.name} could not be read: {policy.why}")
        known = self.memory.idle_since(id)

        def plan() -> Plan:
            return decide(
                images=listing.images.values(),
                used=used,
                # After a scan that was not saved, what is remembered as idle may have been in use meanwhile.
                idle_since=known if known and self.last.saved else {},
                now=self.now,
                complete=self.readable and not gaps and known is not None,
                last_complete=self.last.completed,
                # A pin may be stuck in a repository whose settings are not known, but its image is safe.
                pins_can_move=movable is not False,
                writer=self.writer,
            )

        planned = plan()
        if planned.missing and registry.look_again(ecr, id, listing, (one.reference for one in planned.missing)):
            planned = plan()
        results = self._act(id, planned)
        restores = {digest: restore(ecr, id, digest) for digest in planned.restores}
        self.memory.keep_idle(id, planned.idle_since, known=known)
        return Outcome(
            repository=id,
            plan=planned,
            results=results,
            restores=restores,
            pinned=_pinned(listing, results),
            shielded=not isinstance(policy, str) or spares_pins(policy),
            gaps=tuple(gaps),
        )

    def _act(self, id: RepositoryId, plan: Plan) -> tuple[PinResult, ...]:
        """Puts first what takes nothing from any image."""
        ecr = self.clients.ecr
        return (*put_pins(ecr, id, plan.additions), *put_pins(ecr, id, plan.moves))


def _indexes(listing: Listing, used: Sequence[UsedImage]) -> list[str]:
    """The indexes to read.

    Reading a manifest may count as a pull, and then hides from a lifecycle policy that nobody pulls the image. So one
    that is not in use is read only when some image in use is no index, and could be a child of any.
    """
    digests = {entry.reference.digest for entry in used}
    tags = {entry.reference.tag for entry in used if entry.reference.digest is None}
    named = {one.digest for one in listing.images.values() if one.digest in digests or not tags.isdisjoint(one.tags)}
    return [digest for digest in listing.indexes if digest in named or not named.issubset(listing.indexes)]


def _pinned(listing: Listing, results: Sequence[PinResult]) -> frozenset[str]:
    """The images that have a pin after all this."""
    place = {tag: image.digest for image in listing.images.values() for tag in image.tags if is_pin(tag)}
    place |= {result.pin.tag: result.pin.digest for result in results if result.error is None}
    return frozenset(place.values())
