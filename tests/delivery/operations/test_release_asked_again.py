"""A rollback that is asked for twice, after a failure or by two people, never brings back what one went back from."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from constructs_lib.delivery.ledger import Action
from constructs_lib.delivery.operations.outcomes import Interrupted, NeedsRepair, Refused
from tests.delivery.operations.cuts import Killed
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import Fault, Params


def broken_off(
    shop: Shop, action: Action, operation: str, containing: str = "", error: type[BaseException] = Killed
) -> None:
    """A command that ends at this call, and the time until its lease has run out."""

    def before(called: str, params: Params) -> None:
        if called == operation and containing in params.get("Value", ""):
            shop.aws.before = lambda _operation, _params: None
            raise error

    shop.aws.before = before
    with suppress(error, Interrupted):
        shop.run("staging", action)
    shop.connect(0)
    assert shop.entries("staging")[-1].open
    shop.clock.sleep(240)


@pytest.mark.parametrize("error", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize("state", ["pinned", "written", "updating", "waiting"])
def test_a_rollback_that_was_broken_off_goes_where_it_went(state: str, error: type[BaseException]) -> None:
    """Asked for again, it brings the same digest, and not the one that it left."""
    shop = Shop(tasks=1)
    _, two, _bad = shop.given("staging", 3)
    broken_off(shop, "rollback", "ssm.PutParameter", f'"state": "{state}"', error)
    assert shop.run("staging", "rollback").digest == two
    assert shop.running("staging") == shop.parameter("staging") == two


def test_a_rollback_without_a_network_says_to_ask_again_and_that_helps() -> None:
    """Nothing can be reached from the update on; the same command brings the same digest later."""
    shop = Shop(tasks=1)
    _, two, _bad = shop.given("staging", 3)
    down: list[str] = []

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.UpdateStack" or down:
            down.append(operation)
            raise Fault("ServiceUnavailable", "down", 503)

    shop.aws.before = before
    with pytest.raises(NeedsRepair, match="run `moorings rollback shop/staging/web` again"):
        shop.run("staging", "rollback")
    shop.connect(0)
    shop.clock.sleep(240)
    assert shop.run("staging", "rollback").digest == two


def test_a_rollback_that_was_being_undone_goes_further_back() -> None:
    """Its digest could not run, and what it left is what one goes back from: one more is left."""
    shop = Shop(tasks=1)
    one, two, _bad = shop.given("staging", 3)
    shop.ecs.behaviour[two] = "cannot start"
    broken_off(shop, "rollback", "ssm.PutParameter", '"state": "undoing"')
    # Killed before that state was stored, it is still the one that was asked for.
    assert shop.entries("staging")[-1].state != "undoing"
    entries = shop.entries("staging")
    shop.ssm.put("/moorings/shop/staging/web/releases/4", entries[-1].to_json().replace('"updating"', '"undoing"'))
    assert shop.run("staging", "rollback").digest == one


def test_a_release_that_had_changed_nothing_is_not_what_one_goes_back_from() -> None:
    """It died before it wrote the parameter, so the bad one still runs: that is what is left."""
    shop = Shop(tasks=1)
    good, bad = shop.given("staging")
    shop.build()
    broken_off(shop, "release", "ssm.PutParameter", '"state": "pinned"')
    assert shop.parameter("staging") == bad
    assert shop.run("staging", "rollback").digest == good


def test_two_people_who_go_back_do_not_go_forward() -> None:
    """The second is refused, or goes further back; ``--to`` still brings what one went back from."""
    shop = Shop(tasks=1)
    good, bad = shop.given("staging")
    assert shop.run("staging", "rollback").digest == good
    with pytest.raises(Refused, match="moorings rollback shop/staging/web --to 2"):
        shop.run("staging", "rollback")
    assert shop.running("staging") == good
    assert shop.run("staging", "rollback", "2").digest == bad
    with pytest.raises(Refused, match="moorings rollback shop/staging/web --to 3"):
        shop.run("staging", "rollback")


def test_a_second_rollback_goes_further_back() -> None:
    """Both that are newer were gone back from."""
    shop = Shop(tasks=1)
    one, two, _bad = shop.given("staging", 3)
    assert [shop.run("staging", "rollback").digest for _ in range(2)] == [two, one]


def test_production_does_not_take_what_staging_went_back_from() -> None:
    """It ran there successfully, and people fled from it; released there again, it counts again (lesson Q7)."""
    shop = Shop(tasks=1)
    _, bad = shop.given("staging")
    shop.promote(bad)
    assert shop.verify("production", "release", bad)["upstream"].result == "OK"
    shop.run("staging", "rollback")
    found = shop.verify("production", "release", bad)["upstream"]
    assert (found.result, found.seen) == ("NG", f"shop/staging/web went back from {bad[:19]}")
    shop.run("staging", "release", bad)
    assert shop.verify("production", "release", bad)["upstream"].result == "OK"


def test_a_rollback_cancels_the_update_that_it_goes_back_from() -> None:
    """Nobody waits an hour for an update that hangs, to leave what it brings."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    shop.stack("staging").slow = timedelta(hours=5)
    shop.build()
    broken_off(shop, "release", "ssm.PutParameter", '"state": "updating"')
    began = shop.clock.now()
    assert shop.run("staging", "rollback").state == "successful"
    assert shop.clock.now() - began < timedelta(minutes=2)
    assert shop.running("staging") == shop.parameter("staging") == before


@pytest.mark.parametrize("action", ["rollback", "restart"])
def test_nobody_elses_update_is_cancelled(action: Action) -> None:
    """A ``cdk deploy`` of 90 minutes began after a release was broken off: it is waited for."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.build()
    broken_off(shop, "release", "ssm.PutParameter", '"state": "pinned"')
    held = shop.stack("staging")
    held.slow = timedelta(minutes=90)
    shop.cloudformation.deploy(held.name)

    def quick_again(_now: object) -> None:
        if held.status == "UPDATE_COMPLETE":
            held.slow = timedelta(0)

    shop.clock.listeners.append(quick_again)
    assert shop.run("staging", action).state == "successful"
    assert shop.aws.calls["cloudformation.CancelUpdateStack"] == 0
