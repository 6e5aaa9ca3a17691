"""ECR as AWS documents it, where MiniStack differs: tags, immutability, image status, listing."""

from __future__ import annotations

import fnmatch
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from local_cloud.server.emulator import (
    Created,
    Properties,
    Response,
    amend,
    answer,
    app,
    ecr,
    refusal,
    responses,
    wrap,
)
from local_cloud.server.events import emit

Call = Callable[..., Response]
_FILTERS = "imageTagMutabilityExclusionFilters"


def install() -> None:
    """Wrap the calls whose answers differ, and add the one that is missing."""
    wrap(ecr, "_create_repository", _with_filters)
    wrap(ecr, "_put_image_tag_mutability", _with_filters)
    wrap(ecr, "_repo_shape", _repository_shape)
    wrap(ecr, "_put_image", _put_image)
    wrap(ecr, "_v2_put_manifest", _push)
    wrap(ecr, "_batch_delete_image", _delete_images)
    wrap(ecr, "_batch_get_image", _get_images)
    wrap(ecr, "_list_images", _list_images)
    wrap(ecr, "_describe_images", _describe_images)
    amend("AWS::ECR::Repository", _repository_made)
    app.SERVICE_HANDLERS["ecr"] = _with_addresses(_with_storage_class(app.SERVICE_HANDLERS["ecr"]))


def is_active(image: Properties) -> bool:
    """Only an active image can be pulled."""
    return bool(image.get("imageStatus", "ACTIVE") == "ACTIVE")


def _with_filters(inner: Call, data: Properties) -> Response:
    response = inner(data)
    if response[0] >= 400:
        return response
    body, filters = json.loads(response[2]), {_FILTERS: data.get(_FILTERS, [])}
    ecr._repositories[data["repositoryName"]].update(filters)
    body.get("repository", body).update(filters)
    return answer(body)


def _repository_shape(inner: Callable[..., Properties], repository: Properties) -> Properties:
    filters = repository.get(_FILTERS)
    return {**inner(repository), _FILTERS: filters} if filters else inner(repository)


def _repository_made(made: Created, new: Properties) -> Created:
    prefix, wanted = "ImageTagMutabilityExclusionFilter", new.get("ImageTagMutabilityExclusionFilters") or []
    filters = [{"filterType": each[f"{prefix}Type"], "filter": each[f"{prefix}Value"]} for each in wanted]
    ecr._repositories[made[0]][_FILTERS] = filters
    return made


def _is_immutable(repository: Properties, tag: str) -> bool:
    mode = repository.get("imageTagMutability", "MUTABLE")
    excluded = any(fnmatch.fnmatchcase(tag, each["filter"]) for each in repository.get(_FILTERS, []))
    return bool(mode.startswith("IMMUTABLE") != (excluded and mode.endswith("_WITH_EXCLUSION")))


def _name_after_tags(repository: str) -> None:
    """MiniStack keeps one tag in an image's id and lets it go stale; make it follow the tags."""
    for image in ecr._images.get(repository, []):
        image["imageId"] = {"imageDigest": image["imageDigest"]}
        if image.get("imageTags"):
            image["imageId"]["imageTag"] = image["imageTags"][0]


def _put_image(inner: Call, data: Properties) -> Response:
    name, tag = data.get("repositoryName", ""), data.get("imageTag")
    holder = ecr._find_image(name, {"imageTag": tag}) if tag else None
    if holder:
        digest = data.get("imageDigest") or ecr._image_digest(data.get("imageManifest", ""))
        if holder["imageDigest"] == digest:
            message = f"Image with digest '{digest}' and tag '{tag}' already exists in the repository '{name}'"
            return refusal("ImageAlreadyExistsException", message)
        if _is_immutable(ecr._repositories[name], str(tag)):
            message = f"The image tag '{tag}' already exists in the '{name}' repository and is immutable."
            return refusal("ImageTagAlreadyExistsException", message)
    response = inner(data)
    _name_after_tags(name)
    if response[0] >= 400:
        return response
    body = json.loads(response[2])
    digest = body["image"]["imageId"]["imageDigest"]
    # MiniStack's registry serves by digest only what was pushed through it; on AWS the two are one.
    ecr._manifest_blobs.setdefault(name, {})[digest] = data["imageManifest"].encode()
    _announce("PUSH", name, digest, tag)
    if tag:
        body["image"]["imageId"]["imageTag"] = tag
    return answer(body)


def _announce(action: str, repository: str, digest: str, tag: str | None) -> None:
    detail = {"result": "SUCCESS", "repository-name": repository, "image-digest": digest, "action-type": action}
    emit("aws.ecr", "ECR Image Action", None, {**detail, "image-tag": tag} if tag else detail)


def _push(inner: Call, name: str, ref: str, headers: Any, body: bytes) -> Response:
    """A push through the registry's own protocol obeys the same immutability."""
    holder = ecr._find_image(name, {"imageTag": ref}) if name in ecr._repositories else None
    if holder and holder["imageDigest"] != ecr._image_digest(body) and _is_immutable(ecr._repositories[name], ref):
        rejected: Response = ecr._registry_error(400, "TAG_INVALID", f"the tag '{ref}' is immutable", {"tag": ref})
        return rejected
    response = inner(name, ref, headers, body)
    _name_after_tags(name)
    if response[0] < 400:
        _announce("PUSH", name, ecr._image_digest(body), None if ref.startswith("sha256:") else ref)
    return response


