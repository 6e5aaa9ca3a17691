"""What the next command makes of a release that was broken off, state by state."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest

from constructs_lib.delivery.operations.outcomes import Busy
from tests.delivery.operations.cuts import Killed
from tests.delivery.operations.shop import GuardedPins, Shop
from tests.fake_aws.core import Params


def killed_at(shop: Shop, operation: str, containing: str = "") -> None:
    """A release of the newest build, whose process dies at this call."""

    def before(called: str, params: Params) -> None:
        if called == operation and containing in params.get("Value", ""):
            raise Killed

    shop.aws.before = before
    with suppress(Killed):
        shop.run("staging", "release")
    shop.connect(0)
    assert shop.entries("staging")[-1].open


def states(shop: Shop) -> Sequence[str]:
    """The states of the entries after those that were there before."""
    return [entry.state for entry in shop.entries("staging")][2:]


def test_nobody_takes_over_before_the_lease_has_run_out() -> None:
    """The process may be alive; three minutes later it is not."""
    shop = Shop(tasks=1)
    shop.given("staging")
    digest = shop.build()
    killed_at(shop, "cloudformation.UpdateStack")
    with pytest.raises(Busy, match=r"shop/staging/web is busy: release 3 by .* is under way, written; wait"):
        shop.run("staging", "release")
    shop.clock.sleep(185)
    assert shop.run("staging", "release").digest == digest
    assert states(shop) == ["failed", "successful"]


def died_while_going_back() -> tuple[Shop, str]:
    """A release without healthy targets, killed before it wrote the parameter back; and what ran before it."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    bad = shop.build()
    shop.change("staging", steady_minutes=1)

    def before_going_back(called: str, params: Params) -> None:
        if called == "ssm.PutParameter" and params["Value"] == before:
            raise Killed

    shop.elbv2.targets[shop.settings("staging").target_group] = list
    shop.aws.before = before_going_back
    with suppress(Killed):
        shop.run("staging", "release")
    shop.connect(0)
    assert shop.entries("staging")[-1].state == "undoing"
    assert shop.running("staging") == shop.parameter("staging") == bad
    shop.elbv2.targets[shop.settings("staging").target_group] = lambda: ["healthy"]
    shop.clock.sleep(240)
    return shop, before


def test_what_was_going_back_is_no_success_though_it_runs() -> None:
    """It had failed already; and when the next release fails too, it is not what one goes back to."""
    shop, before = died_while_going_back()
    shop.build(behaviour="cannot start")
    entry = shop.run("staging", "release")
    assert states(shop) == ["failed", "failed"]
    assert entry.previous == before
    assert shop.running("staging") == shop.parameter("staging") == before


def test_who_takes_over_may_die_as_well() -> None:
    """The second dies right after its entry was made, before it looked: the third still knows what to go back to."""
    shop, before = died_while_going_back()
    shop.build(behaviour="cannot start")

    def just_begun(called: str, _params: Params) -> None:
        if called == "cloudformation.DescribeStacks" and len(states(shop)) == 2:
            raise Killed

    shop.aws.before = just_begun
    with suppress(Killed):
        shop.run("staging", "release")
    shop.connect(0)
    assert states(shop) == ["undoing", "begun"]
    shop.clock.sleep(240)
    assert shop.run("staging", "release").previous == before
    assert states(shop) == ["failed", "failed", "failed"]
    assert shop.running("staging") == shop.parameter("staging") == before


def test_what_came_about_all_the_same_is_a_success() -> None:
    """It died while it waited; AWS finished. When the next release fails, one goes back to it."""
    shop = Shop(tasks=1)
    shop.given("staging")
    digest = shop.build()
    killed_at(shop, "ssm.PutParameter", '"state": "waiting"')
    shop.clock.sleep(240)
    shop.build(behaviour="cannot start")
    entry = shop.run("staging", "release")
    assert states(shop) == ["successful", "failed"]
    assert f"release 3 was successful: {digest[:19]}" in shop.lines
    assert "found it running" in shop.entries("staging")[2].reason
    assert entry.previous == digest
    assert shop.running("staging") == shop.parameter("staging") == digest


def test_an_update_that_still_goes_on_is_waited_for() -> None:
    """The stack takes no second update, so the next command waits for the first one's end."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    shop.stack("staging").slow = timedelta(minutes=20)
    shop.build()
    killed_at(shop, "ssm.PutParameter", '"state": "updating"')
    shop.clock.sleep(240)
    assert shop.stack("staging").status == "UPDATE_IN_PROGRESS"
    assert shop.run("staging", "release", before).digest == before
    assert shop.running("staging") == shop.parameter("staging") == before
    assert states(shop) == ["successful", "successful"]


def test_a_digest_that_only_the_stack_has_is_no_success() -> None:
    """Somebody wrote the parameter back by hand: the next deployment would take the image away again."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    shop.build()
    killed_at(shop, "ssm.PutParameter", '"state": "waiting"')
    shop.clock.sleep(240)
    shop.ssm.put(shop.stack("staging").parameter, before)
    assert shop.run("staging", "rollback").digest == before
    assert states(shop) == ["failed", "successful"]


