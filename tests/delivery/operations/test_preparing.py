"""A task that runs once before a release: the release goes on only when it ended well (lesson Q5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NeedsRepair, Refused
from constructs_lib.delivery.operations.preparing import COPIED_BY
from constructs_lib.delivery.operations.release import Request, run
from constructs_lib.naming import freeze_parameter_name
from tests.delivery.operations.cuts import Killed
from tests.delivery.operations.shop import FAMILY, MIGRATION, Shop
from tests.fake_aws.core import Fault, Params
from tests.fake_aws.ecs_one_off import EXECUTION_ROLE, TASK_ROLE, Ending

STAGING = FAMILY.format("staging")


def shop(count: int = 2) -> Shop:
    """A shop whose releases run migrations first."""
    made = Shop(tasks=1, migrates=True)
    if count:
        made.given("staging", count)
    return made


def order(made: Shop, *operations: str) -> list[str]:
    """Writes down in which order the operations, and the writing of the release parameter, are called."""
    called: list[str] = []

    def before(operation: str, params: Params) -> None:
        name = operation.partition(".")[2]
        if name in operations:
            called.append(name)
        elif name == "PutParameter" and params["Name"].endswith("/digest"):
            called.append("digest")

    made.aws.before = before
    return called


def killed(made: Shop, operation: str, state: str, *, error: type[BaseException] = Killed) -> None:
    """A release of the newest build, whose process dies at the first such call in such a state."""

    def before(called: str, _params: Params) -> None:
        if called == operation and made.entries("staging")[-1].state == state:
            made.aws.before = lambda _operation, _params: None
            raise error

    made.aws.before = before
    with suppress(Killed, Interrupted):
        made.run("staging", "release")
    made.connect(0)
    assert made.entries("staging")[-1].open


def by_hand(made: Shop, digest: str) -> None:
    """Somebody runs the program of an image, from a definition of the same family."""
    definition = made.ecs.task_definition(STAGING, {MIGRATION: f"image@{digest}"})
    network: Any = {"awsvpcConfiguration": {"subnets": ["subnet-staging"]}}
    made.world().clients.ecs.run_task(
        cluster="staging",
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=network,
        clientToken="by-hand",
        startedBy="me",
    )
    made.ecs.deregister(definition)


def in_order(made: Shop) -> None:
    """Nothing is open, nothing runs twice, no copy is left, and what runs is what the ledger says."""
    assert not any(entry.open for entry in made.entries("staging"))
    assert made.ecs.unfinished_at_start == [0] * len(made.ecs.runs)
    assert len(made.ecs.of_family(STAGING)) == 1
    assert made.parameter("staging") == made.running("staging")


@pytest.mark.parametrize("count", [0, 2])
def test_it_runs_once_and_before_anything_is_changed(count: int) -> None:
    """With the new digest, as a first release too, when the stack's own definition is all there is."""
    made = shop(count)
    digest = made.build()
    called = order(made, "RegisterTaskDefinition", "RunTask", "DeregisterTaskDefinition", "UpdateStack")
    entry = made.run("staging", "release")
    assert (entry.state, made.running("staging")) == ("successful", digest)
    assert called == ["RegisterTaskDefinition", "RunTask", "DeregisterTaskDefinition", "digest", "UpdateStack"]
    assert made.ecs.ended_well(STAGING) == {digest}
    in_order(made)


def test_the_copy_is_the_stacks_definition_with_the_new_digest() -> None:
    """All is copied but what ECS only tells; the image differs, and a label says who copied it."""
    made = shop()
    digest = made.build()
    (own,) = made.ecs.of_family(STAGING)
    assert made.run("staging", "release").state == "successful"
    assert made.ecs.of_family(STAGING) == [own]
    (copy,) = made.ecs.of_family(STAGING, "INACTIVE")
    container, agent = copy["containerDefinitions"]
    repository = own["containerDefinitions"][0]["image"].partition("@")[0]
    assert container == {
        **own["containerDefinitions"][0],
        "image": f"{repository}@{digest}",
        "dockerLabels": {COPIED_BY: "release 3 of shop/staging/web"},
    }
    assert agent == own["containerDefinitions"][1]
    for key in ("cpu", "memory", "networkMode", "requiresCompatibilities", "runtimePlatform", "volumes"):
        assert copy[key] == own[key], key
    assert (copy["taskRoleArn"], copy["executionRoleArn"]) == (TASK_ROLE, EXECUTION_ROLE)
    assert copy["placementConstraints"] == []
    assert copy["registeredBy"] != own["registeredBy"]
    assert "tags" not in copy


