"""What a configuration may be, and what is refused before CDK starts (lesson T2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.configuration import alarms, policy
from constructs_lib.services.configuration.alarms import copy_alarm
from constructs_lib.services.configuration.policy import (
    ConfigurationDeployment,
    agent_settings,
    agent_url,
    check_content,
    check_names,
    client_settings,
)
from tests.support import TOKEN, refused, run_without_cdk

SCHEMA = '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}'


def test_a_deployment_is_gradual_and_watched_unless_told_otherwise() -> None:
    """Ten minutes in fifths, and ten minutes of watching."""
    made = ConfigurationDeployment()
    assert (made.minutes, made.growth_percent, made.bake_minutes, made.longest_minutes) == (10, 20, 10, 20)


@pytest.mark.parametrize(
    ("what", "value", "allowed"),
    [
        ("minutes", -1, "from 0 to 1440"),
        ("minutes", 1441, "from 0 to 1440"),
        ("growth_percent", 0, "from 1 to 100"),
        ("growth_percent", 101, "from 1 to 100"),
        ("growth_percent", 12.5, "whole number"),
        ("bake_minutes", -1, "from 0 to 1440"),
        ("bake_minutes", 1441, "from 0 to 1440"),
    ],
)
def test_a_wrong_deployment_is_refused(what: str, value: Any, allowed: str) -> None:
    """AppConfig's own ranges, before anything is made."""
    refused(lambda: ConfigurationDeployment(**{what: value}), what, value, allowed)


def test_the_edges_of_a_deployment_are_allowed() -> None:
    """All at once without watching, and two days."""
    assert ConfigurationDeployment(minutes=0, growth_percent=100, bake_minutes=0).longest_minutes == 0
    assert ConfigurationDeployment(minutes=1440, growth_percent=1, bake_minutes=1440).longest_minutes == 2880


def test_names_make_one_name_that_no_other_environment_has() -> None:
    """Two environments of an account may not share AppConfig's application."""
    assert check_names("shop", "staging", "web") == "shop-staging-web"
    assert len(check_names("a" * 30, "b" * 30, "cc")) == 64


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("value", ["", "Shop", "a--b", "a" * 31, TOKEN])
def test_a_wrong_name_is_refused(place: int, value: str) -> None:
    """The names are dimensions of a metric and parts of a key."""
    names = ["shop", "staging", "web"]
    names[place] = value
    with pytest.raises(ValueError, match=("application", "environment", "profile")[place]):
        check_names(*names)


def test_names_that_are_too_long_together_are_refused() -> None:
    """AppConfig's application has 64 characters."""
    joined = f"{'a' * 30}-{'b' * 30}-ccc"
    refused(
        lambda: check_names("a" * 30, "b" * 30, "ccc"),
        "application, environment and profile",
        joined,
        "at most 64 characters together",
    )


@given(content=st.dictionaries(st.text(), st.integers() | st.text(), max_size=5))
def test_any_small_json_object_is_a_configuration(content: dict[str, Any]) -> None:
    """Whatever the application needs."""
    check_content(SCHEMA, json.dumps(content))


