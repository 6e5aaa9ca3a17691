"""What tasks and services use: every way in which ECS can start an image."""

from __future__ import annotations

import pytest

from constructs_lib.images.runtime.references import parse
from tests.fake_aws.core import Fault, Params
from tests.images.runtime.account import Account, digest, image, references, rows, web


def test_tasks_of_all_clusters_are_read(account: Account) -> None:
    """A task is owned by the family of its task definition."""
    first, second = account.ecs.cluster("first"), account.ecs.cluster("second")
    here = account.ecs.task(first, account.ecs.task_definition("web", image(1)), service="shop")
    there = account.ecs.task(second, account.ecs.task_definition("worker", image(2)), service="jobs")
    reading = account.read()
    assert rows(reading, "task") == [("web", here, web(1), True), ("worker", there, web(2), True)]
    assert reading.gaps == ()


def test_the_digest_that_a_task_pulled_decides(account: Account) -> None:
    """Its tag may point elsewhere by now; the tag is still told."""
    definition = account.ecs.task_definition("web", image("latest"))
    account.ecs.task(account.ecs.cluster(), definition, digests={"app": digest(7)})
    (used,) = (entry for entry in account.read().used if entry.use.source == "task")
    assert (used.reference.digest, used.reference.tag) == (digest(7), "latest")


def test_all_containers_of_a_task_count(account: Account) -> None:
    """A sidecar that cannot be pulled stops the task as well."""
    definition = account.ecs.task_definition("web", [image(1), image(2), "public.ecr.aws/nginx:latest"])
    account.ecs.task(account.ecs.cluster(), definition)
    assert references(account.read(), "task") == {web(1), web(2)}


def test_an_image_in_two_containers_of_a_task_is_told_once(account: Account) -> None:
    """It is the same use of the same image."""
    account.ecs.task(account.ecs.cluster(), account.ecs.task_definition("web", [image(1), image(1)]))
    assert len(rows(account.read(), "task")) == 1


@pytest.mark.parametrize("service", [None, "shop"])
def test_a_pending_task_counts_by_its_tag(account: Account, service: str | None) -> None:
    """It has no digest yet, and is just about to pull: whoever ran it."""
    definition = account.ecs.task_definition("web", image("v1"))
    task = account.ecs.task(account.ecs.cluster(), definition, status="PENDING", service=service)
    assert rows(account.read(), "task") == [("web", task, web("v1"), True)]


@pytest.mark.parametrize("status", ["RUNNING", "DEACTIVATING"])
@pytest.mark.parametrize("service", [None, "shop"])
def test_a_task_that_runs_is_started_anew_by_its_service_only(
    account: Account, service: str | None, status: str
) -> None:
    """One that was run by itself is kept; but if its image has gone, nothing asks for it when the task ends."""
    definition = account.ecs.task_definition("web", image(1))
    task = account.ecs.task(account.ecs.cluster(), definition, status=status, service=service)
    assert rows(account.read(), "task") == [("web", task, web(1), service is not None)]


def test_a_task_of_no_group_may_be_a_services(account: Account) -> None:
    """What ECS does not say is taken for the worse."""
    task = account.ecs.task(account.ecs.cluster(), account.ecs.task_definition("web", image(1)))
    del account.ecs.tasks[task]["group"]
    assert rows(account.read(), "task") == [("web", task, web(1), True)]


@pytest.mark.parametrize("service", [None, "shop"])
@pytest.mark.parametrize("containers", [[], [{"name": "app"}]])
def test_a_task_that_does_not_name_its_images_counts_by_its_task_definition(
    account: Account, containers: list[dict[str, str]], service: str | None
) -> None:
    """Old tasks, and such as have hardly begun."""
    definition = account.ecs.task_definition("web", image("v1"))
    task = account.ecs.task(account.ecs.cluster(), definition, service=service)
    account.ecs.tasks[task]["containers"] = containers
    assert rows(account.read(), "task") == [("web", task, web("v1"), service is not None)]


def test_a_stopped_task_counts_but_starts_nothing(account: Account) -> None:
    """It may have run for a minute between two readings."""
    task = account.ecs.task(account.ecs.cluster(), account.ecs.task_definition("web", image(1)))
    account.ecs.stop(task)
    reading = account.read()
    assert (rows(reading, "stopped task"), rows(reading, "task")) == ([("web", task, web(1), False)], [])


def test_a_stopped_task_that_aged_out_is_no_gap(account: Account) -> None:
    """ECS forgets stopped tasks after an hour or so, also between its own list and the question."""
    task = account.ecs.task(account.ecs.cluster(), account.ecs.task_definition("web", image(1)))
    account.ecs.stop(task)
    account.ecs.age_out(task)
    assert account.read().gaps == ()


