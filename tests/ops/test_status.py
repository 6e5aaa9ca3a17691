"""``moorings status``: what runs, what is under way, what holds releases; also after a Ctrl-C and after a kill."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from constructs_lib.naming import delivery_settings_name
from constructs_lib.ops.service_status import came_by
from tests.fake_aws.core import Fault
from tests.fake_aws.sts import CALLER
from tests.ops.delivery import Account, build_tag, digest
from tests.ops.support import NOW

WEB = "shop/production/web"
WINDOW = "0 22 * * MON-FRI for 240 minutes in Asia/Tokyo"


def rows(out: str) -> dict[str, str]:
    """The rows of one service by their first word."""
    lines = out.splitlines()[1:]
    return {line[2:].partition("  ")[0].strip(): line[2:].partition("  ")[2].strip() for line in lines}


@pytest.fixture
def released(account: Account) -> list[str]:
    """Build 1 ran in staging and production, build 2 in staging only, build 3 nowhere."""
    for place in ("shop/staging/web", WEB):
        account.stack(place)
    images = [account.image(number, "shop/staging/web", WEB) for number in (1, 2, 3)]
    assert account.moorings("release", "staging", images[0]).code == 0
    assert account.moorings("release", "production", images[0]).code == 0
    assert account.moorings("release", "staging", images[1]).code == 0
    return images


def test_a_service_as_a_person_reads_it(account: Account, released: list[str]) -> None:
    """What runs with its build tag, since when and by whom, and each other row."""
    done = account.moorings("status", "production")
    assert (done.code, done.err, done.out.splitlines()[0]) == (0, "", WEB)
    found = rows(done.out)
    ended = account.ended(WEB, 1)
    since = f"{ended:%Y-%m-%d %H:%M} UTC ({(account.clock.now() - ended).seconds} s)"
    assert found == {
        "runs": released[0],
        "build": build_tag(1),
        "since": f"{since}, release 1 by {CALLER}",
        "tasks": "2 of 2 running",
        "targets": "2 healthy",
        "stack": "shop--production--services is UPDATE_COMPLETE",
        "release": "none under way",
        "window": "none, so releases may begin at any time",
        "gap": "behind: shop/staging/web has 2 newer builds, the first of them waiting for 2.4 days; "
        "1 of them ran there",
        "alarms": "none is red",
    }


def test_a_service_as_a_program_reads_it(account: Account, released: list[str]) -> None:
    """Every field of one service."""
    done = account.moorings("status", WEB, "--json")
    (told,) = done.json["services"]
    assert (done.code, done.err) == (0, "")
    assert told.pop("at") == account.clock.now().isoformat()
    assert told == {
        "service": WEB,
        "account": "111111111111",
        "region": "eu-west-1",
        "running": {
            "digest": released[0],
            "build_tag": build_tag(1),
            "commit": "000000000001",
            "since": told["running"]["since"],
            "who": CALLER,
            "release": 1,
        },
        "release_parameter": released[0],
        "tasks": {"running": 2, "desired": 2, "deployment": "COMPLETED"},
        "healthy_targets": 2,
        "healthy_tasks": None,
        "stack": {"name": "shop--production--services", "status": "UPDATE_COMPLETE", "condition": "ready"},
        "open_release": None,
        "next": None,
        "freeze": None,
        "window": None,
        "gap": {
            "upstream": "staging",
            "builds": 2,
            "days": told["gap"]["days"],
            "ran": 1,
            "running": build_tag(1),
            "newest": build_tag(3),
            "known": True,
        },
        "red_alarms": [],
        "not_read": [],
    }
    assert round(told["gap"]["days"], 1) == 2.4


def test_a_worker_has_healthy_tasks_and_no_targets(account: Account) -> None:
    """Without a load balancer ECS is asked, and nobody else."""
    settings = replace(account.settings["shop/staging/web"], target_group="")
    account.ssm.put(delivery_settings_name("shop", "staging", "web"), settings.to_json())
    account.stack("shop/staging/web")
    image = account.image(1, "shop/staging/web")
    assert account.moorings("release", "staging", image).code == 0
    account.targets.targets.clear()
    told = account.moorings("status", "staging")
    assert rows(told.out)["health"] == "2 healthy"
    assert "targets" not in rows(told.out)
    (one,) = account.moorings("status", "staging", "--json").json["services"]
    assert (one["healthy_tasks"], one["healthy_targets"], one["not_read"]) == (2, None, [])


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ([], ["shop/production/web", "shop/staging/web"]),
        (["staging"], ["shop/staging/web"]),
        (["shop/production"], ["shop/production/web"]),
        (["shop/production/web"], ["shop/production/web"]),
    ],
)
def test_env_chooses_the_services(account: Account, words: list[str], places: list[str]) -> None:
    """Without ENV, every service of the account and region."""
    told = account.moorings("status", *words, "--json").json["services"]
    assert [one["service"] for one in told] == places


def test_an_env_that_is_not_there_is_refused(account: Account) -> None:
    """With the names that there are."""
    done = account.moorings("status", "prodution")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "there are: shop/production/web, shop/staging/web" in done.err


def test_an_account_without_services_says_where_to_look(account: Account) -> None:
    """Most often it is the wrong region."""
    account.ssm.parameters.clear()
    done = account.moorings("status")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "in eu-west-1, got none; look at --region and --profile" in done.err


def test_a_release_parameter_that_is_gone_is_told(account: Account, released: list[str]) -> None:
    """The next deployment of the stack would fail."""
    del account.ssm.parameters["/moorings/shop/production/web/digest"]
    assert rows(account.moorings("status", "production").out)["parameter"] == (
        f"it does not exist, so no update of the stack works; `moorings release {WEB} {released[0]}` makes it"
    )
    assert len(released) == 3


def test_before_the_first_release(account: Account) -> None:
    """The stack stands with zero tasks."""
    account.stack(WEB)
    found = rows(account.moorings("status", "production").out)
    assert (found["runs"], found["tasks"]) == ("nothing was released yet", "0 of 0 running")
    assert account.moorings("status", "production", "--json").json["services"][0]["running"] is None


def test_a_restart_is_not_since_when_it_runs(account: Account, released: list[str]) -> None:
    """Nor is a second release of the same image: it came with the first of them."""
    account.clock.sleep(600)
    assert account.moorings("restart", "production").code == 0
    assert account.moorings("release", "production", released[1]).code == 0
    assert account.moorings("rollback", "production").code == 0
    assert ", rollback 4 by" in rows(account.moorings("status", "production").out)["since"]
    assert account.moorings("restart", "production").code == 0
    assert ", rollback 4 by" in rows(account.moorings("status", "production").out)["since"]


def test_an_image_came_with_the_first_successful_release_of_an_unbroken_row(account: Account) -> None:
    """Neither a restart, nor a release that failed, nor the same image long ago, nor a second release of it counts."""
    story: list[tuple[int, Any, Any]] = [
        (1, "release", "successful"),
        (2, "release", "successful"),
        (1, "restart", "successful"),
        (1, "release", "failed"),
        (1, "release", "successful"),
        (2, "release", "failed"),
        (1, "release", "successful"),
        (1, "restart", "successful"),
    ]
    entries = [
        account.entry(WEB, number, digest(image), action=action, state=state)
        for number, (image, action, state) in enumerate(story, 1)
    ]
    found = came_by(digest(1), tuple(reversed(entries)))
    assert found is not None
    assert found.number == 5
    assert came_by(digest(2), tuple(reversed(entries))) is None
    assert came_by(digest(1), tuple(reversed(entries[7:]))) is None


def test_a_release_parameter_that_would_stop_all_tasks_is_told(account: Account, released: list[str]) -> None:
    """Somebody wrote ``none``: nothing is wrong yet, and the next deployment of the stack takes the service away."""
    account.ssm.put("/moorings/shop/production/web/digest", "none")
    found = rows(account.moorings("status", "production").out)["parameter"]
    assert found.startswith("it is none, which is not what runs: the next `cdk deploy`, or release of another service")
    assert "of the stack, would stop all tasks; `moorings release" in found
    assert released[0] in found


def test_a_release_that_is_under_way_explains_its_parameter(account: Account, released: list[str]) -> None:
    """It is written before the stack is updated, so there is nothing to put right."""
    account.ssm.put("/moorings/shop/production/web/digest", released[1])
    account.entry(WEB, 2, released[1], state="written", lease=timedelta(minutes=30))
    assert rows(account.moorings("status", "production").out)["parameter"] == (
        f"it is {released[1][:19]}, which is not what runs: release 2 has not ended"
    )


def test_before_the_first_release_a_parameter_comes_by_a_deployment(account: Account) -> None:
    """Nothing runs, so there is no digest to put into it."""
    account.stack(WEB)
    assert "parameter" not in rows(account.moorings("status", "production").out)
    del account.ssm.parameters["/moorings/shop/production/web/digest"]
    found = rows(account.moorings("status", "production").out)
    assert found["parameter"] == "it does not exist; deploy the stack that makes it"


def test_before_the_first_release_all_builds_wait(account: Account) -> None:
    """There is nothing here that could be unknown there."""
    for place in ("shop/staging/web", WEB):
        account.stack(place)
    account.image(1, "shop/staging/web")
    assert account.moorings("release", "staging").code == 0
    found = rows(account.moorings("status", "production").out)["gap"]
    assert found.startswith("behind: shop/staging/web has 1 newer build, waiting for ")
    assert found.endswith(" days; it ran there")


def test_a_build_that_is_not_known_there_makes_all_count(account: Account, released: list[str]) -> None:
    """A number without that note would look like so many forgotten releases."""
    other = account.image(9, WEB, environment="production")
    account.entry(WEB, 2, other, build_tag=build_tag(9, "production"), commit="000000000009")
    account.ssm.put("/moorings/shop/production/web/digest", other)
    account.stacks.deploy("shop--production--services")
    found = rows(account.moorings("status", "production").out)["gap"]
    assert found.startswith("behind: shop/staging/web has 3 newer builds, the first of them waiting for ")
    assert found.endswith(" days; 2 of them ran there; what runs here is not known there, so all count")
    assert len(released) == 3


def test_what_runs_without_a_release_is_told(account: Account, released: list[str]) -> None:
    """Somebody wrote the parameter and deployed by hand: no release in the ledger brought it."""
    account.ssm.put("/moorings/shop/production/web/digest", released[2])
    found = rows(account.moorings("status", "production").out)
    assert found["parameter"] == (
        f"it is {released[2][:19]}, which is not what runs: the next `cdk deploy`, or release of another service of "
        f"the stack, would bring that; `moorings release {WEB} {released[0]}` puts it right"
    )
    account.stacks.deploy("shop--production--services")
    account.clock.sleep(300)
    found = rows(account.moorings("status", "production").out)
    assert found["runs"] == f"{released[2]}, which no release in the ledger brought"


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (NOW, "closed until 2026-04-01 13:00 UTC: Monday to Friday at 22:00 (Asia/Tokyo) for 4 hours"),
        (
            NOW + timedelta(hours=2),
            "open until 2026-04-01 17:00 UTC: Monday to Friday at 22:00 (Asia/Tokyo) for 4 hours",
        ),
    ],
)
def test_the_window_is_open_or_says_when(account: Account, at: Any, says: str) -> None:
    """In words, and with its next opening or its end."""
    account.add(WEB, window=WINDOW)
    account.clock.sleep((at - NOW).total_seconds())
    assert rows(account.moorings("status", "production").out)["window"] == says
    told = account.moorings("status", "production", "--json").json["services"][0]["window"]
    is_open = at > NOW
    assert told == {
        "text": WINDOW,
        "open": is_open,
        "closes": "2026-04-01T17:00:00+00:00" if is_open else None,
        "opens": None if is_open else "2026-04-01T13:00:00+00:00",
    }


def test_a_freeze_says_who_why_and_how_to_lift_it(account: Account) -> None:
    """In words and in JSON."""
    assert account.moorings("freeze", "production", "--reason", "stock-taking").code == 0
    said = f"frozen by {CALLER} since 2026-04-01 12:00 UTC: stock-taking; `moorings thaw shop/production` lifts it"
    assert rows(account.moorings("status", "production").out)["freeze"] == said
    told = account.moorings("status", "production", "--json").json["services"][0]["freeze"]
    assert told == {"who": CALLER, "at": "2026-04-01T12:00:00+00:00", "reason": "stock-taking"}
    assert "freeze" not in rows(account.moorings("status", "staging").out)


def test_red_alarms_are_named(account: Account, released: list[str]) -> None:
    """Those of the service, and not those of another one or green ones."""
    account.alarms.alarms |= {
        f"{WEB}/unhealthy-targets": "ALARM",
        f"{WEB}/errors": "OK",
        "shop/production/web2/errors": "ALARM",
    }
    assert rows(account.moorings("status", "production").out)["alarms"] == f"RED: {WEB}/unhealthy-targets"
    told = account.moorings("status", "production", "--json").json["services"][0]
    assert told["red_alarms"] == [f"{WEB}/unhealthy-targets"]
    assert len(released) == 3


def test_a_deployment_alarm_of_another_name_is_named_too(account: Account) -> None:
    """ECS looks at it in a deployment, whoever made it."""
    account.stack(WEB, alarms=("platform-cpu",))
    account.alarms.alarms |= {"platform-cpu": "ALARM"}
    assert rows(account.moorings("status", "production").out)["alarms"] == "RED: platform-cpu"


def test_a_stack_that_needs_a_person_says_how_it_is_mended(account: Account, released: list[str]) -> None:
    """With the command."""
    account.stacks.stacks["shop--production--services"].status = "UPDATE_ROLLBACK_FAILED"
    found = rows(account.moorings("status", "production").out)
    assert found["stack"].startswith("shop--production--services is UPDATE_ROLLBACK_FAILED: mend what")
    assert "aws cloudformation continue-update-rollback --stack-name shop--production--services" in found["stack"]
    assert len(released) == 3


def test_what_cannot_be_read_is_told_and_the_rest_is_shown(account: Account, released: list[str]) -> None:
    """Exit code 1: not read is never taken for fine."""

    def refuse(operation: str, _params: Any) -> None:
        if operation.startswith(("cloudwatch.", "elbv2.")):
            raise Fault("AccessDenied", "not authorized", 403)

    account.aws.before = refuse
    done = account.moorings("status", "production")
    assert done.code == 1
    assert released[0] in done.out
    assert "  NOT READ  the targets: AccessDenied: not authorized\n" in done.out
    assert "  NOT READ  the alarms: AccessDenied: not authorized\n" in done.out
    assert "none is red" not in done.out
    told = account.moorings("status", "production", "--json")
    assert (told.code, told.json["services"][0]["healthy_targets"]) == (1, None)
    assert told.json["services"][0]["red_alarms"] is None
    assert len(told.json["services"][0]["not_read"]) == 2


def test_a_ledger_that_cannot_be_read_hides_no_open_release(account: Account, released: list[str]) -> None:
    """It does not say that none is under way."""
    account.ssm.put("/moorings/shop/production/web/releases/1", "edited by hand")
    done = account.moorings("status", "production")
    assert done.code == 1
    assert "none under way" not in done.out
    assert "which no release in the ledger brought" not in done.out
    assert "/moorings/shop/production/web/releases/1" in done.out
    assert len(released) == 3


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


def stopping(account: Account, after: int, error: BaseException) -> Any:
    """A sleep that ends the process at a pause."""
    pauses = 0

    def sleep(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses > after:
            raise error
        account.clock.sleep(seconds)

    return sleep


@pytest.mark.parametrize("after", [0, 2])
def test_after_ctrl_c_the_next_command_explains_and_goes_on(account: Account, released: list[str], after: int) -> None:
    """Exit code 130 and one sentence; status says what is open and what becomes of it; the next release ends it."""
    done = account.moorings("release", "production", released[1], sleep=stopping(account, after, KeyboardInterrupt()))
    assert (done.code, done.err.count("\n")) == (130, 1)
    assert "release 2 of shop/production/web stays open in state " in done.err
    assert "what AWS has begun goes on" in done.err
    found = rows(account.moorings("status", "production").out)
    assert found["release"].startswith(f"release 2 of {released[1]} ({build_tag(2)}) by {CALLER} is open since ")
    assert "nobody works on it: the next release, rollback or restart looks at what AWS made of it" in found["release"]
    account.clock.sleep(300)
    assert account.moorings("release", "production", released[1]).code == 0
    assert rows(account.moorings("status", "production").out)["release"] == "none under way"
    states = [one["state"] for one in account.moorings("history", "production", "--json").json["releases"]]
    assert set(states) <= {"successful", "failed"}
    assert rows(account.moorings("status", "production").out)["runs"].startswith(released[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_told_to_end_leaves_the_place_free(
    account: Account, released: list[str], number: signal.Signals
) -> None:
    """A stopped build or a closed terminal is like Ctrl-C: the next command need not wait for a lease."""

    def told(_seconds: float) -> None:
        os.kill(os.getpid(), number)

    former = signal.getsignal(number)
    done = account.moorings("release", "production", released[1], sleep=told)
    assert (done.code, "stays open in state" in done.err) == (130, True)
    assert signal.getsignal(number) == former
    assert account.moorings("release", "production", released[1]).code == 0


def test_status_says_that_the_last_release_failed(account: Account, released: list[str]) -> None:
    """Else a person would see only that nothing is under way."""
    assert account.moorings("release", "production", released[1]).code == 0
    assert rows(account.moorings("status", "production").out)["release"] == "none under way"
    account.ecs.behaviour[released[0]] = "cannot start"
    assert account.moorings("rollback", "production").code == 1
    found = rows(account.moorings("status", "production").out)
    assert (
        found["release"]
        == "none under way; the last, rollback 3, failed: `moorings history shop/production/web` says why"
    )
    assert found["runs"].startswith(released[1])


def test_after_a_kill_status_says_until_when_to_wait(account: Account, released: list[str]) -> None:
    """While the lease lasts nobody can tell a stopped process from one at work; then the entry is taken over."""
    with pytest.raises(Killed):
        account.moorings("release", "production", released[1], sleep=stopping(account, 1, Killed()))
    shown = rows(account.moorings("status", "production").out)["runs"]
    assert shown == f"{released[1]}, by release 2, which has not ended"
    told = account.moorings("status", "production", "--json").json["services"][0]
    assert (told["open_release"]["number"], told["open_release"]["state"]) == (2, "updating")
    assert "is at work, or was stopped hard: nothing else begins before 12:0" in told["next"]
    busy = account.moorings("release", "production", released[1])
    assert (busy.code, busy.out, busy.err.count("\n")) == (3, "", 1)
    account.clock.sleep(200)
    told = account.moorings("status", "production", "--json").json["services"][0]
    assert "nobody works on it" in told["next"]
    assert account.moorings("rollback", "production").code == 0
    assert account.moorings("status", "production", "--json").json["services"][0]["open_release"] is None


def test_an_entry_that_was_overtaken_is_not_what_is_open(account: Account) -> None:
    """Only the newest entry can be."""
    account.stack(WEB)
    account.entry(WEB, 1, digest(1), state="waiting", hours_ago=3)
    account.entry(WEB, 2, digest(2), hours_ago=2)
    told = account.moorings("status", "production", "--json").json["services"][0]
    assert told["open_release"] is None
