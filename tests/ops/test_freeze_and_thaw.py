"""``moorings freeze`` and ``thaw``: one environment is held, and let go again."""

from __future__ import annotations

import pytest

from constructs_lib.naming import freeze_parameter_name
from tests.ops.delivery import Account

NAME = freeze_parameter_name("shop", "production")
BUILD = {"CODEBUILD_BUILD_ID": "shop--production--web--release:0123", "CODEBUILD_INITIATOR": "jo"}


def test_freeze_holds_and_thaw_lets_go(account: Account) -> None:
    """Who, since when and why are told; a second thaw has nothing to lift, which is no error."""
    done = account.moorings("freeze", "production", "--reason", "stock-taking", environ=BUILD)
    who = "jo in CodeBuild shop--production--web--release:0123"
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"shop/production is frozen by {who} since 2026-04-01 12:00 UTC: stock-taking\n"
        "`moorings thaw shop/production` lifts it\n"
    )
    assert NAME in account.ssm.parameters
    done = account.moorings("thaw", "shop/production")
    assert (done.code, done.out) == (0, "shop/production is not frozen any more\n")
    assert NAME not in account.ssm.parameters
    assert account.moorings("thaw", "production").out == "shop/production was not frozen\n"


def test_json_of_both(account: Account) -> None:
    """One object each."""
    frozen = account.moorings("freeze", "shop/production", "--reason", " stock-taking ", "--json", environ=BUILD)
    assert frozen.json == {
        "environment": "shop/production",
        "result": "frozen",
        "who": "jo in CodeBuild shop--production--web--release:0123",
        "at": "2026-04-01T12:00:00+00:00",
        "reason": "stock-taking",
    }
    thawed = {"environment": "shop/production", "result": "thawed"}
    assert account.moorings("thaw", "production", "--json").json == thawed
    again = {"environment": "shop/production", "result": "was not frozen"}
    assert account.moorings("thaw", "production", "--json").json == again


def test_a_second_freeze_is_refused_and_keeps_the_first(account: Account) -> None:
    """The answer is no, exit code 1, with who and why."""
    account.moorings("freeze", "production", "--reason", "first", environ=BUILD)
    done = account.moorings("freeze", "production", "--reason", "second", environ={**BUILD, "CODEBUILD_INITIATOR": "x"})
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert ": first" in done.err
    told = account.moorings(
        "freeze", "production", "--reason", "second", "--json", environ={**BUILD, "CODEBUILD_INITIATOR": "x"}
    )
    assert told.code == 1
    assert told.json == {
        "environment": "shop/production",
        "result": "frozen already",
        "who": "jo in CodeBuild shop--production--web--release:0123",
        "at": "2026-04-01T12:00:00+00:00",
        "reason": "first",
    }
    assert "first" in account.ssm.value(NAME)


@pytest.mark.parametrize("command", [("freeze", "--reason", "x"), ("thaw",)])
def test_a_name_that_is_misspelt_seems_not_to_be_frozen(account: Account, command: tuple[str, ...]) -> None:
    """It is refused with the names that there are, and nothing is written."""
    word, *options = command
    done = account.moorings(word, "prodution", *options)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "shop/production/web, shop/staging/web" in done.err
    assert not account.aws.calls["ssm.PutParameter"] + account.aws.calls["ssm.DeleteParameter"]


def test_two_applications_with_such_an_environment_must_be_told_apart(account: Account) -> None:
    """``production`` is two environments, ``shop/production`` is one, however many services it has."""
    account.add("shop/production/worker")
    account.add("desk/production/web")
    done = account.moorings("freeze", "production", "--reason", "x", environ=BUILD)
    assert (done.code, done.out) == (2, "")
    assert "say which: desk/production, shop/production" in done.err
    assert account.moorings("freeze", "shop/production", "--reason", "x", environ=BUILD).code == 0


def test_one_service_cannot_be_frozen(account: Account) -> None:
    """The freeze is the whole environment's."""
    done = account.moorings("freeze", "shop/production/web", "--reason", "x")
    assert (done.code, done.out) == (2, "")
    assert "and no service" in done.err


@pytest.mark.parametrize("words", [(), ("--reason",), ("--reason", "  ")])
def test_a_freeze_needs_a_reason(account: Account, words: tuple[str, ...]) -> None:
    """Without one, whoever wants to release would have to ask around."""
    done = account.moorings("freeze", "production", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "--reason" in done.err
    assert not account.aws.calls
