"""Which image a promotion takes, and what it brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.ledger import Action, Entry, State
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.operations.promotion import Promotion, promote
from constructs_lib.delivery.operations.upstream import UpstreamEnvironment
from constructs_lib.delivery.settings import DeliverySettings, Upstream
from constructs_lib.naming import build_tag
from tests.delivery.operations.repositories import SOURCE, TARGET, Repositories
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws
from tests.fake_aws.others import FakeSsm

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
PATH = "/moorings/shop/staging/web/releases"
UPSTREAM = Upstream(environment="staging", account=ACCOUNT, region=REGION, repository=SOURCE)
SETTINGS = DeliverySettings(
    application="shop",
    environment="production",
    service="web",
    account=ACCOUNT,
    region=REGION,
    stack="shop--production--services",
    role=f"arn:aws:iam::{ACCOUNT}:role/shop--production--release",
    cluster="cluster",
    ecs_service="service",
    target_group="target-group",
    repository=TARGET,
    platform="linux/arm64",
    upstream=UPSTREAM,
)


def tag(number: int) -> str:
    """The build tag of build ``number``."""
    return build_tag("staging", NOW + timedelta(hours=number), f"{number:040x}")


class Staging(Repositories):
    """Staging's repository and ledger, and production's repository."""

    def __init__(self, aws: FakeAws, ecr: Any, ssm: Any) -> None:
        super().__init__(aws, ecr)
        self.ssm = FakeSsm()
        aws.services["ssm"] = self.ssm
        self.upstream = UpstreamEnvironment(place="shop/staging/web", ssm=ssm, path=PATH, images=self.source)
        self.number = 0

    def built(self, number: int, *tags: str) -> str:
        """A build with its tag, and with others."""
        return self.ecr.build(SOURCE, [b"base", str(number).encode()], [tag(number), *tags])

    def ran(
        self, digest: str, *, action: Action = "release", state: State = "successful", previous: str = "none"
    ) -> None:
        """The next entry of the ledger."""
        self.number += 1
        ended = NOW if state in ("successful", "failed") else None
        entry = Entry(
            number=self.number,
            action=action,
            state=state,
            digest=digest,
            previous=previous,
            who="jo",
            began=NOW,
            lease=NOW,
            ended=ended,
        )
        self.ssm.put(f"{PATH}/{self.number}", entry.to_json())

    def promote(self, wanted: str | None = None, settings: DeliverySettings = SETTINGS) -> Promotion:
        """Promotes to production."""
        return promote(
            settings,
            lambda: self.upstream,
            self.target,
            wanted=wanted,
            say=self.said.append,
            sleep=self.slept.append,
            open_address=self.ecr.open_address,
        )


@pytest.fixture(scope="module")
def behind() -> tuple[FakeAws, Any, Any]:
    """The clients of all tests of the module."""
    aws = FakeAws()
    return aws, aws.client("ecr"), aws.client("ssm")


@pytest.fixture
def staging(behind: tuple[FakeAws, Any, Any]) -> Iterator[Staging]:
    """Staging without a build; retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield Staging(*behind)


def test_what_ran_last_is_promoted_with_its_build_tag(staging: Staging) -> None:
    """The newest build never ran, the one before it did: digest and tag are the same, and pins stay where they are."""
    old, ran = staging.built(1), staging.built(2, "pin-use-abc-web-0", "pin-release-abc-web-0", "latest")
    staging.built(3)
    staging.ran(old)
    staging.ran(ran)
    done = staging.promote()
    staging.assert_copied(ran, tag(2))
    assert (done.digest, done.build_tag, done.tags, done.origin) == (
        ran,
        tag(2),
        (tag(2),),
        "shop/staging/web release 2",
    )
    assert done.copied.changed
    assert set(staging.ecr.repositories[TARGET].images) == {ran}
    assert staging.said[0] == f"{ran} ({tag(2)}) ran by shop/staging/web release 2"


def test_promoting_again_changes_nothing(staging: Staging) -> None:
    """Five calls read, none writes, and the result says so."""
    staging.ran(staging.built(1))
    staging.promote()
    staging.calls()
    assert not staging.promote().copied.changed
    assert staging.calls() == {"GetParametersByPath": 1, "GetParameter": 1, "DescribeImages": 2}


def test_a_first_promotion_costs_this_many_calls(staging: Staging) -> None:
    """The copy's 18, two for the ledger, and one for the image's tags."""
    staging.ran(staging.built(1))
    staging.promote()
    assert sum(staging.calls().values()) == 18 + 2 + 1


def test_after_a_rollback_the_image_that_runs_is_promoted(staging: Staging) -> None:
    """The entry that brought it back is where it is from."""
    good, bad = staging.built(1), staging.built(2)
    staging.ran(good)
    staging.ran(bad)
    staging.ran(good, action="rollback", previous=bad)
    done = staging.promote()
    assert (done.digest, done.origin) == (good, "shop/staging/web rollback 3")