def test_it_runs_where_the_service_runs() -> None:
    """Its subnets and security groups, its cluster, on Fargate; the ledger's entry is in its name and its token."""
    made = shop()
    made.build()
    entry = made.run("staging", "release")
    (asked,) = made.ecs.runs
    own = {"subnets": ["subnet-staging"], "securityGroups": ["sg-staging"]}
    assert asked["networkConfiguration"] == {"awsvpcConfiguration": own}
    assert (asked["cluster"], asked["count"], asked["launchType"]) == ("staging", 1, "FARGATE")
    assert (asked["startedBy"], asked["clientToken"]) == ("moorings/release-3", f"moorings-3-{entry.token}")


def test_the_ledger_says_that_it_runs() -> None:
    """State and progress, while the task runs and the parameter is as it was; the lease is renewed meanwhile."""
    made = shop()
    _, before = made.released("staging", 2)
    made.build()
    seen: set[tuple[str, str, bool]] = set()

    def look(operation: str, _params: Params) -> None:
        if operation == "ecs.DescribeTasks" and made.ecs.unfinished(STAGING):
            newest = made.entries("staging")[-1]
            seen.add((newest.state, made.parameter("staging"), newest.alive(made.clock.now())))

    made.aws.before = look
    made.lines.clear()
    made.run("staging", "release")
    assert seen == {("preparing", before, True)}
    assert any(line.endswith("was started, for 10 minutes at most") for line in made.lines)
    assert any(line.endswith("is RUNNING, after 0 minutes") for line in made.lines)
    assert any(line.endswith("ended well") for line in made.lines)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("fails", "exit code 1; Essential container in task exited"),
        ("cannot pull", "it never ran; TaskFailedToStart: CannotPullContainerError: not found"),
        ("hangs", "exit code 137; UserInitiated: over its limit of 10 minutes, by release 3 of shop/staging/web"),
        ("ends with 0 when stopped", "exit code 0; UserInitiated: over its limit of 10 minutes"),
        ("sidecar ends first", "exit code 143; Essential container in task exited"),
    ],
)
def test_when_it_does_not_end_well_nothing_is_released(ending: Ending, said: str) -> None:
    """Parameter, stack and tasks were not touched; the entry says why and where the log is; no copy is left."""
    made = shop()
    before = made.running("staging")
    made.build(migration=ending)
    began = made.clock.now()
    called = order(made, "UpdateStack", "UpdateService")
    entry = made.run("staging", "release")
    assert entry.state == "failed"
    assert entry.reason.startswith("Nothing was released, for web-before-release (task ")
    assert f"did not end well: {said}" in entry.reason
    assert f"its log is in /{STAGING}, stream {MIGRATION}/{MIGRATION}/" in entry.reason
    assert called == []
    assert made.running("staging") == made.parameter("staging") == before
    assert made.clock.now() - began < timedelta(minutes=12)
    in_order(made)


def test_after_it_failed_the_next_release_tries_again() -> None:
    """A mended image is released, and its own task ran."""
    made = shop()
    made.build(migration="fails")
    assert made.run("staging", "release").state == "failed"
    mended = made.build()
    assert made.run("staging", "release").digest == mended
    assert made.ecs.ended_well(STAGING) == {mended}
    in_order(made)


@pytest.mark.parametrize("action", ["rollback", "restart"])
def test_a_rollback_and_a_restart_do_not_run_it(action: Any) -> None:
    """An older image meets the database as it is; a rollback says so."""
    made = shop()
    made.lines.clear()
    assert made.run("staging", action).state == "successful"
    assert made.ecs.runs == []
    assert (f"a rollback does not run {MIGRATION}, nor undo what it did" in made.lines) == (action == "rollback")


def test_without_one_no_call_of_it_is_made() -> None:
    """A service that has none needs no permission for it."""
    made = Shop(tasks=1)
    made.given("staging")
    made.build()
    made.aws.calls.clear()
    assert made.run("staging", "release").state == "successful"
    for name in ("RegisterTaskDefinition", "DeregisterTaskDefinition", "RunTask", "StopTask", "ListTasks"):
        assert made.aws.calls[f"ecs.{name}"] == 0
    assert "before release" not in made.verify("staging")


