"""Everything that uses an image is read, whatever AWS refuses on the way."""

from __future__ import annotations

import inspect
import time
from collections import Counter
from collections.abc import Iterable
from unittest.mock import patch

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.images.runtime.aws import connect
from constructs_lib.images.runtime.gaps import TIME_LIMIT
from constructs_lib.images.runtime.model import Reading
from constructs_lib.images.runtime.uses import read_uses
from tests.fake_aws.core import REGION, Fault, Params
from tests.images.runtime.account import RELEASE, WEB, Account, digest, image, rows, web

CALLS = {
    "ecs.ListClusters": 1,
    "ecs.ListTaskDefinitions": 1,
    "ecs.ListTasks": 4,
    "ecs.DescribeTasks": 1,
    "ecs.ListServices": 2,
    "ecs.DescribeServices": 1,
    "ecs.DescribeServiceDeployments": 1,
    "ecs.DescribeServiceRevisions": 1,
    "ecs.DescribeTaskDefinition": 6,
    "scheduler.ListSchedules": 1,
    "scheduler.GetSchedule": 1,
    "events.ListEventBuses": 1,
    "events.ListRuleNamesByTarget": 2,
    "events.ListRules": 1,
    "events.ListTargetsByRule": 1,
    "stepfunctions.ListStateMachines": 1,
    "stepfunctions.DescribeStateMachine": 1,
    "ssm.GetParameterHistory": 1,
}
"""Two clusters, six families, and one of everything else."""

LOSES: dict[str, set[str]] = {
    "ecs.ListClusters": {"task", "stopped task", "deployment", "task set", "service revision", "rule"},
    "ecs.ListTaskDefinitions": {"task definition"},
    "ecs.ListTasks": {"task", "stopped task"},
    "ecs.DescribeTasks": {"task", "stopped task"},
    "ecs.ListServices": {"deployment", "task set", "service revision"},
    "ecs.DescribeServices": {"deployment", "task set", "service revision"},
    "ecs.DescribeServiceDeployments": set(),
    "ecs.DescribeServiceRevisions": {"service revision"},
    "ecs.DescribeTaskDefinition": {"deployment", "task set", "task definition", "schedule", "rule", "state machine"},
    "scheduler.ListSchedules": {"schedule"},
    "scheduler.GetSchedule": {"schedule"},
    "events.ListEventBuses": {"rule"},
    "events.ListRuleNamesByTarget": {"rule"},
    "events.ListRules": set(),
    "events.ListTargetsByRule": {"rule"},
    "stepfunctions.ListStateMachines": {"state machine"},
    "stepfunctions.DescribeStateMachine": {"state machine"},
    "ssm.GetParameterHistory": {"release", "former release"},
}
"""What cannot be read when one call is refused. Everything else still is."""

SOURCES = {source for lost in LOSES.values() for source in lost}


def one_of_everything(account: Account) -> None:
    """Two clusters; images 1 to 9, each used in one way, and a tag."""
    main, batch = account.ecs.cluster("main"), account.ecs.cluster("batch")
    account.ecs.task(main, account.ecs.task_definition("web", image(1)))
    account.ecs.stop(account.ecs.task(main, account.ecs.task_definition("worker", image(2))))
    account.ecs.service(main, "web", account.ecs.task_definition("shop", image("v3")), digests={"app": digest(3)})
    account.ecs.external_service(main, "blue", [account.ecs.task_definition("blue", image(4))])
    account.scheduler.task("nightly", batch, account.ecs.task_definition("report", image(5)))
    account.events.rule("start")
    account.events.target("start", batch, account.ecs.task_definition("job", image(6)))
    account.stepfunctions.state_machine("orders", {"States": {"A": {"Parameters": {"TaskDefinition": "job"}}}})
    account.ssm.put(RELEASE, digest(8), digest(9))


def read(account: Account) -> Reading:
    """What is in use."""
    return account.read({RELEASE: WEB})


def sources(reading: Reading) -> set[str]:
    """The kinds of sources that were found."""
    return {entry.use.source for entry in reading.used}


def found(reading: Reading) -> set[tuple[str, str, str]]:
    """What refers to what."""
    return {(entry.use.source, entry.use.name, str(entry.reference)) for entry in reading.used}


def test_every_source_is_read(account: Account) -> None:
    """And every image that one of them refers to."""
    one_of_everything(account)
    reading = read(account)
    assert {str(entry.reference) for entry in reading.used} == {web(n) for n in (1, 2, 3, 4, 5, 6, 8, 9)} | {web("v3")}
    assert sources(reading) == SOURCES
    assert reading.gaps == ()


def test_no_call_is_made_that_is_not_needed(account: Account) -> None:
    """Nothing is read twice, and batches and pages are full."""
    one_of_everything(account)
    read(account)
    assert account.aws.calls == Counter(CALLS)


def test_an_empty_account_costs_five_calls(account: Account) -> None:
    """Each list says that there is nothing."""
    assert account.read() == Reading()
    assert set(account.aws.calls) == {
        "ecs.ListClusters",
        "ecs.ListTaskDefinitions",
        "scheduler.ListSchedules",
        "events.ListEventBuses",
        "stepfunctions.ListStateMachines",
    }


