"""Which task definitions count, and how each is found by the name that somebody gave it."""

from __future__ import annotations

import pytest
from aws_cdk import App, Stack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib import naming
from constructs_lib.images.runtime.task_definitions import NO_IMAGE, family_of
from constructs_lib.services.deployments import release_switch
from constructs_lib.services.policy import ReleasedDigest
from tests.fake_aws.ecs import PLACE
from tests.images.runtime.account import HOST, Account, digest, image, references, rows, web


def test_the_last_active_revisions_of_each_family_count(account: Account) -> None:
    """A person goes back to them, and nothing else does."""
    arns = [account.ecs.task_definition("web", image(number)) for number in range(1, 6)]
    account.ecs.task_definition("worker", image(9))
    account.ecs.deregister(arns[3])
    reading = account.read(revisions_kept=2)
    assert rows(reading, "task definition") == [
        ("web", arns[2], web(3), False),
        ("web", arns[4], web(5), False),
        ("worker", f"{PLACE}:task-definition/worker:1", web(9), False),
    ]


def test_revisions_are_ordered_by_number(account: Account) -> None:
    """Revision 10 is newer than revision 9, though it sorts before it as a text."""
    for number in range(1, 12):
        account.ecs.task_definition("web", image(number))
    assert references(account.read(revisions_kept=2), "task definition") == {web(10), web(11)}


def test_a_family_is_no_prefix(account: Account) -> None:
    """``web`` and ``web-admin`` do not take each other's places."""
    for number in range(1, 4):
        account.ecs.task_definition("web", image(number))
        account.ecs.task_definition("web-admin", image(10 + number))
    assert references(account.read(revisions_kept=1), "task definition") == {web(3), web(13)}


def test_all_containers_of_a_task_definition_count(account: Account) -> None:
    """Init containers and sidecars are pulled like the rest; what is not in ECR is none of ours."""
    account.ecs.task_definition("web", [image("v1"), image(2), "nginx:latest", f"{HOST}/shop/web"])
    assert references(account.read(), "task definition") == {web("v1"), web(2), web("latest")}


def test_families_with_few_revisions_cost_a_call_for_a_hundred_revisions(account: Account) -> None:
    """However many families there are."""
    for number in range(205):
        account.ecs.task_definition(f"family-{number}", image(number + 1))
    assert len(references(account.read(), "task definition")) == 205
    assert account.aws.calls["ecs.ListTaskDefinitions"] == 3
    assert account.aws.calls["ecs.ListTaskDefinitionFamilies"] == 0
    assert account.aws.calls["ecs.DescribeTaskDefinition"] == 205


def test_a_family_with_many_revisions_does_not_make_the_others_wait(account: Account) -> None:
    """Nobody reads its thousands of revisions to find the newest three."""
    for number in range(1500):
        account.ecs.task_definition("many", image(number + 1))
    for number in range(120):
        account.ecs.task_definition(f"few-{number}", image(5000 + number))
    expected = {web(number) for number in (1498, 1499, 1500)} | {web(5000 + number) for number in range(120)}
    assert references(account.read(), "task definition") == expected
    assert account.aws.calls["ecs.ListTaskDefinitionFamilies"] == 2
    assert account.aws.calls["ecs.ListTaskDefinitions"] == 2 + 121


def test_more_revisions_may_be_kept_than_a_page_holds(account: Account) -> None:
    """Whichever way they are listed."""
    for family in ("many", "more"):
        for number in range(350):
            account.ecs.task_definition(family, image(number + 1))
    reading = account.read(revisions_kept=120)
    assert references(reading, "task definition") == {web(number) for number in range(231, 351)}
    assert len(rows(reading, "task definition")) == 240


