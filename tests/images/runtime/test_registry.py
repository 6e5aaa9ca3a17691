"""The registry: what is read, what is put, and what AWS refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.images.runtime import pinning, registry
from constructs_lib.images.runtime.model import Pin
from constructs_lib.images.runtime.pinning import PinResult
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.registry import Unreadable
from tests.fake_aws.core import Fault
from tests.images.runtime.guard_world import WEB, World, repository_id, slot

ID = repository_id()


def put(world: World, *pins: Pin) -> list[PinResult]:
    """Puts pins."""
    return pinning.put_pins(world.clients.ecr, ID, pins)


def refuse(world: World, operation: str, code: str, *, status: int = 400, after: int = 0) -> None:
    """Refuses one operation, from the call ``after`` so many on."""
    seen: list[str] = []

    def before(called: str, _params: Any) -> None:
        if called == f"ecr.{operation}":
            seen.append(called)
            if len(seen) > after:
                raise Fault(code, "no", status)

    world.aws.before = before


def test_all_pages_and_all_statuses_are_read(world: World) -> None:
    """ECR lists only ACTIVE images unless it is asked for all, a thousand at a time."""
    digests = [world.ecr.push(WEB, [f"build-{number}"]) for number in range(2001)]
    world.ecr.archive(WEB, digests[0])
    images = registry.read_images(world.clients.ecr, ID).images
    assert list(images) == digests
    assert images[digests[0]].status == "ARCHIVED"
    assert images[digests[1]].status == "ACTIVE"
    assert images[digests[2]].tags == ("build-2",)
    assert world.aws.calls["ecr.DescribeImages"] == 3


def test_only_active_indexes_are_asked_for_their_children(world: World) -> None:
    """The manifest of an archived index cannot be had, and a single image has no children."""
    child, gone = world.ecr.push(WEB), world.ecr.push(WEB)
    index, archived = world.ecr.push(WEB, ["a"], index_of=[child]), world.ecr.push(WEB, ["b"], index_of=[gone])
    world.ecr.archive(WEB, archived)
    listing = registry.read_images(world.clients.ecr, ID)
    assert listing.indexes == (index,)
    assert registry.read_children(world.clients.ecr, ID, listing, listing.indexes) == []
    assert listing.images[index].children == (child,)
    assert listing.images[archived].children == ()


def test_indexes_are_read_a_hundred_at_a_time(world: World) -> None:
    """That is what one call takes."""
    child = world.ecr.push(WEB)
    indexes = [world.ecr.push(WEB, index_of=[child]) for _ in range(101)]
    listing = registry.read_images(world.clients.ecr, ID)
    assert registry.read_children(world.clients.ecr, ID, listing, listing.indexes) == []
    assert all(listing.images[index].children == (child,) for index in indexes)
    assert world.aws.calls["ecr.BatchGetImage"] == 2


def test_an_index_that_cannot_be_read_is_told(world: World) -> None:
    """ECR answers such a call with 200 and a list of failures."""
    index = world.ecr.push(WEB, index_of=[world.ecr.push(WEB)])
    listing = registry.read_images(world.clients.ecr, ID)
    world.ecr.delete(WEB, index)
    (problem,) = registry.read_children(world.clients.ecr, ID, listing, listing.indexes)
    assert index in problem
    assert "ImageNotFound" in problem


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"manifests": 1}', '{"manifests": [{}]}'])
def test_an_index_without_a_list_is_told(world: World, manifest: str) -> None:
    """What cannot be understood is not taken for an index without children."""
    index = world.ecr.push(WEB, index_of=[world.ecr.push(WEB)])
    world.ecr.image(WEB, index).manifest = manifest
    listing = registry.read_images(world.clients.ecr, ID)
    assert len(registry.read_children(world.clients.ecr, ID, listing, listing.indexes)) == 1


@pytest.mark.parametrize(
    ("mutability", "filters", "movable"),
    [
        ("MUTABLE", None, True),
        ("IMMUTABLE", None, False),
        ("IMMUTABLE_WITH_EXCLUSION", ["pin-*"], True),
        ("IMMUTABLE_WITH_EXCLUSION", ["latest"], False),
        ("MUTABLE_WITH_EXCLUSION", ["v*"], True),
        ("MUTABLE_WITH_EXCLUSION", ["pin-*"], False),
    ],
)
def test_the_settings_tell_whether_pins_move(
    world: World, mutability: str, filters: list[str] | None, movable: bool
) -> None:
    """The exclusion filters are read as the mutability means them."""
    world.ecr.repository("other", mutability=mutability, filters=filters)
    other = repository_id("other")
    assert registry.read_settings(world.clients.ecr, [other]) == {other: movable}


def test_the_settings_of_many_repositories_take_one_call_for_a_hundred(world: World) -> None:
    """One that has gone fails the call for all; then each is asked for by itself."""
    ids = [repository_id(f"many/{number}") for number in range(150)]
    for one in ids:
        world.ecr.repository(one.name)
    assert set(registry.read_settings(world.clients.ecr, ids).values()) == {True}
    assert world.aws.calls["ecr.DescribeRepositories"] == 2
    del world.ecr.repositories["many/7"]
    found = registry.read_settings(world.clients.ecr, ids[:10])
    assert isinstance(found.pop(ids[7]), Unreadable)
    assert set(found.values()) == {True}


def test_settings_that_are_throttled_are_not_asked_for_one_by_one(world: World) -> None:
    """Eight tries are enough for all of them: in an outage the time is needed elsewhere."""
    ids = [repository_id(f"many/{number}") for number in range(20)]
    refuse(world, "DescribeRepositories", "ThrottlingException")
    found = registry.read_settings(world.clients.ecr, ids)
    assert [isinstance(found[one], Unreadable) for one in ids] == [True] * 20
    assert world.aws.calls["ecr.DescribeRepositories"] == 8


def test_repositories_of_several_registries_are_asked_of_their_own(world: World) -> None:
    """The registry's account is always named."""
    other = RepositoryId(registry="222222222222", region=ID.region, name=WEB)
    found = registry.read_settings(world.clients.ecr, [ID, other])
    assert found[ID] is True
    assert isinstance(found[other], Unreadable)


