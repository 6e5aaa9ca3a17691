"""The names of pins, and whether a repository lets them move (lesson Q2). Standard library only.

A pin is a tag ``pin-<namespace>-<writer>-<name>-<slot>``. Guards write ``use``, releases ``release``, and each writer
moves only what bears its own mark: two guards of one repository do not know of each other's uses. A slot is moved,
never removed: taking the last tag from an image deletes the image.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Namespace: TypeAlias = Literal["use", "release"]

PIN_PREFIX: Final = "pin-"
"""What every pin begins with. ``constructs_lib.naming.PIN_PATTERN`` is this and ``*``; a test compares them."""

_READABLE: Final = 40  # characters of the name, of the 128 that a tag may have
_NOT_IN_A_TAG: Final = re.compile(r"[^A-Za-z0-9_.-]")
_SLOT: Final = re.compile(r"pin-(use|release)-([0-9a-f]{6})-(.+)-(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One pin of one owner (lesson Q2).

    Args:
        namespace: what for.
        writer: the mark of who writes it, six hexadecimal digits.
        name: the owner's name, as :func:`slot_name` shortens it.
        number: 0 and up.
    """

    namespace: Namespace
    writer: str
    name: str
    number: int

    @property
    def tag(self) -> str:
        """The tag."""
        return f"{PIN_PREFIX}{self.namespace}-{self.writer}-{self.name}-{self.number}"


def slot_name(owner: str) -> str:
    """An owner's name as it stands in a tag: shortened, with a hash, so that no two owners share slots."""
    readable = _NOT_IN_A_TAG.sub("-", owner)[:_READABLE]
    return f"{readable}-{hashlib.sha256(owner.encode()).hexdigest()[:8]}"


def slot_of(tag: str) -> Slot | None:
    """The slot that a tag is; None for any other tag, other pins among them."""
    match = _SLOT.fullmatch(tag)
    if match is None:
        return None
    namespace: Namespace = "use" if match[1] == "use" else "release"
    return Slot(namespace=namespace, writer=match[2], name=match[3], number=int(match[4]))


def is_pin(tag: str) -> bool:
    """Whether the tag keeps its image, whoever put it there."""
    return tag.startswith(PIN_PREFIX)


def can_move(mutability: str, filters: Sequence[Mapping[str, str]]) -> bool:
    """Whether a repository lets pins move.

    Args:
        mutability: ``imageTagMutability`` of the repository.
        filters: ``imageTagMutabilityExclusionFilters``. Of ``IMMUTABLE_WITH_EXCLUSION`` they name the tags that may
            move, of ``MUTABLE_WITH_EXCLUSION`` those that may not
            (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html).
    """
    texts = [entry.get("filter", "") for entry in filters]
    if mutability == "MUTABLE":
        return True
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return any(covers_all_pins(text) for text in texts)
    if mutability == "MUTABLE_WITH_EXCLUSION":
        return not any(_may_cover_a_pin(text) for text in texts)
    return False


def covers_all_pins(pattern: str) -> bool:
    """Whether the wildcard pattern matches every tag of the guard: it is a prefix of ``pin-use-`` and then ``*``."""
    head, star, tail = pattern.partition("*")
    return bool(star) and not tail.strip("*") and "pin-use-".startswith(head)


def _may_cover_a_pin(pattern: str) -> bool:
    """Whether some tag of the guard could match the wildcard pattern."""
    head = pattern.partition("*")[0]
    return head.startswith(PIN_PREFIX) or (PIN_PREFIX.startswith(head) and "*" in pattern)
