"""Two services in one stack: an update of one reads the parameter of the other too."""

from __future__ import annotations

from contextlib import suppress

import pytest

from constructs_lib.delivery.ledger import Action, Entry
from constructs_lib.delivery.operations import release
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.settings import DeliverySettings
from tests.delivery.operations.cuts import Killed
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import Params

API = "/moorings/shop/staging/api/digest"


def shared() -> tuple[Shop, DeliverySettings]:
    """A shop whose staging has two services in its stack, and the second one's settings."""
    shop = Shop()
    shop.given("staging", 2)
    return shop, shop.neighbour()


def run(shop: Shop, settings: DeliverySettings, action: Action, target: str | None = None) -> Entry:
    """A command of the second service."""
    return release.run(shop.world(), settings, release.Request(action=action, target=target))


def killed_before_the_update(shop: Shop, settings: DeliverySettings) -> str:
    """A release of the second service that wrote its parameter, and no more; its digest."""
    half = shop.build(behaviour="cannot start", repository=settings.repository)

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.UpdateStack":
            raise Killed

    shop.aws.before = before
    with suppress(Killed):
        run(shop, settings, "release", half)
    shop.connect(0)
    shop.clock.sleep(240)
    assert shop.ssm.value(API) == half
    return half


def running(shop: Shop) -> str:
    """The digest that the second service runs."""
    (api,) = shop.stack("staging").others
    return shop.ecs.digest(shop.ecs.scheduled[api.service].deployments[0].task_definition)


def test_services_of_one_stack_are_released_one_after_the_other() -> None:
    """Neither changes the other."""
    shop, settings = shared()
    theirs, ours = shop.build(repository=settings.repository), shop.build()
    assert run(shop, settings, "release", theirs).state == "successful"
    assert shop.run("staging", "release").state == "successful"
    assert (running(shop), shop.running("staging")) == (theirs, ours)


@pytest.mark.parametrize("action", ["release", "rollback"])
def test_what_was_half_written_for_a_neighbour_stops_an_update(action: Action) -> None:
    """It would be brought along, watched by nobody; the sentence names both ways on, and the first of them helps."""
    shop, settings = shared()
    good = running(shop)
    half = killed_before_the_update(shop, settings)
    shop.build()
    with pytest.raises(Refused) as caught:
        shop.run("staging", action)
    said = str(caught.value)
    assert f"shop/staging/api ({half[:19]} is written, {good[:19]} is in the stack)" in said
    assert "`moorings rollback shop/staging/api`" in said
    assert f"`aws ssm put-parameter --overwrite --name {API} --value {good} --region eu-west-1`" in said
    assert shop.cloudformation.updates == []
    assert run(shop, settings, "rollback").digest == good
    assert shop.run("staging", action).state == "successful"
    assert running(shop) == good


def test_two_that_stop_each_other_are_freed_by_the_command_that_is_named() -> None:
    """Both were killed between parameter and update: written back by hand, one comes first, then the other."""
    shop, settings = shared()
    good = running(shop)
    killed_before_the_update(shop, settings)
    half = shop.ssm.value(API)
    shop.ssm.put(API, good)  # as it was when the other one looked

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.UpdateStack":
            raise Killed

    shop.build()
    shop.aws.before = before
    with suppress(Killed):
        shop.run("staging", "release")
    shop.connect(0)
    shop.clock.sleep(240)
    shop.ssm.put(API, half)
    with pytest.raises(Refused, match="neighbours"):
        shop.run("staging", "rollback")
    with pytest.raises(Refused, match="neighbours"):
        run(shop, settings, "rollback")
    shop.ssm.put(API, good)
    assert shop.run("staging", "rollback").state == "successful"
    assert run(shop, settings, "rollback").state == "successful"
    assert running(shop) == good


def test_a_restart_asks_for_neighbours_only_when_it_updates_the_stack() -> None:
    """It starts new tasks by ECS alone, unless it ends a release that was broken off."""
    shop, settings = shared()
    killed_before_the_update(shop, settings)
    assert shop.run("staging", "restart").state == "successful"
    assert running(shop) != shop.ssm.value(API)
    assert shop.verify("staging", "restart")["neighbours"].result == "SKIP"
    assert shop.verify("staging", "rollback")["neighbours"].result == "NG"
