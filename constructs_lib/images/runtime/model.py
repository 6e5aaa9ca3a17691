"""What the guard reads and what it plans, as values. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from .references import ImageReference

Source: TypeAlias = Literal[
    "task",
    "stopped task",
    "deployment",
    "task set",
    "service revision",
    "task definition",
    "schedule",
    "rule",
    "state machine",
    "release",
    "former release",
]
"""What can refer to an image."""

Status: TypeAlias = Literal["ACTIVE", "ARCHIVED", "ACTIVATING"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Use:
    """Why an image is in use (lesson Q2).

    Args:
        owner: the task-definition family, or the service of a release; its slots are named after it.
        source: what kind of thing refers to the image.
        name: which one: an ARN or a name.
        starts: whether AWS can start it with nobody's doing. Then a missing image is an incident that waits, and an
            alarm. A former revision or release is kept too, but if it has gone nothing will ask for it.
    """

    owner: str
    source: Source
    name: str
    starts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedImage:
    """A reference to an image, and who refers (lesson Q2).

    Args:
        reference: the image.
        use: who refers to it.
    """

    reference: ImageReference
    use: Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What could be read of an account's uses (lesson Q2).

    Args:
        used: every reference that was found.
        gaps: what could not be read, one sentence each; none when the reading is complete. What was not read is never
            taken for unused.
    """

    used: tuple[UsedImage, ...] = ()
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image of a repository (lesson Q2).

    Args:
        digest: its name.
        tags: all tags that point to it.
        status: only ``ACTIVE`` can be pulled.
        children: the digests that it lists when it is a multi-architecture index.
    """

    digest: str
    tags: tuple[str, ...] = ()
    status: Status = "ACTIVE"
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A tag to put on an image (lesson Q2).

    Args:
        tag: the slot.
        digest: the image that shall have it.
        former: the image that has it now and is freed by the move; None for a new slot.
    """

    tag: str
    digest: str
    former: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do in one repository (lessons Q2, Q4).

    Args:
        in_use: each image in use that is there, with its uses.
        additions: new slots; they take nothing from any image, and are put first.
        moves: slots that leave an image which needs them no more. None depends on another step of the plan.
        restores: images in use that are archived.
        missing: references that something can start, and no image is there.
        forgotten: references whose image has gone and that nothing starts by itself; reported only.
        inactive: images in use that are there and cannot be pulled.
        unpinnable: images in use without a pin, which this repository lets nobody move.
        idle_since: since when each pinned image has been out of use; the guard's memory for the next time.
    """

    in_use: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    additions: tuple[Pin, ...] = ()
    moves: tuple[Pin, ...] = ()
    restores: tuple[str, ...] = ()
    missing: tuple[UsedImage, ...] = ()
    forgotten: tuple[UsedImage, ...] = ()
    inactive: tuple[str, ...] = ()
    unpinnable: tuple[str, ...] = ()
    idle_since: Mapping[str, datetime] = field(default_factory=dict)
