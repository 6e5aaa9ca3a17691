"""ECR with layers: uploads in parts, pre-signed addresses, and manifests that need their layers.

From its API reference: a layer is complete when its digest fits, parts follow one another, each but the last has at
least ``least_part`` bytes, an index needs its images, and a layer that is there cannot be completed again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.fake_aws.core import Fault, Params
from tests.fake_aws.ecr import INDEX, MANIFEST, FakeEcr, Image, Repository

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes | str) -> str:
    """A digest as registries write it."""
    return f"sha256:{sha256(content.encode() if isinstance(content, str) else content).hexdigest()}"


def described(content: bytes, media_type: str = LAYER) -> dict[str, Any]:
    """A descriptor of some bytes."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


@dataclass(slots=True)
class Upload:
    """An upload that is not complete."""

    repository: str
    content: bytearray = field(default_factory=bytearray)
    parts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Download:
    """An open address. It breaks off as its registry says."""

    registry: FakeEcrWithLayers
    content: bytes

    def read(self, most: int, /) -> bytes:
        """The next bytes, at most so many as a read gives; none at the end, or when it broke off."""
        part = self.content[: min(most, self.registry.chunk)]
        if self.registry.breaks and len(part) >= self.registry.breaks[0]:
            part = part[: self.registry.breaks.pop(0)]
            self.content = b""
            return part
        if self.registry.breaks:
            self.registry.breaks[0] -= len(part)
        self.content = self.content[len(part) :]
        return part

    def close(self) -> None:
        """Nothing is open."""