def test_an_answer_that_is_lost_starts_no_second_task() -> None:
    """The task was started and nobody heard of it: asked again by the same token, ECS names it."""
    made = shop()
    made.build()
    answer = made.ecs.answer
    times: list[str] = []

    def losing(operation: str, params: Params) -> dict[str, Any]:
        found = answer(operation, params)
        if operation == "RunTask":
            times.append(params["clientToken"])
            if len(times) < 3:
                raise Fault("ServerException", "try again", 500)
        return found

    made.ecs.answer = losing  # type: ignore[method-assign]
    assert made.run("staging", "release").state == "successful"
    assert len(times) == 3
    assert len(set(times)) == 1
    assert len(made.ecs.runs) == 1
    in_order(made)


@pytest.mark.parametrize(
    ("operation", "fault", "said"),
    [
        (
            "RunTask",
            Fault("AccessDeniedException", "not allowed"),
            "could not be started: RunTask failed: AccessDenied",
        ),
        ("RunTask", Fault("ServerException", "down", 500), "if it started all the same, the next release waits"),
        ("RegisterTaskDefinition", Fault("AccessDeniedException", "not allowed"), "RegisterTaskDefinition failed"),
    ],
)
def test_one_that_cannot_be_started_releases_nothing(operation: str, fault: Fault, said: str) -> None:
    """The entry says which call failed; the copy is deregistered."""
    made = shop()
    before = made.running("staging")
    made.build()

    def refuse(called: str, _params: Params) -> None:
        if called == f"ecs.{operation}":
            raise fault

    made.aws.before = refuse
    made.aws.calls.clear()
    entry = made.run("staging", "release")
    assert (entry.state, said in entry.reason) == ("failed", True), entry.reason
    assert made.aws.calls[f"ecs.{operation}"] == (3 if fault.status == 500 else 1), "what stays refused is asked once"
    assert made.running("staging") == made.parameter("staging") == before
    in_order(made)


def test_no_room_for_it_is_said() -> None:
    """ECS answers without an error and without a task."""
    made = shop()
    made.build()
    made.ecs.full = "RESOURCE:ENI"
    entry = made.run("staging", "release")
    assert (entry.state, f"ECS could not start {MIGRATION}: RESOURCE:ENI" in entry.reason) == ("failed", True)
    in_order(made)


def test_one_that_ecs_never_shows_is_given_up() -> None:
    """A minute after it was started there is still nothing to see; a short delay is no reason to fail."""
    made = shop()
    made.build()
    made.ecs.lag = timedelta(seconds=30)
    assert made.run("staging", "release").state == "successful"
    made.build()
    made.ecs.lag = timedelta(hours=1)
    entry = made.run("staging", "release")
    assert (entry.state, "ECS shows nothing of web-before-release" in entry.reason) == ("failed", True)


def test_while_aws_does_not_answer_it_is_not_given_up() -> None:
    """Two minutes without an answer are not the end of a task: it goes on, and so does the release."""
    made = shop()
    made.build()
    down = made.clock.now() + timedelta(minutes=2)

    def silent(called: str, _params: Params) -> None:
        if called == "ecs.DescribeTasks" and made.clock.now() < down:
            raise Fault("ServerException", "down", 500)

    made.aws.before = silent
    assert made.run("staging", "release").state == "successful"
    in_order(made)


def test_one_that_does_not_stop_is_not_waited_for_for_ever() -> None:
    """It may not be stopped: after its limit and ten minutes the release fails, and says to stop it."""
    made = shop()
    made.build(migration="hangs")

    def refuse(called: str, _params: Params) -> None:
        if called == "ecs.StopTask":
            raise Fault("AccessDeniedException", "not allowed")

    made.aws.before = refuse
    began = made.clock.now()
    entry = made.run("staging", "release")
    assert (entry.state, "does not stop; stop it, and ask again" in entry.reason) == ("failed", True)
    assert timedelta(minutes=20) <= made.clock.now() - began < timedelta(minutes=22)


def test_a_definition_of_another_kind_is_refused_before_anything_is_begun() -> None:
    """The newest definition lacks the container, or names its image by a tag; verify says so, and so does a release."""
    made = shop()
    made.build()
    for images in ({"other": "a@sha256:" + "1" * 64}, {MIGRATION: "shop:latest"}):
        made.ecs.task_definition(STAGING, images)
        check = made.verify("staging")["before release"]
        assert (check.result, "has no container web-before-release with an image by digest" in check.seen) == (
            "NG",
            True,
        )
    with pytest.raises(Refused, match="before release: "):
        made.run("staging", "release")
    assert made.entries("staging")[-1].number == 2


