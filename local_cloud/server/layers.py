"""ECR's layer calls, which MiniStack answers without keeping anything. They share the registry's own store."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from local_cloud.server.emulator import Properties, Response, answer, ecr, refusal, wrap

Call = Callable[..., Response]


def install() -> None:
    """Wrap the calls of an upload."""
    wrap(ecr, "_initiate_layer_upload", _initiate)
    wrap(ecr, "_upload_layer_part", _upload)
    wrap(ecr, "_complete_layer_upload", _complete)
    wrap(ecr, "_batch_check_layer_availability", _check)


def _initiate(inner: Call, data: Properties) -> Response:
    response = inner(data)
    if response[0] < 400:
        upload = json.loads(response[2])["uploadId"]
        ecr._uploads.setdefault(data["repositoryName"], {})[upload] = bytearray()
    return response


def _upload(inner: Call, data: Properties) -> Response:
    content = ecr._uploads.get(data["repositoryName"], {}).get(data["uploadId"])
    if content is None:
        return refusal("UploadNotFoundException", f"The upload '{data['uploadId']}' does not exist")
    part = base64.b64decode(data["layerPartBlob"])
    if (data["partFirstByte"], data["partLastByte"]) != (len(content), len(content) + len(part) - 1):
        return refusal("InvalidLayerPartException", f"The next byte of the layer is {len(content)}")
    content.extend(part)
    return answer({**json.loads(inner(data)[2]), "lastByteReceived": len(content) - 1})


def _complete(inner: Call, data: Properties) -> Response:
    name, (digest,) = data["repositoryName"], data["layerDigests"]
    uploads, layers = ecr._uploads.get(name, {}), ecr._layer_blobs.setdefault(name, {})
    content = bytes(uploads.pop(data["uploadId"], b""))
    if not content:
        return refusal("EmptyUploadException", f"The upload '{data['uploadId']}' holds nothing")
    if ecr._content_digest(content) != digest:
        return refusal("InvalidLayerException", f"The layer is {ecr._content_digest(content)}, not {digest}")
    if digest in layers:
        return refusal("LayerAlreadyExistsException", f"The layer '{digest}' already exists in '{name}'")
    layers[digest] = content
    return inner(data)


def _check(inner: Call, data: Properties) -> Response:
    response = inner(data)
    if response[0] >= 400:
        return response
    body, layers = json.loads(response[2]), ecr._layer_blobs.get(data["repositoryName"], {})
    for layer in body["layers"]:
        if layer["layerDigest"] in layers:
            layer |= {"layerAvailability": "AVAILABLE", "layerSize": len(layers[layer["layerDigest"]])}
    return answer(body)
