"""Freeze and thaw against Parameter Store: who was first, what cannot be read, and what holds a release."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from constructs_lib.delivery.operations.freeze import LONGEST_REASON, AlreadyFrozen, Freeze, freeze, read, thaw
from tests.fake_aws.core import FakeAws, Fault, Params
from tests.fake_aws.others import FakeSsm
from tests.support import refused

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

NAME = "/moorings/shop/production/freeze"
NOW = datetime(2026, 12, 20, 9, 30, tzinfo=UTC)
ANNA = "arn:aws:sts::111111111111:assumed-role/deployer/anna"
BEN = "arn:aws:sts::111111111111:assumed-role/deployer/ben"


@pytest.fixture(scope="module")
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture(scope="module")
def client(aws: FakeAws) -> SSMClient:
    made: SSMClient = aws.client("ssm")
    return made


@pytest.fixture
def ssm(aws: FakeAws) -> FakeSsm:
    made = FakeSsm()
    aws.services = {"ssm": made}
    aws.before = lambda _operation, _params: None
    return made


def by_anna(client: SSMClient, reason: str = "the sale", now: datetime = NOW) -> Freeze:
    return freeze(client, "shop", "production", who=ANNA, reason=reason, now=now)


def test_without_a_freeze_nothing_is_held(ssm: FakeSsm, client: SSMClient) -> None:
    """Before: nobody said stop, so a release asks and hears nothing."""
    assert ssm.parameters == {}
    assert read(client, "shop", "production") is None


def test_a_freeze_says_who_and_since_when_and_why(ssm: FakeSsm, client: SSMClient) -> None:
    """After: whoever wants to release reads the reason; it is one plain parameter of the environment."""
    ssm.default_tier = "Advanced"  # the account's setting, which costs money
    made = by_anna(client)
    assert read(client, "shop", "production") == made == Freeze(who=ANNA, at=NOW, reason="the sale")
    assert str(made) == f"frozen by {ANNA} since 2026-12-20 09:30 UTC: the sale"
    assert json.loads(ssm.value(NAME)) == {"who": ANNA, "at": "2026-12-20T09:30:00+00:00", "reason": "the sale"}
    assert (ssm.parameters[NAME].kind, ssm.parameters[NAME].tier) == ("String", "Standard")


def test_only_its_environment_is_held(ssm: FakeSsm, client: SSMClient) -> None:
    """Staging, and another application's production, go on."""
    by_anna(client)
    assert set(ssm.parameters) == {NAME}
    assert read(client, "shop", "staging") is None
    assert read(client, "blog", "production") is None


def test_the_first_reason_stays(ssm: FakeSsm, client: SSMClient) -> None:
    """A second freeze changes nothing and says who did it first, so that nobody lifts what another one needs."""
    first = by_anna(client)
    with pytest.raises(
        AlreadyFrozen, match=f"shop/production is already frozen by {ANNA} .*: the sale; .*thaw"
    ) as found:
        freeze(client, "shop", "production", who=BEN, reason="my own", now=NOW + timedelta(days=1))
    assert found.value.freeze == first
    assert len(ssm.parameters[NAME].versions) == 1


def test_the_same_again_is_still_the_second(ssm: FakeSsm, client: SSMClient) -> None:
    """One person who freezes twice is told, for the same words a minute later are another freeze."""
    by_anna(client)
    with pytest.raises(AlreadyFrozen):
        by_anna(client, now=NOW + timedelta(minutes=1))
    assert len(ssm.parameters[NAME].versions) == 1


def test_thaw_lifts_it_once(ssm: FakeSsm, client: SSMClient) -> None:
    """After it releases go on; a second thaw finds nothing, and says so."""
    by_anna(client)
    assert thaw(client, "shop", "production")
    assert read(client, "shop", "production") is None
    assert not thaw(client, "shop", "production")
    assert ssm.parameters == {}


