"""The copy of an image between two repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.copy import Copied
from constructs_lib.delivery.operations.outcomes import Refused
from tests.delivery.operations.repositories import INDEX, SOURCE, TAG, TARGET, Killed, Repositories
from tests.fake_aws.core import FakeAws, Fault, Params
from tests.fake_aws.ecr import MANIFEST
from tests.fake_aws.ecr_layers import LAYER, described, digest_of

LAYERS = [b"first layer", b"second layer"]
OTHER = "staging-20260106T000000Z-abcdefabcdef"
CALLS_OF_ONE = 18
CALLS_OF_AN_INDEX = 31
"""Two looks at the target, two calls for manifests of the source and one of the target, one look at layers, four calls
for each of five layers, three puts, and two looks back."""


@pytest.fixture(scope="module")
def behind() -> tuple[FakeAws, Any]:
    """One client for all tests of the module."""
    aws = FakeAws()
    return aws, aws.client("ecr")


@pytest.fixture
def two(behind: tuple[FakeAws, Any]) -> Iterator[Repositories]:
    """Two empty repositories; retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield Repositories(*behind)


def one_image(two: Repositories) -> str:
    """An image of two layers."""
    return two.ecr.build(SOURCE, LAYERS, [TAG])


def an_index(two: Repositories) -> str:
    """An index of two images, which have a layer in common."""
    return two.index([b"common", b"arm64"], [b"common", b"amd64"])


def test_an_image_is_copied_byte_for_byte(two: Repositories) -> None:
    """Digest, manifest, layers and tag are the same, in 18 calls, of which 10 write."""
    digest = one_image(two)
    done = two.copy(digest)
    two.assert_copied(digest)
    size = sum(len(content) for content in two.ecr.layers[SOURCE].values())
    assert done == Copied(digest=digest, tags=(TAG,), manifests=1, layers_copied=2, layers_present=0, bytes=size)
    assert done.changed
    calls = two.calls()
    assert calls == {
        "DescribeImages": 3,
        "BatchGetImage": 1,
        "BatchCheckLayerAvailability": 1,
        "GetDownloadUrlForLayer": 3,
        "InitiateLayerUpload": 3,
        "UploadLayerPart": 3,
        "CompleteLayerUpload": 3,
        "PutImage": 1,
    }
    assert sum(calls.values()) == CALLS_OF_ONE


def test_copying_again_writes_nothing(two: Repositories) -> None:
    """One call that reads is enough to know."""
    digest = one_image(two)
    two.copy(digest)
    two.calls()
    done = two.copy(digest)
    assert not done.changed
    assert done == Copied(digest=digest)
    assert two.calls() == {"DescribeImages": 1}


def test_only_missing_layers_are_copied(two: Repositories) -> None:
    """The next build of the same base brings its own layer only."""
    two.copy(one_image(two))
    two.calls()
    digest = two.ecr.build(SOURCE, [LAYERS[0], b"new"], [OTHER])
    done = two.copy(digest, OTHER)
    assert (done.layers_copied, done.layers_present) == (1, 1)  # its configuration is none
    assert two.writes()["CompleteLayerUpload"] == 2
    two.assert_copied(digest, OTHER)


def test_another_tag_of_an_image_that_is_there_is_added(two: Repositories) -> None:
    """No layer is asked for, and the tag that is there stays."""
    digest = one_image(two)
    two.copy(digest)
    two.calls()
    done = two.copy(digest, TAG, OTHER)
    assert (done.tags, done.manifests, done.layers_copied) == ((OTHER,), 0, 0)
    assert two.writes() == {"PutImage": 1}
    two.assert_copied(digest, TAG, OTHER)


