"""Which image a release, a rollback or a restart is about, when somebody names none or names one. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.image_names import (
    ALLOWED,
    NamedImage,
    NotOneImage,
    image_named,
    is_image_name,
    is_release_number,
    whole_digest,
)
from constructs_lib.delivery.ledger import Action, Entry, successful, withdrawn
from constructs_lib.delivery.operations import images
from constructs_lib.delivery.operations.errors import failures, why
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.operations.registry import RepositoryAccess, named_images
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import NOT_RELEASED


def broken_off(entries: Sequence[Entry]) -> Entry | None:
    """The newest entry, when it is open."""
    newest = max(entries, key=lambda one: one.number, default=None)
    return newest if newest is not None and newest.open else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The ledger of the environment before, as far as it was asked for (lesson Q7).

    Args:
        entries: what it holds; ``None`` when it was not read.
        unread: why it could not be read; empty when nobody asked.
    """

    entries: tuple[Entry, ...] | None = None
    unread: str = ""


def theirs_of(world: World, settings: DeliverySettings) -> Theirs:
    """Reads it, with another account's role if need be."""
    if settings.upstream is None:
        return Theirs()
    unreadable: tuple[type[Exception], ...] = (*failures(), CouldNotRun, ValueError)
    try:
        return Theirs(entries=tuple(world.upstream(settings).entries()))
    except unreadable as error:
        return Theirs(unread=str(error) if isinstance(error, CouldNotRun) else why(error))


def target_of(
    world: World,
    settings: DeliverySettings,
    action: Action,
    wanted: str | None,
    entries: Sequence[Entry],
    running: str,
    parameter: str | None,
    theirs: Theirs,
) -> str:
    """The digest that is asked for."""
    if action == "release":
        return _to_release(world, settings, wanted, entries, theirs)
    if action == "rollback":
        return _to_go_back_to(settings, wanted, entries, running, parameter)
    broken = broken_off(entries)
    target = broken.previous if broken else running
    if target == NOT_RELEASED:
        raise Refused(
            f"{settings.place} has had no release, so there is nothing to restart; `moorings "
            f"release {settings.place}` first"
        )
    return target


def _to_release(
    world: World, settings: DeliverySettings, wanted: str | None, entries: Sequence[Entry], theirs: Theirs
) -> str:
    if wanted is None:
        found = _default_to_release(world, settings, theirs)
        if found in withdrawn(entries):
            raise Refused(
                f"{settings.place} went back from {found}, which is what a release without DIGEST would bring again; "
                f"`moorings release {settings.place} {found}` brings it all the same"
            )
        return found
    here = RepositoryAccess(ecr=world.clients.ecr, registry=settings.account, name=settings.repository)
    return digest_meant(wanted, lambda: named_images(here), f"in {settings.repository}")


def digest_meant(wanted: str, known: Callable[[], Iterable[NamedImage]], where: str) -> str:
    """The digest of the image that somebody named. What there is, is asked for only where the name is not whole.

    Raises:
        Refused: not exactly one image of those has that name.
    """
    if not is_image_name(wanted):
        raise Refused(f"DIGEST must be {ALLOWED}, got {wanted!r}; other tags may move")
    try:
        return whole_digest(wanted) or image_named(wanted, known(), where)
    except NotOneImage as error:
        raise Refused(str(error)) from error


def _default_to_release(world: World, settings: DeliverySettings, theirs: Theirs) -> str:
    """What a promotion takes, where images are promoted; else the newest build."""
    upstream = settings.upstream
    if upstream is None or upstream.check == "commit":
        newest = images.newest_build(world, settings)
        if newest is None:
            raise Refused(f"{settings.repository} holds no ACTIVE image with a build tag; build one first")
        return newest
    if theirs.entries is None:
        raise Refused(f"what ran in {upstream.environment} cannot be read, {theirs.unread}; name a DIGEST")
    ran = next(iter(successful(theirs.entries)), None)  # the newest of them is never what was gone back from
    if ran is None:
        raise Refused(f"nothing was released in {upstream.environment} successfully yet; release it there first")
    return ran.digest


def _to_go_back_to(
    settings: DeliverySettings, wanted: str | None, entries: Sequence[Entry], running: str, parameter: str | None
) -> str:
    """Only what ran here successfully by the ledger."""
    good = successful(entries)
    if wanted is None:
        return _default_to_go_back_to(settings, entries, running, parameter)
    if is_release_number(wanted):
        entry = next((one for one in entries if one.number == int(wanted)), None)
        if entry is None:
            raise Refused(f"--to must be an entry of the ledger, got {wanted}; see `moorings history {settings.place}`")
        wanted = entry.digest
    ran = [NamedImage(digest=one.digest, tags=(one.build_tag,)) for one in good]
    digest = digest_meant(wanted, lambda: ran, f"that ran successfully in {settings.place}")
    if not any(one.digest == digest for one in good):
        raise Refused(
            f"--to must name a release that was successful in {settings.place}, got {short(digest)!r}; see `moorings "
            f"history {settings.place}`, or use `moorings release {settings.place}` for an image that never ran here"
        )
    return digest


def _default_to_go_back_to(
    settings: DeliverySettings, entries: Sequence[Entry], running: str, parameter: str | None
) -> str:
    """The last good digest other than what runs or is being brought, and never one that was gone back from.

    A rollback that was broken off, and is asked for again, goes where it went.
    """
    broken = broken_off(entries)
    if broken is not None and broken.action == "rollback" and broken.state != "undoing":
        return broken.digest
    left = set[str]()
    for one in entries:
        # One that changed nothing yet is not what one goes back from.
        if one.open and (one.state not in ("begun", "pinned") or one.digest == parameter):
            left |= {one.digest, one.previous} if one.action == "rollback" else {one.digest}
    gone, good = withdrawn(entries), successful(entries)
    earlier = next((one.digest for one in good if one.digest not in (left or {running}) | gone), None)
    if earlier is not None:
        return earlier
    others = [one for one in good if one.digest in gone and one.digest != running]
    if others:
        raise Refused(
            f"{settings.place} has no earlier successful release that nobody went back from; to bring one of those, "
            f"`moorings rollback {settings.place} --to {others[0].number}`, or `moorings release {settings.place}` "
            "another image"
        )
    raise Refused(
        f"{settings.place} has no earlier successful release to go back to; `moorings release {settings.place}` instead"
    )