def test_a_running_task_that_is_missing_is_a_gap(account: Account) -> None:
    """Even if it has stopped since, ECS should know it for an hour."""
    task = account.ecs.task(account.ecs.cluster(), account.ecs.task_definition("web", image(1)))
    account.ecs.age_out(task)
    assert account.read().gaps == (f"ecs:DescribeTasks of {task} failed: MISSING, ",)


def test_a_task_that_stops_while_tasks_are_listed_is_not_lost(account: Account) -> None:
    """Running tasks are listed first, so it is in the second list at the latest."""
    definition = account.ecs.task_definition("web", image(1))
    cluster = account.ecs.cluster()
    tasks = [account.ecs.task(cluster, definition) for _ in range(150)]
    pages = []

    def stop_the_last(operation: str, params: Params) -> None:
        if operation == "ecs.ListTasks" and params["desiredStatus"] == "RUNNING":
            pages.append(1)
            if len(pages) == 2:
                account.ecs.stop(tasks[-1])

    account.aws.before = stop_the_last
    assert {name for _, name, _, _ in rows(account.read(), "stopped task")} == {tasks[-1]}


def test_more_tasks_than_a_page_and_a_batch_hold(account: Account) -> None:
    """Running and stopped ones share batches of a hundred."""
    definition = account.ecs.task_definition("web", image(1))
    cluster = account.ecs.cluster()
    tasks = [account.ecs.task(cluster, definition) for _ in range(230)]
    for task in tasks[:120]:
        account.ecs.stop(task)
    reading = account.read()
    assert {name for source in ("task", "stopped task") for _, name, _, _ in rows(reading, source)} == set(tasks)
    assert account.aws.calls["ecs.ListTasks"] == 2 + 2
    assert account.aws.calls["ecs.DescribeTasks"] == 3
    assert reading.gaps == ()


def test_a_service_at_zero_tasks_uses_its_revision(account: Account) -> None:
    """What it starts next is the digest that ECS resolved, and no more the tag."""
    definition = account.ecs.task_definition("web", image("v1"))
    service = account.ecs.service(account.ecs.cluster(), "web", definition, desired=0, digests={"app": digest(5)})
    reading = account.read()
    revision = account.ecs.services[service]["currentServiceRevisions"][0]["arn"]
    assert rows(reading, "service revision") == [("web", revision, web(5), True)]
    assert rows(reading, "deployment") == [("web", service, web("v1"), False)]
    assert reading.gaps == ()


def test_a_service_whose_revision_cannot_be_described_uses_its_task_definition(account: Account) -> None:
    """Revisions from before October 25, 2024 are missing to ECS itself, and no gap."""
    definition = account.ecs.task_definition("web", [image("v1"), image(2)])
    service = account.ecs.service(account.ecs.cluster(), "web", definition, described=False)
    reading = account.read()
    assert rows(reading, "deployment") == [("web", service, web("v1"), True), ("web", service, web(2), True)]
    assert reading.gaps == ()


def test_only_the_containers_that_are_resolved_start_by_digest(account: Account) -> None:
    """Version consistency can be off for one container: it starts whatever its tag means then."""
    definition = account.ecs.task_definition("web", {"app": image("v1"), "helper": image("v2")})
    account.ecs.service(account.ecs.cluster(), "web", definition, digests={"app": digest(1)})
    starts = {reference: starts for _, _, reference, starts in rows(account.read(), "deployment")}
    assert starts == {web("v1"): False, web("v2"): True}


def test_a_task_definition_that_names_a_digest_starts_it(account: Account) -> None:
    """There is nothing to resolve: the revision and the task definition say the same."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    assert rows(account.read(), "deployment") == [("web", service, web(1), True)]


def test_a_revision_that_is_not_resolved_yet_uses_its_task_definition(account: Account) -> None:
    """A deployment that has just begun has no digests."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    revision = account.ecs.deploy(service, account.ecs.task_definition("web", image("v2")))
    account.ecs.revisions[revision]["containerImages"] = []
    reading = account.read()
    assert ("web", revision, web("v2"), True) in rows(reading, "service revision")
    assert ("web", service, web("v2"), True) in rows(reading, "deployment")


def test_a_deployment_under_way_can_go_on_and_go_back(account: Account) -> None:
    """So both revisions start, also when the service names only the new one."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    account.ecs.deploy(service, account.ecs.task_definition("web", image(2)))
    account.ecs.services[service]["currentServiceRevisions"] = []
    found = rows(account.read(), "service revision")
    assert {(reference, starts) for _, _, reference, starts in found} == {(web(1), True), (web(2), True)}


def test_a_finished_deployment_does_not_start_what_it_came_from(account: Account) -> None:
    """It is kept for a rollback, but if it has gone nothing asks for it."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    account.ecs.deploy(service, account.ecs.task_definition("web", image(2)))
    account.ecs.succeed(service)
    found = rows(account.read(), "service revision")
    assert {(reference, starts) for _, _, reference, starts in found} == {(web(1), False), (web(2), True)}


