"""An image beside the application's that is gone: the next task would not start (Q4)."""

from __future__ import annotations

import pytest

from constructs_lib.delivery.ledger import Action
from constructs_lib.delivery.operations.outcomes import Refused
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params

AGENTS = "agents/cloudwatch"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def with_agent(image: str = "") -> tuple[Shop, str]:
    """A shop whose tasks have an agent beside the application, and the agent's digest."""
    shop = Shop()
    shop.ecr.repository(AGENTS)
    digest = shop.ecr.push(AGENTS, ["v1"])
    shop.cloudformation.sidecars["agent"] = image or f"{HOST}/{AGENTS}@{digest}"
    shop.given("staging")
    return shop, digest


@pytest.mark.parametrize("action", ["release", "rollback", "restart"])
def test_a_missing_one_is_told_before_anything_begins(action: Action) -> None:
    """Before, a release waited for its whole limit and went back; now a sentence names the image and the fix."""
    shop, digest = with_agent()
    shop.ecr.delete(AGENTS, digest)
    shop.build()
    entries = shop.entries("staging")
    with pytest.raises(Refused, match=rf"{digest[:19]} in {AGENTS} is missing.*push or restore it first") as refused:
        shop.run("staging", action)
    assert [check.name for check in refused.value.checks if check.result == "NG"] == ["sidecars"]
    assert shop.entries("staging") == entries


def test_an_archived_one_cannot_be_pulled_either() -> None:
    """ECR lists it still."""
    shop, digest = with_agent()
    shop.ecr.archive(AGENTS, digest)
    assert shop.verify("staging")["sidecars"].result == "NG"


def test_one_that_is_there_stops_nothing() -> None:
    """And it is said that it was looked at."""
    shop, _ = with_agent()
    shop.build()
    assert shop.verify("staging")["sidecars"].result == "OK"
    assert shop.run("staging", "release").state == "successful"


def test_a_repository_that_is_gone_is_an_image_that_is_gone() -> None:
    """ECR says so in other words."""
    shop, _ = with_agent()
    del shop.ecr.repositories[AGENTS]
    assert shop.verify("staging")["sidecars"].result == "NG"


def test_what_may_not_be_read_is_said_and_stops_nothing() -> None:
    """The button's role reads its own repository only, and a person's may be no wider."""
    shop, _ = with_agent()

    def denied(operation: str, params: Params) -> None:
        if operation == "ecr.DescribeImages" and params["repositoryName"] == AGENTS:
            raise Fault("AccessDeniedException", "not authorized to perform: ecr:DescribeImages")

    shop.aws.before = denied
    check = shop.verify("staging")["sidecars"]
    assert check.result == "SKIP"
    assert AGENTS in check.seen


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        ("public.ecr.aws/cloudwatch-agent/cloudwatch-agent@sha256:" + "a" * 64, None),
        (f"{HOST}/{AGENTS}:latest", None),
        (f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/{AGENTS}@sha256:" + "a" * 64, "us-west-2"),
    ],
)
def test_what_is_elsewhere_is_not_looked_at(image: str, seen: str | None) -> None:
    """Public registries, tags, and repositories of another region, which are said."""
    shop, _ = with_agent(image)
    check = shop.verify("staging").get("sidecars")
    assert (check is None) == (seen is None)
    if check is not None and seen is not None:
        assert check.result == "SKIP"
        assert seen in check.seen


def test_a_task_without_sidecars_costs_no_call() -> None:
    """The images come with the task definition, which is read anyway."""
    shop = Shop()
    shop.given("staging")
    assert "sidecars" not in shop.verify("staging")
