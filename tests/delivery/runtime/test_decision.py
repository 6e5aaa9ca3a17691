"""What is decided about a release parameter: ``none`` is written once, and only where nothing is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from constructs_lib.delivery.runtime.decision import (
    ALLOWED_PATTERN,
    DESCRIPTION,
    NOT_RELEASED,
    Action,
    InvalidRequestError,
    answer,
    decide,
    how_to_restore,
    parameter_name,
)
from constructs_lib.naming import NOT_RELEASED as NAMING_NOT_RELEASED
from constructs_lib.naming import release_parameter_name

NAME = release_parameter_name("shop", "staging", "web")
OTHER = release_parameter_name("shop", "staging", "worker")


def request(kind: object, name: object = NAME, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResourceProperties": {"Name": name},
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Parameter",
        **more,
    }


@pytest.mark.parametrize(
    ("event", "action"),
    [
        (request("Create"), Action.CREATE_IF_ABSENT),
        (request("Update", PhysicalResourceId=NAME), Action.REQUIRE),
        (request("Update", PhysicalResourceId=OTHER), Action.CREATE_IF_ABSENT),
        (request("Delete", PhysicalResourceId=NAME), Action.LEAVE),
        (request("Delete", name=None, PhysicalResourceId="not-created"), Action.LEAVE),
    ],
)
def test_the_action_for_each_request(event: dict[str, Any], action: Action) -> None:
    assert decide(event) is action


@pytest.mark.parametrize("kind", [None, "", "create", "Read"])
def test_an_unknown_request_is_refused(kind: object) -> None:
    with pytest.raises(InvalidRequestError, match="RequestType must be Create, Update or Delete, got"):
        decide(request(kind))


@pytest.mark.parametrize("name", [None, "", 1, "/x/digest", "/moorings/a/b/c", "/moorings/A/b/c/digest", NAME + "/x"])
def test_a_name_that_is_no_release_parameter_is_refused(name: object) -> None:
    with pytest.raises(InvalidRequestError, match="Name must be"):
        parameter_name(request("Create", name))


def test_properties_that_are_missing_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="Name must be"):
        parameter_name({"RequestType": "Create"})


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        (NOT_RELEASED, True),
        ("sha256:" + "0" * 64, True),
        ("latest", False),
        ("", False),
        ("sha256:" + "0" * 63, False),
        ("sha256:" + "A" * 64, False),
        ("none ", False),
        ("x@sha256:" + "0" * 64, False),
    ],
)
def test_ssm_allows_none_and_digests_only(value: str, allowed: bool) -> None:
    assert bool(re.search(ALLOWED_PATTERN, value)) is allowed


def test_the_word_for_not_released_is_the_one_of_naming() -> None:
    """The asset carries this package only, so it cannot import naming."""
    assert NOT_RELEASED == NAMING_NOT_RELEASED


def test_ssm_takes_the_description() -> None:
    assert len(DESCRIPTION) <= 1024


def test_the_advice_is_a_command_that_restores_the_parameter() -> None:
    advice = how_to_restore(NAME)
    assert f"--name {NAME} --type String --allowed-pattern '{ALLOWED_PATTERN}' --value sha256:" in advice
    assert "scale a released service to zero" in advice
    assert len(advice) <= 1000


@pytest.mark.parametrize(
    ("event", "failure", "status", "physical"),
    [
        (request("Create"), None, "SUCCESS", NAME),
        (request("Create"), "why", "FAILED", "not-created"),
        (request("Update", PhysicalResourceId=OTHER), None, "SUCCESS", NAME),
        (request("Update", PhysicalResourceId=OTHER), "why", "FAILED", OTHER),
        (request("Delete", name=OTHER, PhysicalResourceId=NAME), None, "SUCCESS", NAME),
        (request("Delete", PhysicalResourceId="not-created"), None, "SUCCESS", "not-created"),
    ],
)
def test_the_answer_names_the_parameter_and_keeps_the_id_when_it_fails(
    event: dict[str, Any], failure: str | None, status: str, physical: str
) -> None:
    reply = answer(event, failure)
    assert (reply["Status"], reply["PhysicalResourceId"], reply.get("Reason")) == (status, physical, failure)
    assert (reply["StackId"], reply["RequestId"], reply["LogicalResourceId"]) == ("stack", "request", "Parameter")


def test_a_long_reason_is_cut_to_what_cloudformation_takes() -> None:
    assert len(str(answer(request("Create"), "x" * 5000)["Reason"])) == 1000