def test_an_index_follows_its_children_at_once(two: Repositories) -> None:
    """Children have no tag: from the first to their index nothing is called but PutImage and what comes after."""
    order: list[tuple[str, str | None]] = []
    two.aws.before = lambda operation, params: order.append((operation.partition(".")[2], params.get("imageTag")))
    digest = an_index(two)
    done = two.copy(digest)
    two.assert_copied(digest)
    assert (done.manifests, done.layers_copied) == (3, 3)  # the common layer once, and no configuration
    names = [name for name, _ in order]
    first = names.index("PutImage")
    assert order[first : first + 3] == [("PutImage", None), ("PutImage", None), ("PutImage", TAG)]
    assert set(names[first + 3 :]) == {"BatchGetImage", "DescribeImages"}
    assert len(names) == CALLS_OF_AN_INDEX
    children = two.ecr.image(TARGET, digest).children
    assert [two.ecr.image(TARGET, child).tags for child in children] == [[], []]


def test_an_index_that_is_there_is_left_alone(two: Repositories) -> None:
    """Four calls read it and its children here and there, and none writes."""
    digest = an_index(two)
    two.copy(digest)
    two.calls()
    assert not two.copy(digest).changed
    assert two.calls() == {"DescribeImages": 1, "BatchGetImage": 3}


def test_a_child_that_expired_is_brought_back(two: Repositories) -> None:
    """Its index is still there with its tag, so only the child is put."""
    digest = an_index(two)
    two.copy(digest)
    two.calls()
    two.ecr.delete(TARGET, two.ecr.image(TARGET, digest).children[1])
    done = two.copy(digest)
    assert (done.tags, done.manifests) == ((), 1)
    assert two.writes() == {"PutImage": 1}
    two.assert_copied(digest)


def test_an_index_of_an_index_is_copied(two: Repositories) -> None:
    """Whatever names another image comes after it."""
    inner = an_index(two)
    single = two.ecr.build(SOURCE, [b"single"])
    outer = two.ecr.push(SOURCE, [OTHER], index_of=[inner, single])
    two.copy(outer, OTHER)
    assert two.ecr.image(TARGET, outer).tags == [OTHER]
    assert two.ecr.image(TARGET, inner).tags == []
    assert len(two.ecr.repositories[TARGET].images) == 5


@pytest.mark.parametrize("number", range(1, CALLS_OF_ONE + 1))
def test_killed_anywhere_the_next_run_finishes(two: Repositories, number: int) -> None:
    """Before any call of the copy of an image: nothing is done twice, and the image is whole whenever it is there."""
    assert_finishes_after_kill(two, one_image(two), number)


@pytest.mark.parametrize("number", range(1, CALLS_OF_AN_INDEX + 1))
def test_killed_anywhere_in_an_index_the_next_run_finishes(two: Repositories, number: int) -> None:
    """The same for an index: it is never there without all of its children."""
    assert_finishes_after_kill(two, an_index(two), number)


def assert_finishes_after_kill(two: Repositories, digest: str, number: int) -> None:
    two.kill_at(number)
    with pytest.raises(Killed):
        two.copy(digest)
    there = two.ecr.repositories[TARGET].images
    if digest in there:
        two.assert_copied(digest)
    done = {name: count for name, count in two.writes().items() if name in ("CompleteLayerUpload", "PutImage")}
    two.aws.before = lambda _operation, _params: None
    two.copy(digest)
    two.assert_copied(digest)
    again = two.writes()
    needed = {"CompleteLayerUpload": len(two.ecr.layers[TARGET]), "PutImage": len(there)}
    for name, count in needed.items():
        # The call at which it was killed is counted, and was not answered.
        assert count <= done.get(name, 0) + again[name] <= count + 1, name
    assert not two.copy(digest).changed