class FakeEcrWithLayers(FakeEcr):
    """One registry with the bytes of its layers.

    Attributes:
        layers: the bytes of each layer of each repository.
        uploads: those that are not complete.
        parts: the sizes of the parts of each completed layer.
        part_size: what ``InitiateLayerUpload`` answers.
        least_part: the least size of a part that is not the last.
        wrong: other bytes that an address gives for a layer, one after the other.
        breaks: after how many bytes a download breaks off, one after the other.
        chunk: the most that one read gives.
        opened: digest and offset of each address that was opened.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.layers: dict[str, dict[str, bytes]] = {}
        self.uploads: dict[str, Upload] = {}
        self.parts: dict[str, list[int]] = {}
        self.part_size = 10 * 1024 * 1024
        self.least_part = 5 * 1024 * 1024
        self.wrong: dict[str, list[bytes]] = {}
        self.breaks: list[int] = []
        self.chunk = 1024 * 1024
        self.opened: list[tuple[str, int]] = []

    # What a test builds.

    def build(
        self, repository: str, layers: Sequence[bytes], tags: Iterable[str] = (), *, more: Params | None = None
    ) -> str:
        """A new image of these layers, which are stored; its digest. ``more`` goes into its manifest."""
        config = json.dumps({"os": "linux", "layers": [digest_of(layer) for layer in layers]}).encode()
        held = self.layers.setdefault(repository, {})
        held |= {digest_of(content): content for content in (config, *layers)}
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(config, CONFIG),
            "layers": [described(layer) for layer in layers],
            **(more or {}),
        }
        return self.store(repository, json.dumps(body, indent=2), MANIFEST, tags)

    def store(
        self, repository: str, manifest: str, media_type: str, tags: Iterable[str] = (), *, digest: str | None = None
    ) -> str:
        """A manifest as it is, whatever it names."""
        name = digest or digest_of(manifest)
        held = self.repositories[repository]
        held.images[name] = Image(name, manifest, media_type, self.now, children=_children(manifest, media_type))
        for tag in tags:
            held.put_tag(tag, held.images[name])
        return name

    def open_address(self, url: str, offset: int) -> Download:
        """What a download does with an address of this registry."""
        _, repository, digest = url.removeprefix("https://").split("|")
        self.opened.append((digest, offset))
        wrong = self.wrong.get(digest, [])
        content = wrong.pop(0) if wrong else self.layers[repository][digest]
        return Download(self, content[offset:])

    # What the API answers.

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of the response."""
        answers = {
            "BatchCheckLayerAvailability": self._check,
            "GetDownloadUrlForLayer": self._url,
            "InitiateLayerUpload": self._initiate,
            "UploadLayerPart": self._part,
            "CompleteLayerUpload": self._complete,
        }
        if operation not in answers:
            return super().answer(operation, params)
        return answers[operation](self._find(params, params["repositoryName"]), params)

    def _check(self, held: Repository, params: Params) -> dict[str, Any]:
        if not 1 <= len(params["layerDigests"]) <= 100:
            raise Fault("InvalidParameterException", "layerDigests")
        there = self.layers.get(held.name, {})
        layers, failures = [], []
        for digest in params["layerDigests"]:
            if digest in there:
                layers.append({"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": 1})
            elif int(digest[-1], 16) % 2:  # both are in the API
                layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
            else:
                failures.append({"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "no"})
        return {"layers": layers, "failures": failures}

    def _url(self, held: Repository, params: Params) -> dict[str, Any]:
        digest = params["layerDigest"]
        if digest not in self.layers.get(held.name, {}):
            raise Fault("LayersNotFoundException", f"{digest} is not there")
        return {"downloadUrl": f"https://{self.registry}|{held.name}|{digest}", "layerDigest": digest}

    def _initiate(self, held: Repository, _params: Params) -> dict[str, Any]:
        name = f"{len(self.uploads):08x}-0000-0000-0000-000000000000"
        self.uploads[name] = Upload(held.name)
        return {"uploadId": name, "partSize": self.part_size}

    def _part(self, held: Repository, params: Params) -> dict[str, Any]:
        upload = self._upload(held, params)
        part = base64.b64decode(params["layerPartBlob"])
        expected = (len(upload.content), len(upload.content) + len(part) - 1)
        if (params["partFirstByte"], params["partLastByte"]) != expected or not 1 <= len(part) <= 20_971_520:
            raise Fault("InvalidLayerPartException", f"expected {expected}")
        upload.content += part
        upload.parts.append(len(part))
        return {"uploadId": params["uploadId"], "lastByteReceived": expected[1]}

    def _complete(self, held: Repository, params: Params) -> dict[str, Any]:
        upload, (digest,) = self._upload(held, params), params["layerDigests"]
        if digest_of(bytes(upload.content)) != digest:
            raise Fault("InvalidLayerException", "the digest is another")
        if any(size < self.least_part for size in upload.parts[:-1]):
            raise Fault("LayerPartTooSmallException", f"parts of {upload.parts} bytes")
        there = self.layers.setdefault(held.name, {})
        if digest in there:
            raise Fault("LayerAlreadyExistsException", f"{digest} is there")
        there[digest] = bytes(self.uploads.pop(params["uploadId"]).content)
        self.parts[digest] = upload.parts
        return {"layerDigest": digest}

    def _upload(self, held: Repository, params: Params) -> Upload:
        upload = self.uploads.get(params["uploadId"])
        if upload is None or upload.repository != held.name:
            raise Fault("UploadNotFoundException", f"there is no upload {params['uploadId']}")
        return upload

    def _put_image(self, held: Repository, params: Params) -> dict[str, Any]:
        manifest, tag = params["imageManifest"], params.get("imageTag")
        digest, media_type = digest_of(manifest), params["imageManifestMediaType"]
        if params.get("imageDigest", digest) != digest:
            raise Fault("ImageDigestDoesNotMatchException", f"the manifest's digest is {digest}")
        if digest not in held.images:
            taken = held.tags.get(tag or "")
            if taken is not None and not held.may_move(tag or ""):
                raise Fault("ImageTagAlreadyExistsException", f"The image tag {tag} already exists and is immutable")
            self._needs(held, manifest, media_type)
            self.store(held.name, manifest, media_type)
        elif tag is None:
            raise Fault("ImageAlreadyExistsException", f"{digest} is there")
        if tag is None:
            return {"image": {"imageId": {"imageDigest": digest}}}
        return super()._put_image(held, params)

    def _needs(self, held: Repository, manifest: str, media_type: str) -> None:
        body = json.loads(manifest)
        if media_type == INDEX:
            gone = [one["digest"] for one in body["manifests"] if one["digest"] not in held.images]
            code = "ReferencedImagesNotFoundException"
        else:
            there = self.layers.get(held.name, {})
            gone = [one["digest"] for one in (body["config"], *body["layers"]) if one["digest"] not in there]
            code = "LayersNotFoundException"
        if gone:
            raise Fault(code, f"{gone} are not there")


def _children(manifest: str, media_type: str) -> tuple[str, ...]:
    return tuple(one["digest"] for one in json.loads(manifest)["manifests"]) if media_type == INDEX else ()
