"""How what a person types finds the settings of one service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from constructs_lib.delivery.operations.settings_store import SettingsNotFound, all_settings, find
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import delivery_settings_name
from tests.delivery.test_settings import FULL
from tests.fake_aws.core import REGION, FakeAws, Fault, Params
from tests.fake_aws.others import FakeSsm

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


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
    aws.calls.clear()
    aws.before = lambda _operation, _params: None
    return made


def put(ssm: FakeSsm, *places: str) -> None:
    """Settings of these services, and what lies beside them."""
    for place in places:
        application, environment, service = place.split("/")
        settings = replace(FULL, application=application, environment=environment, service=service)
        ssm.put(delivery_settings_name(application, environment, service), settings.to_json())
        for beside in ("digest", "releases/1", "delivery/1", "secrets/DELIVERY"):
            ssm.put(f"/moorings/{place}/{beside}", "something else")
    for other in ("/other/shop/production/web/delivery", "/moorings/delivery", "/moorings/a/delivery", "delivery"):
        ssm.put(other, "not ours")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("production", "shop/production/web"),
        ("shop/production", "shop/production/web"),
        ("shop/production/web", "shop/production/web"),
        ("shop/staging/web", "shop/staging/web"),
        ("blog/staging", "blog/staging/web"),
        ("shop/staging/worker", "shop/staging/worker"),
    ],
)
def test_what_is_left_out_is_found(ssm: FakeSsm, client: SSMClient, text: str, place: str) -> None:
    """A name is as long as it must be to mean one service."""
    put(ssm, "shop/production/web", "shop/staging/web", "shop/staging/worker", "blog/staging/web")
    found = find(client, text)
    assert found.place == place
    assert isinstance(found, DeliverySettings)


def test_a_whole_name_is_one_call(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """The button gives the whole name, so its role needs no right to list the account's parameters."""
    put(ssm, "shop/production/web")
    assert find(client, "shop/production/web") == replace(FULL, environment="production")
    assert aws.calls == {"ssm.GetParameters": 1}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("staging", ["blog/staging/web", "shop/staging/web", "shop/staging/worker"]),
        ("shop/staging", ["shop/staging/web", "shop/staging/worker"]),
    ],
)
def test_a_name_that_means_several_is_refused(ssm: FakeSsm, client: SSMClient, text: str, places: list[str]) -> None:
    """Nothing is released by guessing: the sentence lists what could be meant, and nothing else."""
    put(ssm, "shop/production/web", "shop/staging/web", "shop/staging/worker", "blog/staging/web")
    with pytest.raises(SettingsNotFound) as error:
        find(client, text)
    assert str(error.value) == f"ENV must name one service, got {text!r}; say which: {', '.join(places)}"
    assert error.value.places == tuple(places)


@pytest.mark.parametrize(
    "text",
    ["prod", "Production", "", "/", "web", "shop", "production/web", "shop/production/worker", "shop/production/web/",
     "shop/production/web/delivery", "../production", "shop/production/*", "*", "shop/production/web x"],
)  # fmt: skip
def test_a_name_that_means_none_is_refused(ssm: FakeSsm, client: SSMClient, text: str) -> None:
    """The sentence says where it looked, and lists what is there."""
    put(ssm, "shop/production/web", "blog/staging/web")
    with pytest.raises(SettingsNotFound) as error:
        find(client, text)
    assert str(error.value) == (
        f"ENV must name a service that can be released in {REGION}, got {text!r}; "
        "there are: blog/staging/web, shop/production/web"
    )
    assert error.value.places == ("blog/staging/web", "shop/production/web")


def test_where_nothing_is_the_region_is_suspected(ssm: FakeSsm, client: SSMClient) -> None:
    """An empty account or region is most often the wrong one."""
    put(ssm)
    with pytest.raises(SettingsNotFound, match=rf"{REGION}, got 'production'; there is none: .*--region and --profile"):
        find(client, "production")


def test_all_settings_are_read_in_batches(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """Sixty services need two pages of names and six calls for values, ten at a time."""
    places = [f"shop/production/web-{number:02}" for number in range(60)]
    put(ssm, *places)
    assert [one.place for one in all_settings(client)] == places
    # 60 settings, and 60 of their neighbours whose names also hold "/delivery", and three parameters of others.
    assert aws.calls == {"ssm.DescribeParameters": 3, "ssm.GetParameters": 6}


def test_settings_that_go_meanwhile_are_left_out(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """A stack is deleted between the list and the reading: its service is not there any more."""
    put(ssm, "shop/production/web", "shop/staging/web")

    def delete(operation: str, _params: Params) -> None:
        if operation == "ssm.GetParameters":
            ssm.parameters.pop(delivery_settings_name("shop", "staging", "web"), None)

    aws.before = delete
    assert [one.place for one in all_settings(client)] == ["shop/production/web"]
    put(ssm, "shop/staging/web")
    with pytest.raises(SettingsNotFound, match="got 'staging'; there are: shop/production/web, shop/staging/web"):
        find(client, "staging")


def test_settings_that_cannot_be_read_are_named(ssm: FakeSsm, client: SSMClient) -> None:
    """The sentence names the parameter and the fix; a service that is left out could be released past its freeze."""
    put(ssm, "shop/production/web")
    name = delivery_settings_name("shop", "staging", "web")
    ssm.put(name, "{}")
    with pytest.raises(ValueError, match=f"the parameter {name} cannot be read: the delivery settings must be JSON"):
        all_settings(client)
    with pytest.raises(ValueError, match=f"the parameter {name} cannot be read"):
        find(client, "staging")


def test_settings_under_another_name_are_refused(ssm: FakeSsm, client: SSMClient) -> None:
    """A copied parameter would release one service with another's role and stack."""
    name = delivery_settings_name("shop", "staging", "web")
    ssm.put(name, replace(FULL, environment="production").to_json())
    with pytest.raises(ValueError, match=f"{name} must hold .* shop/staging/web, got those of 'shop/production/web'"):
        find(client, "shop/staging/web")


def test_what_may_not_be_listed_is_an_error(ssm: FakeSsm, aws: FakeAws, client: SSMClient) -> None:
    """A refused list is not an empty one."""
    put(ssm, "shop/production/web")

    def refuse(operation: str, _params: Params) -> None:
        if operation == "ssm.DescribeParameters":
            raise Fault("AccessDeniedException")

    aws.before = refuse
    with pytest.raises(ClientError, match="AccessDenied"):
        find(client, "production")
