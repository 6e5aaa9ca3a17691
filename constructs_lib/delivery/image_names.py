"""How people name an image: its digest, the beginning of that, or a build tag (lesson Q3). Standard library only.

A build tag stays on one image. Any other tag may be on another tomorrow, so it names none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from constructs_lib.delivery.build_tags import build_tag_of

LEAST_DIGITS: Final = 7
"""Of a digest that is not written out. The number of a release has fewer, so neither is taken for the other."""

ALLOWED: Final = (
    f"a digest, at least {LEAST_DIGITS} of its first digits, or a build tag such as "
    "staging-20260401T101500Z-0123456789ab"
)
"""What a person may write for an image, for sentences that refuse something else."""

_BEGINNING: Final = re.compile(r"(?:sha256:)?([0-9a-f]{7,64})")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
_WHOLE: Final = 64
_SHOWN: Final = 3
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """An image with what it can be named by (lesson Q3).

    Args:
        digest: its digest.
        tags: its tags.
    """

    digest: str
    tags: tuple[str, ...] = ()


class NotOneImage(LookupError):  # noqa: N818  (what it says to a person)
    """No image, or more than one, has the name that was written (lesson Q3)."""


def is_image_name(text: str) -> bool:
    """Whether a text can name an image; whether there is one is another question."""
    return _BEGINNING.fullmatch(text) is not None or build_tag_of([text]) is not None


def is_release_number(text: str) -> bool:
    """Whether a text is the number of an entry of the ledger, and so never the beginning of a digest."""
    return _NUMBER.fullmatch(text) is not None


def whole_digest(text: str) -> str | None:
    """The digest that is written out, with or without ``sha256:``; ``None`` for every other name."""
    match = _BEGINNING.fullmatch(text)
    return f"sha256:{match[1]}" if match and len(match[1]) == _WHOLE else None


def image_named(text: str, known: Iterable[NamedImage], where: str) -> str:
    """The digest of the one image that a text names. One that is written out need not be known.

    Args:
        text: what a person wrote.
        known: the images that it can mean.
        where: what they have in common, such as ``in shop/production/web``, for the sentence that refuses.

    Raises:
        NotOneImage: none has that name, or several have; the sentence names those that may be meant.
    """
    whole = whole_digest(text)
    if whole is not None:
        return whole
    match = _BEGINNING.fullmatch(text)
    images = list(known)
    if match is None and build_tag_of([text]) is None:
        raise NotOneImage(f"an image must be named by {ALLOWED}, got {text!r}")
    found = [one for one in images if (one.digest.startswith(f"sha256:{match[1]}") if match else text in one.tags)]
    digests = {one.digest for one in found}
    if len(digests) == 1:
        return digests.pop()
    what = "a digest that begins with" if match else "the tag"
    if not digests:
        raise NotOneImage(f"no image {where} has {what} {text!r}; {_instead(text, images)}")
    some = ", ".join(_called(one, digits=_WHOLE) for one in _newest_first(found)[:_SHOWN])
    raise NotOneImage(f"{len(digests)} images {where} have {what} {text!r}: {some}; name one of them by its digest")


def _instead(text: str, images: Sequence[NamedImage]) -> str:
    """What may be meant when nothing has that name."""
    of_commit = [
        tag for one in images for tag in one.tags if (parsed := build_tag_of([tag])) and parsed.commit.startswith(text)
    ]
    if of_commit:
        return f"that is the commit of {', '.join(sorted(of_commit)[-_SHOWN:])}: name the build tag"
    newest = [_called(one, digits=12) for one in _newest_first(images)[:_SHOWN]]
    return f"the newest are {', '.join(newest)}" if newest else "there is none at all"


def _newest_first(images: Iterable[NamedImage]) -> list[NamedImage]:
    """By build tag; those without one come last. Each digest once."""
    once = {one.digest: one for one in images}.values()
    return sorted(once, key=lambda one: (_built(one), one.digest), reverse=True)


def _built(image: NamedImage) -> datetime:
    tag = build_tag_of(image.tags)
    return tag.at if tag else _LONG_AGO


def _called(image: NamedImage, *, digits: int) -> str:
    tag = build_tag_of(image.tags)
    return image.digest[: len("sha256:") + digits] + (f" ({tag.text})" if tag else "")