def test_a_pin_is_put_and_read_back(world: World) -> None:
    """The image keeps its other tags, and the result says that it can be pulled."""
    digest = world.ecr.push(WEB, ["build-1"])
    pin = Pin(tag=slot(0), digest=digest)
    assert put(world, pin) == [PinResult(pin=pin, status="ACTIVE")]
    assert world.ecr.image(WEB, digest).tags == ["build-1", slot(0)]


def test_the_put_names_the_digest_and_the_media_type(world: World) -> None:
    """So ECR refuses a manifest that is not that of the image, and need not guess what it is."""
    asked: list[Any] = []
    world.aws.before = lambda operation, params: asked.append(params) if operation == "ecr.PutImage" else None
    index = world.ecr.push(WEB, index_of=[world.ecr.push(WEB)])
    put(world, Pin(tag=slot(0), digest=index))
    assert asked == [
        {
            "registryId": "111111111111",
            "repositoryName": WEB,
            "imageManifest": world.ecr.image(WEB, index).manifest,
            "imageManifestMediaType": "application/vnd.oci.image.index.v1+json",
            "imageTag": slot(0),
            "imageDigest": index,
        }
    ]


def test_a_move_leaves_the_former_image_without_it(world: World) -> None:
    """The former image stays."""
    former, latter = world.ecr.push(WEB, [slot(0)]), world.ecr.push(WEB)
    put(world, Pin(tag=slot(0), digest=latter, former=former))
    assert world.ecr.pins(WEB) == {slot(0): latter}
    assert world.ecr.image(WEB, former).tags == []


def test_an_index_is_pinned_as_an_index(world: World) -> None:
    """Its manifest comes back as it was pushed, with its media type."""
    index = world.ecr.push(WEB, ["a"], index_of=[world.ecr.push(WEB)])
    (result,) = put(world, Pin(tag=slot(0), digest=index))
    assert result.error is None
    assert world.ecr.pins(WEB) == {slot(0): index}


