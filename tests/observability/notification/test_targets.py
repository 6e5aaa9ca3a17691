"""Who is told, as values that refuse what would tell nobody (lesson W3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.observability.notification.targets import (
    EmailTarget,
    EventBusTarget,
    HttpsTarget,
    NotificationTarget,
    SlackTarget,
    TeamsTarget,
    check_targets,
)
from tests.support import TOKEN, refused, run_without_cdk

UUID = "01234567-89ab-cdef-0123-456789abcdef"
CHANNEL = "19%3ab6ef35dc342d56ba5654e6fc6d25a071%40thread.tacv2"
BUS = "arn:aws:events:eu-west-1:444455556666:event-bus/operations"
EMAIL = EmailTarget(address="ops@example.com")
URL = HttpsTarget(url="https://alarms.example.com/shop")
SECRET = HttpsTarget(secret="ops/on-call")
SLACK = SlackTarget(workspace="T0123456789", channel="C0123456789")
TEAMS = TeamsTarget(tenant=UUID, team=UUID, channel=CHANNEL)
EVENTS = EventBusTarget(bus_arn=BUS)
ALL: tuple[NotificationTarget, ...] = (EMAIL, URL, SECRET, SLACK, TEAMS, EVENTS)


def test_everybody_is_told_of_both_by_default() -> None:
    """Whoever is named without severities gets pages and notices, so nothing is lost by leaving them out."""
    for target in (EMAIL, URL, SECRET, SLACK, TEAMS):
        assert target.severities == ("page", "notice")


def test_all_kinds_together_are_accepted() -> None:
    """One of each is no contradiction, and neither are two addresses of one kind."""
    check_targets("notify", [*ALL, EmailTarget(address="boss@example.com", severities=("page",))])


@pytest.mark.parametrize(
    ("make", "what", "value", "allowed"),
    [
        (lambda: EmailTarget(address="ops"), "address", "ops", "an e-mail address"),
        (lambda: EmailTarget(address=TOKEN), "address", TOKEN, "not a Token"),
        (lambda: EmailTarget(address=""), "address", "", "not empty"),
        (lambda: HttpsTarget(), "url or secret", "none", "one of the two"),
        (lambda: HttpsTarget(url="https://a.example", secret="b"), "url or secret", "both", "one of the two"),
        (lambda: HttpsTarget(url="http://a.example/x"), "url", "http://a.example/x", "begins with https://"),
        (lambda: HttpsTarget(url="https:///x"), "url", "https:///x", "begins with https://"),
        (lambda: HttpsTarget(url="https://a.example/ x"), "url", "https://a.example/ x", "begins with https://"),
        (lambda: HttpsTarget(url="https://a.example/\n"), "url", "https://a.example/\n", "begins with https://"),
        (lambda: HttpsTarget(url="https://me:key@a.example"), "url", "https://me:key@a.example", "name or password"),
        (lambda: HttpsTarget(url="https://me@a.example"), "url", "https://me@a.example", "name or password"),
        (lambda: HttpsTarget(secret="a:b"), "secret", "a:b", "the name of a secret"),
        (lambda: HttpsTarget(secret="a}}"), "secret", "a}}", "the name of a secret"),
        (lambda: SlackTarget(workspace="acme", channel="C1"), "workspace", "acme", "capital letters and digits"),
        (lambda: SlackTarget(workspace="T1", channel="#ops"), "channel", "#ops", "not a name"),
        (lambda: SlackTarget(workspace="T1", channel=TOKEN), "channel", TOKEN, "not a Token"),
        (lambda: TeamsTarget(tenant="acme", team=UUID, channel=CHANNEL), "tenant", "acme", "a UUID"),
        (lambda: TeamsTarget(tenant=UUID, team="ops", channel=CHANNEL), "team", "ops", "a UUID"),
        (lambda: TeamsTarget(tenant=UUID, team=UUID, channel="ops"), "channel", "ops", "an id such as"),
        (lambda: EventBusTarget(bus_arn="operations"), "bus_arn", "operations", "ARN of an event bus"),
        (lambda: EventBusTarget(bus_arn=f"{BUS}\n"), "bus_arn", f"{BUS}\n", "ARN of an event bus"),
        (lambda: EventBusTarget(bus_arn=BUS.replace("4444", "44")), "bus_arn", BUS.replace("4444", "44"), "ARN"),
    ],
)
def test_a_wrong_place_is_refused(make: Callable[[], object], what: str, value: object, allowed: str) -> None:
    """A typing error would mean that nobody is told, so it fails here, in one sentence."""
    refused(make, what, value, allowed)


@pytest.mark.parametrize("severities", [(), ("page", "page"), ("pages",), ["page"], "page", ("page", "notice", "page")])
def test_a_wrong_severity_is_refused(severities: object) -> None:
    """No severity would be a target that is never told; an unknown one too."""
    makes: list[Callable[[], object]] = [
        lambda: EmailTarget(address="ops@example.com", severities=severities),  # type: ignore[arg-type]
        lambda: HttpsTarget(url="https://a.example", severities=severities),  # type: ignore[arg-type]
        lambda: SlackTarget(workspace="T1", channel="C1", severities=severities),  # type: ignore[arg-type]
        lambda: TeamsTarget(tenant=UUID, team=UUID, channel=CHANNEL, severities=severities),  # type: ignore[arg-type]
    ]
    for make in makes:
        refused(make, "severities", severities, "")


@given(st.sampled_from(ALL), st.lists(st.sampled_from(ALL), unique=True))
def test_a_target_twice_is_refused(twice: NotificationTarget, others: list[NotificationTarget]) -> None:
    """Two of one place would tell it twice of each alarm, or AWS would refuse them in the middle of a deployment."""
    rest = [other for other in others if other != twice]
    check_targets("notify", [twice, *rest])
    refused(lambda: check_targets("notify", [twice, *rest, twice]), "notify", twice, "named once")


def test_one_place_with_other_severities_is_the_same_place() -> None:
    """One channel takes one configuration, so its severities belong together."""
    for first, second in (
        (EMAIL, EmailTarget(address="ops@example.com", severities=("page",))),
        (URL, HttpsTarget(url="https://alarms.example.com/shop", severities=("page",))),
        (SLACK, SlackTarget(workspace="T0123456789", channel="C0123456789", severities=("notice",))),
        (TEAMS, TeamsTarget(tenant=UUID, team=UUID, channel=CHANNEL, severities=("notice",))),
    ):
        refused(lambda pair=(first, second): check_targets("notify", pair), "notify", first, "named once")  # type: ignore[misc]


def test_what_is_no_target_is_refused() -> None:
    """An address in quotes alone says not how to tell it."""
    refused(lambda: check_targets("notify", ["ops@example.com"]), "notify", "ops@example.com", "targets")  # type: ignore[list-item]


def test_a_wrong_target_fails_before_node_starts() -> None:
    """The values are checked without CDK."""
    code = (
        "from constructs_lib.observability.notification.targets import HttpsTarget\n"
        "HttpsTarget(url='http://alarms.example.com')"
    )
    assert run_without_cdk(code).startswith("url must be an address that begins with https://")
