"""A small image, assembled in Python and pushed through ECR's own API: no Docker is needed.

It shows that a digest travels; it holds one text file and no program, so nothing real can run it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A single-manifest image: the manifest and what it names."""

    manifest: str
    blobs: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """The digest of the manifest, which is the image's."""
        return sha256(self.manifest.encode())


def assemble(text: str, *, architecture: str = "arm64") -> Image:
    """An image with one layer that holds ``/moorings.txt``. The same text always gives the same digest."""
    content = text.encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("moorings.txt")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    layer = gzip.compress(archive.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [sha256(archive.getvalue())]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _described(_CONFIG_TYPE, config),
        "layers": [_described(_LAYER_TYPE, layer)],
    }
    return Image(manifest=json.dumps(manifest), blobs=(config, layer))


def push(ecr: ECRClient, repository: str, image: Image, tag: str) -> None:
    """Uploads the blobs, then the manifest under one tag."""
    for blob in image.blobs:
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob) - 1,
            layerPartBlob=blob,
        )
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[sha256(blob)])
    ecr.put_image(
        repositoryName=repository, imageManifest=image.manifest, imageManifestMediaType=MANIFEST_TYPE, imageTag=tag
    )


def sha256(content: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": sha256(content)}
