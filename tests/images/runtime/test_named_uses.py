"""What schedules, rules, state machines and releases name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib import naming
from constructs_lib.images.runtime.gaps import TIME_LIMIT, Gaps
from constructs_lib.images.runtime.named_uses import NOT_RELEASED, read_releases
from tests.fake_aws.core import Fault, Params
from tests.images.runtime.account import RELEASE, WEB, Account, digest, image, references, rows, web


def states(**state: Any) -> dict[str, Any]:
    """A state machine with one state."""
    return {"StartAt": "Run", "States": {"Run": {"Type": "Task", "End": True, **state}}}


# ---------------------------------------------------------------- EventBridge Scheduler


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_a_schedule_of_a_task_counts(account: Account, state: str) -> None:
    """A disabled one is kept, for a person may enable it, but starts nothing."""
    definition = account.ecs.task_definition("report", image(1))
    account.ecs.task_definition("report", image(2))
    schedule = account.scheduler.task("nightly", account.ecs.cluster(), definition, group="reports", state=state)
    reading = account.read()
    assert rows(reading, "schedule") == [("report", schedule, web(1), state == "ENABLED")]
    assert reading.gaps == ()


@pytest.mark.parametrize("key", ["TaskDefinition", "taskDefinition"])
def test_a_schedule_that_calls_run_task_counts(account: Account, key: str) -> None:
    """A universal target has its task definition in a JSON text."""
    account.ecs.task_definition("report", image(1))
    schedule = account.scheduler.run_task("nightly", {"Cluster": "main", key: "report:1", "Overrides": {"a": [1]}})
    assert rows(account.read(), "schedule") == [("report", schedule, web(1), True)]


def test_a_schedule_whose_input_cannot_be_read_is_a_gap(account: Account) -> None:
    """It may start anything."""
    account.scheduler.run_task("nightly", '{"TaskDefinition": <aws.scheduler.attempt-number>')
    (gap,) = account.read().gaps
    assert gap.startswith("the input of schedule default/nightly is no JSON")


def test_other_schedules_are_not_asked_for(account: Account) -> None:
    """The list says where they aim."""
    account.scheduler.schedule("a", {"Arn": "arn:aws:lambda:eu-west-1:111111111111:function:cluster/x", "Input": "{"})
    account.scheduler.schedule("b", {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "{}"})
    assert account.read().gaps == ()
    assert account.aws.calls["scheduler.GetSchedule"] == 0


def test_schedules_of_the_same_name_in_two_groups_are_two(account: Account) -> None:
    """A name is unique within its group only."""
    cluster = account.ecs.cluster()
    for group, number in (("a", 1), ("b", 2)):
        definition = account.ecs.task_definition("report", image(number))
        account.scheduler.task("nightly", cluster, definition, group=group)
    assert references(account.read(), "schedule") == {web(1), web(2)}


def test_more_schedules_than_a_page_holds(account: Account) -> None:
    """Every page is read, and each schedule once."""
    cluster, definition = account.ecs.cluster(), account.ecs.task_definition("report", image(1))
    expected = {account.scheduler.task(f"s-{number}", cluster, definition) for number in range(201)}
    assert {name for _, name, _, _ in rows(account.read(), "schedule")} == expected
    assert account.aws.calls["scheduler.ListSchedules"] == 3
    assert account.aws.calls["scheduler.GetSchedule"] == 201


def test_a_schedule_deleted_meanwhile_is_no_gap(account: Account) -> None:
    """It starts nothing more."""
    account.scheduler.task("nightly", account.ecs.cluster(), account.ecs.task_definition("report", image(1)))

    def delete(operation: str, _params: Params) -> None:
        if operation == "scheduler.GetSchedule":
            account.scheduler.schedules.clear()

    account.aws.before = delete
    assert account.read().gaps == ()


# ---------------------------------------------------------------- EventBridge rules


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"])
@pytest.mark.parametrize("bus", ["default", "orders"])
def test_a_rule_that_starts_a_task_counts(account: Account, bus: str, state: str) -> None:
    """On every bus."""
    cluster, definition = account.ecs.cluster(), account.ecs.task_definition("job", image(1))
    account.events.bus("orders")
    account.events.rule("start", bus=bus, state=state)
    account.events.target("start", "arn:aws:sqs:eu-west-1:111111111111:queue", bus=bus)
    account.events.target("start", cluster, definition, bus=bus)
    reading = account.read()
    assert rows(reading, "rule") == [("job", f"{bus}/start", web(1), state != "DISABLED")]
    assert reading.gaps == ()


def test_a_rule_may_start_tasks_in_several_clusters(account: Account) -> None:
    """Each target counts, and the rule is read once."""
    account.events.rule("start")
    for number in (1, 2):
        definition = account.ecs.task_definition(f"job-{number}", image(number))
        account.events.target("start", account.ecs.cluster(f"c-{number}"), definition)
    assert references(account.read(), "rule") == {web(1), web(2)}
    assert account.aws.calls["events.ListTargetsByRule"] == 1


def test_rules_of_other_targets_cost_nothing(account: Account) -> None:
    """Where no rule aims at a cluster, the rules of a bus are not listed at all."""
    account.ecs.cluster()
    account.events.rule("other")
    account.events.target("other", "arn:aws:sqs:eu-west-1:111111111111:queue")
    account.read()
    assert account.aws.calls["events.ListRules"] + account.aws.calls["events.ListTargetsByRule"] == 0


def test_more_buses_rules_and_targets_than_a_page_holds(account: Account) -> None:
    """Every page of each list is read."""
    cluster, definition = account.ecs.cluster(), account.ecs.task_definition("job", image(1))
    for number in range(120):
        account.events.bus(f"bus-{number}")
    for number in range(130):
        account.events.rule(f"rule-{number}", bus="bus-119", state="DISABLED" if number == 129 else "ENABLED")
        account.events.target(f"rule-{number}", cluster, definition, bus="bus-119")
    for number in range(101):
        account.events.target("rule-7", cluster, account.ecs.task_definition(f"f-{number}", image(1)), bus="bus-119")
    found = rows(account.read(), "rule")
    assert {name for _, name, _, _ in found} == {f"bus-119/rule-{number}" for number in range(130)}
    assert [name for _, name, _, starts in found if not starts] == ["bus-119/rule-129"]
    assert len([name for _, name, _, _ in found if name == "bus-119/rule-7"]) == 102
    assert account.aws.calls["events.ListEventBuses"] == 2
    assert account.aws.calls["events.ListRuleNamesByTarget"] == 120 + 2


def test_if_the_state_of_rules_is_unknown_they_start(account: Account) -> None:
    """A gap, and the safer of both answers."""
    cluster, definition = account.ecs.cluster(), account.ecs.task_definition("job", image(1))
    account.events.rule("start", state="DISABLED")
    account.events.target("start", cluster, definition)
    with account.refusing(lambda operation, _: operation == "events.ListRules"):
        reading = account.read()
    assert rows(reading, "rule") == [("job", "default/start", web(1), True)]
    assert len(reading.gaps) == 1


# ---------------------------------------------------------------- Step Functions


@pytest.mark.parametrize(
    "definition",
    [
        states(Resource="arn:aws:states:::ecs:runTask.sync", Parameters={"Cluster": "main", "TaskDefinition": "job"}),
        states(Resource="arn:aws:states:::ecs:runTask", Arguments={"TaskDefinition": "job:1"}),
        {
            "StartAt": "A",
            "States": {"A": {"Type": "Parallel", "Branches": [states(Parameters={"TaskDefinition": "job"})]}},
        },
        {
            "StartAt": "A",
            "States": {"A": {"Type": "Map", "ItemProcessor": states(Arguments={"TaskDefinition": "job"})}},
        },
        states(Parameters={"Input": {"Nested": [{"TaskDefinition": "job"}]}}),
    ],
)
def test_a_task_definition_in_a_state_machine_counts(account: Account, definition: dict[str, Any]) -> None:
    """However deep it stands."""
    account.ecs.task_definition("job", image(1))
    machine = account.stepfunctions.state_machine("orders", definition)
    reading = account.read()
    assert rows(reading, "state machine") == [("job", machine, web(1), True)]
    assert reading.gaps == ()


@pytest.mark.parametrize(
    "definition",
    [
        states(Parameters={"TaskDefinition.$": "$.definition"}),
        states(Arguments={"TaskDefinition": "{% $states.input.definition %}"}),
        states(Arguments="{% $states.input %}"),
        {"StartAt": "TaskDefinition", "States": {"TaskDefinition": {"Type": "Pass", "End": True}}},
    ],
)
def test_what_is_known_only_when_it_runs_is_left_out(account: Account, definition: dict[str, Any]) -> None:
    """Nobody is even asked for it."""
    account.stepfunctions.state_machine("orders", definition)
    reading = account.read()
    assert (reading.used, reading.gaps) == ((), ())
    assert account.aws.calls["ecs.DescribeTaskDefinition"] == 0


def test_a_definition_that_is_no_json_is_a_gap(account: Account) -> None:
    """And the other state machines are read."""
    account.ecs.task_definition("job", image(1))
    account.stepfunctions.state_machine("broken", "{")
    account.stepfunctions.state_machine("fine", states(Parameters={"TaskDefinition": "job"}))
    reading = account.read()
    assert references(reading, "state machine") == {web(1)}
    assert len(reading.gaps) == 1


def test_more_state_machines_than_a_page_holds(account: Account) -> None:
    """A page holds a thousand, if one asks for as many."""
    account.ecs.task_definition("job", image(1))
    text = json.dumps(states(Parameters={"TaskDefinition": "job"}))
    expected = {account.stepfunctions.state_machine(f"m-{number}", text) for number in range(1001)}
    assert {name for _, name, _, _ in rows(account.read(), "state machine")} == expected
    assert account.aws.calls["stepfunctions.ListStateMachines"] == 2


# ---------------------------------------------------------------- releases


def test_the_release_and_the_newest_former_ones_count(account: Account) -> None:
    """By the service's name; ECS starts the current one, and a rollback one of the others."""
    account.ssm.put(RELEASE, "none", *(digest(number) for number in (1, 2, 3, 4)))
    reading = account.read({RELEASE: WEB}, releases_kept=2)
    assert rows(reading, "release") == [("web", RELEASE, web(4), True)]
    assert rows(reading, "former release") == [("web", RELEASE, web(2), False), ("web", RELEASE, web(3), False)]
    assert reading.gaps == ()