def test_readings_of_the_same_account_are_the_same(account: Account) -> None:
    """Several calls are under way at a time, and their order must not show."""
    one_of_everything(account)
    with account.refusing(lambda operation, _: "Describe" in operation):
        first = read(account)
        assert all(read(account) == first for _ in range(5))


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_a_refused_call_is_a_gap_and_the_rest_is_read(account: Account, operation: str) -> None:
    """The gap names the permission and the error; nothing that another call says is lost."""
    one_of_everything(account)
    complete = read(account)
    with account.refusing(lambda called, _: called == operation):
        reading = read(account)
    service, _, name = operation.partition(".")
    permission = f"{service.replace('stepfunctions', 'states')}:{name} of "
    assert reading.gaps
    assert all(gap.startswith(permission) and "AccessDeniedException" in gap for gap in reading.gaps)
    assert found(reading) <= found(complete)
    assert {key for key in found(complete) if key[0] not in LOSES[operation]} <= found(reading)
    assert not sources(reading) & LOSES[operation]


def test_throttling_is_survived() -> None:
    """boto3 tries again, with pauses; each call is throttled twice here."""
    account = Account()
    one_of_everything(account)
    complete = read(account)
    seen: Counter[str] = Counter()

    def throttle(operation: str, params: Params) -> None:
        key = f"{operation} {sorted(params.items())}"
        seen[key] += 1
        if seen[key] <= 2:
            raise Fault("ThrottlingException", "Rate exceeded")

    account.aws.before = throttle
    account.aws.calls.clear()
    assert read(account) == complete
    assert account.aws.calls == Counter({operation: 3 * count for operation, count in CALLS.items()})


def test_throttling_without_end_is_a_gap() -> None:
    """Eight times are enough."""
    account = Account()
    one_of_everything(account)
    with account.refusing(lambda operation, _: operation == "scheduler.ListSchedules", "ThrottlingException"):
        account.aws.calls.clear()
        (gap,) = read(account).gaps
    assert "ThrottlingException" in gap
    assert account.aws.calls["scheduler.ListSchedules"] == 8


