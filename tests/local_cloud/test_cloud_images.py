"""ECR: tags, immutability, image status and listings."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def repository(aws: Any) -> str:
    """A mutable repository."""
    return create(aws, "web")


def create(aws: Any, name: str, mutability: str = "MUTABLE", excluded: str | None = None) -> str:
    filters = [{"filterType": "WILDCARD", "filter": excluded}] if excluded else []
    more = {"imageTagMutabilityExclusionFilters": filters} if excluded else {}
    aws("ecr").create_repository(repositoryName=name, imageTagMutability=mutability, **more)
    return name


def tags(aws: Any, repository: str) -> dict[str, list[str]]:
    details = aws("ecr").describe_images(repositoryName=repository)["imageDetails"]
    return {detail["imageDigest"]: sorted(detail.get("imageTags", [])) for detail in details}


def manifest(aws: Any, repository: str, digest: str) -> str:
    found = aws("ecr").batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    text: str = found["images"][0]["imageManifest"]
    return text


def test_removing_one_tag_keeps_the_image(aws: Any, repository: str) -> None:
    """BatchDeleteImage by tag removes the tag; the image stays while it has another."""
    digest = aws.push(repository, "v1")
    aws.push(repository, "pin-1")
    gone = aws("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    assert gone["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]
    assert tags(aws, repository) == {digest: ["pin-1"]}


def test_removing_the_last_tag_removes_the_image(aws: Any, repository: str) -> None:
    """BatchDeleteImage of the last tag deletes the image, as on AWS."""
    aws.push(repository, "v1")
    aws("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    assert tags(aws, repository) == {}


def test_removing_all_tags_in_one_call(aws: Any, repository: str) -> None:
    """Naming every tag of an image in one call deletes the image."""
    aws.push(repository, "v1")
    aws.push(repository, "v2")
    aws("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}])
    assert tags(aws, repository) == {}


def test_removing_by_digest_removes_all_tags(aws: Any, repository: str) -> None:
    """BatchDeleteImage by digest deletes the image with all its tags, and reports what it could not find."""
    digest = aws.push(repository, "v1")
    aws.push(repository, "v2")
    wanted = [{"imageDigest": digest}, {"imageTag": "never"}]
    answer = aws("ecr").batch_delete_image(repositoryName=repository, imageIds=wanted)
    assert tags(aws, repository) == {}
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]


def test_mutable_tag_moves(aws: Any, repository: str) -> None:
    """Putting another existing manifest under a mutable tag moves it; the former image stays, without it."""
    old, new = aws.push(repository, "v1", layer="a"), aws.push(repository, "v2", layer="b")
    aws("ecr").put_image(repositoryName=repository, imageManifest=manifest(aws, repository, old), imageTag="v2")
    assert tags(aws, repository) == {old: ["v1", "v2"], new: []}
    listed = aws("ecr").list_images(repositoryName=repository)["imageIds"]
    assert {"imageDigest": new} in listed
    assert len(listed) == 3, "one entry for each tag, and one for the untagged image"


def test_same_manifest_and_tag_is_refused(aws: Any, repository: str) -> None:
    """Putting what is there already is ImageAlreadyExistsException, mutable or not."""
    aws.push(repository, "v1")
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        aws.push(repository, "v1")


@pytest.mark.parametrize(
    ("mutability", "excluded", "tag", "moves"),
    [
        ("MUTABLE", None, "v1", True),
        ("IMMUTABLE", None, "v1", False),
        ("IMMUTABLE_WITH_EXCLUSION", "pin-*", "pin-1", True),
        ("IMMUTABLE_WITH_EXCLUSION", "pin-*", "v1", False),
        ("MUTABLE_WITH_EXCLUSION", "v*", "v1", False),
        ("MUTABLE_WITH_EXCLUSION", "v*", "pin-1", True),
    ],
)
def test_immutability(aws: Any, mutability: str, excluded: str | None, tag: str, moves: bool) -> None:
    """A tag moves exactly where the repository's mutability and its exclusion filters allow it."""
    repository = create(aws, "web", mutability, excluded)
    old, new = aws.push(repository, tag, layer="a"), aws.push(repository, None, layer="b")
    move = {"repositoryName": repository, "imageManifest": manifest(aws, repository, new), "imageTag": tag}
    if moves:
        aws("ecr").put_image(**move)
        assert tags(aws, repository) == {old: [], new: [tag]}
    else:
        with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
            aws("ecr").put_image(**move)
        assert tags(aws, repository) == {old: [tag], new: []}