def test_a_rollback_starts_what_it_went_back_to(account: Account) -> None:
    """And no more what failed: its image may be the one that was missing."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    account.ecs.deploy(service, account.ecs.task_definition("web", image(2)))
    account.ecs.roll_back(service)
    found = rows(account.read(), "service revision")
    assert {(reference, starts) for _, _, reference, starts in found} == {(web(1), True), (web(2), False)}


@pytest.mark.parametrize("status", ["STOPPED", "ROLLBACK_FAILED"])
@pytest.mark.parametrize("current", [{1}, {2}, {1, 2}, set()])
def test_after_a_deployment_that_did_not_end_well_the_service_tells_what_starts(
    account: Account, status: str, current: set[int]
) -> None:
    """The other revisions are kept; but if their images have gone, nothing asks for them."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    revisions = {1: account.ecs.services[service]["currentServiceRevisions"][0]["arn"]}
    revisions[2] = account.ecs.deploy(service, account.ecs.task_definition("web", image(2)))
    account.ecs.end(service, status, current=[revisions[number] for number in sorted(current)])
    expected = [("web", arn, web(number), number in current) for number, arn in sorted(revisions.items())]
    reading = account.read()
    assert rows(reading, "service revision") == expected
    assert reading.gaps == ()


def test_a_tag_gives_way_only_to_a_digest_that_starts(account: Account) -> None:
    """If the service names no revision after a deployment was stopped, its task definition is what is left of it."""
    definition = account.ecs.task_definition("web", image("v1"))
    service = account.ecs.service(account.ecs.cluster(), "web", definition, digests={"app": digest(1)})
    account.ecs.end(service, "STOPPED", current=[])
    reading = account.read()
    assert [(reference, starts) for _, _, reference, starts in rows(reading, "service revision")] == [(web(1), False)]
    assert rows(reading, "deployment") == [("web", service, web("v1"), True)]


