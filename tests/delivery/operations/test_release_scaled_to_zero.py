"""A service whose tasks somebody scaled away: no release could see that its image works."""

from __future__ import annotations

import pytest

from constructs_lib.delivery.ledger import Action
from constructs_lib.delivery.operations.outcomes import Refused
from tests.delivery.operations.shop import Shop


@pytest.mark.parametrize("action", ["release", "rollback", "restart"])
def test_it_is_refused_at_once_and_says_how_tasks_come_back(action: Action) -> None:
    """Nothing is begun: neither the ledger nor the parameter nor the stack is touched, and no wait is spent."""
    shop = Shop()
    shop.given("staging")
    _, running = shop.given("staging")
    shop.build()
    shop.ecs.scale(shop.stack("staging").service, 0)
    began, entries = shop.clock.now(), shop.entries("staging")
    with pytest.raises(Refused, match=r"0 desired tasks.*update-service.*--desired-count") as refused:
        shop.run("staging", action)
    assert [check.name for check in refused.value.checks if check.result == "NG"] == ["tasks"]
    assert (shop.clock.now(), shop.entries("staging"), shop.running("staging")) == (began, entries, running)


def test_with_tasks_again_the_same_release_goes_through() -> None:
    """What the sentence says is enough."""
    shop = Shop()
    shop.given("staging")
    digest = shop.build()
    shop.ecs.scale(shop.stack("staging").service, 0)
    with pytest.raises(Refused):
        shop.run("staging", "release")
    shop.ecs.scale(shop.stack("staging").service, 2)
    shop.clock.sleep(60)
    assert (shop.run("staging", "release").state, shop.running("staging")) == ("successful", digest)


def test_a_first_release_begins_with_zero_tasks() -> None:
    """Before it nothing runs, and that is as it should be."""
    shop = Shop()
    shop.build()
    assert shop.run("staging", "release").state == "successful"
