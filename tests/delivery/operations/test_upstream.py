"""Reading the environment before, in the same account and in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.upstream import UpstreamEnvironment, reader
from constructs_lib.delivery.settings import DeliverySettings, Upstream
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws, Fault, Params
from tests.fake_aws.ecr_layers import FakeEcrWithLayers
from tests.fake_aws.others import FakeSsm

OTHER = "222222222222"
ROLE = f"arn:aws:iam::{OTHER}:role/shop--staging--reader"
UPSTREAM = Upstream(environment="staging", account=ACCOUNT, region=REGION, repository="shop/staging/web")
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
    repository="shop/production/web",
    platform="linux/arm64",
    upstream=UPSTREAM,
)
CREDENTIALS = {
    "AccessKeyId": "ASIAEXAMPLEEXAMPLE",
    "SecretAccessKey": "of the test",
    "SessionToken": "token",
    "Expiration": 1_790_000_000,
}


class Sessions:
    """Sessions whose clients are answered by the test.

    Attributes:
        regions: service and region of each client that was made.
        assumed: what AssumeRole was asked for.
        made: credentials and region of each session of a role.
    """

    def __init__(self, aws: FakeAws) -> None:
        self._clients = {name: aws.client(name) for name in ("ecr", "ssm")}
        self.regions: list[tuple[str, str]] = []
        self.assumed: list[dict[str, Any]] = []
        self.made: list[tuple[dict[str, Any], str]] = []
        self.refuses: str | None = None

    def client(self, name: str, *, region_name: str, config: Any) -> Any:
        assert config.read_timeout
        self.regions.append((name, region_name))
        if name == "sts":
            return self
        return self._clients[name]

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        self.assumed.append(asked)
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "is not authorized"}}, "AssumeRole")
        return {"Credentials": CREDENTIALS}

    def of_role(self, credentials: Any, region: str) -> Any:
        self.made.append((credentials, region))
        return self


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """An account with an empty staging repository and an empty ledger; retries do not pause."""
    ecr = FakeEcrWithLayers()
    ecr.repository("shop/staging/web")
    with patch("botocore.endpoint.time.sleep"):
        yield FakeAws(ecr, FakeSsm())


def read(aws: FakeAws, settings: DeliverySettings) -> tuple[UpstreamEnvironment, Sessions]:
    sessions: Any = Sessions(aws)
    return reader(sessions, settings, sessions.of_role), sessions


def test_in_the_same_account_no_role_is_assumed(aws: FakeAws) -> None:
    """The caller's own session is used, in the region of the upstream."""
    settings = replace(SETTINGS, upstream=replace(UPSTREAM, region="eu-central-1"))
    found, sessions = read(aws, settings)
    assert sessions.regions == [("ssm", "eu-central-1"), ("ecr", "eu-central-1")]
    assert (sessions.assumed, sessions.made) == ([], [])
    assert (found.place, found.path) == ("shop/staging/web", "/moorings/shop/staging/web/releases")
    assert (found.images.registry, found.images.name) == (ACCOUNT, "shop/staging/web")


def test_in_another_account_its_reader_role_is_assumed(aws: FakeAws) -> None:
    """For fifteen minutes, under the name of who reads; STS is asked in the own region."""
    settings = replace(SETTINGS, upstream=replace(UPSTREAM, account=OTHER, region="eu-central-1", reader_role=ROLE))
    found, sessions = read(aws, settings)
    assert sessions.assumed == [{"RoleArn": ROLE, "RoleSessionName": "shop.production.web", "DurationSeconds": 900}]
    assert sessions.made == [(CREDENTIALS, "eu-central-1")]
    assert sessions.regions == [("sts", REGION), ("ssm", "eu-central-1"), ("ecr", "eu-central-1")]
    assert found.images.registry == OTHER


def test_the_session_of_a_role_has_its_credentials(aws: FakeAws) -> None:
    """A session of boto3 is made of what STS gave, and nothing is looked for elsewhere."""
    made: list[dict[str, Any]] = []
    settings = replace(SETTINGS, upstream=replace(UPSTREAM, account=OTHER, reader_role=ROLE))
    sessions: Any = Sessions(aws)

    def session(**given: Any) -> Any:
        made.append(given)
        return sessions

    with patch("boto3.session.Session", session):
        reader(sessions, settings)
    assert made == [
        {
            "aws_access_key_id": "ASIAEXAMPLEEXAMPLE",
            "aws_secret_access_key": "of the test",
            "aws_session_token": "token",
            "region_name": REGION,
        }
    ]


def test_a_long_place_fits_into_a_session_name(aws: FakeAws) -> None:
    """STS takes 64 characters."""
    settings = replace(
        SETTINGS,
        application="a" * 30,
        environment="b" * 30,
        service="c" * 30,
        upstream=replace(UPSTREAM, account=OTHER, reader_role=ROLE),
    )
    _, sessions = read(aws, settings)
    name = sessions.assumed[0]["RoleSessionName"]
    assert (len(name), name) == (64, f"{'a' * 30}.{'b' * 30}.cc")


def test_a_role_that_may_not_be_assumed_is_told(aws: FakeAws) -> None:
    """With the role, and who needs it."""
    sessions: Any = Sessions(aws)
    sessions.refuses = "AccessDenied"
    settings = replace(SETTINGS, upstream=replace(UPSTREAM, account=OTHER, reader_role=ROLE))
    with pytest.raises(CouldNotRun, match=f"may not reach the role {ROLE}, by which shop/production/web reads staging"):
        reader(sessions, settings, sessions.of_role)


def test_without_an_upstream_there_is_nothing_to_read(aws: FakeAws) -> None:
    """The first environment has none."""
    sessions: Any = Sessions(aws)
    with pytest.raises(ValueError, match="shop/production/web must have an upstream to read one"):
        reader(sessions, replace(SETTINGS, upstream=None))


def test_an_image_with_its_tags(aws: FakeAws) -> None:
    """All of them; none when the image is not there."""
    found, _ = read(aws, SETTINGS)
    ecr: Any = aws.services["ecr"]
    digest = ecr.build("shop/staging/web", [b"layer"], ["one", "pin-use-1"])
    image = found.image(digest)
    assert image is not None
    assert image.tags == ("one", "pin-use-1")
    assert found.image(f"sha256:{'0' * 64}") is None


def test_a_ledger_that_cannot_be_read_is_told(aws: FakeAws) -> None:
    """No permission, and an entry that is none, are one sentence each."""
    found, _ = read(aws, SETTINGS)
    ssm: Any = aws.services["ssm"]
    ssm.put("/moorings/shop/staging/web/releases/1", "nonsense")
    with pytest.raises(CouldNotRun, match="the parameter /moorings/shop/staging/web/releases/1 cannot be read"):
        found.entries()

    def before(_operation: str, _params: Params) -> None:
        raise Fault("AccessDeniedException", "is not authorized")

    aws.before = before
    with pytest.raises(CouldNotRun, match="may not reach the ledger of shop/staging/web; allow the call to their role"):
        found.entries()
