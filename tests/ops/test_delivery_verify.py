"""``moorings verify``: what stands in the way of a release, with the fix; nothing is written."""

from __future__ import annotations

import pytest

from tests.ops.delivery import Account

WEB = "shop/production/web"
NAMES = [
    *("stack", "other release", "neighbours", "freeze", "parameter", "image", "platform", "scan", "upstream"),
    *("window", "alarms"),
]
WRITES = ("Put", "Update", "Delete", "Create", "Cancel", "Complete", "Initiate", "Upload")


@pytest.fixture
def ready(account: Account) -> str:
    """An image that staging runs and production may have."""
    for place in ("shop/staging/web", WEB):
        account.stack(place)
    image = account.image(1, "shop/staging/web", WEB)
    assert account.moorings("release", "staging").code == 0
    account.aws.calls.clear()
    return image


def test_what_is_ready_is_exit_code_0_and_writes_nothing(account: Account, ready: str) -> None:
    """Every check with what was seen, and only readings."""
    done = account.moorings("verify", "production", ready)
    assert (done.code, done.err) == (0, "")
    first, *lines = done.out.splitlines()
    assert first == f"{WEB}, release: is ready"
    assert [line[6:].partition("  ")[0].strip() for line in lines] == NAMES
    assert [line[:4].strip() for line in lines] == ["OK"] * 7 + ["SKIP", "OK", "SKIP", "OK"]
    assert not [call for call in account.aws.calls if call.partition(".")[2].startswith(WRITES)]


def test_one_that_is_not_good_is_exit_code_1_with_its_fix(account: Account, ready: str) -> None:
    """A freeze: NG, and under it what to do."""
    account.moorings("freeze", "production", "--reason", "stock-taking")
    done = account.moorings("verify", WEB)
    assert (done.code, done.err) == (1, "")
    assert f"{WEB}, release: is not ready, 1 of {len(NAMES)} checks NG\n" in done.out
    lines = done.out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("NG")]
    assert lines[at].startswith("NG    freeze         frozen by ")
    assert lines[at + 1] == f"{'':21}fix: `moorings thaw shop/production` when the reason is gone"
    told = account.moorings("verify", WEB, "--json")
    assert (told.code, told.json["service"], told.json["action"], told.json["ready"]) == (1, WEB, "release", False)
    assert [check["check"] for check in told.json["checks"]] == NAMES
    assert told.json["checks"][3]["result"] == "NG"
    assert told.json["checks"][3]["fix"] == "`moorings thaw shop/production` when the reason is gone"
    assert told.json["checks"][0]["fix"] is None
    assert ready


def test_what_is_meant_to_be_done_can_be_said(account: Account, ready: str) -> None:
    """A restart changes no image, so no freeze holds it; before the first release there is nothing to restart."""
    assert account.moorings("release", "production", ready).code == 0
    account.moorings("freeze", "production", "--reason", "stock-taking")
    assert account.moorings("verify", "production").code == 1
    done = account.moorings("verify", "production", "--for", "restart")
    assert (done.code, done.out.splitlines()[0]) == (0, f"{WEB}, restart: is ready")
    assert account.moorings("verify", "production", "--for", "rollback").code == 1


def test_a_rollback_is_asked_for_by_number_too(account: Account, ready: str) -> None:
    """As ``rollback --to`` takes it."""
    assert account.moorings("release", "production", ready).code == 0
    other = account.image(2, "shop/staging/web", WEB)
    assert account.moorings("release", "staging").code == 0
    assert account.moorings("release", "production", other[7:19]).code == 0
    done = account.moorings("verify", "production", "1", "--for", "rollback")
    assert (done.code, done.out.splitlines()[0]) == (0, f"{WEB}, rollback: is ready")
    assert f"{ready[:19]} in {WEB} is ACTIVE" in done.out
    refused = account.moorings("verify", "production", "77", "--for", "rollback")
    assert refused.code == 1
    assert "fix:" not in refused.out, "the sentence has it"


def test_the_image_that_is_named_is_judged(account: Account, ready: str) -> None:
    """A build that staging never ran is not ready; by default it is what staging ran, which is older."""
    other = account.image(2, WEB)
    assert account.moorings("verify", "production", other).code == 1
    assert account.moorings("verify", "production", ready).code == 0
    assert account.moorings("verify", "production").code == 0
