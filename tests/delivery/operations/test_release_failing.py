"""Releases that fail: what ran before runs again, and the entry says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.operations.outcomes import NeedsRepair
from constructs_lib.delivery.operations.owner import Owner
from constructs_lib.delivery.operations.waiting import service_now
from tests.delivery.operations.shop import ALARM, GuardedPins, Shop
from tests.fake_aws.core import Fault, Params


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [("cannot start", "Essential container in task exited"), ("never healthy", "ELB health checks")],
)
def test_a_bad_image_goes_back_and_says_why(behaviour: Any, said: str) -> None:
    """Stack, parameter and tasks are as before, and the entry has the task's reason and the first failed resource."""
    shop = Shop()
    _, before = shop.given("staging")
    bad = shop.build(behaviour=behaviour)
    entry = shop.run("staging", "release")
    assert (entry.state, entry.digest, entry.previous) == ("failed", bad, before)
    assert said in entry.reason
    assert "WebService (AWS::ECS::Service) UPDATE_FAILED: " in entry.reason
    assert "circuit breaker" in entry.reason.lower()
    assert "Resource update cancelled" not in entry.reason
    assert "Scaling activity" not in entry.reason
    assert shop.parameter("staging") == shop.running("staging") == before
    assert shop.ecs.states(shop.stack("staging").service) == ["healthy", "healthy"]
    assert shop.aws.calls["cloudformation.CancelUpdateStack"] == 0


def test_the_whole_reason_is_said_once() -> None:
    """While it goes back a short one is enough; the ledger has the whole, which the command says at its end."""
    shop = Shop(tasks=1)
    _, before = shop.given("staging")
    bad = shop.build(behaviour="cannot start")
    entry = shop.run("staging", "release")
    (at,) = [number for number, line in enumerate(shop.lines) if line.startswith("it failed: ")]
    assert shop.lines[at + 1] == f"going back to {before[:19]}"
    short = shop.lines[at].removeprefix("it failed: ")
    assert entry.reason.startswith(f"{short[:1].upper()}{short[1:]}. A task stopped: ")
    assert not any("A task stopped" in line for line in shop.lines)
    tag = shop.ecr.image("shop/staging/web", bad).tags[0]
    assert shop.lines[0] == f"releasing {bad[:19]} ({tag}) to shop/staging/web; {before[:19]} runs now"


@pytest.mark.parametrize("behaviour", ["cannot start", "never healthy"])
def test_a_first_release_that_fails_stands_with_zero_tasks_again(behaviour: Any) -> None:
    """ECS's breaker saw nothing, for the deployment completed at zero tasks; we look ourselves, and write ``none``."""
    shop = Shop()
    shop.build(behaviour=behaviour)
    entry = shop.run("staging", "release")
    assert entry.state == "failed"
    assert "tasks failed one after the other" in entry.reason
    assert shop.parameter("staging") == shop.running("staging") == "none"
    assert shop.ecs.scheduled[shop.stack("staging").service].desired == 0
    assert [value for _, value, _ in shop.cloudformation.updates] == [entry.digest, "none"]


def test_tasks_that_nobody_asks_for_are_no_success() -> None:
    """A service that stays at zero tasks is not taken for one that runs; after the limit it goes back."""
    shop = Shop(tasks=0)
    shop.build()
    entry = shop.run("staging", "release")
    assert entry.state == "failed"
    assert "after 5 minutes 0 of 0 tasks" in entry.reason.lower()


@pytest.mark.parametrize("red", [True, False])
def test_what_ecs_will_not_take_back_is_cancelled(red: bool) -> None:
    """With the breaker off nothing else would end the update for hours; a red alarm is said beforehand."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.ecs.scheduled[shop.stack("staging").service].breaker = False
    shop.cloudwatch.alarms[ALARM.format("staging")] = "ALARM" if red else "OK"
    shop.build(behaviour="cannot start")
    began = shop.clock.now()
    entry = shop.run("staging", "release")
    assert entry.state == "failed"
    assert shop.clock.now() - began < timedelta(minutes=5)
    assert "Resource update cancelled" not in entry.reason
    assert shop.aws.calls["cloudformation.CancelUpdateStack"] == 1
    assert shop.parameter("staging") == shop.running("staging") == before
    assert any("is red already: ECS ignores alarms" in line for line in shop.lines) == red


@pytest.mark.parametrize("red", [True, False])
def test_a_red_alarm_makes_us_less_patient_than_ecs(red: bool) -> None:
    """The breaker allows 8 failures here; when alarms are red already, and so ignored, 3 are enough."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.ecs.scheduled[shop.stack("staging").service].least_failures = 8
    shop.cloudwatch.alarms[ALARM.format("staging")] = "ALARM" if red else "OK"
    shop.build(behaviour="cannot start")
    assert shop.run("staging", "release").state == "failed"
    assert shop.aws.calls["cloudformation.CancelUpdateStack"] == (1 if red else 0)
    assert any("one after the other while shop-staging-deployment-errors is red" in line for line in shop.lines) == red
    assert shop.running("staging") == before