@pytest.mark.parametrize("read", range(1, 7))
def test_killed_in_a_download_the_next_run_finishes(two: Repositories, read: int) -> None:
    """A layer of which a part was uploaded begins again, and the layers before it do not."""
    two.ecr.chunk, two.ecr.part_size, two.ecr.least_part = 5, 7, 0
    digest = two.ecr.build(SOURCE, [b"one layer", b"another layer"], [TAG])
    opened = two.ecr.open_address
    left = read

    def killing(url: str, offset: int) -> Any:
        stream = opened(url, offset)
        inner = stream.read

        def read_once(most: int) -> bytes:
            nonlocal left
            left -= 1
            if not left:
                raise Killed
            return inner(most)

        return type("Stream", (), {"read": staticmethod(read_once), "close": stream.close})()

    with patch.object(two.ecr, "open_address", killing), pytest.raises(Killed):
        two.copy(digest)
    assert digest not in two.ecr.repositories[TARGET].images
    before = set(two.ecr.layers.get(TARGET, {}))
    two.ecr.opened.clear()
    two.copy(digest)
    two.assert_copied(digest)
    assert before.isdisjoint(name for name, _ in two.ecr.opened)


@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=5),
    part_size=st.integers(1, 64),
    chunk=st.integers(1, 80),
    breaks=st.lists(st.integers(0, 120), max_size=3),
)
def test_any_sizes_and_breaks_give_the_same_bytes(
    behind: tuple[FakeAws, Any], sizes: list[int], part_size: int, chunk: int, breaks: list[int]
) -> None:
    """Every part but the last has the size that ECR asks for, and no byte comes twice or is lost."""
    two = Repositories(*behind)
    two.ecr.part_size, two.ecr.least_part, two.ecr.chunk, two.ecr.breaks = part_size, 0, chunk, list(breaks)
    layers = [bytes((number + at) % 256 for at in range(size)) for number, size in enumerate(sizes)]
    digest = two.ecr.build(SOURCE, layers, [TAG])
    two.copy(digest)
    two.assert_copied(digest)
    for layer in layers:
        whole, rest = divmod(len(layer), part_size)
        assert two.ecr.parts[digest_of(layer)] == [part_size] * whole + ([rest] if rest else [])
    assert len(two.slept) <= len(breaks)


def test_a_large_layer_goes_in_the_parts_that_ecr_asks_for(two: Repositories) -> None:
    """Parts of 10 MiB, as ECR answers, and never more than the API takes; progress tells of each."""
    layer = bytes(22 * 1024 * 1024)
    digest = two.ecr.build(SOURCE, [layer], [TAG])
    two.copy(digest)
    assert two.ecr.parts[digest_of(layer)] == [10_485_760, 10_485_760, 2_097_152]
    assert [line.rpartition(": ")[2] for line in two.said if digest_of(layer)[7:19] in line] == [
        "23.1 MB",
        "10.5 MB of 23.1 MB",
        "21.0 MB of 23.1 MB",
    ]
    two.ecr.part_size = 64 * 1024 * 1024
    larger = two.ecr.build(SOURCE, [layer + b"1"], [OTHER])
    two.copy(larger, OTHER)
    assert two.ecr.parts[digest_of(layer + b"1")] == [20_971_520, 2_097_153]


def test_more_layers_than_a_call_takes(two: Repositories) -> None:
    """150 layers are asked for in two calls."""
    digest = two.ecr.build(SOURCE, [str(number).encode() for number in range(150)], [TAG])
    two.copy(digest)
    assert two.calls()["BatchCheckLayerAvailability"] == 2
    two.assert_copied(digest)


def test_a_layer_that_stands_twice_is_copied_once(two: Repositories) -> None:
    """As the empty layer often does."""
    digest = two.ecr.build(SOURCE, [b"same", b"same"], [TAG])
    assert two.copy(digest).layers_copied == 1
    assert two.writes()["InitiateLayerUpload"] == 2  # and the configuration's


def test_a_configuration_is_no_layer_and_small_sizes_are_bytes(two: Repositories) -> None:
    """Progress counts layers only, and says no 0.0 MB."""
    digest = two.ecr.build(SOURCE, [b"small", bytes(50_000)], [TAG])
    two.copy(digest)
    config = next(len(one) for one in two.ecr.layers[SOURCE].values() if len(one) not in (5, 50_000))
    told = [(line[:13].strip(", "), line.rpartition(": ")[2]) for line in two.said[:3]]
    assert told == [("configuration", f"{config} bytes"), ("layer 1 of 2", "5 bytes"), ("layer 2 of 2", "0.1 MB")]


