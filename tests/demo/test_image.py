"""The demo's image is a real manifest with real digests, and the same each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from demo.image import assemble


def test_the_same_text_gives_the_same_digest() -> None:
    """An image that is assembled again is the same image, so a second demo has nothing to push."""
    assert assemble("a") == assemble("a")
    assert assemble("a").digest != assemble("b").digest
    assert assemble("a").digest != assemble("a", architecture="x86_64").digest


@pytest.mark.parametrize("text", ["", "hello\n", "ü" * 3000])
def test_the_manifest_names_exactly_its_blobs(text: str) -> None:
    """Each blob has the digest and size that the manifest gives, and the layer holds the text."""
    image = assemble(text)
    manifest = json.loads(image.manifest)
    named = [manifest["config"], *manifest["layers"]]
    assert [(entry["digest"], entry["size"]) for entry in named] == [
        (f"sha256:{hashlib.sha256(blob).hexdigest()}", len(blob)) for blob in image.blobs
    ]
    config, layer = image.blobs
    archive = gzip.decompress(layer)
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(archive).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("moorings.txt")
        assert file is not None
        assert file.read().decode() == text
