"""What the commands about releases are made of: pins by the guard's code, who calls, and the way to AWS."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.images.runtime.pins import slot_of
from constructs_lib.images.runtime.release_slots import release_writer
from constructs_lib.ops.delivery_world import ReleasePins, caller
from constructs_lib.ops.outside import real
from tests.fake_aws.core import ACCOUNT, REGION, Fault
from tests.fake_aws.sts import CALLER
from tests.ops.delivery import SECRET, SECRET_NAME, Account
from tests.ops.support import run

WEB = "shop/production/web"
MARKER = "hunter2-in-the-environment"


def pins(account: Account) -> ReleasePins:
    """What a release pins with."""
    return ReleasePins(ecr=account.sessions.client("ecr", config=object()))


def slots(account: Account, image: str) -> list[int]:
    """The numbers of the release slots that an image has."""
    found = [slot_of(tag) for tag in account.ecr.image(WEB, image).tags]
    return [slot.number for slot in found if slot is not None and slot.namespace == "release"]


def test_target_and_what_is_kept_get_a_pin_each(account: Account) -> None:
    """With the environment's own mark; again, nothing is put."""
    images = [account.image(number, WEB) for number in (1, 2, 3)]
    assert pins(account).put(account.settings[WEB], images[2], images[:2]) is None
    assert [slots(account, image) for image in images] == [[1], [2], [0]]
    slot = slot_of(account.ecr.image(WEB, images[2]).tags[-1])
    assert slot is not None
    assert slot.writer == release_writer(ACCOUNT, REGION, "shop", "production")
    account.aws.calls.clear()
    assert pins(account).put(account.settings[WEB], images[2], images[:2]) is None
    assert dict(account.aws.calls) == {"ecr.DescribeImages": 1}


def test_what_is_kept_and_has_gone_is_no_reason(account: Account) -> None:
    """Not when it is gone before, and not when it expires between the list and the pin."""
    images = [account.image(number, WEB) for number in (1, 2, 3)]
    account.ecr.delete(WEB, images[0])

    def expire(operation: str, _params: Any) -> None:
        if operation == "ecr.BatchGetImage" and images[1] in account.ecr.repositories[WEB].images:
            account.ecr.delete(WEB, images[1])

    account.aws.before = expire
    assert pins(account).put(account.settings[WEB], images[2], images[:2]) is None
    assert slots(account, images[2]) == [0]


def test_a_target_that_has_gone_is_a_reason(account: Account) -> None:
    """ECR's own words."""
    image = account.image(1, WEB)
    account.ecr.delete(WEB, image)
    told = pins(account).put(account.settings[WEB], image, [])
    assert told is not None
    assert told.startswith(f"{image} could not be pinned as pin-release-")
    assert "ImageNotFound" in told


@pytest.mark.parametrize("call", ["ecr.DescribeImages", "ecr.PutImage"])
def test_what_ecr_refuses_is_a_reason(account: Account, call: str) -> None:
    """One line, whichever call it is."""
    image = account.image(1, WEB)

    def refuse(operation: str, _params: Any) -> None:
        if operation == call:
            raise Fault("AccessDeniedException", "not authorized")

    account.aws.before = refuse
    told = pins(account).put(account.settings[WEB], image, [])
    assert told is not None
    assert "AccessDeniedException: not authorized" in told
    assert "\n" not in told


def test_who_is_the_caller_or_in_codebuild_who_started_the_build(account: Account) -> None:
    """There the ARN would be the project's role, whoever pressed the button."""
    sts = account.sessions.client("sts", config=object())
    assert caller(sts, {}) == CALLER
    build = {"CODEBUILD_BUILD_ID": "shop--production--web--release:0123", "CODEBUILD_INITIATOR": "codepipeline/shop"}
    account.aws.calls.clear()
    assert caller(sts, build) == "codepipeline/shop in CodeBuild shop--production--web--release:0123"
    assert not account.aws.calls
    assert caller(sts, {"CODEBUILD_BUILD_ID": "x:1"}) == "somebody in CodeBuild x:1"