def test_a_corrupt_download_is_made_again(two: Repositories) -> None:
    """Bytes of the right size with another digest are never completed; the second try is right."""
    digest = one_image(two)
    two.ecr.wrong[digest_of(LAYERS[0])] = [b"first lay3r"]
    two.copy(digest)
    two.assert_copied(digest)
    assert two.writes() == {
        "InitiateLayerUpload": 4,
        "UploadLayerPart": 4,
        "CompleteLayerUpload": 3,
        "PutImage": 1,
    }


def test_a_download_that_stays_corrupt_puts_nothing(two: Repositories) -> None:
    """After two tries there is one sentence, and neither layer nor image."""
    digest = one_image(two)
    two.ecr.wrong[digest_of(LAYERS[1])] = [b"s3cond layer"] * 9
    with pytest.raises(CouldNotRun, match=r"came 2 times from shop/staging/web in 111111111111, eu-west-1 with bytes"):
        two.copy(digest)
    assert digest_of(LAYERS[1]) not in two.ecr.layers[TARGET]
    assert two.ecr.repositories[TARGET].images == {}


def test_a_manifest_with_another_digest_puts_nothing(two: Repositories) -> None:
    """What ECR gives is compared with what it was asked for."""
    digest = one_image(two)
    image = two.ecr.image(SOURCE, digest)
    image.manifest = image.manifest.replace("linux", "windows") + " "
    with pytest.raises(CouldNotRun, match=f"must have the digest that it was asked for, {digest}"):
        two.copy(digest)
    assert two.writes() == {}


@pytest.mark.parametrize("mutability", ["MUTABLE", "IMMUTABLE_WITH_EXCLUSION"])
def test_a_taken_tag_is_refused(behind: tuple[FakeAws, Any], mutability: str) -> None:
    """Also where PutImage would move it; nothing is written, not even layers."""
    two = Repositories(*behind, mutability)
    digest = one_image(two)
    holder = two.ecr.build(TARGET, [b"other"], [TAG])
    with pytest.raises(Refused, match=f"the tag {TAG} in {TARGET} .* is on {holder}, not {digest}"):
        two.copy(digest)
    assert two.writes() == {}
    assert two.ecr.image(TARGET, holder).tags == [TAG]


def test_a_tag_that_is_taken_meanwhile_is_refused(two: Repositories) -> None:
    """Between the look and the put another writer was faster, and the repository does not let it move."""
    digest = one_image(two)

    def before(operation: str, _params: Params) -> None:
        if operation == "ecr.PutImage":
            two.ecr.build(TARGET, [b"other"], [TAG])

    two.aws.before = before
    with pytest.raises(Refused, match=f"the tag {TAG} in {TARGET} .* is on another image"):
        two.copy(digest)


def test_an_index_with_a_missing_child_puts_nothing(two: Repositories) -> None:
    """The child expired in the source, so the index cannot be whole anywhere."""
    digest = an_index(two)
    child = two.ecr.image(SOURCE, digest).children[0]
    two.ecr.delete(SOURCE, child)
    with pytest.raises(CouldNotRun, match=f"the index {digest} names {child}, which is not in {SOURCE}"):
        two.copy(digest)
    assert two.writes() == {}


def test_a_missing_image_is_told(two: Repositories) -> None:
    """One sentence that says where it is not."""
    digest = f"sha256:{'0' * 64}"
    with pytest.raises(CouldNotRun, match=f"{digest} is not in {SOURCE} .*: it has expired, or was never there"):
        two.copy(digest)
    assert two.writes() == {}


@pytest.mark.parametrize("place", [SOURCE, TARGET])
def test_an_archived_image_is_told_with_the_command(two: Repositories, place: str) -> None:
    """Here and there it must be restored first, and is never overwritten."""
    digest = one_image(two)
    if place == TARGET:
        two.copy(digest)
        two.calls()
    two.ecr.archive(place, digest)
    command = f"aws ecr update-image-storage-class --repository-name {place} --image-id imageDigest={digest}"
    with pytest.raises(CouldNotRun, match=command):
        two.copy(digest)
    assert two.writes() == {}


