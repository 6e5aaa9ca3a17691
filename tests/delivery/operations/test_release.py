"""Releases that come to an end, good or bad."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from constructs_lib.delivery.operations import freeze
from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NothingToDo, Refused
from tests.delivery.operations.shop import ROLE, Shop
from tests.fake_aws.core import ACCOUNT, Fault, Params

WRITES = {"PutParameter", "UpdateStack", "PutImage", "UpdateService", "DeleteParameters", "CancelUpdateStack"}


def writes(shop: Shop) -> set[str]:
    """The writing operations that were called."""
    return {name.split(".")[1] for name in shop.aws.calls} & WRITES


def test_a_first_release_brings_the_image_and_its_tasks() -> None:
    """From zero tasks: parameter, stack, tasks and targets all have the digest, and the ledger says who did it."""
    shop = Shop()
    digest = shop.build()
    entry = shop.run("staging", "release")
    assert (entry.number, entry.state, entry.digest, entry.previous) == (1, "successful", digest, "none")
    assert shop.parameter("staging") == shop.running("staging") == digest
    assert shop.ecs.states(shop.stack("staging").service) == ["healthy", "healthy"]
    assert shop.cloudformation.updates == [("shop--staging--services", digest, ROLE.format(ACCOUNT, "staging"))]
    assert entry.who.endswith("assumed-role/operator/somebody")
    assert entry.build_tag.startswith("staging-20260401T")
    assert entry.commit == entry.build_tag[-12:]
    assert shop.pinned("staging") == {digest}
    assert shop.entries("staging") == [entry]


def test_the_ledger_says_who_pressed_the_button() -> None:
    """In CodeBuild the caller is the project's role, so the command line says who started the build."""
    shop = Shop()
    shop.build()
    entry = shop.run("staging", "release", world=replace(shop.world(), who=lambda: "somebody in CodeBuild shop:1"))
    assert entry.who == shop.entries("staging")[0].who == "somebody in CodeBuild shop:1"
    assert shop.aws.calls["sts.GetCallerIdentity"] == 0


def test_the_newest_build_is_released_by_default() -> None:
    """An image without a build tag, an archived one and an older one are left; without any build it is refused."""
    shop = Shop()
    with pytest.raises(Refused, match="no ACTIVE image with a build tag"):
        shop.run("staging", "release")
    shop.build()
    newest, archived = shop.build(), shop.build()
    shop.ecr.archive("shop/staging/web", archived)
    shop.ecr.push("shop/staging/web", ["latest"])
    assert shop.run("staging", "release").digest == newest


def test_nothing_to_do() -> None:
    """What runs already by a good release makes no entry and no update."""
    shop = Shop()
    _, running = shop.given("staging")
    with pytest.raises(NothingToDo, match=r"runs sha256:[0-9a-f]{12} already, by release 2"):
        shop.run("staging", "release")
    with pytest.raises(NothingToDo):
        shop.run("staging", "rollback", running)
    assert writes(shop) == set()


def test_another_update_of_the_stack_is_busy() -> None:
    """A ``cdk deploy`` that is under way is waited for by nobody: the state is named."""
    shop = Shop()
    shop.given("staging")
    shop.build()
    shop.cloudformation.deploy("shop--staging--services")
    with pytest.raises(Busy, match="UPDATE_IN_PROGRESS"):
        shop.run("staging", "release")
    assert writes(shop) == set()


def test_an_update_that_begins_in_between_is_waited_for() -> None:
    """Somebody deploys after the checks: the release comes after it, and both come to their ends."""
    shop = Shop()
    shop.given("staging")
    digest = shop.build()

    def before(operation: str, _params: Params) -> None:
        if operation == "ssm.PutParameter":
            shop.aws.before = lambda _operation, _params: None
            shop.cloudformation.deploy("shop--staging--services")

    shop.aws.before = before
    assert shop.run("staging", "release").state == "successful"
    assert shop.running("staging") == digest
    assert any("being updated by somebody else" in line for line in shop.lines)


def test_the_template_that_another_update_brings_is_the_one_that_is_kept() -> None:
    """It has one parameter more, which the release then keeps too; and each of its requests has its own token."""
    shop = Shop()
    shop.given("staging")
    digest, tokens = shop.build(), list[str]()

    def before(operation: str, params: Params) -> None:
        if operation == "cloudformation.UpdateStack":
            tokens.append(params["ClientRequestToken"])
        if operation == "ssm.PutParameter" and not shop.stack("staging").keys[1:]:
            shop.cloudformation.deploy("shop--staging--services")
            shop.stack("staging").keys.append("Extra")

    shop.aws.before = before
    entry = shop.run("staging", "release")
    assert (entry.state, shop.running("staging")) == ("successful", digest)
    assert len(tokens) == len(set(tokens)) == 2
    assert all(token.startswith(f"moorings-3-{entry.token}-") for token in tokens)


