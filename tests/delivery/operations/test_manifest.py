"""What a manifest names."""

from __future__ import annotations

import json

import pytest

from constructs_lib.delivery.operations.manifest import Blob, Manifest, read, sha256

OCI, DOCKER = "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


@pytest.mark.parametrize("media_type", [OCI, DOCKER])
def test_an_image_names_its_blobs_once(media_type: str) -> None:
    """The configuration first, then the layers in order."""
    layers = [{"digest": B, "size": 2}, {"digest": B, "size": 2}]
    text = json.dumps({"config": {"digest": A, "size": 1}, "layers": layers})
    blobs = (Blob(digest=A, size=1, layer=False), Blob(digest=B, size=2))
    assert read(text, media_type, sha256(text.encode())) == Manifest(
        digest=sha256(text.encode()), text=text, media_type=media_type, blobs=blobs
    )


@pytest.mark.parametrize("media_type", [INDEX, OCI_INDEX])
def test_an_index_names_its_children_once(media_type: str) -> None:
    """Attestations too: without them the registry refuses the index."""
    text = json.dumps({"manifests": [{"digest": A}, {"digest": B, "platform": {"os": "unknown"}}, {"digest": A}]})
    assert read(text, media_type, sha256(text.encode())).children == (A, B)


def test_a_digest_is_of_the_bytes() -> None:
    """As ``printf '' | sha256sum`` says; letters outside ASCII count as UTF-8."""
    assert sha256(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    text = json.dumps({"manifests": [], "annotations": {"by": "Å"}}, ensure_ascii=False)
    assert read(text, INDEX, sha256(text.encode("utf-8"))).children == ()
    with pytest.raises(ValueError, match=f"must have the digest that it was asked for, {A}"):
        read(text, INDEX, A)


@pytest.mark.parametrize("media_type", ["", "application/vnd.docker.distribution.manifest.v1+json", "text/plain"])
def test_other_media_types_are_refused(media_type: str) -> None:
    """What they name is not known here."""
    with pytest.raises(ValueError, match=r"must be an image of schema 2 or OCI, or an index, got"):
        read("{}", media_type, sha256(b"{}"))
