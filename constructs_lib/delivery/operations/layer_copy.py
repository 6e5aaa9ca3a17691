"""Copies blobs from one repository to another, a part at a time, with ECR's own calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.download import Download, Open
from constructs_lib.delivery.operations.manifest import Blob
from constructs_lib.delivery.operations.registry import RepositoryAccess, asking

BATCH: Final = 100
"""The most digests that one call takes."""

MOST_BYTES: Final = 20 * 1024 * 1024
"""The largest part (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html)."""

WHOLE_TRIES: Final = 2
"""How often a blob is copied whose bytes have another digest afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedLayers:
    """What became of the blobs of an image (lesson Q1).

    Args:
        copied: how many layers were copied.
        present: how many layers were there already.
        bytes: how many bytes were copied, those of configurations too.
    """

    copied: int = 0
    present: int = 0
    bytes: int = 0


def copy_layers(
    source: RepositoryAccess,
    target: RepositoryAccess,
    blobs: Sequence[Blob],
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
    open_address: Open,
) -> CopiedLayers:
    """Copies the blobs that the target lacks. What it has is not read.

    Raises:
        CouldNotRun: a blob could not be copied; those before it have been.
    """
    there = _available(target, [blob.digest for blob in blobs])
    missing = [blob for blob in blobs if blob.digest not in there]
    copier = _Copier(source=source, target=target, say=say, sleep=sleep, open_address=open_address)
    layers = [blob for blob in missing if blob.layer]
    for blob in missing:
        kind = f"layer {layers.index(blob) + 1} of {len(layers)}" if blob.layer else "configuration"
        what = f"{kind}, {blob.digest[7:19]}"
        say(f"{what}: {amount(blob.size)}")
        copier.copy(blob, what)
    return CopiedLayers(
        copied=len(layers),
        present=sum(blob.layer for blob in blobs) - len(layers),
        bytes=sum(blob.size for blob in missing),
    )


def _available(target: RepositoryAccess, digests: Sequence[str]) -> set[str]:
    found = set[str]()
    for start in range(0, len(digests), BATCH):
        with asking(target):
            answer = target.ecr.batch_check_layer_availability(
                registryId=target.registry, repositoryName=target.name, layerDigests=digests[start : start + BATCH]
            )
        found |= {one["layerDigest"] for one in answer["layers"] if one["layerAvailability"] == "AVAILABLE"}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copier:
    """What copying a blob needs.

    Args:
        source: where it is.
        target: where it shall be.
        say: takes one line of progress.
        sleep: waits for some seconds.
        open_address: opens a pre-signed address.
    """

    source: RepositoryAccess
    target: RepositoryAccess
    say: Callable[[str], None]
    sleep: Callable[[float], None]
    open_address: Open

    def copy(self, blob: Blob, what: str) -> None:
        """Copies one blob."""
        for _ in range(WHOLE_TRIES):
            upload = self._upload(blob, what)
            if upload is not None:
                self._complete(blob, upload)
                return
        raise CouldNotRun(
            f"{what} came {WHOLE_TRIES} times from {self.source} with bytes of another digest, and nothing was put;"
            " run this again, and build the image again if it stays so"
        )

    def _upload(self, blob: Blob, what: str) -> str | None:
        """Uploads the bytes; the upload, unless they have another digest."""
        with asking(self.target):
            begun = self.target.ecr.initiate_layer_upload(
                registryId=self.target.registry, repositoryName=self.target.name
            )
        size, seen, first = min(begun["partSize"] or MOST_BYTES, MOST_BYTES), hashlib.sha256(), 0
        download = Download(
            address=lambda: self._address(blob),
            size=blob.size,
            what=what,
            open_address=self.open_address,
            sleep=self.sleep,
        )
        with closing(download):
            while part := download.read(size):
                seen.update(part)
                self._put_part(begun["uploadId"], first, part)
                first += len(part)
                if first < blob.size:
                    self.say(f"{what}: {amount(first)} of {amount(blob.size)}")
        return begun["uploadId"] if f"sha256:{seen.hexdigest()}" == blob.digest else None

    def _put_part(self, upload: str, first: int, part: bytes) -> None:
        last = first + len(part) - 1
        with asking(self.target):
            try:
                self.target.ecr.upload_layer_part(
                    registryId=self.target.registry,
                    repositoryName=self.target.name,
                    uploadId=upload,
                    partFirstByte=first,
                    partLastByte=last,
                    layerPartBlob=part,
                )
            except self.target.ecr.exceptions.InvalidLayerPartException as error:
                # The answer to a part can be lost, and botocore then sends it again.
                if error.response.get("lastValidByteReceived") != last:
                    raise

    def _complete(self, blob: Blob, upload: str) -> None:
        exceptions = self.target.ecr.exceptions
        with asking(self.target):
            try:
                answer = self.target.ecr.complete_layer_upload(
                    registryId=self.target.registry,
                    repositoryName=self.target.name,
                    uploadId=upload,
                    layerDigests=[blob.digest],
                )
            except exceptions.LayerAlreadyExistsException:  # another copy was faster, or an answer was lost
                return
            except exceptions.UploadNotFoundException:
                if blob.digest not in _available(self.target, [blob.digest]):
                    raise
                return
        if answer["layerDigest"] != blob.digest:
            raise CouldNotRun(f"{self.target} stored {blob.digest} as {answer['layerDigest']}; run this again")

    def _address(self, blob: Blob) -> str:
        exceptions = self.source.ecr.exceptions
        with asking(self.source):
            try:
                answer = self.source.ecr.get_download_url_for_layer(
                    registryId=self.source.registry, repositoryName=self.source.name, layerDigest=blob.digest
                )
            except exceptions.LayersNotFoundException as error:
                raise CouldNotRun(
                    f"layer {blob.digest} is not in {self.source} any more, so its image is lost there; build it again"
                ) from error
            except exceptions.LayerInaccessibleException as error:
                raise CouldNotRun(
                    f"layer {blob.digest} is archived in {self.source}; restore its image there and run this again"
                ) from error
        return answer["downloadUrl"]


def amount(count: int) -> str:
    """Bytes as ECR's console shows them; what would be 0.0 MB in bytes."""
    return f"{count / 1_000_000:.1f} MB" if count >= 50_000 else f"{count:,} bytes"