def test_there_is_something_to_do_while_an_entry_is_open() -> None:
    """The former image runs as before, and a release of it still ends what was broken off."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    shop.build()
    killed_at(shop, "ssm.PutParameter", '"state": "pinned"')
    shop.clock.sleep(240)
    assert shop.run("staging", "release", before).state == "successful"
    assert states(shop) == ["failed", "successful"]


def test_what_was_broken_off_is_undone_though_the_next_release_never_began() -> None:
    """The parameter names the new image already; the next one fails before its first write, and puts it back."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    digest = shop.build()
    killed_at(shop, "cloudformation.UpdateStack")
    assert shop.parameter("staging") == digest
    shop.clock.sleep(240)
    world = shop.world()
    assert isinstance(world.pins, GuardedPins)
    world.pins.error = "the tag is taken"
    assert shop.run("staging", "release", world=world).state == "failed"
    assert shop.running("staging") == shop.parameter("staging") == before


def test_what_was_broken_off_says_why_its_tasks_stopped() -> None:
    """Whoever waited for it was killed before it could ask; ECS forgets soon, so the next one does."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    shop.build(behaviour="cannot start")
    killed_at(shop, "ssm.PutParameter", '"state": "updating"')
    shop.clock.sleep(240)
    assert shop.run("staging", "rollback").digest == before
    reason = shop.entries("staging")[2].reason
    assert reason.startswith("broken off in state written, and ended by rollback 4. A task stopped: ")
    assert "Essential container in task exited" in reason
    assert "CloudFormation: WebService (AWS::ECS::Service) UPDATE_FAILED" in reason
    assert f"release 3 has failed: {shop.entries('staging')[2].digest[:19]}" in shop.lines


@pytest.mark.parametrize("state", ["begun", "pinned"])
def test_what_had_started_nothing_has_no_such_reasons(state: str) -> None:
    """A task of the release before stopped in that time, which is nobody's fault."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.build()
    killed_at(shop, *(("ecr.PutImage",) if state == "begun" else ("ssm.PutParameter", '"state": "written"')))
    assert shop.entries("staging")[-1].state == state
    shop.clock.sleep(240)
    shop.aws.calls.clear()
    shop.run("staging", "release")
    assert shop.entries("staging")[2].reason == f"broken off in state {state}, and ended by release 4"
    assert shop.aws.calls["ecs.ListTasks"] == 0


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_a_taken_over_release_brought_is_pinned(goes_on: bool) -> None:
    """It came about after its process was gone: it runs until the next one is steady, so it must not expire (Q2)."""
    shop = Shop(tasks=1)
    shop.given("staging")
    digest = shop.build()
    killed_at(shop, "ssm.PutParameter", '"state": "waiting"')
    shop.clock.sleep(240)
    for tag, held in shop.ecr.pins("shop/staging/web").items():
        if held == digest:  # somebody took the pin away meanwhile
            shop.ecr.image("shop/staging/web", digest).tags.remove(tag)
            del shop.ecr.repositories["shop/staging/web"].tags[tag]
    assert digest not in shop.pinned("staging")
    if goes_on:
        shop.build()
        assert shop.run("staging", "release").previous == digest
    else:
        assert shop.run("staging", "restart").digest == digest
    assert digest in shop.pinned("staging")


def test_the_image_is_pinned_before_anything_names_it() -> None:
    """A lifecycle policy cannot take it while the parameter, or the stack, has it already (lesson Q2)."""
    shop = Shop(tasks=1)
    shop.given("staging")
    digest = shop.build()
    pinned: list[bool] = []

    def before(called: str, params: Params) -> None:
        if called == "ssm.PutParameter" and params["Value"] == digest:
            pinned.append(digest in shop.pinned("staging"))

    shop.aws.before = before
    shop.run("staging", "release")
    assert pinned == [True]


def test_a_release_that_begins_between_the_looks_is_noticed() -> None:
    """The ledger is read first: whatever is begun after that makes the lock fail, also when it has ended by then."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.build()

    def before(called: str, _params: Params) -> None:
        if called == "ecs.DescribeServices":
            shop.aws.before = lambda _operation, _params: None
            assert shop.run("staging", "rollback", world=shop.world(shop.connect(1)[1])).number == 3

    shop.aws.before = before
    with pytest.raises(Busy, match="entry 3 of its ledger was begun by somebody else"):
        shop.run("staging", "release")
    assert states(shop) == ["successful"]
