"""One way to refuse a wrong value: one sentence with what, the value, what is allowed and the fix."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from aws_cdk import App, Aws, Stack, Token
from aws_cdk import aws_logs as logs
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib import checks
from constructs_lib.log_retention import RETENTION_DAYS, check_retention
from tests.support import DIGEST, TOKEN, refused, run_without_cdk, synthesize


def test_a_real_token_of_each_kind_is_recognised() -> None:
    """CDK's own placeholders are known as such without a call to Node, whatever Python type they wear."""
    text = Aws.REGION
    (of_list,) = Token.as_list({"Ref": "Zones"})
    number = Token.as_number({"Ref": "Count"})
    assert all(checks.is_token(value) for value in (text, f"arn:aws:s3:::{text}", of_list, number))


@pytest.mark.parametrize("value", ["", "eu-west-1", "{Token", 0, -1, -1e279, 3.5, True, None, ["x"]])
def test_a_concrete_value_is_no_token(value: object) -> None:
    """A value that a person could mean is never mistaken for a placeholder."""
    assert not checks.is_token(value)


@given(st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,5}){0,3}", fullmatch=True))
def test_a_name_is_words_joined_by_single_hyphens(value: str) -> None:
    """Every name of the promised form is accepted unchanged, and holds neither separator of physical names."""
    assert checks.name("service", value) == value
    assert "--" not in value
    assert "/" not in value


@given(st.text(max_size=12))
def test_a_name_is_nothing_else(value: str) -> None:
    """Any other text is refused: hyphens at the edges or doubled, capitals, other alphabets, spaces, line ends."""
    words = value.split("-")
    lower = set("abcdefghijklmnopqrstuvwxyz0123456789")
    valid = all(word and set(word) <= lower for word in words) and not value[0].isdigit()
    try:
        checks.name("service", value)
    except ValueError:
        assert not valid
    else:
        assert valid


@pytest.mark.parametrize("length", [30, 31])
def test_a_name_has_at_most_thirty_characters(length: int) -> None:
    """A name leaves room for the names that it becomes a part of."""
    if length == 30:
        assert checks.name("service", "a" * length) == "a" * length
    else:
        refused(lambda: checks.name("service", "a" * length), "service", "a" * length, "at most 30 characters")


@pytest.mark.parametrize("value", ["Shop", "shop--x", "-shop", "shop-", "shop\n", "1shop", "shop_web", "a/b"])
def test_a_wrong_name_is_refused_in_one_sentence(value: str) -> None:
    """The sentence names what is wrong, the value, the form that is allowed, and an example."""
    assert "'shop'" in refused(lambda: checks.name("service", value), "service", value, "single hyphens")


@pytest.mark.parametrize("value", ["", None, 7, b"shop"])
def test_no_text_is_refused(value: str) -> None:
    """Something that is no text, or an empty one, is refused before it becomes a name."""
    refused(lambda: checks.concrete("application", value), "application", value, "a text that is not empty")


@pytest.mark.parametrize("check", [checks.concrete, checks.name, checks.digest, checks.email])
def test_a_token_is_refused_where_a_text_must_be_known(check: Callable[[str, str], str]) -> None:
    """A policy takes concrete values only, so a Token fails here and not at deployment."""
    refused(lambda: check("value", TOKEN), "value", TOKEN, "known before deployment, not a Token")


@pytest.mark.parametrize("value", [1, 2, 5])
def test_a_number_in_its_range_is_accepted(value: int) -> None:
    """Both ends of a range are allowed."""
    assert checks.whole_number("tasks", value, low=1, high=5, fix="take three") == value


@pytest.mark.parametrize("value", [0, 6, 2.0, True, "2", None, float("nan")])
def test_a_number_out_of_its_range_is_refused(value: int) -> None:
    """Too small, too large, a fraction, a truth value or a text: all are refused with the range."""
    fix = refused(
        lambda: checks.whole_number("tasks", value, low=1, high=5, fix="take three"),
        "tasks",
        value,
        "a whole number from 1 to 5",
    )
    assert fix == "take three"


def test_a_number_token_is_refused() -> None:
    """A number that only deployment knows cannot be checked, so it is refused and named as what it is."""
    value = int(Token.as_number({"Ref": "Count"}))
    refused(lambda: checks.whole_number("tasks", value, low=1, high=5, fix="pass 3"), "tasks", value, "not a Token")


def test_a_digest_is_accepted() -> None:
    """A digest stays as it is."""
    assert checks.digest("image", DIGEST) == DIGEST


@pytest.mark.parametrize(
    "value",
    [
        "latest",
        "web:1.0",
        "sha256:" + "a" * 63,
        "sha256:" + "A" * 64,
        "sha512:" + "a" * 64,
        "x@" + DIGEST,
        DIGEST + "\n",
    ],
)
def test_a_tag_where_a_digest_belongs_is_refused(value: str) -> None:
    """A tag can move, so a service never refers to one (lesson Q3); the fix says how to find the digest."""
    assert "describe-images" in refused(lambda: checks.digest("image", value), "image", value, "an image digest")


@pytest.mark.parametrize("value", ["ops", "ops@", "@example.com", "ops@example", "a b@example.com", "a@b@example.com"])
def test_a_wrong_address_is_refused(value: str) -> None:
    """A typing error in the address of the alarms shows before anybody needs them."""
    refused(lambda: checks.email("email", value), "email", value, "an e-mail address")


def test_an_address_is_accepted() -> None:
    """An ordinary address stays as it is."""
    assert checks.email("email", "ops+shop@mail.example.com") == "ops+shop@mail.example.com"


def test_every_retention_is_the_number_of_days_that_cdk_renders() -> None:
    """Each of our names gives exactly that many days in a template, so no row of the table is mistyped."""
    stack = Stack(App(), "Retention")
    for days, name in RETENTION_DAYS.items():
        logs.LogGroup(stack, f"Days{days}", retention=logs.RetentionDays[name])
    resources = synthesize(stack)["Resources"]
    rendered = {
        int(match[1]): resource["Properties"]["RetentionInDays"]
        for key, resource in resources.items()
        if (match := re.match(r"Days(\d+?)[0-9A-F]{8}$", key))
    }
    assert rendered == {days: days for days in RETENTION_DAYS}
    assert {member.name for member in logs.RetentionDays} - set(RETENTION_DAYS.values()) == {"INFINITE"}


@pytest.mark.parametrize("days", [0, 2, -1, 100, 4000])
def test_a_retention_that_cloudwatch_does_not_know_is_refused(days: int) -> None:
    """CloudWatch accepts a list of numbers, and the sentence shows it."""
    refused(lambda: check_retention("retention_days", days), "retention_days", days, "1, 3, 5, 7, 14, 30, 60, 90")


@pytest.mark.parametrize(
    "code",
    [
        "from constructs_lib.checks import name\nname('service', 'Shop')",
        "from constructs_lib.naming import stack_name\nstack_name('shop', 'staging', 'a--b')",
        "from constructs_lib.log_retention import check_retention\ncheck_retention('days', 2)",
    ],
)
def test_a_wrong_value_fails_before_node_starts(code: str) -> None:
    """The modules that everybody shares refuse without loading CDK."""
    assert " must be " in run_without_cdk(code)