def test_verify_says_whether_it_can_run() -> None:
    """The command by name; for a rollback and a restart it is not asked for."""
    made = shop()
    made.build()
    assert made.verify("staging")["before release"].seen.endswith("for 10 minutes at most: migrate")
    made.aws.calls.clear()
    assert made.verify("staging", "rollback")["before release"].result == "SKIP"
    reads = made.aws.calls["ecs.DescribeTaskDefinition"]
    assert made.verify("staging")["before release"].result == "OK"
    assert made.aws.calls["ecs.DescribeTaskDefinition"] == 2 * reads + 1


# What became of the stack meanwhile


def meanwhile(made: Shop, happens: Callable[[], None]) -> None:
    """While the next task before a release runs, something happens."""

    def before(operation: str, _params: Params) -> None:
        if operation == "ecs.DescribeTasks" and made.entries("staging")[-1].state == "preparing":
            made.aws.before = lambda _operation, _params: None
            happens()

    made.aws.before = before


def test_what_was_half_written_for_another_service_meanwhile_is_not_brought() -> None:
    """The task took long, and a release of the stack's other service was killed in that time: its image may be bad."""
    made = shop()
    before, theirs = made.running("staging"), made.neighbour()
    half = made.build(repository=theirs.repository)
    made.build()
    meanwhile(made, lambda: made.ssm.put("/moorings/shop/staging/api/digest", half))
    entry = made.run("staging", "release")
    assert (entry.state, "what was written for shop/staging/api" in entry.reason) == ("failed", True), entry.reason
    assert made.cloudformation.updates == []
    assert made.running("staging") == made.parameter("staging") == before
    in_order(made)


def test_another_service_that_was_released_meanwhile_stops_nothing() -> None:
    """What the stack has of it now is what is written for it: nothing of it is half done."""
    made = shop()
    theirs = replace(made.neighbour(), before_release=None)
    new, digest = made.build(repository=theirs.repository), made.build()

    def released() -> None:
        world = made.world(made.connect(1)[1])
        assert run(world, theirs, Request(action="release", target=new)).state == "successful"

    meanwhile(made, released)
    assert made.run("staging", "release").state == "successful"
    assert (made.running("staging"), made.ssm.value("/moorings/shop/staging/api/digest")) == (digest, new)


def test_an_alarm_that_turned_red_meanwhile_is_told() -> None:
    """ECS ignores all alarms for a deployment that begins while one is red, so the person must hear of it (T4)."""
    made = shop()
    made.build()

    def red() -> None:
        made.cloudwatch.alarms["shop-staging-deployment-errors"] = "ALARM"

    meanwhile(made, red)
    made.run("staging", "release")
    assert any("shop-staging-deployment-errors is red already" in line for line in made.lines)


def test_an_update_of_the_stack_meanwhile_is_waited_for() -> None:
    """Somebody deploys the stack while the task runs: the release goes on when that has ended."""
    made = shop()
    digest = made.build()
    meanwhile(made, lambda: made.cloudformation.deploy("shop--staging--services"))
    assert made.run("staging", "release").state == "successful"
    assert any("stack UPDATE_IN_PROGRESS" in line for line in made.lines)
    assert made.running("staging") == digest
    in_order(made)


# What a killed process leaves


@pytest.mark.parametrize("error", [Killed, KeyboardInterrupt])
def test_one_that_a_killed_release_left_is_waited_for(error: type[BaseException]) -> None:
    """It still runs: the next release starts its own only when that has ended, within the time that it had itself."""
    made = shop()
    made.build(migration="hangs")
    killed(made, "ecs.DescribeTasks", "preparing", error=error)
    began = made.clock.now()
    made.clock.sleep(185)
    (left,) = made.ecs.unfinished(STAGING)
    digest = made.build()
    assert made.run("staging", "release").digest == digest
    assert any("of moorings/release-3 still runs; waiting for its end" in line for line in made.lines)
    stopped = made.ecs.tasks[left]
    assert stopped["stopCode"] == "UserInitiated", "over its own limit it is stopped, as its release would have done"
    assert timedelta(minutes=10) <= datetime.fromtimestamp(stopped["stoppedAt"], UTC) - began < timedelta(minutes=11)
    in_order(made)