def test_what_staging_went_back_from_is_not_promoted(staging: Staging) -> None:
    """A release of it would be refused by the same sentence; released there again, it is taken."""
    good, bad = staging.built(1), staging.built(2)
    staging.ran(good)
    staging.ran(bad)
    staging.ran(good, action="rollback", previous=bad)
    staging.calls()
    with pytest.raises(Refused) as caught:
        staging.promote(bad)
    assert str(caught.value) == (
        f"shop/staging/web went back from {bad[:19]}; take another, or, if it is good after all, "
        f"`moorings release shop/staging/web {bad}` first"
    )
    assert set(staging.calls()) == {"GetParametersByPath", "GetParameter"}
    staging.ran(bad)
    assert staging.promote(bad).origin == "shop/staging/web release 4"


@pytest.mark.parametrize("how", ["digits", "build tag"])
def test_an_image_is_promoted_by_a_shorter_name(staging: Staging, how: str) -> None:
    """It is looked up in staging's repository, which is listed once."""
    first, second = staging.built(1), staging.built(2)
    staging.ran(first)
    staging.ran(second)
    assert staging.promote(first[7:19] if how == "digits" else tag(1)).digest == first
    assert set(staging.ecr.repositories[TARGET].images) == {first}
    assert staging.calls()["DescribeImages"] == 4 + 1


def test_a_name_that_staging_has_no_image_of_is_refused(staging: Staging) -> None:
    """With what there is instead; the commit of a build names its tag."""
    staging.ran(staging.built(1))
    with pytest.raises(Refused, match=f"no image in {SOURCE} in {ACCOUNT}, {REGION} has a digest .* '0{{11}}a'; the"):
        staging.promote("0" * 11 + "a")
    with pytest.raises(Refused, match=f"that is the commit of {tag(1)}: name the build tag"):
        staging.promote(tag(1)[-12:])


@pytest.mark.parametrize("state", ["failed", "waiting", "undoing", "begun"])
def test_what_did_not_run_is_not_taken(staging: Staging, state: State) -> None:
    """Neither by default nor by name: Q7's guardrail."""
    good, bad = staging.built(1), staging.built(2)
    staging.ran(good)
    staging.ran(bad, state=state)
    with pytest.raises(
        Refused, match=f"{bad} did not run successfully in shop/staging/web.*promote what ran last, {good}"
    ):
        staging.promote(bad)
    assert staging.writes() == {"GetParametersByPath": 1, "GetParameter": 1}
    assert staging.promote().digest == good


def test_a_restart_makes_nothing_promotable(staging: Staging) -> None:
    """It shows that tasks start again, not that the image is new here."""
    staging.ran(staging.built(1), action="restart")
    with pytest.raises(Refused, match="nothing ran successfully in shop/staging/web yet"):
        staging.promote()


def test_an_empty_ledger_promotes_nothing(staging: Staging) -> None:
    """There may be builds; none was released."""
    staging.built(1)
    with pytest.raises(
        Refused, match=r"nothing ran successfully in shop/staging/web yet, .* `moorings release shop/staging/web` first"
    ):
        staging.promote()
    assert set(staging.ecr.repositories[TARGET].images) == set()


@pytest.mark.parametrize("upstream", [None, replace(UPSTREAM, check="commit")])
def test_where_images_are_built_again_nothing_is_promoted(staging: Staging, upstream: Upstream | None) -> None:
    """The first environment has no upstream, and one that builds from the same commit takes no image."""
    staging.ran(staging.built(1))
    with pytest.raises(
        Refused,
        match=r"takes no image from another environment: .*start-build --project-name shop--production--web --region",
    ):
        staging.promote(settings=replace(SETTINGS, upstream=upstream))
    assert staging.calls() == {}


def test_all_build_tags_travel(staging: Staging) -> None:
    """A rebuilt commit gave the same image a second one, and an earlier environment its own."""
    other = "test-20260301T000000Z-0123456789ab"
    digest = staging.built(2, tag(1), other, "v1.2", "pin-20260301T000000Z-0123456789ab")
    staging.ran(digest)
    done = staging.promote()
    staging.assert_copied(digest, tag(1), tag(2), other)
    assert done.build_tag == tag(2)


def test_an_image_without_a_build_tag_is_refused(staging: Staging) -> None:
    """In the next repository nothing would keep it."""
    digest = staging.ecr.build(SOURCE, [b"layer"], ["v1.2"])
    staging.ran(digest)
    with pytest.raises(Refused, match=f"{digest} in {SOURCE} .* must have a build tag to be promoted, got v1.2"):
        staging.promote()


def test_an_image_that_is_gone_or_archived_is_told(staging: Staging) -> None:
    """It ran, and cannot be had any more, or only after it is restored."""
    digest = staging.built(1)
    staging.ran(digest)
    staging.ecr.archive(SOURCE, digest)
    with pytest.raises(CouldNotRun, match=f"{digest} is archived in {SOURCE} .*`aws ecr update-image-storage-class"):
        staging.promote()
    assert "BatchGetImage" not in staging.calls()
    staging.ecr.delete(SOURCE, digest)
    with pytest.raises(CouldNotRun, match=f"{digest} ran in shop/staging/web, and is not in {SOURCE}"):
        staging.promote()


def test_a_tag_that_is_taken_there_is_refused(staging: Staging) -> None:
    """Somebody pushed another image under staging's tag."""
    staging.ran(staging.built(1))
    holder = staging.ecr.build(TARGET, [b"other"], [tag(1)])
    with pytest.raises(Refused, match=f"the tag {tag(1)} in {TARGET} .* is on {holder}"):
        staging.promote()