def test_a_layer_that_is_lost_is_told(two: Repositories) -> None:
    """The manifest is there, and one of its layers is not."""
    digest = one_image(two)
    del two.ecr.layers[SOURCE][digest_of(LAYERS[1])]
    with pytest.raises(CouldNotRun, match=f"layer {digest_of(LAYERS[1])} is not in {SOURCE} .* build it again"):
        two.copy(digest)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ({**described(b"x"), "urls": ["https://example.com/x"]}, "is kept by another registry"),
        (
            described(b"x", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
            "is kept by another registry",
        ),
        (
            described(b"x", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
            "is kept by another registry",
        ),
        ({**described(b"x"), "size": 0}, "must have at least one byte, got 0"),
        ({**described(b"x"), "digest": "sha512:" + "0" * 128}, "must name sha256 digests"),
        ({"mediaType": LAYER}, "must name what it consists of"),
    ],
)
def test_what_cannot_be_copied_is_refused(two: Repositories, layer: dict[str, Any], sentence: str) -> None:
    """Before anything is written."""
    digest = two.ecr.build(SOURCE, [], [TAG], more={"layers": [layer]})
    with pytest.raises(CouldNotRun, match=f"{digest} of {SOURCE} .* cannot be copied: .*{sentence}"):
        two.copy(digest)
    assert two.writes() == {}


@pytest.mark.parametrize(
    ("media_type", "manifest"),
    [
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", {"schemaVersion": 1}),
        (INDEX, {"manifests": [7]}),
        (MANIFEST, {"config": None, "layers": []}),
        (MANIFEST, []),
    ],
)
def test_other_manifests_are_refused(two: Repositories, media_type: str, manifest: object) -> None:
    """Of schema 1, or of no schema."""
    text = json.dumps(manifest)
    with patch("tests.fake_aws.ecr_layers._children", return_value=()):
        digest = two.ecr.store(SOURCE, text, media_type, [TAG])
    with pytest.raises(CouldNotRun, match="cannot be copied: a manifest must"):
        two.copy(digest)
    assert two.writes() == {}


@pytest.mark.parametrize("operation", ["DescribeImages", "BatchGetImage", "InitiateLayerUpload", "PutImage"])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("AccessDeniedException", "the credentials may not reach .* allow the call to their role"),
        ("ExpiredTokenException", "has expired; run this again: it goes on after what is copied already"),
        ("RepositoryNotFoundException", "there is no repository .* deploy the images' stack"),
        ("KmsException", "AWS could not be asked about .* failed: KmsException: of the test"),
    ],
)
def test_what_ecr_refuses_is_one_sentence(two: Repositories, operation: str, code: str, sentence: str) -> None:
    """It names the repository and what to do, whichever call it was; the next run finishes."""
    digest = one_image(two)

    def before(called: str, _params: Params) -> None:
        if called == f"ecr.{operation}":
            raise Fault(code, "of the test")

    two.aws.before = before
    with pytest.raises(CouldNotRun, match=sentence) as told:
        two.copy(digest)
    assert "shop/" in str(told.value)
    assert "\n" not in str(told.value)
    two.aws.before = lambda _operation, _params: None
    two.copy(digest)
    two.assert_copied(digest)


def test_an_expired_download_session_is_told(two: Repositories) -> None:
    """The session that reads the source ends while layers are copied; what is copied stays."""
    digest = one_image(two)
    asked = 0

    def before(operation: str, _params: Params) -> None:
        nonlocal asked
        asked += operation == "ecr.GetDownloadUrlForLayer"
        if asked == 3:
            raise Fault("ExpiredTokenException", "The security token included in the request is expired")

    two.aws.before = before
    with pytest.raises(CouldNotRun, match=f"the session that reaches {SOURCE} .* has expired; run this again"):
        two.copy(digest)
    two.aws.before = lambda _operation, _params: None
    two.calls()
    assert two.copy(digest).layers_present == 1