def test_one_that_was_left_and_ends_well_is_not_stopped() -> None:
    """Half of a migration is worse than a release that begins later."""
    made = shop()
    digest = made.build()
    killed(made, "ecs.DescribeTasks", "preparing", error=KeyboardInterrupt)
    (left,) = made.ecs.unfinished(STAGING)
    assert made.run("staging", "release").digest == digest
    assert (made.ecs.tasks[left]["stopCode"], made.aws.calls["ecs.StopTask"]) == ("EssentialContainerExited", 0)
    assert [run["startedBy"] for run in made.ecs.runs] == ["moorings/release-3", "moorings/release-4"]
    in_order(made)


def test_one_that_is_being_stopped_is_waited_for() -> None:
    """Somebody stops it by hand: until it has stopped, no second one begins."""
    made = shop()
    made.build(migration="hangs")
    killed(made, "ecs.DescribeTasks", "preparing", error=KeyboardInterrupt)
    (left,) = made.ecs.unfinished(STAGING)
    made.world().clients.ecs.stop_task(cluster="staging", task=left, reason="enough")
    made.build()
    assert made.run("staging", "release").state == "successful"
    in_order(made)


def test_one_that_does_not_show_yet_is_waited_for() -> None:
    """Ctrl-C a moment after it was started, and the next release at once: ECS shows it a few seconds later."""
    made = shop()
    made.build()
    made.ecs.lag = timedelta(seconds=5)
    killed(made, "ecs.DescribeTasks", "preparing", error=KeyboardInterrupt)
    assert made.run("staging", "release").state == "successful"
    assert len(made.ecs.runs) == 2
    in_order(made)


def test_one_that_somebody_started_by_hand_is_waited_for() -> None:
    """Of the family, whoever started it; the same program twice at once is what must not be."""
    made = shop()
    digest = made.build()
    by_hand(made, digest)
    assert made.run("staging", "release").state == "successful"
    assert any("of me still runs" in line for line in made.lines)
    in_order(made)


def test_one_that_somebody_started_by_hand_is_never_stopped() -> None:
    """A backfill of hours is a person's own; the release fails when it has waited for a migration's whole time."""
    made = shop()
    digest = made.build(migration="hangs")
    by_hand(made, digest)
    made.aws.calls.clear()
    entry = made.run("staging", "release")
    assert (entry.state, "still runs; wait for its end, or stop it" in entry.reason) == ("failed", True), entry.reason
    assert made.aws.calls["ecs.StopTask"] == 0
    assert len(made.ecs.runs) == 1


def test_a_task_of_which_nothing_is_known_any_more_is_told_of() -> None:
    """Whoever may not look at it any more must hear that it may still run."""
    made = shop()
    made.build(migration="hangs")

    def denied(operation: str, _params: Params) -> None:
        if operation == "ecs.DescribeTasks":
            raise Fault("AccessDeniedException", "denied")

    made.aws.before = denied
    entry = made.run("staging", "release")
    assert (entry.state, "may still run" in entry.reason) == ("failed", True), entry.reason


def test_a_stack_that_somebody_broke_meanwhile_ends_the_release() -> None:
    """It needs a person, and this release changed nothing: it is closed as failed, and writes no parameter."""
    made = shop()
    before = made.running("staging")
    made.build()

    def broken() -> None:
        made.stack("staging").status = "UPDATE_ROLLBACK_FAILED"

    meanwhile(made, broken)
    with pytest.raises(NeedsRepair, match="UPDATE_ROLLBACK_FAILED"):
        made.run("staging", "release")
    entry = made.entries("staging")[-1]
    assert (entry.number, entry.state, "UPDATE_ROLLBACK_FAILED" in entry.reason) == (3, "failed", True)
    assert made.running("staging") == made.parameter("staging") == before


def test_a_freeze_meanwhile_holds_the_release() -> None:
    """While the task ran somebody froze the environment: nothing of the service was changed yet, so nothing is."""
    made = shop()
    before = made.running("staging")
    made.build()
    held = json.dumps({"who": "me", "at": made.clock.now().isoformat(), "reason": "an outage"})
    meanwhile(made, lambda: made.ssm.put(freeze_parameter_name("shop", "staging"), held))
    entry = made.run("staging", "release")
    assert (entry.state, "an outage" in entry.reason) == ("failed", True), entry.reason
    assert made.running("staging") == made.parameter("staging") == before
    assert made.cloudformation.updates == []


