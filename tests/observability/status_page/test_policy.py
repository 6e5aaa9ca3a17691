"""What a status page may be told, without CDK."""

from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.naming import status_bucket_name, status_feed_role_name, status_page_name
from constructs_lib.observability.runtime.status.page import render
from constructs_lib.observability.runtime.status.publish import PREFIX
from constructs_lib.observability.runtime.status.store import KEY
from constructs_lib.observability.status_page.policy import (
    OBJECTS,
    StatusComponent,
    StatusDomain,
    StatusPagePolicy,
)
from stacks.status_config import StatusPageConfig
from tests.observability.runtime.status.support import NOW
from tests.support import TOKEN, refused, run_without_cdk

WEB = StatusComponent(name="web", en="Website", ja="ウェブサイト")
CERTIFICATE = "arn:aws:acm:us-east-1:111111111111:certificate/0123"
LONG = "a" * 30


def test_a_component_is_driven_by_two_composites() -> None:
    """Known by their names alone."""
    page = StatusPagePolicy(en="Shop", components=(WEB,))
    names = ["shop/production/web/degraded", "shop/production/web/outage"]
    assert list(page.alarm_names("shop", "production")) == names


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"name": "Web"}, "name", "lower-case"),
        ({"en": ""}, "en", "not empty"),
        ({"en": TOKEN}, "en", "not a Token"),
        ({"en": "x" * 81}, "en", "at most 80"),
        ({"ja": "x\ny"}, "ja", "one line"),
        ({"ja": " x"}, "ja", "without spaces"),
    ],
)
def test_a_wrong_component_is_refused(changes: dict[str, str], what: str, allowed: str) -> None:
    """In one sentence, before CDK."""
    (value,) = changes.values()
    refused(lambda: StatusComponent(**{"name": "web", "en": "Website", **changes}), what, value, allowed)


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"en": "x\ry"}, "en", "x\ry", "one line"),
        ({"components": [WEB]}, "components", [WEB], "a tuple"),
        ({"components": ()}, "components", [], "1 to 17"),
        ({"components": (WEB, WEB)}, "components", ["web", "web"], "all different"),
        ({"domain": "status.example.com"}, "domain", "status.example.com", "a StatusDomain"),
    ],
)
def test_a_wrong_page_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """Likewise."""
    refused(lambda: StatusPagePolicy(**{"en": "Shop", "components": (WEB,), **changes}), what, value, allowed)


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"name": "status"}, "name", "a domain name"),
        ({"certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1")}, "certificate_arn", "us-east-1"),
        ({"certificate_arn": "arn:aws:iam::1:x"}, "certificate_arn", "ACM"),
        ({"hosted_zone_id": ""}, "hosted_zone_id", "not empty"),
        ({"hosted_zone_id": "example.com"}, "hosted_zone_id", "the id of a Route 53 zone"),
        ({"hosted_zone_id": "/hostedzone/Z0123456789ABCDEFGHIJ"}, "hosted_zone_id", "the id of a Route 53 zone"),
    ],
)
def test_a_wrong_domain_is_refused(changes: dict[str, str], what: str, allowed: str) -> None:
    """CloudFront takes certificates of us-east-1 only."""
    (value,) = changes.values()
    given = {"name": "status.example.com", "certificate_arn": CERTIFICATE, **changes}
    refused(lambda: StatusDomain(**given), what, value, allowed)


def test_a_wrong_page_starts_no_node() -> None:
    """The policy is pure."""
    said = run_without_cdk(
        "from constructs_lib.observability.status_page.policy import StatusPagePolicy\n"
        "StatusPagePolicy(en='', components=())"
    )
    assert said.startswith("en must be a text that is not empty")


def test_an_environment_shows_its_services_only() -> None:
    """Of anything else nobody makes the alarms, and it would be green for ever."""
    config = StatusPageConfig(page=StatusPagePolicy(en="Shop", components=(WEB,)))
    config.check_services(["web", "worker"])
    refused(lambda: config.check_services(["api"]), "component", "web", "one of the services: api")
    refused(lambda: StatusPageConfig(page=config.page, region="europe"), "region", "europe", "an AWS region")
    refused(lambda: StatusPageConfig(page="Shop"), "page", "Shop", "a StatusPagePolicy")  # type: ignore[arg-type]


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-1", "us-isof-south-1"])
def test_names_are_never_too_long(region: str) -> None:
    """S3 takes 63 characters, an origin access control and a role 64."""
    bucket = status_bucket_name(LONG, LONG, "1" * 12, region)
    assert 40 < len(bucket) <= 63
    assert bucket.endswith(f"--status-111111111111-{region}")
    assert len(status_page_name(LONG, LONG)) <= 64
    assert len(status_feed_role_name(LONG, LONG)) <= 64
    assert (
        status_bucket_name("shop", "production", "1" * 12, region) == f"shop--production--status-111111111111-{region}"
    )


def test_two_environments_never_share_a_bucket() -> None:
    """Also where the name is cut, and where the words could be joined in another way."""
    pairs = [(LONG, LONG), (LONG, "a" * 29 + "b"), ("a" * 29 + "b", LONG), ("a-b", "c"), ("a", "b-c")]
    assert len({status_bucket_name(one, two, "1" * 12, "eu-west-1") for one, two in pairs}) == len(pairs)


def test_the_function_may_touch_what_it_writes_and_nothing_else() -> None:
    """The objects of the code are those of the role."""
    from constructs_lib.observability.runtime.status.changes import initial
    from constructs_lib.observability.runtime.status.values import Text

    written = [PREFIX + key for key in render(initial(Text(en="Shop")), NOW)]
    assert sorted(OBJECTS) == sorted([KEY, *written])
