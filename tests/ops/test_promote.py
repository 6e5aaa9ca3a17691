"""``moorings promote`` against an account that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from constructs_lib.delivery.operations.promotion import promote
from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params
from tests.fake_aws.ecr_layers import FakeEcrWithLayers
from tests.ops.delivery import Account, build_tag
from tests.ops.support import NOW

STAGING, PRODUCTION = "shop/staging/web", "shop/production/web"


@pytest.fixture
def images(account: Account) -> Iterator[FakeEcrWithLayers]:
    """A registry with layers, whose addresses can be opened."""
    ecr = FakeEcrWithLayers(now=NOW)
    for name in account.ecr.repositories:
        ecr.repository(name)
    account.aws.services["ecr"] = ecr
    with patch.dict(promote.__kwdefaults__, {"open_address": ecr.open_address}):
        yield ecr


def released(account: Account, images: FakeEcrWithLayers) -> str:
    """An image of 2,000,000 bytes and a configuration, released in staging as number 4."""
    digest = images.build(STAGING, [bytes(2_000_000)], [build_tag(1)])
    account.entry(STAGING, 4, digest)
    return digest


def test_an_image_is_promoted_and_the_next_command_is_named(account: Account, images: FakeEcrWithLayers) -> None:
    """Progress tells what is copied; the last lines say where it is now and how it is released."""
    digest = released(account, images)
    done = account.moorings("promote", "production")
    assert (done.code, done.err) == (0, "")
    assert images.image(PRODUCTION, digest).tags == [build_tag(1)]
    lines = done.out.splitlines()
    assert lines[0] == f"12:00:00  {digest} ({build_tag(1)}) ran by {STAGING} release 4"
    assert lines[2].endswith(": 2.0 MB")
    assert lines[-2:] == [
        f"{digest} ({build_tag(1)}) from {STAGING} release 4 is in {PRODUCTION} in {ACCOUNT}, {REGION}:"
        " 1 layer copied, 0 there before, 2.0 MB",
        f"  `moorings release {PRODUCTION} {digest}` makes it run",
    ]


def test_promoting_again_says_that_nothing_was_changed(account: Account, images: FakeEcrWithLayers) -> None:
    """The exit code is 0, too."""
    digest = released(account, images)
    account.moorings("promote", "production")
    done = account.moorings("promote", PRODUCTION, digest)
    assert done.code == 0
    assert f"{build_tag(1)}) from {STAGING} release 4 was in {PRODUCTION} in {ACCOUNT}" in done.out
    assert "already; nothing was changed" in done.out


def test_json_has_exactly_this_shape(account: Account, images: FakeEcrWithLayers) -> None:
    """Progress goes to stderr then."""
    digest = released(account, images)
    (config,) = [len(one) for one in images.layers[STAGING].values() if len(one) < 1000]
    done = account.moorings("promote", "production", "--json")
    assert done.json == {
        "result": "promoted",
        "reason": None,
        "service": PRODUCTION,
        "digest": digest,
        "build_tag": build_tag(1),
        "tags": [build_tag(1)],
        "origin": f"{STAGING} release 4",
        "source": f"{STAGING} in {ACCOUNT}, {REGION}",
        "target": f"{PRODUCTION} in {ACCOUNT}, {REGION}",
        "tags_put": [build_tag(1)],
        "manifests_put": 1,
        "layers_copied": 1,
        "layers_present": 0,
        "bytes_copied": 2_000_000 + config,
    }
    assert f"ran by {STAGING} release 4" in done.err
    again = account.moorings("promote", "production", "--json").json
    assert (again["result"], again["tags_put"], again["bytes_copied"]) == ("nothing to do", [], 0)
    assert (again["digest"], again["build_tag"]) == (digest, build_tag(1))


def test_what_never_ran_is_refused(account: Account, images: FakeEcrWithLayers) -> None:
    """Exit code 1, and one sentence."""
    released(account, images)
    other = images.build(STAGING, [b"other"], [build_tag(2)])
    done = account.moorings("promote", "production", other)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"moorings: {other} did not run successfully in {STAGING}")
    assert done.err.count("\n") == 1
    refused = account.moorings("promote", "production", other, "--json")
    assert (refused.code, refused.json["result"]) == (1, "refused")


@pytest.mark.usefixtures("images")
def test_staging_takes_nothing_from_another(account: Account) -> None:
    """It has no upstream."""
    done = account.moorings("promote", "staging")
    assert done.code == 1
    assert f"{STAGING} takes no image from another environment" in done.err


def test_no_permission_is_one_sentence(account: Account, images: FakeEcrWithLayers) -> None:
    """Exit code 2: it could not run."""
    released(account, images)

    def before(operation: str, _params: Params) -> None:
        if operation == "ecr.PutImage":
            raise Fault("AccessDeniedException", "User: jo is not authorized to perform: ecr:PutImage")

    account.aws.before = before
    done = account.moorings("promote", "production")
    assert done.code == 2
    assert (
        f"the credentials may not reach {PRODUCTION} in {ACCOUNT}, {REGION}; allow the call to their role" in done.err
    )
    assert "ecr:PutImage" in done.err
    assert done.err.count("\n") == 1


def test_ctrl_c_says_what_goes_on_and_the_next_run_finishes(account: Account, images: FakeEcrWithLayers) -> None:
    """The layer and the configuration that are copied are not copied again."""
    digest = released(account, images)
    completed = 0

    def before(operation: str, _params: Params) -> None:
        nonlocal completed
        completed += operation == "ecr.CompleteLayerUpload"
        if completed == 2 and operation == "ecr.PutImage":
            raise KeyboardInterrupt

    account.aws.before = before
    done = account.moorings("promote", "production")
    assert done.code == 130
    assert f"what is copied stays, and `moorings promote {PRODUCTION}` goes on from there" in done.err
    account.aws.before = lambda _operation, _params: None
    assert account.moorings("promote", "production", "--json").json["layers_copied"] == 0
    assert digest in images.repositories[PRODUCTION].images


@pytest.mark.parametrize("wanted", ["latest", "sha256:abc", "v42"])
def test_a_tag_that_may_move_names_no_image(account: Account, wanted: str) -> None:
    """It can be on another tomorrow."""
    done = account.moorings("promote", "production", wanted)
    assert done.code == 2
    assert "must be a digest, at least 7 of its first digits, or a build tag" in done.err
    assert account.aws.calls == {}


def test_an_image_is_promoted_by_its_first_digits_or_its_build_tag(account: Account, images: FakeEcrWithLayers) -> None:
    """As the history shows them."""
    digest = released(account, images)
    for name in (digest[7:19], build_tag(1)):
        assert account.moorings("promote", "production", name, "--json").json["digest"] == digest
    done = account.moorings("promote", "production", "fffffff")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert f"has a digest that begins with 'fffffff'; the newest are {digest[:19]} ({build_tag(1)})" in done.err


def test_what_staging_went_back_from_is_refused(account: Account, images: FakeEcrWithLayers) -> None:
    """Before anything is copied, with the command that insists."""
    digest = released(account, images)
    other = images.build(STAGING, [b"other"], [build_tag(2)])
    account.entry(STAGING, 5, other, action="rollback", previous=digest)
    done = account.moorings("promote", "production", digest)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"moorings: {STAGING} went back from {digest[:19]}; take another, or, if it is good")
    assert f"`moorings release {STAGING} {digest}` first" in done.err
    assert digest not in images.repositories[PRODUCTION].images
