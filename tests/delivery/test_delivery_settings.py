"""The parameter holds what a command reads, with what CloudFormation knows (lessons Q5, Q7, W6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Stack, aws_sns

from constructs_lib.delivery.delivery_settings import DeliverySettingsParameter
from constructs_lib.delivery.settings import DeliverySettings
from tests.delivery.releases import ACROSS, SETTINGS, plain
from tests.delivery.support import only
from tests.support import FLAG_SETS, TOKEN, Template


def value(settings: Any, flags: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """The parameter's value as it is deployed, and its properties; one of the settings is known to CloudFormation."""
    app = App(context=flags or {})
    stack = Stack(app, "Services")
    made = aws_sns.Topic(stack, "Made")
    if isinstance(settings, DeliverySettings):
        settings = replace(settings, cluster=made.topic_name)
    DeliverySettingsParameter(stack, "Web", settings=settings)
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    properties = only(template, "AWS::SSM::Parameter")["Properties"]
    return plain(properties["Value"]), properties


@pytest.mark.parametrize("flags", FLAG_SETS)
@pytest.mark.parametrize("upstream", [None, SETTINGS.upstream, ACROSS], ids=["none", "same account", "other account"])
def test_a_command_reads_what_the_stack_was_given(upstream: Any, flags: dict[str, Any]) -> None:
    """Every setting comes back as it was given, and a name that CloudFormation makes is its own."""
    given = replace(SETTINGS, upstream=upstream, window="0 22 * * * for 60 minutes in UTC", scan_threshold="high")
    text, properties = value(given, flags)
    read = DeliverySettings.from_json(text)
    assert read.cluster.startswith("<Made")
    assert replace(read, cluster=given.cluster) == given
    assert properties["Name"] == "/moorings/shop/production/web/delivery"
    assert properties["Type"] == "String"
    assert len(text) < 4096


def test_no_secret_can_be_in_it() -> None:
    """All that it holds is names, numbers and times."""
    text, _ = value(SETTINGS)
    assert not {"password", "secret", "token"} & set(text.lower().replace('"', " ").split())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("web", "settings must be a DeliverySettings"),
        (replace(SETTINGS, application="a--b"), "application must be lower-case"),
        (replace(SETTINGS, environment="pin"), "environment must be a name that does not begin"),
        (replace(SETTINGS, service=TOKEN), "service must be known before deployment"),
    ],
)
def test_a_wrong_value_is_refused(settings: Any, message: str) -> None:
    """The parameter's name must be known, and belong to one service."""
    with pytest.raises(ValueError, match=message):
        value(settings)