def test_filters_can_be_changed(aws: Any, repository: str) -> None:
    """PutImageTagMutability replaces mode and filters, and DescribeRepositories shows them."""
    filters = [{"filterType": "WILDCARD", "filter": "pin-*"}]
    mode = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters}
    aws("ecr").put_image_tag_mutability(repositoryName=repository, **mode)
    shown = aws("ecr").describe_repositories(repositoryNames=[repository])["repositories"][0]
    assert {key: shown[key] for key in mode} == mode


def test_describe_images_gives_the_status(aws: Any, repository: str) -> None:
    """A new image is ACTIVE, and an untagged one has no list of tags."""
    aws.push(repository, None)
    detail = aws("ecr").describe_images(repositoryName=repository)["imageDetails"][0]
    assert detail["imageStatus"] == "ACTIVE"
    assert "imageTags" not in detail


def test_describe_images_filters_by_tag_status(aws: Any, repository: str) -> None:
    """The filter on tagStatus tells tagged from untagged images."""
    tagged, untagged = aws.push(repository, "v1", layer="a"), aws.push(repository, None, layer="b")
    for status, expected in (("TAGGED", {tagged}), ("UNTAGGED", {untagged}), ("ANY", {tagged, untagged})):
        found = aws("ecr").describe_images(repositoryName=repository, filter={"tagStatus": status})["imageDetails"]
        assert {detail["imageDigest"] for detail in found} == expected


def test_describe_missing_image_fails(aws: Any, repository: str) -> None:
    """DescribeImages of an image that is not there is ImageNotFoundException, not an empty list."""
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        aws("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": "never"}])


def test_get_image_answers_with_the_tag_asked_for(aws: Any, repository: str) -> None:
    """BatchGetImage gives back the tag of the question, also when the image has several."""
    digest = aws.push(repository, "v1")
    aws.push(repository, "v2")
    wanted = [{"imageTag": "never"}, {"imageTag": "v2"}, {"imageDigest": digest}]
    answer = aws("ecr").batch_get_image(repositoryName=repository, imageIds=wanted)
    assert [image["imageId"] for image in answer["images"]] == [
        {"imageDigest": digest, "imageTag": "v2"},
        {"imageDigest": digest},
    ]
    assert len(answer["failures"]) == 1


def test_storage_class_changes_the_status(aws: Any, repository: str) -> None:
    """UpdateImageStorageClass archives an image and restores it."""
    image = {"imageDigest": aws.push(repository)}
    ecr = aws("ecr")
    for target, status in (("ARCHIVE", "ARCHIVED"), ("STANDARD", "ACTIVE")):
        answer = ecr.update_image_storage_class(repositoryName=repository, imageId=image, targetStorageClass=target)
        assert answer["imageStatus"] == status
        assert ecr.describe_images(repositoryName=repository)["imageDetails"][0]["imageStatus"] == status


def test_accounts_and_regions_are_separate(aws: Any, repository: str) -> None:
    """The same repository name is another repository in another account or region."""
    aws.push(repository)
    for other in (aws.elsewhere(account="999999999999"), aws.elsewhere(region="eu-west-1")):
        create(other, repository)
        assert tags(other, repository) == {}


def upload(aws: Any, repository: str, content: bytes) -> str:
    """Uploads a layer; its digest."""
    ecr, digest = aws("ecr"), f"sha256:{hashlib.sha256(content).hexdigest()}"
    begun = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    named = {"repositoryName": repository, "uploadId": begun}
    ecr.upload_layer_part(**named, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
    ecr.complete_layer_upload(**named, layerDigests=[digest])
    return digest


def test_a_layer_can_be_fetched_without_a_signature(aws: Any, repository: str) -> None:
    """GetDownloadUrlForLayer gives an address whose bytes are the layer's, in each account and region its own."""
    digest = upload(aws, repository, b"layer")
    other = aws.elsewhere(account="999999999998", region="eu-west-1")
    create(other, repository)
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        other("ecr").get_download_url_for_layer(repositoryName=repository, layerDigest=digest)
    assert upload(other, repository, b"layer") == digest
    assert upload(other, repository, b"of the other only")
    for one, content in ((aws, b"layer"), (other, b"layer"), (other, b"of the other only")):
        name = f"sha256:{hashlib.sha256(content).hexdigest()}"
        url = one("ecr").get_download_url_for_layer(repositoryName=repository, layerDigest=name)["downloadUrl"]
        assert url.startswith("http://127.0.0.1:")
        with urlopen(url, timeout=10) as answer:  # noqa: S310  (looked at in the line above)
            assert answer.read() == content