def test_an_update_without_an_end_is_cancelled() -> None:
    """After an hour the update is cancelled, and what ran before runs on."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.stack("staging").slow = timedelta(hours=5)
    shop.build()
    began = shop.clock.now()
    entry = shop.run("staging", "release")
    assert entry.state == "failed"
    assert timedelta(minutes=60) < shop.clock.now() - began < timedelta(minutes=65)
    assert shop.running("staging") == shop.parameter("staging") == before


def test_a_stack_that_needs_repair_is_said_with_its_command() -> None:
    """The entry stays open; once a person has mended the stack, the next command takes it over."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.stack("staging").stuck = True
    shop.build(behaviour="cannot start")
    for _ in range(2):
        with pytest.raises(NeedsRepair, match="aws cloudformation continue-update-rollback --stack-name shop--staging"):
            shop.run("staging", "release")
    assert [entry.state for entry in shop.entries("staging")][2:] == ["undoing"]
    assert shop.parameter("staging") == before
    shop.stack("staging").stuck = False
    shop.stack("staging").status = "UPDATE_ROLLBACK_COMPLETE"
    shop.cloudformation.given(shop.stack("staging"), before)
    good = shop.build()
    assert shop.run("staging", "release").digest == good
    assert [entry.state for entry in shop.entries("staging")][2:] == ["failed", "successful"]


def test_when_going_back_fails_too_the_entry_stays_open() -> None:
    """The former image is bad now as well: a person is told, and a rollback to an older one takes over."""
    shop = Shop()
    oldest, before = shop.given("staging")
    new = shop.build()

    def turns_bad(_now: object) -> None:
        bad = shop.stack("staging").status.startswith("UPDATE_COMPLETE")
        shop.ecs.behaviour |= {new: "cannot start" if bad else "good", before: "cannot start"}

    shop.clock.listeners.append(turns_bad)
    with pytest.raises(NeedsRepair, match=r"going back to .* failed too.*rollback"):
        shop.run("staging", "release")
    assert shop.entries("staging")[-1].state == "undoing"
    assert shop.parameter("staging") == before
    assert shop.run("staging", "rollback", oldest).state == "successful"
    assert shop.running("staging") == shop.parameter("staging") == oldest
    assert not any(entry.open for entry in shop.entries("staging"))


def test_going_back_is_not_done_before_the_former_image_serves_again() -> None:
    """CloudFormation went back, and the tasks of the former image are not healthy either: no quiet end as "failed"."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.build(behaviour="cannot start")

    def turns_bad(_now: object) -> None:
        if shop.stack("staging").status == "UPDATE_ROLLBACK_COMPLETE":
            shop.ecs.behaviour[before] = "never healthy"

    shop.clock.listeners.append(turns_bad)
    with pytest.raises(NeedsRepair, match=r"going back to .* failed too"):
        shop.run("staging", "release")
    assert shop.entries("staging")[-1].state == "undoing"
    assert (shop.running("staging"), shop.parameter("staging")) == (before, before)


def test_an_image_that_cannot_be_pinned_is_not_released() -> None:
    """Nothing but the ledger is written, and the entry says why."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.build()
    world = shop.world()
    assert isinstance(world.pins, GuardedPins)
    world.pins.error = "the tag is taken"
    entry = shop.run("staging", "release", world=world)
    assert entry.state == "failed"
    assert "could not be pinned: the tag is taken" in entry.reason
    assert shop.aws.calls["cloudformation.UpdateStack"] == 0
    assert len(shop.ssm.parameters[shop.stack("staging").parameter].versions) == 2
    assert shop.parameter("staging") == before


@pytest.mark.parametrize("operation", ["cloudformation.UpdateStack", "ssm.PutParameter"])
def test_an_act_that_aws_refuses_leaves_all_as_it_was(operation: str) -> None:
    """Without permission to update the stack, or to write the parameter, what ran before runs on."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.build(behaviour="cannot start")
    assert "WebService" in shop.run("staging", "release").reason
    shop.clock.sleep(60)
    shop.build()
    name = shop.stack("staging").parameter

    def refuse(called: str, params: Params) -> None:
        if called == operation and params.get("Name", name) == name and params.get("Value") != before:
            raise Fault("AccessDenied", "not allowed", 403)

    shop.aws.before = refuse
    entry = shop.run("staging", "release")
    assert entry.state == "failed"
    assert "AccessDenied" in entry.reason
    assert "WebService" not in entry.reason, "that was the release before"
    assert shop.parameter("staging") == shop.running("staging") == before


def test_a_service_that_is_gone_is_an_answer() -> None:
    """Only what AWS did not answer is asked again."""
    shop = Shop(tasks=1)
    shop.given("staging")
    world, settings = shop.world(), replace(shop.settings("staging"), ecs_service="gone")
    ledger = Ledger(world.clients.ssm, "/moorings/shop/staging/web/releases", shop.clock.sleep)
    owner = Owner(world=world, settings=settings, ledger=ledger, entry=shop.entries("staging")[-1])
    began = shop.clock.now()
    assert service_now(owner) is None
    assert shop.clock.now() == began
