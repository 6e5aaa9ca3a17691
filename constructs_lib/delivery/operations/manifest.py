"""What a manifest names: the blobs of an image, or the images of an index. Standard library only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import is_digest

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)

SINGLES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

ACCEPTED: Final = (
    *INDEXES,
    *SINGLES,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
"""Asked for when a manifest is read, so that ECR gives it as it was pushed: another form has another digest."""

_ELSEWHERE: Final = ("foreign", "nondistributable")
"""In the media types of layers that a registry need not have
(https://github.com/opencontainers/image-spec/blob/main/layer.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A layer, or an image's configuration, which a registry stores alike (lesson Q3).

    Args:
        digest: of its bytes.
        size: how many they are.
        layer: whether it is a layer.
    """

    digest: str
    size: int
    layer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One manifest, whose bytes have its digest (lesson Q3).

    Args:
        digest: the image's digest.
        text: the manifest as it was pushed.
        media_type: its media type.
        blobs: what a single image consists of, each once.
        children: the digests that an index names, each once.
    """

    digest: str
    text: str
    media_type: str
    blobs: tuple[Blob, ...] = ()
    children: tuple[str, ...] = ()


def read(text: str, media_type: str, digest: str) -> Manifest:
    """The manifest that a registry gave for a digest.

    Raises:
        ValueError: its bytes have another digest, or it cannot be copied.
    """
    found = sha256(text.encode())
    if found != digest:
        raise ValueError(f"a manifest must have the digest that it was asked for, {digest}, got {found}")
    if media_type not in (*INDEXES, *SINGLES):
        raise ValueError(
            f"a manifest must be an image of schema 2 or OCI, or an index, got {media_type!r}; build it again"
        )
    try:
        body = json.loads(text)
        if media_type in INDEXES:
            children = tuple(dict.fromkeys(_digest(child) for child in body["manifests"]))
            return Manifest(digest=digest, text=text, media_type=media_type, children=children)
        found_blobs = [_blob(body["config"], layer=False), *(_blob(one, layer=True) for one in body["layers"])]
        blobs = {blob.digest: blob for blob in found_blobs}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"a manifest must name what it consists of; {digest} does not") from error
    return Manifest(digest=digest, text=text, media_type=media_type, blobs=tuple(blobs.values()))


def sha256(content: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(entry: dict[str, object], *, layer: bool) -> Blob:
    digest, size = _digest(entry), entry["size"]
    if entry.get("urls") or any(word in str(entry.get("mediaType", "")) for word in _ELSEWHERE):
        raise ValueError(
            f"layer {digest} is kept by another registry, and only ECR is read here; build without such layers"
        )
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"layer {digest} must have at least one byte, got {size!r}; build it again")
    return Blob(digest=digest, size=size, layer=layer)


def _digest(entry: dict[str, object]) -> str:
    digest = str(entry["digest"])
    if not is_digest(digest):
        raise ValueError(f"a manifest must name sha256 digests, got {digest[:80]!r}; build it again with sha256")
    return digest