@pytest.mark.parametrize("text", ["limit: 5", "[1]", "5", "null", '{"limit": NaN}', '{"limit": 5', "[" * 30_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """Neither as the content nor as the schema; Python's own NaN is no JSON."""
    refused(lambda: check_content(SCHEMA, text), "content", text[:60], "the text of a JSON object")
    refused(lambda: check_content(text, "{}"), "schema", text[:60], "the text of a JSON object")


@pytest.mark.parametrize("text", ["", TOKEN])
def test_texts_that_nobody_knows_yet_are_refused(text: str) -> None:
    """A Token is known when CloudFormation deploys, and could not be checked."""
    with pytest.raises(ValueError, match="content must be"):
        check_content(SCHEMA, text)
    with pytest.raises(ValueError, match="schema must be"):
        check_content(text, "{}")


def test_sizes_are_counted_in_what_aws_counts() -> None:
    """The content in bytes, the schema in characters; the largest of both is allowed."""
    largest = '{"text": "' + "é" * ((128 * 1024 - 12) // 2) + '"}'
    assert len(largest.encode()) == 131_072
    check_content(SCHEMA, largest)
    refused(lambda: check_content(SCHEMA, largest + " "), "content", 131_073, "at most 131072 bytes")
    schema = '{"title": "' + "é" * (32_768 - 13) + '"}'
    check_content(schema, "{}")
    refused(lambda: check_content(schema + " ", "{}"), "schema", 32_769, "at most 32768 characters")


@pytest.mark.parametrize("draft", ["https://json-schema.org/draft/2020-12/schema", 4, None])
def test_a_schema_of_another_draft_is_refused(draft: object) -> None:
    """AppConfig knows draft 4 only, and would refuse the deployment."""
    refused(lambda: check_content(json.dumps({"$schema": draft}), "{}"), "schema", draft, "draft 4")


def test_a_schema_may_leave_its_draft_out() -> None:
    """Then AppConfig takes its own."""
    check_content('{"type": "object"}', "{}")


def test_the_agent_fetches_the_configuration_as_it_starts() -> None:
    """And keeps its backups where it may write."""
    assert agent_settings("a1", "e1", "p1") == {
        "BACKUP_DIRECTORY": "/backups",
        "HTTP_PORT": "2772",
        "PREFETCH_LIST": "a1:e1:p1",
    }


def test_the_application_is_told_three_things() -> None:
    """Where the agent is, where the copy is, and where it may keep its own."""
    url = agent_url("a1", "e1", "p1")
    assert client_settings(url, "s3://copies/key") == {
        "MOORINGS_CONFIG_URL": "http://localhost:2772/applications/a1/environments/e1/configurations/p1",
        "MOORINGS_CONFIG_COPY": "s3://copies/key",
        "MOORINGS_CONFIG_DIRECTORY": "/var/lib/moorings",
    }


def test_the_alarm_tells_at_the_age_that_was_asked_for() -> None:
    """Three readings, five minutes apart: over 20, 25 and 30 minutes makes 30; and no data is a fault."""
    made = copy_alarm(
        component="web", application="shop", environment="staging", profile="web", notice_after_minutes=30
    )
    assert (made.component, made.what, made.severity, made.acts_if) == ("web", "configuration-copy", "notice", None)
    assert "30 minutes old" in made.meaning
    metric, threshold = made.metric, made.threshold
    assert (metric.namespace, metric.name, metric.statistic, metric.period_seconds) == (
        "Moorings",
        "CopyAgeMinutes",
        "Maximum",
        300,
    )
    assert metric.dimensions == {"Application": "shop", "Environment": "staging", "Configuration": "web"}
    assert (threshold.value, threshold.periods, threshold.out_of) == (20, 3, 3)
    assert (threshold.comparison, threshold.missing) == ("GreaterThanOrEqualToThreshold", "breaching")


@pytest.mark.parametrize("minutes", [14, 1441])
def test_an_age_that_cannot_be_told_is_refused(minutes: int) -> None:
    """Below three readings every lost run would be told."""
    refused(
        lambda: copy_alarm(
            component="web", application="shop", environment="staging", profile="web", notice_after_minutes=minutes
        ),
        "notice_after_minutes",
        minutes,
        "from 15 to 1440",
    )


def test_a_wrong_configuration_fails_before_node_starts() -> None:
    """The sentence comes without CDK."""
    said = run_without_cdk(
        "from constructs_lib.services.configuration.policy import check_content\ncheck_content('{}', 'no')"
    )
    assert said.startswith("content must be the text of a JSON object, got 'no'")


def test_the_function_has_the_same_names() -> None:
    """What runs in Lambda cannot import the library, so some words are there twice."""
    from constructs_lib.services.configuration.runtime import handler

    assert (handler.NAMESPACE, handler.COPY_AGE) == (alarms.NAMESPACE, alarms.METRIC)
    assert policy.copy_key("shop", "staging", "web") == "last-good/shop/staging/web.json"
