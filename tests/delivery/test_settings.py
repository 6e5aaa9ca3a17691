"""The delivery settings as the stack writes them and commands read them."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace

import pytest

from constructs_lib.delivery.settings import BeforeRelease, DeliverySettings, Upstream
from constructs_lib.naming import (
    delivery_settings_name,
    reader_role_name,
    release_role_name,
    repository_name,
    stack_name,
)

ACCOUNT = "222222222222"

UPSTREAM = Upstream(
    environment="staging",
    account="111111111111",
    region="eu-west-1",
    repository=repository_name("shop", "staging", "web"),
    check="commit",
    reader_role=f"arn:aws:iam::111111111111:role/{reader_role_name('shop', 'staging')}",
)

FULL = DeliverySettings(
    application="shop",
    environment="production",
    service="web",
    account=ACCOUNT,
    region="eu-west-1",
    stack=stack_name("shop", "production", "services"),
    role=f"arn:aws:iam::{ACCOUNT}:role/{release_role_name('shop', 'production')}",
    cluster="shop--production--services-Cluster-AbCdEfGhIjKl",
    ecs_service="shop--production--services-web-AbCdEfGhIjKl",
    target_group=f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/shop-web/0123456789abcdef",
    repository=repository_name("shop", "production", "web"),
    platform="linux/arm64",
    steady_minutes=20,
    window="0 22 * * MON-FRI for 240 minutes in Asia/Tokyo",
    outside_window="wait",
    scan_threshold="high",
    upstream=UPSTREAM,
    before_release=BeforeRelease(
        family=f"{stack_name('shop', 'production', 'services')}-web-before-release",
        container="web-before-release",
        minutes=45,
        roles=tuple(
            f"arn:aws:iam::{ACCOUNT}:role/shop--production--services-webbeforerelease{name}-AbCdEfGhIjKl"
            for name in ("TaskTaskRole", "TaskExecutionRole")
        ),
    ),
    alternate_target_group=f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/shop-web/fedcba9876543210",
    deployment_minutes=20,
)

LEAST = DeliverySettings(
    application=FULL.application,
    environment=FULL.environment,
    service=FULL.service,
    account=FULL.account,
    region=FULL.region,
    stack=FULL.stack,
    role=FULL.role,
    cluster=FULL.cluster,
    ecs_service=FULL.ecs_service,
    target_group=FULL.target_group,
    repository=FULL.repository,
    platform=FULL.platform,
)


@pytest.mark.parametrize("settings", [FULL, LEAST], ids=["everything", "nothing optional"])
def test_nothing_is_lost_in_the_parameter(settings: DeliverySettings) -> None:
    """What the stack wrote is what the command reads."""
    assert DeliverySettings.from_json(settings.to_json()) == settings


def test_settings_of_before_there_were_such_tasks_are_read() -> None:
    """A stack that was deployed by an earlier version has none, and its releases run none."""
    values = json.loads(FULL.to_json())
    del values["before_release"]
    assert DeliverySettings.from_json(json.dumps(values)) == replace(FULL, before_release=None)


def test_settings_of_before_there_were_two_target_groups_are_read() -> None:
    """A stack that was deployed by an earlier version has one, and its deployments take no time of their own (T4)."""
    values = json.loads(FULL.to_json())
    del values["alternate_target_group"], values["deployment_minutes"]
    read = DeliverySettings.from_json(json.dumps(values))
    assert read == replace(FULL, alternate_target_group="", deployment_minutes=0)


def test_full_settings_differ_from_every_default() -> None:
    """So that the test above sees each of them come back."""
    optional = [field.name for field in fields(FULL) if field.default is not MISSING]
    assert len(optional) == 8
    assert [name for name in optional if getattr(FULL, name) == getattr(LEAST, name)] == []
    assert UPSTREAM.check != "digest"
    assert UPSTREAM.reader_role


def test_the_parameter_has_room_and_braces_that_are_taken() -> None:
    """A standard parameter holds 4096 bytes, and Parameter Store refuses two opening braces."""
    longest = replace(FULL, application="a" * 30, environment="b" * 30, service="c" * 30, window="*,*" * 100)
    assert len(longest.to_json().encode()) < 4096
    assert "{{" not in longest.to_json()


def test_a_service_is_named_as_a_person_names_it() -> None:
    """The same words in the same order as its repository and its parameter."""
    assert FULL.place == "shop/production/web"
    assert FULL.place in delivery_settings_name("shop", "production", "web")


@pytest.mark.parametrize("text", ["", "none", "[]", "5", "null", "{}", '"a"', '{"application": "shop"}'])
def test_text_that_is_no_settings_is_refused(text: str) -> None:
    """What is no JSON object, or lacks a value, is refused with what it is and the fix."""
    with pytest.raises(
        ValueError, match=r"the delivery settings must be JSON .*; use the version that deployed"
    ) as error:
        DeliverySettings.from_json(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"extra": "1"},
        {"steady_minutes": "15"},
        {"steady_minutes": True},
        {"steady_minutes": None},
        {"stack": None},
        {"role": 5},
        {"cluster": ["a"]},
        {"outside_window": "ask"},
        {"scan_threshold": "HIGH"},
        {"before_release": "migrate"},
        {"before_release": {"family": "f", "container": "c"}},
        {"before_release": {"family": "f", "container": "c", "minutes": "5", "roles": []}},
        {"before_release": {"family": "f", "container": None, "minutes": 5, "roles": []}},
        {"before_release": {"family": "f", "container": "c", "minutes": True, "roles": []}},
        {"before_release": {"family": "f", "container": "c", "minutes": 5, "roles": 7}},
        {"upstream": "staging"},
        {"upstream": {"environment": "staging"}},
        {"upstream": {**json.loads(FULL.to_json())["upstream"], "check": "tag"}},
        {"upstream": {**json.loads(FULL.to_json())["upstream"], "account": 111111111111}},
    ],
)
def test_a_value_of_another_kind_is_refused(change: dict[str, object]) -> None:
    """A threshold that nobody knows would stop nothing, and a number that is a text would fail in the middle."""
    text = json.dumps({**json.loads(FULL.to_json()), **change})
    with pytest.raises(ValueError, match=r"the delivery settings must be JSON .*; use the version that deployed"):
        DeliverySettings.from_json(text)


def test_what_a_service_does_not_use_is_left_out_for_the_version_before() -> None:
    """That version refuses fields that it does not know, and somebody may have to go back with it."""
    plain = replace(FULL, before_release=None, alternate_target_group="", deployment_minutes=0)
    newer = {"before_release", "alternate_target_group", "deployment_minutes"}
    assert not newer & set(json.loads(plain.to_json()))
    assert newer <= set(json.loads(FULL.to_json()))
    assert DeliverySettings.from_json(plain.to_json()) == plain
