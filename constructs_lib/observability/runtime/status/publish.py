"""The pages that follow from the state: each is written whole, and never over one of a later state.

A writer that dies in between leaves some pages of this state and some of the one before; each of them is right or the
one before. The next run, a minute later at most, writes what is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .objects import TRIES, Found, Objects, OvertakenError
from .page import render
from .state import PageState

PREFIX: Final = "page/"
"""What CloudFront may read."""

CACHE: Final = "public, max-age=0, s-maxage=5"
"""An edge keeps a page for five seconds, a browser asks each time: so nobody sees one that is older, and a crowd costs
as much as a few visitors."""

_TYPES: Final = {"html": "text/html; charset=utf-8", "json": "application/json; charset=utf-8"}
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """From what a page was made (lesson T5).

    Args:
        revision: of the state.
        rendered: when; some of a page follows from the time alone, such as that a maintenance has begun.
        digest: of its bytes.
    """

    revision: int
    rendered: datetime
    digest: str

    def as_metadata(self) -> dict[str, str]:
        """What is stored beside the page."""
        return {"revision": str(self.revision), "rendered": self.rendered.isoformat(), "digest": self.digest}

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Mark:
        """The mark of a page that is there; one that has none is older than all."""
        try:
            rendered = datetime.fromisoformat(metadata["rendered"])
            if rendered.tzinfo is not None:
                return cls(revision=int(metadata["revision"]), rendered=rendered, digest=metadata.get("digest", ""))
        except (KeyError, ValueError):
            pass
        return cls(revision=-1, rendered=_BEFORE_ALL, digest="")

    def replaces(self, there: Mark) -> bool:
        """Whether a page with this mark may and must be written over one that is there."""
        if self.revision != there.revision:
            return self.revision > there.revision
        return self.rendered > there.rendered and self.digest != there.digest


def publish(objects: Objects, state: PageState, now: datetime) -> list[str]:
    """Brings all pages to this state; the keys of those that were written.

    Raises:
        OvertakenError: others have written a page in between each time; those are at work on it.
    """
    pages = render(state, now)
    return [key for key, body in pages.items() if _bring(objects, PREFIX + key, body, _mark(state, now, body))]


def _mark(state: PageState, now: datetime, body: bytes) -> Mark:
    return Mark(revision=state.revision, rendered=now, digest=hashlib.sha256(body).hexdigest())


def _bring(objects: Objects, key: str, body: bytes, mark: Mark) -> bool:
    for _ in objects.tries():
        there = objects.head(key)
        if there is not None and not mark.replaces(Mark.of(there.metadata)):
            return False
        try:
            _write(objects, key, body, there, mark)
        except OvertakenError:
            continue
        return True
    raise OvertakenError(f"s3://{objects.bucket}/{key} was written by others {TRIES} times in between")


def _write(objects: Objects, key: str, body: bytes, instead_of: Found | None, mark: Mark) -> None:
    kind = _TYPES[key.rpartition(".")[2]]
    objects.write(key, body, instead_of=instead_of, content_type=kind, cache=CACHE, metadata=mark.as_metadata())