def test_a_failure_after_one_that_changed_nothing_changes_nothing() -> None:
    """A release was killed while its task ran; the next one's task fails: no parameter is written, no stack updated."""
    made = shop()
    before = made.running("staging")
    made.build()
    killed(made, "ecs.DescribeTasks", "preparing", error=KeyboardInterrupt)
    made.build(migration="fails")
    entry = made.run("staging", "release")
    assert entry.state == "failed", entry.reason
    assert made.running("staging") == made.parameter("staging") == before
    assert made.cloudformation.updates == []
    in_order(made)


@pytest.mark.parametrize("action", ["rollback", "restart"])
def test_a_rollback_and_a_restart_do_not_wait_for_one_that_was_left(action: Any) -> None:
    """They cannot wait; the copy is deregistered, what ran before runs, and the next release waits."""
    made = shop()
    before = made.running("staging")
    made.build(migration="hangs")
    killed(made, "ecs.DescribeTasks", "preparing")
    made.clock.sleep(185)
    entry = made.run("staging", action)
    assert (entry.state, entry.digest) == ("successful", before), (
        "what was never released is not what one goes back from"
    )
    assert [one.state for one in made.entries("staging")][2:] == ["failed", "successful"]
    assert len(made.ecs.unfinished(STAGING)) == 1
    assert len(made.ecs.of_family(STAGING)) == 1
    assert any("the one of release 3 may still run" in line for line in made.lines) == (action == "rollback")
    made.build()
    assert made.run("staging", "release").state == "successful"
    in_order(made)


def test_who_was_overtaken_while_it_ran_changes_nothing() -> None:
    """A laptop slept for longer than the lease: the release that took over ends well, the sleeper writes nothing."""
    made = shop()
    made.build(migration="hangs")
    other = made.build()
    slow = made.build(migration="good")

    def sleeps(operation: str, _params: Params) -> None:
        if operation == "ecs.DescribeTasks" and made.entries("staging")[-1].state == "preparing":
            made.aws.before = lambda _operation, _params: None
            made.clock.sleep(240)
            assert made.run("staging", "release", other, world=made.world(made.connect(1)[1])).number == 4

    made.aws.before = sleeps
    with pytest.raises(Busy, match="taken over"):
        made.run("staging", "release", slow)
    assert made.running("staging") == other
    in_order(made)


def test_who_was_overtaken_while_it_waited_copies_nothing() -> None:
    """It waited for what a killed release had left, and slept: whoever took over is done, and no copy is left."""
    made = shop()
    made.build(migration="hangs")
    killed(made, "ecs.DescribeTasks", "preparing")
    made.clock.sleep(185)
    digest = made.build()

    def sleeps(operation: str, _params: Params) -> None:
        newest = made.entries("staging")[-1]
        if operation == "ecs.DescribeTasks" and (newest.number, newest.state) == (4, "pinned"):
            made.aws.before = lambda _operation, _params: None
            made.clock.sleep(900)
            assert made.run("staging", "release", digest, world=made.world(made.connect(1)[1])).number == 5

    made.aws.before = sleeps
    with pytest.raises(Busy, match="taken over"):
        made.run("staging", "release", digest)
    assert made.running("staging") == digest
    in_order(made)


def test_a_copy_that_could_not_be_deregistered_is_by_the_next_release() -> None:
    """It is no reason to fail, and it is not copied twice: the label says which one is a copy."""
    made = shop()
    made.build()

    def refuse(called: str, _params: Params) -> None:
        if called == "ecs.DeregisterTaskDefinition":
            raise Fault("ServerException", "down", 500)

    made.aws.before = refuse
    assert made.run("staging", "release").state == "successful"
    assert any("was not deregistered" in line for line in made.lines)
    assert len(made.ecs.of_family(STAGING)) == 2
    made.connect(0)
    made.build()
    assert made.run("staging", "release").state == "successful"
    in_order(made)


def test_when_what_was_broken_off_must_be_undone_a_failed_task_does_not_stop_that() -> None:
    """The parameter names an image whose release was killed; the next one's task fails, and the parameter goes back."""
    made = shop()
    before = made.running("staging")
    made.build()

    def killed_at_update(called: str, _params: Params) -> None:
        if called == "cloudformation.UpdateStack":
            raise Killed

    made.aws.before = killed_at_update
    with suppress(Killed):
        made.run("staging", "release")
    made.connect(0)
    assert made.parameter("staging") != before
    made.clock.sleep(240)
    made.build(migration="fails")
    assert made.run("staging", "release").state == "failed"
    assert made.running("staging") == made.parameter("staging") == before
    in_order(made)