def test_a_digest_that_was_released_often_counts_once(account: Account) -> None:
    """So rollbacks to and fro do not push the older ones out."""
    account.ssm.put(RELEASE, *(digest(number) for number in (1, 2, 3, 2, 3, 2, 3)))
    assert references(account.read({RELEASE: WEB}, releases_kept=2), "former release") == {web(1), web(2)}


def test_nothing_is_released_before_the_first_release(account: Account) -> None:
    """The parameter holds ``none``, or is not there yet; neither is a gap."""
    account.ssm.put(RELEASE, "none")
    other = RELEASE.replace("web", "worker")
    reading = account.read({RELEASE: WEB, other: WEB})
    assert (reading.used, reading.gaps) == ((), ())


def test_a_release_taken_back_keeps_what_was_released(account: Account) -> None:
    """Its value is ``none`` again; the former ones are still what a person goes back to."""
    account.ssm.put(RELEASE, digest(1), "none")
    reading = account.read({RELEASE: WEB})
    assert (references(reading, "release"), references(reading, "former release")) == (set(), {web(1)})


def test_a_parameter_that_holds_no_digest_is_a_gap(account: Account) -> None:
    """Somebody wrote it by hand; what it held before is kept."""
    account.ssm.put(RELEASE, digest(1), "latest")
    reading = account.read({RELEASE: WEB})
    assert references(reading, "former release") == {web(1)}
    assert reading.gaps == (
        f"the release parameter {RELEASE} must hold a digest or 'none', got 'latest'; release again",
    )


