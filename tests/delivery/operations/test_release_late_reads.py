"""AWS shows what was written a moment later: nothing is taken for ended, refused or unchanged because of that."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from constructs_lib.delivery.operations.outcomes import Busy
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import Fault, Params

MOMENT = timedelta(seconds=2)


def test_cloudformation_may_read_the_parameter_as_it_was() -> None:
    """It says that nothing changes, and is asked once more."""
    shop = Shop()
    shop.given("staging")
    digest = shop.build()
    shop.stack("staging").reads_late = 1
    assert shop.run("staging", "release").state == "successful"
    assert shop.running("staging") == shop.parameter("staging") == digest


def test_cloudformation_may_read_the_parameter_as_it_was_on_the_way_back() -> None:
    """Otherwise the stack would stay on what failed."""
    shop = Shop()
    shop.build(behaviour="cannot start")

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.UpdateStack":
            shop.stack("staging").reads_late = min(1, len(shop.cloudformation.updates))
            shop.aws.before = shop.aws.before if not shop.cloudformation.updates else lambda _operation, _params: None

    shop.aws.before = before
    assert shop.run("staging", "release").state == "failed"
    assert shop.stack("staging").reads_late == 0
    assert shop.running("staging") == shop.parameter("staging") == "none"


def test_a_stack_may_be_shown_as_it_was_before_its_update() -> None:
    """The former end is not taken for the new one."""
    shop = Shop()
    shop.given("staging")
    digest = shop.build()
    shop.stack("staging").slow, shop.stack("staging").shows_late = timedelta(seconds=20), MOMENT
    assert shop.run("staging", "release").state == "successful"
    assert shop.running("staging") == digest


def test_an_update_whose_answer_was_lost_is_seen_before_going_back() -> None:
    """It was taken, the answer is an error, and it does not show at once: ledger, parameter and service still agree."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.build()
    held, real = shop.stack("staging"), shop.cloudformation.answer
    held.slow, held.shows_late = timedelta(seconds=20), MOMENT

    def answer(operation: str, params: Params) -> dict[str, Any]:
        answered = real(operation, params)
        if operation == "UpdateStack" and len(shop.cloudformation.updates) == 1:
            raise Fault("ServiceUnavailable", "lost", 503)
        return answered

    shop.cloudformation.answer = answer  # type: ignore[method-assign]
    assert shop.run("staging", "release").state == "failed"
    shop.clock.sleep(300)
    assert shop.running("staging") == shop.parameter("staging") == before


def test_a_service_may_be_shown_as_it_was_before_its_restart() -> None:
    """The former deployment is not taken for one that replaced the new one."""
    shop = Shop()
    shop.given("staging")
    real, former = shop.ecs.answer, list[tuple[dict[str, Any], Any]]()

    def answer(operation: str, params: Params) -> dict[str, Any]:
        if operation == "UpdateService":
            seen = real("DescribeServices", {"cluster": "staging", "services": ["web"]})
            former.append((copy.deepcopy(seen), shop.clock.now() + MOMENT))
        late = operation == "DescribeServices" and former and shop.clock.now() < former[0][1]
        return former[0][0] if late else real(operation, params)

    shop.ecs.answer = answer  # type: ignore[method-assign]
    assert shop.run("staging", "restart").state == "successful"
    assert former


def test_whoever_writes_last_although_overtaken_is_told() -> None:
    """A laptop slept in the call that writes the parameter, and wakes after another release has ended."""
    shop = Shop()
    shop.given("staging")
    stale, fresh = shop.build(), shop.build()
    name = shop.stack("staging").parameter

    def before(operation: str, params: Params) -> None:
        if operation == "ssm.PutParameter" and (params["Name"], params["Value"]) == (name, stale):
            shop.aws.before = lambda _operation, _params: None
            shop.clock.sleep(600)
            rival = shop.run("staging", "release", fresh, world=shop.world(shop.connect(1)[1]))
            assert rival.state == "successful"

    shop.aws.before = before
    with pytest.raises(Busy) as caught:
        shop.run("staging", "release", stale)
    assert (shop.parameter("staging"), shop.running("staging")) == (stale, fresh)
    assert f"`moorings release shop/staging/web {fresh}` puts it right" in str(caught.value)
    assert shop.run("staging", "release", fresh).state == "successful"
    assert shop.parameter("staging") == shop.running("staging") == fresh


def test_an_overtaken_process_does_not_cancel_what_its_successor_began() -> None:
    """It stood still between its last look and the cancellation; it looks once more whether somebody took over."""
    shop = Shop()
    shop.given("staging")
    shop.stack("staging").slow = timedelta(hours=5)
    shop.build()

    def before(operation: str, _params: Params) -> None:
        if operation == "cloudformation.DescribeStackEvents":
            shop.aws.before = lambda _operation, _params: None
            shop.ssm.put("/moorings/shop/staging/web/releases/4", shop.entries("staging")[-1].to_json())

    shop.aws.before = before
    with pytest.raises((Busy, ValueError)):
        shop.run("staging", "release")
    assert shop.aws.calls["cloudformation.CancelUpdateStack"] == 0