def test_a_pin_that_is_there_is_no_error(world: World) -> None:
    """Another run may have put it meanwhile."""
    digest = world.ecr.push(WEB, [slot(0)])
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert (result.error, result.status) == (None, "ACTIVE")


def test_many_pins_take_few_calls(world: World) -> None:
    """Manifests and read-backs go a hundred a call, each manifest once; a put is a call by itself."""
    digests = [world.ecr.push(WEB) for _ in range(150)]
    pins = [Pin(tag=slot(n, owner), digest=digest) for n, digest in enumerate(digests) for owner in ("web", "worker")]
    assert all(result.error is None for result in put(world, *pins))
    assert [result.pin for result in put(world, *pins)] == pins
    assert world.aws.calls["ecr.PutImage"] == 2 * 300
    assert world.aws.calls["ecr.BatchGetImage"] == 2 * 2
    assert world.aws.calls["ecr.DescribeImages"] == 2 * 3


def test_nothing_to_put_costs_nothing(world: World) -> None:
    """Most scans put no pin."""
    assert put(world) == []
    assert not world.aws.calls


@pytest.mark.parametrize(
    "code",
    [
        "ImageTagAlreadyExistsException",
        "ImageDigestDoesNotMatchException",
        "ReferencedImagesNotFoundException",
        "LayersNotFoundException",
        "LimitExceededException",
        "KmsException",
        "AccessDeniedException",
        "ThrottlingException",
        "ServerException",
    ],
)
def test_what_ecr_refuses_is_a_result(world: World, code: str) -> None:
    """One pin that cannot be put keeps no other from being put."""
    first, second = world.ecr.push(WEB), world.ecr.push(WEB)
    refuse(world, "PutImage", code, status=500 if code == "ServerException" else 400, after=1)
    good, bad = put(world, Pin(tag=slot(0), digest=first), Pin(tag=slot(1), digest=second))
    assert (good.error, good.status) == (None, "ACTIVE")
    assert bad.status is None
    assert code in (bad.error or "")


def test_the_real_reasons_of_a_refusal_are_results_too(world: World) -> None:
    """An immutable tag, an image with too many tags, an index whose image has gone, an image that has gone."""
    world.ecr.repository("fixed", mutability="IMMUTABLE")
    fixed = repository_id("fixed")
    old, new = world.ecr.push("fixed", [slot(0)]), world.ecr.push("fixed")
    (result,) = pinning.put_pins(world.clients.ecr, fixed, [Pin(tag=slot(0), digest=new, former=old)])
    assert "ImageTagAlreadyExistsException" in (result.error or "")
    full = world.ecr.push(WEB, [f"t{number}" for number in range(1000)])
    child = world.ecr.push(WEB)
    index = world.ecr.push(WEB, index_of=[child])
    world.ecr.delete(WEB, child)
    results = put(
        world,
        Pin(tag=slot(0), digest=full),
        Pin(tag=slot(1), digest=index),
        Pin(tag=slot(2), digest=child),
    )
    expected = ["LimitExceededException", "ReferencedImagesNotFoundException", "ImageNotFound"]
    assert [code in (result.error or "") for code, result in zip(expected, results, strict=True)] == [True] * 3


def test_manifests_that_cannot_be_read_are_results(world: World) -> None:
    """The whole call may fail, too."""
    digest = world.ecr.push(WEB)
    refuse(world, "BatchGetImage", "AccessDeniedException")
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert "AccessDeniedException" in (result.error or "")
    assert world.aws.calls["ecr.PutImage"] == 0


def test_throttling_is_survived(world: World) -> None:
    """Each call is tried eight times."""
    digest = world.ecr.push(WEB)
    counts = {"ecr.PutImage": 0, "ecr.BatchGetImage": 0, "ecr.DescribeImages": 0}

    def before(operation: str, _params: Any) -> None:
        counts[operation] += 1
        if counts[operation] <= 7:
            raise Fault("ThrottlingException", "Rate exceeded")

    world.aws.before = before
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert (result.error, result.status) == (None, "ACTIVE")


