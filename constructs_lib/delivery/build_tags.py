"""What a build tag says (lesson Q3), the reverse of ``naming.build_tag``. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_TAG: Final = re.compile(r"([a-z][a-z0-9-]*)-([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{12})")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildTag:
    """A tag that a build made (lesson Q3).

    Args:
        text: the tag.
        environment: for which environment it was built.
        at: when.
        commit: the first 12 digits of the commit.
    """

    text: str
    environment: str
    at: datetime
    commit: str


def build_tag_of(tags: Iterable[str]) -> BuildTag | None:
    """The newest build tag among an image's tags; ``None`` when there is none."""
    found = [tag for tag in (_parse(text) for text in tags) if tag is not None]
    return max(found, key=lambda tag: (tag.at, tag.text), default=None)


def _parse(text: str) -> BuildTag | None:
    match = _TAG.fullmatch(text)
    if match is None:
        return None
    try:
        at = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # such as a 13th month
        return None
    return BuildTag(text=text, environment=match[1], at=at, commit=match[3])