def test_the_revision_to_roll_back_to_counts_while_rolling_back(account: Account) -> None:
    """It may be another one than the source."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))
    first = account.ecs.services[service]["currentServiceRevisions"][0]["arn"]
    for number in (2, 3):
        account.ecs.deploy(service, account.ecs.task_definition("web", image(number)))
        account.ecs.succeed(service)
    deployment = account.ecs.deployments[account.ecs.services[service]["currentServiceDeployment"]]
    deployment |= {"status": "ROLLBACK_IN_PROGRESS", "rollback": {"serviceRevisionArn": first}}
    assert ("web", first, web(1), True) in rows(account.read(), "service revision")


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_task_sets_of_other_controllers_count(account: Account, controller: str) -> None:
    """They have no service revisions."""
    blue, green = (account.ecs.task_definition("web", image(tag)) for tag in ("blue", "green"))
    service = account.ecs.external_service(account.ecs.cluster(), "web", [blue, green], controller=controller)
    reading = account.read()
    assert rows(reading, "task set") == [("web", service, web("blue"), True), ("web", service, web("green"), True)]
    assert reading.gaps == ()


def test_an_inactive_service_does_not_count(account: Account) -> None:
    """It is deleted, and starts nothing."""
    definition = account.ecs.task_definition("web", image(1))
    service = account.ecs.service(account.ecs.cluster(), "web", definition)
    account.ecs.deregister(definition)
    listing = account.ecs.answer("ListServices", {"cluster": "main"})
    account.ecs.services[service]["status"] = "INACTIVE"
    account.answering("ecs", "ListServices", listing)
    assert account.read().used == ()


def test_a_service_deleted_meanwhile_is_no_gap(account: Account) -> None:
    """The list still names it."""
    service = account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image(1)))

    def delete(operation: str, _params: Params) -> None:
        if operation == "ecs.DescribeServices":
            account.ecs.services.pop(service, None)

    account.aws.before = delete
    assert account.read().gaps == ()


def test_an_inactive_revision_that_a_service_runs_counts(account: Account) -> None:
    """CloudFormation deregisters the former revision; a service that kept it still starts it."""
    definition = account.ecs.task_definition("web", image("v1"))
    service = account.ecs.service(account.ecs.cluster(), "web", definition, described=False)
    account.ecs.deregister(definition)
    assert rows(account.read(), "deployment") == [("web", service, web("v1"), True)]


def test_more_services_than_pages_and_batches_hold(account: Account) -> None:
    """Services of one cluster come ten at a time, their deployments and revisions twenty at a time across clusters."""
    expected = set()
    for cluster, count in ((account.ecs.cluster("first"), 215), (account.ecs.cluster("second"), 5)):
        for number in range(count):
            definition = account.ecs.task_definition("web", image(1 + number + 1000 * (count == 5)))
            expected.add(account.ecs.service(cluster, f"web-{number}", definition))
    reading = account.read()
    assert {name for _, name, _, _ in rows(reading, "deployment")} == expected
    assert len(rows(reading, "service revision")) == 220
    calls = account.aws.calls
    assert (calls["ecs.ListServices"], calls["ecs.DescribeServices"]) == (3 + 1, 22 + 1)
    assert (calls["ecs.DescribeServiceDeployments"], calls["ecs.DescribeServiceRevisions"]) == (11, 11)
    assert reading.gaps == ()


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ("ecs.DescribeServiceDeployments", {"deployment", "service revision", "task definition"}),
        ("ecs.DescribeServiceRevisions", {"deployment", "task definition"}),
    ],
)
def test_refused_details_are_a_gap_and_the_service_still_counts(
    account: Account, operation: str, left: set[str]
) -> None:
    """By its task definition, which is then taken to start."""
    account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image("v1")))
    with account.refusing(lambda called, _: called == operation):
        reading = account.read()
    assert {entry.use.source for entry in reading.used} == left
    assert [gap.partition(" ")[0] for gap in reading.gaps] == [operation.replace(".", ":")]
    assert all(starts for _, _, _, starts in rows(reading, "deployment"))


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("DescribeServices", "services"),
        ("DescribeServiceDeployments", "serviceDeployments"),
        ("DescribeServiceRevisions", "serviceRevisions"),
    ],
)
def test_a_failure_other_than_missing_is_a_gap(account: Account, operation: str, key: str) -> None:
    """It comes inside an answer that looks fine."""
    account.ecs.service(account.ecs.cluster(), "web", account.ecs.task_definition("web", image("v1")))
    failure = {"arn": "arn:x", "reason": "ACCESS_DENIED", "detail": "no"}
    account.answering("ecs", operation, {key: [], "failures": [failure]})
    assert account.read().gaps == (f"ecs:{operation} of arn:x failed: ACCESS_DENIED, no",)


def test_one_cluster_that_is_refused_leaves_the_other(account: Account) -> None:
    """Its tasks and its services are two gaps."""
    first, second = account.ecs.cluster("first"), account.ecs.cluster("second")
    definition = account.ecs.task_definition("web", image(1))
    account.ecs.task(first, definition)
    there = account.ecs.task(second, definition)
    with account.refusing(lambda _, params: params.get("cluster") == first):
        reading = account.read()
    assert {name for _, name, _, _ in rows(reading, "task")} == {there}
    assert len(reading.gaps) == 3  # running tasks, stopped tasks, services


def test_a_cluster_deleted_meanwhile_is_no_gap(account: Account) -> None:
    """It has no tasks."""
    cluster = account.ecs.cluster()

    def delete(operation: str, _params: Params) -> None:
        if operation == "ecs.ListTasks" and cluster in account.ecs.clusters:
            account.ecs.clusters.remove(cluster)

    account.aws.before = delete
    assert account.read().gaps == ()


def test_more_clusters_than_a_page_holds(account: Account) -> None:
    """Each one's tasks are read."""
    definition = account.ecs.task_definition("web", image(1))
    tasks = {account.ecs.task(account.ecs.cluster(f"c{number}"), definition) for number in range(101)}
    assert {name for _, name, _, _ in rows(account.read(), "task")} == tasks
    assert account.aws.calls["ecs.ListClusters"] == 2


def test_the_fake_refuses_what_ecs_refuses(account: Account) -> None:
    """Else a batch that is too large would pass here and fail on AWS."""
    ecs = account.ecs
    ecs.cluster()
    for operation, params in (
        ("DescribeTasks", {"cluster": "main", "tasks": ["a"] * 101}),
        ("DescribeServices", {"cluster": "main", "services": ["a"] * 11}),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": ["a"] * 21}),
        ("DescribeServiceRevisions", {"serviceRevisionArns": ["a"] * 21}),
        ("ListTasks", {"cluster": "main", "maxResults": 101}),
    ):
        with pytest.raises(Fault, match="InvalidParameterException"):
            ecs.answer(operation, params)


def test_images_are_written_as_the_tests_expect() -> None:
    """The short form of a reference in these tests is the one of the library."""
    assert [str(parse(image(of))) for of in (1, "v1")] == [web(1), web("v1")]
