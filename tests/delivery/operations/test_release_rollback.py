"""Going back, starting again, and the calls that it takes."""

from __future__ import annotations

from collections import Counter

import pytest

from constructs_lib.delivery.operations.outcomes import Refused
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import Params

MOST_CALLS = 25
"""From the command until CloudFormation has taken the update, which is what a person in a hurry waits for."""


def test_a_rollback_takes_few_calls_until_the_update() -> None:
    """With a ledger of 30 entries and pins in place: 22 calls, each of them named here."""
    shop = Shop()
    shop.given("staging", 30)
    calls: list[str] = []

    def before(operation: str, params: Params) -> None:
        if not shop.cloudformation.updates:
            name = params.get("Name", "").rpartition("/")[2]
            calls.append(f"{operation} {name}".rstrip())

    shop.aws.before = before
    assert shop.run("staging", "rollback").state == "successful"
    assert Counter(calls) == {
        # The ledger: three pages, whether something follows, the lock, and three states.
        "ssm.GetParametersByPath": 3,
        "ssm.PutParameter 31": 3,
        "ssm.GetParameter 31": 1,
        # Before each act: whether somebody took over.
        "ssm.GetParameter 32": 2,
        # The checks.
        "ssm.GetParameter freeze": 1,
        "cloudformation.DescribeStacks": 1,
        "ssm.GetParameter digest": 1,
        "ecs.DescribeServices": 1,
        "ecs.DescribeTaskDefinition": 1,
        "ecr.DescribeImages": 2,  # the image, and which pins there are
        "ecr.BatchGetImage": 1,
        "ecr.GetDownloadUrlForLayer": 1,
        "cloudwatch.DescribeAlarms": 1,
        "sts.GetCallerIdentity": 1,
        # The acts.
        "ssm.PutParameter digest": 1,
        "cloudformation.UpdateStack": 1,
    }
    assert len(calls) <= MOST_CALLS


def test_a_rollback_goes_to_the_last_successful_release() -> None:
    """Failed ones are left out, and the entry has what is known of the image."""
    shop = Shop()
    first, second = shop.released(count=2)
    shop.build(behaviour="cannot start")
    assert shop.run("staging", "release").state == "failed"
    entry = shop.run("staging", "rollback")
    assert (entry.action, entry.digest, entry.previous, entry.state) == ("rollback", first, second, "successful")
    assert entry.build_tag == shop.entries("staging")[0].build_tag
    assert shop.running("staging") == shop.parameter("staging") == first


def test_a_rollback_to_a_number_or_digest() -> None:
    """Both name a release of the ledger; what never ran here successfully is refused."""
    shop = Shop()
    one, two, three = shop.given("staging", 3)
    assert shop.run("staging", "rollback", "1").digest == one
    assert shop.run("staging", "rollback", two).digest == two
    never = shop.build()
    for target, said in (("77", "got 77"), (never, "was successful in shop/staging/web"), ("latest", "got 'latest'")):
        with pytest.raises(Refused, match=said):
            shop.run("staging", "rollback", target)
    assert shop.running("staging") == two != three


def test_a_rollback_that_cannot_run_names_the_nearest_that_can() -> None:
    """Missing, archived and built for something else are refused before anything is written."""
    shop = Shop()
    good, amd, archived, gone, _ = shop.given("staging", 5)
    repository = "shop/staging/web"
    shop.ecr.runs_on(repository, amd, "linux/amd64")
    shop.ecr.archive(repository, archived)
    shop.ecr.delete(repository, gone)
    nearest = f"the nearest that can run is {good[:19]} of release 1: `moorings rollback shop/staging/web --to 1`"
    for target, said in ((None, "does not exist"), ("3", "is ARCHIVED"), ("2", "linux/amd64")):
        with pytest.raises(Refused) as caught:
            shop.run("staging", "rollback", target)
        assert said in str(caught.value)
        assert nearest in str(caught.value)
    shop.ecr.archive(repository, good)
    with pytest.raises(Refused, match="no other successful release can run any more"):
        shop.run("staging", "rollback")
    assert len(shop.entries("staging")) == 5


def test_a_rollback_without_a_past_is_refused() -> None:
    """The first release has nothing to go back to."""
    shop = Shop()
    shop.given("staging", 1)
    with pytest.raises(Refused, match="no earlier successful release"):
        shop.run("staging", "rollback")


def test_a_rollback_after_a_broken_off_release_brings_what_it_replaced() -> None:
    """Not one more: the release never ended, so what ran before it is what one goes back to."""
    shop = Shop()
    _, before = shop.given("staging")
    shop.build()
    shop.stack("staging").tasks = 2

    def interrupt(operation: str, _params: Params) -> None:
        if operation == "cloudformation.UpdateStack":
            shop.aws.before = lambda _operation, _params: None
            raise KeyboardInterrupt

    shop.aws.before = interrupt
    with pytest.raises(Exception, match="stays open in state written"):
        shop.run("staging", "release")
    assert shop.parameter("staging") != before
    entry = shop.run("staging", "rollback")
    assert (entry.digest, entry.state) == (before, "successful")
    assert shop.running("staging") == shop.parameter("staging") == before
    assert "broken off in state written, and ended by rollback 4" in shop.entries("staging")[2].reason


def test_a_restart_replaces_all_tasks_at_the_same_digest() -> None:
    """The stack is not touched, and nothing is released (lesson W5)."""
    shop = Shop()
    _, running = shop.given("staging")
    before = set(shop.ecs.tasks)
    entry = shop.run("staging", "restart")
    assert (entry.action, entry.state, entry.digest, entry.previous) == ("restart", "successful", running, running)
    alive = {arn for arn, task in shop.ecs.tasks.items() if task["lastStatus"] == "RUNNING" and "1" * 12 in arn}
    cluster = [arn for arn in alive if "/staging/" in arn]
    assert len(cluster) == 2
    assert not set(cluster) & before
    assert shop.cloudformation.updates == []


def test_a_restart_without_its_image_is_refused() -> None:
    """The tasks that run would be stopped for ones that cannot start (lessons W5, Q2)."""
    shop = Shop()
    _, running = shop.given("staging")
    shop.ecr.archive("shop/staging/web", running)
    with pytest.raises(Refused, match="is ARCHIVED"):
        shop.run("staging", "restart")
    with pytest.raises(Refused, match="has had no release"):
        shop.run("production", "restart")
    assert shop.aws.calls["ecs.UpdateService"] == 0


def test_a_restart_that_fails_leaves_the_old_tasks() -> None:
    """ECS gives the deployment up, and the entry says why."""
    shop = Shop()
    _, running = shop.given("staging")
    shop.ecs.behaviour[running] = "cannot start"
    before = [arn for arn, task in shop.ecs.tasks.items() if task["lastStatus"] == "RUNNING"]
    entry = shop.run("staging", "restart")
    assert entry.state == "failed"
    assert "Essential container in task exited" in entry.reason
    assert shop.parameter("staging") == shop.running("staging") == running
    assert shop.cloudformation.updates == []
    assert before


def test_former_releases_stay_pinned() -> None:
    """After nine releases: what runs and the five before it, and older ones are free to expire."""
    shop = Shop(tasks=1)
    digests = shop.released(count=9)
    assert set(digests[-6:]) <= shop.pinned("staging")
    assert len(shop.pinned("staging")) <= 8
    assert digests[0] not in shop.pinned("staging")