def test_the_ledger_says_who_pressed_the_button(account: Account) -> None:
    """A release in CodeBuild is recorded with who started the build."""
    account.stack("shop/staging/web")
    account.image(1, "shop/staging/web")
    build = {"CODEBUILD_BUILD_ID": "shop--staging--web--release:0123", "CODEBUILD_INITIATOR": "jo"}
    done = account.moorings("release", "staging", "--json", environ=build)
    assert done.json["release"]["who"] == "jo in CodeBuild shop--staging--web--release:0123"


@pytest.mark.parametrize("url", ["garbage", "http://[::1", "http://127.0.0.1:99999"])
def test_an_endpoint_that_is_none_is_one_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is asked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    done = run("status", "--region", "eu-west-1", session=real().session)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("moorings: AWS cannot be asked: ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "You must specify a region; give --region"),
        (["--region", "eu-west-1"], "Unable to locate credentials; log in to AWS, or give --profile"),
        (
            ["--profile", "nobody"],
            "The config profile (nobody) could not be found; `aws configure list-profiles` names those that are there",
        ),
    ],
    ids=["region", "credentials", "profile"],
)
def test_what_boto3_misses_has_a_fix(words: list[str], sentence: str) -> None:
    """Nothing is set: the sentence says what to give."""
    done = run("release", WEB, *words, session=real().session)
    assert (done.code, done.out, done.err) == (2, "", f"moorings: AWS cannot be asked: {sentence}\n")


COMMANDS = [
    ["release", "staging"],
    ["verify", "production"],
    ["release", "production"],
    ["status"],
    ["diff", "staging", "production"],
    ["restart", "production"],
    ["release", "production", "--now", "--reason", "x"],
    ["rollback", "production"],
    ["history", "production"],
    ["freeze", "production", "--reason", "x"],
    ["release", "production"],
    ["thaw", "production"],
]
"""A story in which every command has something to tell, also a refusal."""


def test_no_command_shows_a_secret(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a SecureString's value, nor the environment's, nor an address with its signature; nor is one read."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", MARKER)
    monkeypatch.setenv("DATABASE_URL", MARKER)
    for place in ("shop/staging/web", WEB):
        account.stack(place)
    account.image(1, "shop/staging/web", WEB)
    asked: list[str] = []
    account.aws.before = lambda _operation, params: asked.append(str(params))
    shown = ""
    for words in COMMANDS:
        for json in ([], ["--json"]):
            done = account.moorings(*words, *json, environ={"AWS_SECRET_ACCESS_KEY": MARKER, "DATABASE_URL": MARKER})
            shown += done.out + done.err
    assert "release 1 is successful" in shown
    assert SECRET not in shown
    assert MARKER not in shown
    assert "https://" not in shown
    assert not [params for params in asked if SECRET_NAME in params or "WithDecryption': True" in params]


def test_a_secret_in_a_stored_text_would_be_found(account: Account) -> None:
    """The test above can fail: the history shows what is in the ledger."""
    account.entry(WEB, 1, f"sha256:{1:064x}", reason=MARKER)
    assert MARKER in account.moorings("history", "production").out


def test_rich_is_not_needed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """CodeBuild's image has boto3 and no rich."""
    for name in [name for name in sys.modules if name.split(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    for place in ("shop/staging/web", WEB):
        account.stack(place)
    account.image(1, "shop/staging/web", WEB)
    for words in COMMANDS:
        assert "rich" not in account.moorings(*words).err


def test_no_module_of_these_commands_names_rich() -> None:
    """But the tables of the commands about images, which load it when one is printed."""
    folder = Path(__file__).resolve().parents[2] / "constructs_lib" / "ops"
    naming = {path.name for path in folder.glob("*.py") if "from rich" in path.read_text()}
    assert naming == {"tables.py"}