@pytest.mark.parametrize(
    "value",
    ["frozen", "[]", "5", "null", "{}", '{"who": "anna", "at": "2026-12-20T09:30:00", "reason": "no zone"}',
     '{"who": "anna", "at": 5, "reason": "a number"}', '{"who": "anna", "at": "2026-12-20T09:30:00+00:00"}'],
)  # fmt: skip
def test_what_cannot_be_read_holds_too(ssm: FakeSsm, client: SSMClient, value: str) -> None:
    """Somebody wrote the parameter by hand: nothing is released, the sentence names it, and a thaw deletes it."""
    ssm.put(NAME, value)
    with pytest.raises(ValueError, match=f"the parameter {NAME} .* must be JSON .*thaw shop/production") as error:
        read(client, "shop", "production")
    assert repr(value[:80]) in str(error.value)
    assert thaw(client, "shop", "production")
    assert read(client, "shop", "production") is None


def test_a_refusal_to_read_is_no_thaw(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """Without the right to read the parameter, nothing is concluded."""
    ssm.put(NAME, "frozen")

    def refuse(_operation: str, _params: Params) -> None:
        raise Fault("AccessDeniedException")

    aws.before = refuse
    with pytest.raises(ClientError, match="AccessDenied"):
        read(client, "shop", "production")


@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST_REASON + 1)])
def test_a_freeze_has_a_reason(ssm: FakeSsm, client: SSMClient, reason: str) -> None:
    """Nobody can lift a freeze that does not say what it is for; and the parameter has only so much room."""
    refused(lambda: by_anna(client, reason), "reason", reason, f"1 to {LONGEST_REASON} characters")
    assert ssm.parameters == {}


@pytest.mark.parametrize("reason", ["{{ssm:password}}", "\u6771" * LONGEST_REASON, '"\\\n'])
def test_any_reason_is_kept_as_it_is(ssm: FakeSsm, client: SSMClient, reason: str) -> None:
    """Parameter Store refuses two opening braces and 4096 bytes; no reason of the allowed length meets either."""
    by_anna(client, reason)
    found = read(client, "shop", "production")
    assert found is not None
    assert found.reason == reason.strip()
    assert list(ssm.parameters) == [NAME]


def test_the_time_is_kept_in_utc(ssm: FakeSsm, client: SSMClient) -> None:
    """Who freezes in Tokyo writes the same moment."""
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert by_anna(client, now=tokyo).at.tzinfo is UTC
    assert "2026-12-20T09:30:00+00:00" in ssm.value(NAME)


def test_an_answer_that_was_lost_is_no_other_freeze(
    ssm: FakeSsm, client: SSMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written, the answer got lost, and botocore asked again: the freeze is one's own."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    real, lost = ssm.answer, list[str]()

    def answer(operation: str, params: Params) -> dict[str, Any]:
        answered = real(operation, params)
        if not lost:
            lost.append(operation)
            raise ConnectionClosedError(endpoint_url="https://ssm")
        return answered

    ssm.answer = answer  # type: ignore[method-assign]
    assert by_anna(client) == Freeze(who=ANNA, at=NOW, reason="the sale")
    assert lost == ["PutParameter"]


def test_a_name_that_is_still_being_deleted_is_named(ssm: FakeSsm, client: SSMClient) -> None:
    """AWS asks for 30 seconds between a deletion and the next creation of a name; the sentence says so."""
    ssm.put(NAME, "going")
    ssm.unread = {NAME}
    with pytest.raises(ValueError, match=f"{NAME} is just being written or deleted .*; try again in 30 seconds"):
        by_anna(client)


def test_a_write_at_the_very_same_moment_is_named(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """Parameter Store may refuse both of two writers; nothing is frozen then, and the sentence says so."""

    def refuse(operation: str, _params: Params) -> None:
        if operation == "ssm.PutParameter":
            raise Fault("TooManyUpdates")

    aws.before = refuse
    with pytest.raises(ValueError, match=f"{NAME} is just being written or deleted .*; try again in 30 seconds"):
        by_anna(client)
    assert ssm.parameters == {}
