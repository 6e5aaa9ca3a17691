"""Incident Q in small: real daemons start an image by its digest, and then the registry has it no more."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from typing import Any

import pytest

from constructs_lib.naming import build_tag

from .machine import Docker, ProofError, until
from .shop import ADDRESS, OCI_INDEX, OCI_MANIFEST, SINGLE, URI, Shop, commit

pytestmark = pytest.mark.proof

GONE = "manifest unknown|not found"
RUN = ("run", "--detach", "--network", "host")
PROCESSOR = {"x86_64": "amd64", "aarch64": "arm64"}


def answer(shop: Shop) -> str | None:
    """What the program in the container says, or nothing yet."""
    asked = shop.machine.run("busybox", "wget", "-q", "-O", "-", f"http://{ADDRESS}/", check=False)
    return asked.stdout or None


def test_a_lost_image_keeps_running_where_it_runs_and_starts_nowhere_else(shop: Shop, builder: Docker) -> None:
    """After the registry loses a digest, its container still answers, but a fresh machine cannot start another."""
    image = shop.build(commit("lost"), builder)
    reference = f"{URI}@{image.digest}"
    host = shop.machine.docker()
    host(*RUN, reference)
    assert until(lambda: answer(shop), "the container answers") == commit("lost")

    shop.expire(image.digest)
    assert image.digest not in shop.images()
    assert answer(shop) == commit("lost")  # nobody notices
    container = host("ps", "--quiet").strip()
    host("kill", container)
    host(*RUN, reference)  # nor here: this machine has the layers
    assert until(lambda: answer(shop), "the second container answers") == commit("lost")
    host.stop()

    fresh = shop.machine.docker()  # as each Fargate task gets one
    with pytest.raises(ProofError, match=GONE):
        fresh(*RUN, reference)
    assert answer(shop) is None


def test_an_image_with_attestations_is_lost_with_a_child_that_has_no_tag(shop: Shop, builder: Docker) -> None:
    """BEFORE: an index as buildx pushes it keeps its tag and loses its image; build.sh does not take it for a build."""
    child = shop.build(commit("child"), builder)
    index = as_buildx_pushes_it(shop, child.digest)
    tag = build_tag("staging", datetime(2026, 1, 1, tzinfo=UTC), commit("index"))
    digest = shop.put(index, tag)
    assert "Downloaded newer image" in shop.machine.docker()("pull", f"{URI}:{tag}")

    shop.expire(child.digest)
    assert shop.images()[digest]["imageTags"] == [tag]
    with pytest.raises(ProofError, match=GONE):
        shop.machine.docker()("pull", f"{URI}:{tag}")

    built = shop.build(commit("index"), builder)  # the commit seems to have an image, but it is no good one
    assert built.code == 0, built.said
    assert built.digest != digest
    assert shop.images()[built.digest]["imageManifestMediaType"] in SINGLE


def as_buildx_pushes_it(shop: Shop, digest: str) -> dict[str, Any]:
    """An index of an image and its provenance, in the form that BuildKit documents. No builder here can make one.

    Source: https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
    """
    image = shop.manifest(digest)
    statement = {"mediaType": "application/vnd.in-toto+json", "digest": "sha256:" + "a" * 64, "size": 1}
    attestation = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "b" * 64, "size": 1},
        "layers": [statement],
    }
    return {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {
                "mediaType": json.loads(image)["mediaType"],
                "digest": digest,
                "size": len(image.encode()),
                "platform": {"architecture": PROCESSOR[platform.machine()], "os": "linux"},
            },
            {
                "mediaType": OCI_MANIFEST,
                "digest": shop.put(attestation),
                "size": len(json.dumps(attestation)),
                "annotations": {
                    "vnd.docker.reference.digest": digest,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
                "platform": {"architecture": "unknown", "os": "unknown"},
            },
        ],
    }