def test_a_history_longer_than_a_page_is_read_to_its_end(account: Account) -> None:
    """The oldest come first, so the current one is on the last page."""
    account.ssm.put(RELEASE, *(digest(number) for number in range(1, 121)))
    reading = account.read({RELEASE: WEB}, releases_kept=99)
    assert references(reading, "release") == {web(120)}
    assert references(reading, "former release") == {web(number) for number in range(21, 120)}
    assert account.aws.calls["ssm.GetParameterHistory"] == 2


def test_half_a_history_tells_nothing(account: Account) -> None:
    """The newest of the first page is not the current one."""
    account.ssm.put(RELEASE, *(digest(number) for number in range(1, 81)))
    with account.refusing(lambda operation, params: operation.startswith("ssm") and "NextToken" in params):
        reading = account.read({RELEASE: WEB})
    assert (reading.used, len(reading.gaps)) == ((), 1)


def test_a_history_for_which_the_time_is_too_short_tells_nothing(account: Account) -> None:
    """Its first page came in time, and the second was not asked for."""
    account.ssm.put(RELEASE, *(digest(number) for number in range(1, 81)))
    gaps = Gaps(clock=lambda: TIME_LIMIT * account.aws.calls["ssm.GetParameterHistory"])
    assert read_releases(account.clients.ssm, {RELEASE: WEB}, gaps, kept=3) == []
    assert account.aws.calls["ssm.GetParameterHistory"] == len(gaps.sentences) == 1


def test_one_parameter_that_is_refused_leaves_the_others(account: Account) -> None:
    """Each is asked for by itself."""
    other = RELEASE.replace("web", "worker")
    account.ssm.put(RELEASE, digest(1))
    account.ssm.put(other, digest(2))
    with account.refusing(lambda _, params: params.get("Name") == other):
        reading = account.read({RELEASE: WEB, other: WEB})
    assert references(reading, "release") == {web(1)}
    assert reading.gaps == (f"ssm:GetParameterHistory of {other} failed: AccessDeniedException: no",)


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("events", "ListEventBuses", {"Limit": 101}),
        ("events", "ListRules", {"Limit": 101}),
        ("scheduler", "ListSchedules", {"url": "/schedules?MaxResults=101"}),
        ("stepfunctions", "ListStateMachines", {"maxResults": 1001}),
        ("ssm", "GetParameterHistory", {"Name": RELEASE, "MaxResults": 51}),
    ],
)
def test_the_fakes_refuse_pages_that_aws_refuses(
    account: Account, service: str, operation: str, params: dict[str, Any]
) -> None:
    """Else a page that is too large would pass here and fail on AWS."""
    account.ssm.put(RELEASE, digest(1))
    with pytest.raises(Fault, match="ValidationException"):
        account.aws.services[service].answer(operation, params)


def test_the_value_before_the_first_release_is_the_one_that_stacks_write() -> None:
    """Two constants, for the Lambda ships without the rest of the library; they are the same."""
    assert NOT_RELEASED == naming.NOT_RELEASED
    assert naming.release_parameter_name("shop", "production", "web") == RELEASE