def test_a_download_that_breaks_off_again_and_again_is_given_up(two: Repositories) -> None:
    """Five tries without progress, with longer and longer pauses; the address is in no message."""
    digest = one_image(two)
    two.ecr.breaks = [0] * 99
    with pytest.raises(CouldNotRun, match=r"broke off 5 times, last at byte 0 of \d+: it ended too early") as told:
        two.copy(digest)
    assert two.slept == [1, 2, 4, 8]
    assert "https" not in str(told.value)


def test_a_part_whose_answer_was_lost_counts(two: Repositories) -> None:
    """botocore sends it again, and ECR says that it has that byte already."""
    digest = one_image(two)
    lost = 0

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        nonlocal lost
        params = json.loads(request.body)
        lost += 1
        if lost > 1:
            return None
        two.ecr.answer("UploadLayerPart", params)  # it came, and the first answer did not
        body = {"__type": "InvalidLayerPartException", "lastValidByteReceived": params["partLastByte"]}
        raw: Any = type("Raw", (), {"stream": lambda *_: iter([json.dumps(body).encode()])})()
        headers: Any = {"x-amzn-errortype": "InvalidLayerPartException"}
        return AWSResponse("https://fake/", 400, headers, raw)

    two.client.meta.events.register_first("before-send.ecr.UploadLayerPart", answer)
    try:
        two.copy(digest)
    finally:
        two.client.meta.events.unregister("before-send.ecr.UploadLayerPart", answer)
    assert lost == 3
    two.assert_copied(digest)


def test_a_part_that_does_not_follow_is_an_error(two: Repositories) -> None:
    """Only the part's own last byte says that it came."""
    digest = one_image(two)

    def before(operation: str, _params: Params) -> None:
        if operation == "ecr.UploadLayerPart":
            raise Fault("InvalidLayerPartException", "not consecutive")

    two.aws.before = before
    with pytest.raises(CouldNotRun, match="InvalidLayerPartException: not consecutive"):
        two.copy(digest)


@pytest.mark.parametrize("stored", [True, False])
def test_a_completion_whose_answer_was_lost_counts(two: Repositories, stored: bool) -> None:
    """The upload is unknown then: the layer is there, or it is an error."""
    digest = one_image(two)
    layer = LAYERS[0]

    def before(operation: str, params: Params) -> None:
        if operation == "ecr.CompleteLayerUpload" and params["layerDigests"] == [digest_of(layer)]:
            del two.ecr.uploads[params["uploadId"]]
            if stored:
                two.ecr.layers.setdefault(TARGET, {})[digest_of(layer)] = layer

    two.aws.before = before
    if stored:
        two.copy(digest)
        two.assert_copied(digest)
    else:
        with pytest.raises(CouldNotRun, match="UploadNotFoundException"):
            two.copy(digest)


def test_another_copy_at_the_same_time_does_no_harm(two: Repositories) -> None:
    """Before each write the other one makes the same write first."""
    digest = an_index(two)

    def before(operation: str, params: Params) -> None:
        if operation == "ecr.CompleteLayerUpload":
            (layer,) = params["layerDigests"]
            two.ecr.layers.setdefault(TARGET, {})[layer] = two.ecr.layers[SOURCE][layer]
        elif operation == "ecr.PutImage":
            two.ecr.answer("PutImage", params)

    two.aws.before = before
    two.copy(digest)
    two.assert_copied(digest)


def test_layers_that_go_while_it_is_copied_are_told(two: Repositories) -> None:
    """ECR collects what no image names; the next run finishes."""
    digest = one_image(two)

    def before(operation: str, _params: Params) -> None:
        if operation == "ecr.PutImage":
            two.ecr.layers[TARGET].clear()

    two.aws.before = before
    with pytest.raises(CouldNotRun, match=f"what {digest} consists of has gone from {TARGET}"):
        two.copy(digest)
    two.aws.before = lambda _operation, _params: None
    two.copy(digest)
    two.assert_copied(digest)