def test_what_fails_for_a_moment_while_waiting_is_asked_again() -> None:
    """Every reading call of the wait, and the renewal, fails twice, and the release is successful all the same."""
    shop = Shop()
    shop.given("staging")
    shop.stack("staging").slow = timedelta(minutes=5)
    digest = shop.build()
    reads = ["cloudformation.DescribeStacks", "ecs.DescribeServices", "elbv2.DescribeTargetHealth"]
    faults = dict.fromkeys([*reads, "ssm.PutParameter"], 2)

    def before(operation: str, params: Params) -> None:
        ends = '"state": "successful"' in params.get("Value", "")
        if shop.cloudformation.updates and faults.get(operation, 0) and not ends:
            faults[operation] -= 1
            raise Fault("ThrottlingException", "Rate exceeded")

    shop.aws.before = before
    entry = shop.run("staging", "release")
    assert (entry.state, entry.digest) == ("successful", digest)
    assert shop.running("staging") == digest
    assert set(faults.values()) == {0}
    assert any("DescribeStacks failed: ThrottlingException" in line for line in shop.lines)
    assert any("the ledger could not be written" in line for line in shop.lines)
    assert any("the lease could not be renewed" in line for line in shop.lines)


def test_a_long_release_holds_its_place() -> None:
    """The lease is renewed while the stack is updated, so nobody can begin, whenever they try."""
    shop = Shop()
    shop.given("staging")
    shop.stack("staging").slow = timedelta(minutes=20)
    shop.build()
    tried: list[bool] = []

    def listener(_now: object) -> None:
        if shop.cloudformation.updates and len(tried) < 200:
            tried.append(any(entry.alive(shop.clock.now()) for entry in shop.entries("staging")))

    shop.clock.listeners.append(listener)
    assert shop.run("staging", "release").state == "successful"
    assert len(tried) == 200
    assert all(tried)


def test_a_process_that_stood_still_stops_when_it_was_overtaken() -> None:
    """Another one took over after the lease: the first writes nothing any more, and says so."""
    shop = Shop()
    oldest, _ = shop.given("staging", 2)
    shop.build()

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.DescribeStacks" and shop.cloudformation.updates:
            shop.aws.before = lambda _operation, _params: None
            shop.clock.sleep(240)
            rival = shop.run("staging", "rollback", oldest, world=shop.world(shop.connect(1)[1]))
            assert rival.state == "successful"

    shop.aws.before = before
    with pytest.raises(Busy, match="taken over by entry 4 of its ledger"):
        shop.run("staging", "release")
    assert shop.running("staging") == shop.parameter("staging") == oldest
    # The rival found it running, steadily, before it went elsewhere.
    assert [entry.state for entry in shop.entries("staging")][2:] == ["successful", "successful"]


def test_ctrl_c_says_what_goes_on_and_what_comes_next() -> None:
    """The sentence names the entry, its state and the way on; the next command finds it finished by AWS."""
    shop = Shop()
    shop.given("staging")
    digest = shop.build()

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.DescribeStacks" and shop.cloudformation.updates:
            shop.aws.before = lambda _operation, _params: None
            raise KeyboardInterrupt

    shop.aws.before = before
    with pytest.raises(
        Interrupted, match=r"release 3 of shop/staging/web stays open in state updating.*moorings status"
    ):
        shop.run("staging", "release")
    shop.clock.sleep(300)
    assert shop.run("staging", "restart").previous == digest
    assert [(entry.action, entry.state) for entry in shop.entries("staging")][2:] == [
        ("release", "successful"),
        ("restart", "successful"),
    ]


def test_verify_changes_nothing() -> None:
    """It reads, and answers with all checks."""
    shop = Shop()
    shop.given("staging")
    shop.build()
    checks = shop.verify("staging")
    assert list(checks) == [
        "stack", "other release", "neighbours", "freeze", "parameter", "image", "platform", "scan", "upstream",
        "window", "alarms",
    ]  # fmt: skip
    assert {check.result for check in checks.values()} == {"OK", "SKIP"}
    assert writes(shop) == set()


def test_a_freeze_stops_releases_and_rollbacks_but_no_restart() -> None:
    """A restart changes no image, so it is not held."""
    shop = Shop()
    shop.given("staging")
    shop.build()
    ssm = shop.world().clients.ssm
    freeze.freeze(ssm, "shop", "staging", who="me", reason="a sale", now=shop.clock.now())
    for action in ("release", "rollback"):
        with pytest.raises(Refused, match=r"frozen by me.*a sale"):
            shop.run("staging", action)
    assert shop.run("staging", "restart").state == "successful"


def test_refusals_name_every_check_that_failed() -> None:
    """A person mends all of them at once; the checks come with the exception."""
    shop = Shop()
    digest = shop.build()
    shop.ecr.runs_on("shop/staging/web", digest, "linux/amd64")
    shop.change("staging", scan_threshold="high")
    with pytest.raises(Refused, match=r"platform: linux/amd64 .*scan: cannot be scanned") as caught:
        shop.run("staging", "release")
    assert {check.name for check in caught.value.checks if check.result == "NG"} == {"platform", "scan"}
    assert shop.entries("staging") == []
