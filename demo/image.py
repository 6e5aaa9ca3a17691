"""A small image, assembled in Python and pushed through ECR's own API: no Docker is needed.

It holds the files of ``examples/web/`` and a configuration that says how to run them, as its Dockerfile does. It has no
base image, so it holds no Python to run them with: the local cloud runs no container.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "examples" / "web"
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_BEHAVIOUR = "dev.moorings.local-cloud.behaviour"
_REVISION = "org.opencontainers.image.revision"
_NOT_IN_THE_IMAGE = {".dockerignore", "Dockerfile", "README.md"}

Behaviour: TypeAlias = Literal["", "exits", "unhealthy"]
"""How containers of an image behave on the local cloud, which runs none: well, by default."""


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
    return _image({"moorings.txt": text.encode()}, architecture, {})


def web_image(commit: str, *, architecture: str = "arm64", behaviour: Behaviour = "") -> Image:
    """The image of ``examples/web/`` as of a commit. The same files and commit always give the same digest."""
    labels = {_REVISION: commit} | ({_BEHAVIOUR: behaviour} if behaviour else {})
    run = {
        "Cmd": ["python3", "app.py"],
        "ExposedPorts": {"8080/tcp": {}},
        "Labels": labels,
        "User": "65534:65534",
        "WorkingDir": "/app",
    }
    return _image({f"app/{name}": content for name, content in web_files().items()}, architecture, run)


def web_files() -> dict[str, bytes]:
    """The files of ``examples/web/`` that belong into an image, by name."""
    return {
        path.relative_to(EXAMPLE).as_posix(): path.read_bytes()
        for path in sorted(EXAMPLE.rglob("*"))
        if path.is_file() and path.name not in _NOT_IN_THE_IMAGE and "__pycache__" not in path.parts
    }


def web_commit() -> str:
    """Stands for git's commit id in the demo: it changes when the files do, and only then."""
    return sha256(json.dumps({name: sha256(content) for name, content in web_files().items()}).encode())[7:47]


def push(ecr: ECRClient, repository: str, image: Image, tag: str) -> None:
    """Uploads the blobs that are not there yet, then the manifest under one tag."""
    wanted = {sha256(blob): blob for blob in image.blobs}
    found = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=list(wanted))["layers"]
    there = {layer["layerDigest"] for layer in found if layer["layerAvailability"] == "AVAILABLE"}
    for digest in wanted.keys() - there:
        _upload(ecr, repository, digest, wanted[digest])
    ecr.put_image(
        repositoryName=repository, imageManifest=image.manifest, imageManifestMediaType=MANIFEST_TYPE, imageTag=tag
    )


def sha256(content: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _upload(ecr: ECRClient, repository: str, digest: str, blob: bytes) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])


def _image(files: Mapping[str, bytes], architecture: str, run: Mapping[str, object]) -> Image:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    layer = gzip.compress(archive.getvalue(), mtime=0)
    configuration = {
        "architecture": "amd64" if architecture == "x86_64" else architecture,  # as registries write it
        "os": "linux",
        **({"config": run} if run else {}),
        "rootfs": {"type": "layers", "diff_ids": [sha256(archive.getvalue())]},
    }
    config = json.dumps(configuration).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _described(_CONFIG_TYPE, config),
        "layers": [_described(_LAYER_TYPE, layer)],
    }
    return Image(manifest=json.dumps(manifest), blobs=(config, layer))


def _described(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": sha256(content)}