@pytest.mark.parametrize("gone", ["image", "tag", "child", "archived"])
def test_what_is_not_there_afterwards_is_told(two: Repositories, gone: str) -> None:
    """What was put is read back: the image, its tags, and the children of an index."""
    digest = an_index(two)
    puts = 0

    def before(operation: str, _params: Params) -> None:
        nonlocal puts
        puts += operation == "ecr.PutImage"
        if puts == 3 and operation != "ecr.PutImage" and digest in two.ecr.repositories[TARGET].images:
            image = two.ecr.image(TARGET, digest)
            if gone == "image":
                two.ecr.delete(TARGET, digest)
            elif gone == "tag":
                image.tags.clear()
            elif gone == "archived":
                image.archived_at = two.ecr.now
            else:
                two.ecr.repositories[TARGET].images.pop(image.children[0], None)

    two.aws.before = before
    with pytest.raises(CouldNotRun, match="was put into shop/production/web"):
        two.copy(digest)


def test_an_image_that_is_being_restored_is_there(two: Repositories) -> None:
    """ACTIVATING lasts twenty minutes, and the image needs no second copy."""
    digest = one_image(two)
    two.copy(digest)
    two.ecr.archive(TARGET, digest)
    two.ecr._restore(two.ecr.image(TARGET, digest))
    assert not two.copy(digest).changed


def test_a_copy_needs_a_tag_and_a_digest(two: Repositories) -> None:
    """Without a tag the image would soon expire, and a tag is no digest."""
    from constructs_lib.delivery.operations.copy import copy_image

    with pytest.raises(ValueError, match="tags must be at least one tag"):
        copy_image(two.source, two.target, digest=one_image(two), tags=[], say=two.said.append)
    with pytest.raises(ValueError, match="digest must be an image digest"):
        two.copy("staging")
    assert two.calls() == {}


@pytest.mark.parametrize("operation", ["PutImage", "CompleteLayerUpload"])
def test_another_digest_in_ecrs_answer_is_told(two: Repositories, operation: str) -> None:
    """ECR is told the digest with every image and layer, and what it says that it stored is compared."""
    digest, other = one_image(two), f"sha256:{'0' * 64}"
    real, told = two.ecr.answer, list[str]()

    def answer(called: str, params: Params) -> dict[str, Any]:
        found = real(called, params)
        if called == operation == "PutImage":
            told.append(params["imageDigest"])
            return {"image": {"imageId": {"imageDigest": other}}}
        if called == operation:
            return {**found, "layerDigest": other}
        return found

    with patch.object(two.ecr, "answer", answer), pytest.raises(CouldNotRun, match=f"stored sha256:.* as {other}"):
        two.copy(digest)
    assert told == ([digest] if operation == "PutImage" else [])


def test_an_archived_layer_is_told(two: Repositories) -> None:
    """ECR gives no address for it."""
    digest = one_image(two)

    def before(operation: str, _params: Params) -> None:
        if operation == "ecr.GetDownloadUrlForLayer":
            raise Fault("LayerInaccessibleException", "archived")

    two.aws.before = before
    with pytest.raises(CouldNotRun, match=r"layer sha256:\w{64} is archived in shop/staging/web .* restore its image"):
        two.copy(digest)


def test_an_archived_child_in_the_target_is_told(two: Repositories) -> None:
    """A lifecycle rule archived it, so its index cannot be pulled there on that platform."""
    digest = an_index(two)
    two.copy(digest)
    two.calls()
    child = two.ecr.image(TARGET, digest).children[0]
    two.ecr.archive(TARGET, child)
    with pytest.raises(CouldNotRun, match=f"{child} is archived in {TARGET} .* --repository-name {TARGET}"):
        two.copy(digest)
    assert two.writes() == {}