def test_the_clients_of_the_tests_call_as_those_on_aws_do(account: Account) -> None:
    """Else what these tests say of retries would hold for them alone."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    real, fake = connect(session).ecs.meta.config, account.clients.ecs.meta.config
    kept = ("retries", "connect_timeout", "read_timeout", "max_pool_connections")
    assert [getattr(real, name) for name in kept] == [getattr(fake, name) for name in kept]


def test_services_that_hang_do_not_take_the_time_for_pinning(account: Account) -> None:
    """Scheduler hangs, then EventBridge: each until its last try. Nothing more is begun, and what was read is used."""
    one_of_everything(account)
    tried, now = 14.0, [0.0]

    def hang(operation: str, _params: Params) -> None:
        if operation.startswith(("scheduler.", "events.", "stepfunctions.")):
            now[0] += tried
            raise Fault("RequestTimeout", "hangs", 503)

    account.aws.before = hang
    account.aws.calls.clear()
    with patch("botocore.endpoint.time.sleep"):
        reading = read_uses(
            account.clients, releases={RELEASE: WEB}, revisions_kept=3, releases_kept=3, clock=lambda: now[0]
        )
    assert TIME_LIMIT < now[0] <= TIME_LIMIT + 8 * tried
    asked = {operation for operation in account.aws.calls if not operation.startswith("ecs.")}
    assert asked == {"scheduler.ListSchedules", "events.ListEventBuses"}
    assert account.aws.calls["ecs.DescribeTaskDefinition"] == 0
    assert {"task", "stopped task", "service revision"} == sources(reading)
    late = [gap for gap in reading.gaps if gap.startswith("reading took more than")]
    assert (len(late), len(reading.gaps)) == (1, 3)


def test_the_time_of_a_reading_is_real_unless_said_otherwise() -> None:
    """And no clock that is set back or forth on the way."""
    assert inspect.signature(read_uses).parameters["clock"].default is time.monotonic


@pytest.mark.parametrize("after", range(sum(count for call, count in CALLS.items() if call.startswith("ecs"))))
def test_an_ecs_outage_in_mid_scan_is_a_gap(account: Account, after: int) -> None:
    """Whenever it begins: nothing is raised, what was read is used, and other services are read to their end."""
    one_of_everything(account)
    complete = read(account)
    calls = []

    def fail(operation: str, _params: Params) -> None:
        if operation.startswith("ecs."):
            calls.append(operation)
            if len(calls) > after:
                raise Fault("ServerException", "an outage", 500)

    account.aws.before = fail
    reading = read(account)
    assert any("ServerException" in gap for gap in reading.gaps)
    assert found(reading) <= found(complete)
    assert {"release", "former release"} <= sources(reading)


def test_a_bug_is_raised(account: Account) -> None:
    """It must not look like an account in which nothing runs."""
    one_of_everything(account)
    account.answering("ecs", "ListTasks", {"taskArns": ["no-such-arn"] * 101})
    account.answering("ecs", "DescribeTasks", {"tasks": [{"taskArn": "without a task definition"}], "failures": []})
    with pytest.raises(KeyError):
        read(account)


NUMBERS = st.integers(1, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("service"), NUMBERS),
        st.tuples(st.just("deploy"), NUMBERS),
        st.tuples(st.just("end"), st.sampled_from(["succeed", "roll_back"])),
        st.tuples(st.just("task"), NUMBERS),
        st.tuples(st.just("pending_task"), NUMBERS),
        st.tuples(st.just("stop"), NUMBERS),
        st.tuples(st.just("schedule"), NUMBERS),
        st.tuples(st.just("machine"), NUMBERS),
        st.tuples(st.just("release"), NUMBERS),
        st.tuples(st.just("deregister"), NUMBERS),
    ),
    max_size=25,
)


class History:
    """Applies steps to an account, and knows by itself what can start then."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.clusters = [account.ecs.cluster("a"), account.ecs.cluster("b")]
        self.services: dict[str, list[int]] = {}
        self.running: dict[str, int] = {}
        self.pending: list[int] = []
        self.named: list[tuple[str, int]] = []
        self.deregistered: set[str] = set()
        self.released: list[int] = []

    def apply(self, steps: Iterable[tuple[str, int | str]]) -> None:
        """One after the other; one that makes no sense yet is left out."""
        for step, value in steps:
            if isinstance(value, str):
                self.end(value)
            else:
                getattr(self, step)(value)

    def service(self, number: int) -> None:
        """A new service."""
        cluster = self.clusters[number % 2]
        arn = self.account.ecs.service(cluster, f"s-{len(self.services)}", self._definition(number))
        self.services[arn] = [number]

    def deploy(self, number: int) -> None:
        """A deployment of the newest service, unless one is under way."""
        if self.services and len(self._newest()) == 1:
            self.account.ecs.deploy(list(self.services)[-1], self._definition(number))
            self._newest().append(number)

    def end(self, how: str) -> None:
        """The end of that deployment."""
        if self.services and len(self._newest()) == 2:
            getattr(self.account.ecs, how)(list(self.services)[-1])
            self._newest().pop(0 if how == "succeed" else 1)

    def task(self, number: int) -> None:
        """A task by itself."""
        self.running[self.account.ecs.task(self.clusters[number % 2], self._definition(number))] = number

    def pending_task(self, number: int) -> None:
        """A task by itself that is yet to pull its image."""
        self.account.ecs.task(self.clusters[number % 2], self._definition(number), status="PENDING")
        self.pending.append(number)

    def stop(self, _number: int) -> None:
        """The end of the oldest task."""
        for task in list(self.running)[:1]:
            self.account.ecs.stop(task)
            del self.running[task]

    def schedule(self, number: int) -> None:
        """A schedule of a revision."""
        name = f"n-{len(self.account.scheduler.schedules)}"
        definition = self._definition(number)
        self.account.scheduler.task(name, self.clusters[0], definition)
        self.named.append((definition, number))

    def machine(self, number: int) -> None:
        """A state machine that starts a revision."""
        definition = self._definition(number)
        request = {"Parameters": {"TaskDefinition": definition}}
        self.account.stepfunctions.state_machine(f"m-{len(self.account.stepfunctions.machines)}", request)
        self.named.append((definition, number))

    def release(self, number: int) -> None:
        """A release."""
        self.account.ssm.put(RELEASE, digest(number))
        self.released.append(number)

    def deregister(self, _number: int) -> None:
        """All revisions become INACTIVE."""
        for arn in self.account.ecs.task_definitions:
            self.account.ecs.deregister(arn)
            self.deregistered.add(arn)

    def can_start(self) -> set[str]:
        """The images that AWS can start with nobody's doing."""
        by_services = [number for numbers in self.services.values() for number in numbers]
        named = [number for definition, number in self.named if definition not in self.deregistered]
        return {web(n) for n in (*by_services, *self.pending, *named, *self.released[-1:])}

    def _definition(self, number: int) -> str:
        return self.account.ecs.task_definition(f"family-{number % 3}", image(number))

    def _newest(self) -> list[int]:
        return list(self.services.values())[-1]


@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exactly_what_can_start_is_said_to_start(account: Account, steps: list[tuple[str, int | str]]) -> None:
    """Whatever happened before: nothing that can start is lost, and nothing else can raise an alarm."""
    account.reset()
    history = History(account)
    history.apply(steps)
    reading = read(account)
    assert {str(entry.reference) for entry in reading.used if entry.use.starts} == history.can_start()
    assert reading.gaps == ()


def test_owners_are_families_and_services(account: Account) -> None:
    """The slots of a pin are named after them."""
    one_of_everything(account)
    reading = read(account)
    owners = {source: {owner for owner, _, _, _ in rows(reading, source)} for source in ("task", "service revision")}
    assert owners == {"task": {"web"}, "service revision": {"shop"}}
    assert {owner for owner, _, _, _ in rows(reading, "release")} == {"web"}