def race(world: World, times: int, move: Any) -> None:
    """Lets another writer act between the put and the read-back, so many times."""
    left = [times]

    def before(operation: str, _params: Any) -> None:
        if operation == "ecr.DescribeImages" and left[0]:
            left[0] -= 1
            move()

    world.aws.before = before


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_race_is_repaired(world: World, times: int) -> None:
    """A tag that is on another image afterwards is put again."""
    digest, other = world.ecr.push(WEB), world.ecr.push(WEB)
    race(world, times, lambda: world.ecr.tag(WEB, slot(0), other))
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert (result.error, result.status) == (None, "ACTIVE")
    assert world.ecr.pins(WEB) == {slot(0): digest}
    assert world.aws.calls["ecr.PutImage"] == times + 1


def test_a_race_that_is_lost_each_time_is_told(world: World) -> None:
    """Two writers must not fight for ever; the other pin of the call is fine."""
    digest, other = world.ecr.push(WEB), world.ecr.push(WEB)
    race(world, 99, lambda: world.ecr.tag(WEB, slot(0), other))
    lost, kept = put(world, Pin(tag=slot(0), digest=digest), Pin(tag=slot(1), digest=digest))
    assert "3 times" in (lost.error or "")
    assert lost.status is None
    assert kept.error is None
    assert world.aws.calls["ecr.PutImage"] == 4


def test_a_tag_that_vanished_is_put_again_and_the_others_are_read(world: World) -> None:
    """One tag that is on no image makes ECR refuse to describe all of them."""
    digest, other = world.ecr.push(WEB), world.ecr.push(WEB)
    done: list[bool] = []

    def before(operation: str, _params: Any) -> None:
        if operation == "ecr.DescribeImages" and not done:
            done.append(True)
            held = world.ecr.repositories[WEB]
            held.images[digest].tags.remove(slot(0))
            del held.tags[slot(0)]

    world.aws.before = before
    results = put(world, Pin(tag=slot(0), digest=digest), Pin(tag=slot(1), digest=other))
    assert [(result.error, result.status) for result in results] == [(None, "ACTIVE")] * 2
    assert world.aws.calls["ecr.PutImage"] == 3


def test_an_image_deleted_after_its_pin_was_put_is_told(world: World) -> None:
    """Only what was read back counts."""
    digest = world.ecr.push(WEB)
    race(world, 1, lambda: world.ecr.delete(WEB, digest))
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert result.status is None
    assert result.error


@pytest.mark.parametrize("hidden", [False, True])
def test_an_image_archived_after_its_pin_was_put_is_told(world: World, hidden: bool) -> None:
    """Whether or not ECR describes an archived image by its tag, it is never taken for one that can be pulled."""
    digest = world.ecr.push(WEB)
    world.ecr.hides_archived = hidden
    race(world, 99, lambda: world.ecr.archive(WEB, digest))
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert result.error if hidden else result.status == "ARCHIVED"


def test_a_pin_that_cannot_be_read_back_is_told(world: World) -> None:
    """It may be there, but nobody knows."""
    digest = world.ecr.push(WEB)
    refuse(world, "DescribeImages", "AccessDeniedException")
    (result,) = put(world, Pin(tag=slot(0), digest=digest))
    assert "could not be read back" in (result.error or "")


def test_an_archived_image_is_restored(world: World) -> None:
    """It takes a while, and is asked for once."""
    digest = world.ecr.push(WEB)
    world.ecr.archive(WEB, digest)
    assert pinning.restore(world.clients.ecr, ID, digest) is None
    assert world.ecr.image(WEB, digest).status(world.now) == "ACTIVATING"
    assert "NotSupported" in (pinning.restore(world.clients.ecr, ID, digest) or "")


def test_the_registry_can_only_put_tags_and_restore() -> None:
    """No call of the guard deletes or uploads: these are all calls of ECR that it makes."""
    source = Path(registry.__file__).read_text() + Path(pinning.__file__).read_text()
    calls = re.findall(r"ecr\.(\w+)\(|get_paginator\(\"(\w+)\"\)", source)
    assert {first or second for first, second in calls} - {"get_paginator"} == {
        "describe_repositories",
        "describe_images",
        "batch_get_image",
        "get_lifecycle_policy",
        "put_image",
        "update_image_storage_class",
    }