@given(
    revisions=st.lists(st.sampled_from([1, 2, 3, 7, 99, 100, 101, 230]), min_size=1, max_size=6),
    kept=st.integers(1, 4),
    inactive=st.integers(0, 3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_newest_of_each_family_are_found_with_few_calls(
    account: Account, revisions: list[int], kept: int, inactive: int
) -> None:
    """Never many more than one for each family, and never more than the pages of the whole list."""
    account.reset()
    expected = set()
    for family, count in enumerate(revisions):
        arns = [account.ecs.task_definition(f"family-{family}", image(1)) for _ in range(count)]
        for arn in arns[max(0, count - inactive) :]:
            account.ecs.deregister(arn)
        expected |= set(arns[: max(0, count - inactive)][-kept:])
    assert {name for _, name, _, _ in rows(account.read(revisions_kept=kept), "task definition")} == expected
    calls = account.aws.calls["ecs.ListTaskDefinitions"] + account.aws.calls["ecs.ListTaskDefinitionFamilies"]
    assert calls <= len(revisions) + 3
    assert calls <= -(-sum(revisions) // 100) + len(revisions) + 1


def test_an_empty_page_is_no_end(account: Account) -> None:
    """AWS may give one with a token; here it goes on for ever, which boto3 ends."""
    account.answering("ecs", "ListTaskDefinitions", {"taskDefinitionArns": [], "nextToken": "again"})
    (gap,) = account.read().gaps
    assert gap.startswith("ecs:ListTaskDefinitions of the account failed: PaginationError")


def test_each_revision_is_described_once(account: Account) -> None:
    """However many refer to it, by whatever name."""
    cluster = account.ecs.cluster()
    definition = account.ecs.task_definition("web", image(1))
    for number in range(3):
        account.ecs.service(cluster, f"web-{number}", definition)
    for name in (definition, "web:1", "web", f"{PLACE}:task-definition/web"):
        account.scheduler.task(f"s-{len(account.scheduler.schedules)}", cluster, name)
    reading = account.read()
    assert account.aws.calls["ecs.DescribeTaskDefinition"] == 1
    assert (len(rows(reading, "schedule")), len(rows(reading, "deployment"))) == (4, 3)
    assert {owner for owner, _, _, _ in rows(reading, "schedule")} == {"web"}


@pytest.mark.parametrize("name", ["web", f"{PLACE}:task-definition/web"])
def test_a_family_alone_means_its_latest_active_revision(account: Account, name: str) -> None:
    """Whatever is registered next will be started, and the newest is what is known."""
    for number in (1, 2, 3):
        account.ecs.task_definition("web", image(number))
    account.ecs.deregister(f"{PLACE}:task-definition/web:3")
    account.scheduler.task("nightly", account.ecs.cluster(), name)
    assert references(account.read(), "schedule") == {web(2)}


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"])
def test_an_old_revision_that_somebody_names_counts(account: Account, status: str) -> None:
    """It is kept if it is deregistered too; but then ECS refuses new tasks of it, whoever runs them."""
    old = account.ecs.task_definition("web", image(1))
    for number in range(2, 8):
        account.ecs.task_definition("web", image(number))
    account.ecs.task_definitions[old]["status"] = status
    cluster = account.ecs.cluster()
    account.scheduler.task("nightly", cluster, "web:1")
    account.events.rule("start")
    account.events.target("start", cluster, old)
    account.stepfunctions.state_machine("orders", {"States": {"A": {"Parameters": {"TaskDefinition": "web:1"}}}})
    reading = account.read(revisions_kept=2)
    found = [row[2:] for source in ("schedule", "rule", "state machine") for row in rows(reading, source)]
    assert found == [(web(1), status == "ACTIVE")] * 3
    assert reading.gaps == ()


def test_what_a_service_runs_starts_though_a_schedule_may_not(account: Account) -> None:
    """A service can still scale on a revision that is deregistered; one description serves both."""
    definition = account.ecs.task_definition("web", image(1))
    cluster = account.ecs.cluster()
    account.ecs.service(cluster, "web", definition)
    account.ecs.external_service(cluster, "blue", [definition])
    account.ecs.tasks[account.ecs.task(cluster, definition, service="web")]["containers"] = []
    account.scheduler.task("nightly", cluster, definition)
    account.ecs.deregister(definition)
    reading = account.read()
    found = {source: rows(reading, source)[0][3] for source in ("deployment", "task set", "task", "schedule")}
    assert found == {"deployment": True, "task set": True, "task": True, "schedule": False}
    assert account.aws.calls["ecs.DescribeTaskDefinition"] == 1


@pytest.mark.parametrize("name", ["gone", "gone:7", f"{PLACE}:task-definition/web:9"])
def test_a_deleted_task_definition_that_a_schedule_names_is_no_gap(account: Account, name: str) -> None:
    """Nothing can start it."""
    account.ecs.task_definition("web", image(1))
    account.scheduler.task("nightly", account.ecs.cluster(), name)
    reading = account.read()
    assert (rows(reading, "schedule"), reading.gaps) == ([], ())


def test_one_that_may_not_be_read_is_a_gap(account: Account) -> None:
    """It may well exist."""
    account.ecs.task_definition("web", image(1))
    account.scheduler.task("nightly", account.ecs.cluster(), "secret:7")
    with account.refusing(lambda _, params: "secret" in str(params.get("taskDefinition"))):
        (gap,) = account.read().gaps
    assert "secret:7" in gap
    assert "AccessDeniedException" in gap


def test_one_that_a_service_names_must_exist(account: Account) -> None:
    """ECS keeps what a service refers to, so a missing one is not understood, and not taken for unused."""
    definition = account.ecs.task_definition("web", image("v1"))
    account.ecs.service(account.ecs.cluster(), "web", definition)
    account.ecs.delete(definition)
    (gap,) = account.read().gaps
    assert gap.startswith(f"ecs:DescribeTaskDefinition of {definition} failed: ClientException")


def test_one_of_another_account_or_region_is_left_to_its_own_guard(account: Account) -> None:
    """Nothing here could describe it, and a guard that never read completely would never free a pin."""
    account.ecs.task_definition("web", image(1))
    cluster = account.ecs.cluster()
    account.scheduler.task("a", cluster, PLACE.replace("111111111111", "222222222222") + ":task-definition/web:1")
    account.scheduler.task("b", cluster, PLACE.replace("eu-west-1", "us-east-1") + ":task-definition/web")
    reading = account.read()
    assert (rows(reading, "schedule"), reading.gaps) == ([], ())


def test_names_are_found_without_a_list_of_families(account: Account) -> None:
    """If the list is refused there is a gap, and what is named is still read."""
    account.ecs.task_definition("web", image(1))
    cluster = account.ecs.cluster()
    account.scheduler.task("a", cluster, "web")
    account.scheduler.task("b", cluster, f"{PLACE}:task-definition/web:1")
    with account.refusing(lambda operation, _: operation == "ecs.ListTaskDefinitions"):
        reading = account.read()
    assert (len(rows(reading, "schedule")), len(reading.gaps)) == (2, 1)


def test_the_image_of_a_service_that_has_no_release_is_not_in_use(account: Account) -> None:
    """No image has it by design, so it can be neither kept nor missing."""
    definition = account.ecs.task_definition("web", [image(0), image(3)])
    cluster = account.ecs.cluster()
    account.ecs.service(cluster, "web", definition, desired=0)
    account.ecs.task(cluster, definition)
    reading = account.read()
    assert {str(entry.reference) for entry in reading.used} == {web(3)}


def test_it_is_the_digest_that_a_service_names() -> None:
    """Two constants, for the Lambda ships without CDK; they are the same."""
    switch = release_switch.ReleaseSwitch(Stack(App(), "S"), ReleasedDigest("/moorings/shop/production/web/digest"))
    assert NO_IMAGE == naming.NO_IMAGE == digest(0)
    assert switch.condition_id is not None


@pytest.mark.parametrize("name", ["web", "web:3", f"{PLACE}:task-definition/web:3", f"{PLACE}:task-definition/web"])
def test_the_family_is_part_of_every_name(name: str) -> None:
    """It owns the pins."""
    assert family_of(name) == "web"