def _delete_images(inner: Call, data: Properties) -> Response:
    """By tag, only the tag goes; the image goes with its last tag, or when it is named by digest."""
    name, untagged, whole = data.get("repositoryName", ""), [], []
    for wanted in data.get("imageIds", []):
        image, tag = ecr._find_image(name, wanted), wanted.get("imageTag")
        if image and tag and not wanted.get("imageDigest") and len(image["imageTags"]) > 1:
            image["imageTags"].remove(tag)
            untagged.append({"imageDigest": image["imageDigest"], "imageTag": tag})
        else:
            whole.append(wanted)
    response = inner({**data, "imageIds": whole})
    _name_after_tags(name)
    if response[0] >= 400:
        return response
    body = json.loads(response[2])
    # The registry would serve a deleted image's manifest still; on AWS the two are one.
    kept = {image["imageDigest"] for image in ecr._images.get(name, [])}
    manifests = ecr._manifest_blobs.get(name, {})
    for digest in manifests.keys() - kept:
        del manifests[digest]
    for gone in untagged + body["imageIds"]:
        _announce("DELETE", name, gone["imageDigest"], gone.get("imageTag"))
    return answer({**body, "imageIds": untagged + body["imageIds"]})


def _get_images(inner: Call, data: Properties) -> Response:
    response = inner(data)
    if response[0] >= 400:
        return response
    body = json.loads(response[2])
    failed = [failure["imageId"] for failure in body["failures"]]
    for image, wanted in zip(body["images"], (i for i in data["imageIds"] if i not in failed), strict=True):
        tag = {"imageTag": wanted["imageTag"]} if wanted.get("imageTag") else {}
        image["imageId"] = {"imageDigest": image["imageId"]["imageDigest"], **tag}
    return answer(body)


def _list_images(inner: Call, data: Properties) -> Response:
    response = inner(data)
    if response[0] >= 400:
        return response
    listed = []
    for each in json.loads(response[2])["imageIds"]:
        digest = {"imageDigest": each["imageDigest"]}
        tags = ecr._find_image(data["repositoryName"], digest).get("imageTags")
        listed += [{**digest, "imageTag": tag} for tag in tags] or [digest]
    return answer({"imageIds": listed})


def _describe_images(inner: Call, data: Properties) -> Response:
    name = data.get("repositoryName", "")
    response = inner(data)
    if response[0] >= 400:
        return response
    for wanted in data.get("imageIds") or []:
        if ecr._find_image(name, wanted) is None:
            message = f"The image with imageId {wanted} does not exist within the repository with name '{name}'"
            return refusal("ImageNotFoundException", message)
    details, status = [], (data.get("filter") or {}).get("tagStatus", "ANY")
    for detail in json.loads(response[2])["imageDetails"]:
        image = ecr._find_image(name, {"imageDigest": detail["imageDigest"]})
        if status in ("ANY", "TAGGED" if detail["imageTags"] else "UNTAGGED"):
            own = {k: image[k] for k in ("lastRecordedPullTime", "lastArchivedAt", "lastActivatedAt") if k in image}
            detail |= {"imageStatus": image.get("imageStatus", "ACTIVE"), **own}
            details.append({key: value for key, value in detail.items() if value != []})
    return answer({"imageDetails": details})


def _with_storage_class(inner: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle(method: str, path: str, headers: Properties, body: bytes, query: Properties) -> Response:
        if not headers.get("x-amz-target", "").endswith(".UpdateImageStorageClass"):
            return await inner(method, path, headers, body, query)
        data = json.loads(body)
        image = ecr._find_image(data.get("repositoryName", ""), data["imageId"])
        if image is None:
            return refusal("ImageNotFoundException", f"The image {data['imageId']} does not exist")
        archive = data["targetStorageClass"] == "ARCHIVE"
        # On AWS a restore takes about 20 minutes and passes through ACTIVATING; here it is at once.
        image["imageStatus"] = "ARCHIVED" if archive else "ACTIVE"
        image["lastArchivedAt" if archive else "lastActivatedAt"] = int(time.time())
        return answer({k: data[k] for k in ("repositoryName", "imageId")} | {"imageStatus": image["imageStatus"]})

    return handle


def _with_addresses(inner: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle(method: str, path: str, headers: Properties, body: bytes, query: Properties) -> Response:
        response = await inner(method, path, headers, body, query)
        if response[0] >= 400 or not headers.get("x-amz-target", "").endswith(".GetDownloadUrlForLayer"):
            return response
        data = json.loads(body)
        name, digest = data["repositoryName"], data["layerDigest"]
        if digest not in ecr._layer_blobs.get(name, {}):
            return refusal("LayersNotFoundException", f"The layer '{digest}' does not exist in '{name}'")
        # The registry serves layers here. A plain request is not signed, so the address itself says whose they are.
        registry = f"{responses.get_account_id()}.dkr.ecr.{responses.get_region()}.amazonaws.com"
        url = f"http://{headers['host']}/v2/{name}/blobs/{digest}?ns={registry}"
        return answer({**json.loads(response[2]), "downloadUrl": url})

    return handle
