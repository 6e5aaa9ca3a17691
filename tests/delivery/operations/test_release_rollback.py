"""Going back, starting again, and the calls that it takes."""

from __future__ import annotations

from collections import Counter

import pytest

from constructs_lib.delivery.ledger import Action
from constructs_lib.delivery.operations.outcomes import NeedsRepair, Refused
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
    bad = shop.build(behaviour="cannot start")
    assert shop.run("staging", "release").state == "failed"
    never = shop.build()
    for target, said in (
        ("77", "got 77"),
        (never, "was successful in shop/staging/web"),
        ("latest", "got 'latest'"),
        (bad[7:19], "no image that ran successfully in shop/staging/web has a digest that begins with"),
        (never[7:19], "no image that ran successfully in shop/staging/web has a digest that begins with"),
    ):
        with pytest.raises(Refused, match=said):
            shop.run("staging", "rollback", target)
    assert shop.running("staging") == two != three


def test_a_rollback_by_a_shorter_name_asks_the_ledger_only() -> None:
    """The first digits, as the history shows them, or the build tag; the repository is not listed for it."""
    shop = Shop(tasks=1)
    one, two, _ = shop.given("staging", 3)
    assert shop.verify("staging", "rollback", two[7:19])["image"].result == "OK"
    assert shop.aws.calls["ecr.DescribeImages"] == 1
    assert shop.run("staging", "rollback", two[7:19]).digest == two
    assert shop.run("staging", "rollback", shop.entries("staging")[0].build_tag).digest == one


def test_a_rollback_does_not_ask_for_findings() -> None:
    """They were found after it ran: a note, or nobody could go back from what is worse."""
    shop = Shop(tasks=1)
    before, _ = shop.given("staging")
    shop.change("staging", scan_threshold="high")
    shop.ecr.scans[before] = ("COMPLETE", {"CRITICAL": 3})
    cases: list[tuple[Action, str | None, str]] = [
        ("release", before, "NG"),
        ("rollback", None, "SKIP"),
        ("rollback", "1", "SKIP"),
    ]
    for action, target, result in cases:
        check = shop.verify("staging", action, target)["scan"]
        assert (check.result, bool(check.fix)) == (result, result == "NG")
        assert check.seen.startswith("3 critical")
    assert shop.run("staging", "rollback").digest == before


@pytest.mark.parametrize("action", ["release", "rollback"])
def test_a_release_parameter_that_is_gone_is_made_again(action: Action) -> None:
    """No update of the stack works without it, so neither way may wait for a person."""
    shop = Shop(tasks=1)
    before, _ = shop.given("staging")
    shop.build()
    del shop.ssm.parameters[shop.stack("staging").parameter]
    assert "does not exist; a release or a rollback makes it again" in shop.verify("staging", action)["parameter"].seen
    entry = shop.run("staging", action)
    assert entry.state == "successful"
    assert shop.parameter("staging") == shop.running("staging") == entry.digest
    assert (entry.digest == before) == (action == "rollback")


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


def test_what_is_about_to_happen_is_said_first() -> None:
    """Image, build tag and place, and what runs now: whoever mistyped can still press Ctrl-C."""
    shop = Shop(tasks=1)
    first, second = shop.build(), shop.build()
    tags = {one: shop.ecr.image("shop/staging/web", one).tags[0] for one in (first, second)}

    def said(action: Action, target: str | None = None) -> str:
        shop.lines.clear()
        shop.run("staging", action, target)
        return shop.lines[0]

    one, two = (f"{digest[:19]} ({tags[digest]})" for digest in (first, second))
    assert said("release", first) == f"releasing {one} to shop/staging/web; nothing runs now"
    assert said("release", second) == f"releasing {two} to shop/staging/web; {first[:19]} runs now"
    assert said("rollback") == f"taking shop/staging/web back to {one}; {second[:19]} runs now"
    assert said("restart") == f"restarting shop/staging/web with new tasks of {one}"


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


def test_a_stack_that_needs_repair_does_not_stop_a_restart() -> None:
    """ECS alone is asked, so what hangs can be started anew before anybody has mended the stack (lesson W5)."""
    shop = Shop(tasks=1)
    _, running = shop.given("staging")
    shop.stack("staging").status = "UPDATE_ROLLBACK_FAILED"
    check = shop.verify("staging", "restart")["stack"]
    assert (check.result, check.fix) == ("SKIP", "")
    assert check.seen == "shop--staging--services is UPDATE_ROLLBACK_FAILED, which a restart does not change"
    entry = shop.run("staging", "restart")
    assert (entry.state, entry.digest) == ("successful", running)
    assert (shop.cloudformation.updates, shop.stack("staging").status) == ([], "UPDATE_ROLLBACK_FAILED")
    with pytest.raises(NeedsRepair, match=r"no rollback of shop/staging/web: .*continue-update-rollback"):
        shop.run("staging", "rollback")


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
