"""ECR as a release reads it: what an image runs on, and what a scan found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tests.fake_aws.core import Fault, Params
from tests.fake_aws.ecr import INDEX, FakeEcr, Image

ADDRESS = "https://layers.fake/"


class FakeEcrForReleases(FakeEcr):
    """One registry whose images have configurations and scans.

    Attributes:
        platforms: what an image runs on, by the digest of its configuration; ``linux/arm64`` by default.
        scans: status and counts of a scan, by the image's digest.
        unreachable: whether no pre-signed address can be opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.platforms: dict[str, str] = {}
        self.scans: dict[str, tuple[str, Mapping[str, int]]] = {}
        self.unreachable = False

    def runs_on(self, repository: str, digest: str, platform: str) -> None:
        """Says what an image runs on."""
        self.platforms[json.loads(self.image(repository, digest).manifest)["config"]["digest"]] = platform

    def push_index(self, repository: str, children: Mapping[str, str]) -> str:
        """An index of images by platform; its digest."""
        manifests = []
        for platform, digest in children.items():
            system, _, architecture = platform.partition("/")
            manifests.append({"digest": digest, "platform": {"os": system, "architecture": architecture}})
        manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
        digest = f"sha256:{sha256(manifest.encode()).hexdigest()}"
        held = self.repositories[repository]
        held.images[digest] = Image(digest, manifest, INDEX, self.now, children=tuple(children.values()))
        return digest

    def copy(self, digest: str, source: str, target: str) -> None:
        """What a promotion does: the same digest with its build tags, in another repository."""
        image = self.image(source, digest)
        held = self.repositories[target]
        copied = held.images.setdefault(digest, Image(digest, image.manifest, image.media_type, self.now))
        for tag in image.tags:
            if not tag.startswith("pin-") and tag not in copied.tags:
                held.put_tag(tag, copied)

    def fetch(self, url: str) -> bytes:
        """The bytes behind an address."""
        if self.unreachable or not url.startswith(ADDRESS):
            raise OSError("no route to host")
        system, _, architecture = self.platforms.get(url.removeprefix(ADDRESS), "linux/arm64").partition("/")
        return json.dumps({"os": system, "architecture": architecture}).encode()

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation == "GetDownloadUrlForLayer":
            return {"downloadUrl": ADDRESS + params["layerDigest"], "layerDigest": params["layerDigest"]}
        if operation == "DescribeImageScanFindings":
            digest = params["imageId"]["imageDigest"]
            if digest not in self.scans:
                raise Fault("ScanNotFoundException", "Image scan does not exist")
            status, counts = self.scans[digest]
            return {"imageScanStatus": {"status": status}, "imageScanFindings": {"findingSeverityCounts": dict(counts)}}
        return super().answer(operation, params)
