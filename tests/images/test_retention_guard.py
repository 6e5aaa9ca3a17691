"""The retention guard's resources (lessons Q2, Q4), in apps with none and with all of CDK's feature flags."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr
from hypothesis import given
from hypothesis import strategies as st

import constructs_lib.images
from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.guardrails.check import check
from constructs_lib.images import alarms
from constructs_lib.images.event_patterns import MOST_CHARACTERS, Pattern, event_patterns
from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.lifecycle import Image, evaluate
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.repository import PinnedRepository
from constructs_lib.images.retention_guard import RetentionGuard
from constructs_lib.images.runtime import memory, report, settings, wakeups
from constructs_lib.images.runtime.decision import decide
from constructs_lib.images.runtime.model import StoredImage, Use, UsedImage
from constructs_lib.images.runtime.references import ImageReference, RepositoryId
from tests.images.patterns import (
    PARAMETER,
    SLEEPS,
    STACK_ID,
    WAKES,
    ecr_event,
    ecs_event,
    matches,
    parameter_event,
    stack_event,
)
from tests.support import FLAG_SETS, TOKEN, Template, of_type, only, refused, stack, synthesize

RUNTIME = Path(constructs_lib.images.__file__).parent / "runtime"
ACCOUNT = "111122223333"
HERE = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/"


@dataclass(frozen=True)
class Made:
    """A stack with a guard of three repositories: by name, by the ARN of another account, and made beside it."""

    template: Template
    asset: Path
    alarms: tuple[AlarmSpec, ...]


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("cdk.out")
    scope = stack(App(context=request.param, outdir=str(folder)))
    guard = RetentionGuard(
        scope,
        "Guard",
        application="shop",
        environment="staging",
        repositories=[
            GuardedRepository(
                repository=ecr.Repository.from_repository_name(scope, "ByName", "shop/staging/web"),
                release_parameters=(PARAMETER,),
            ),
            GuardedRepository(
                repository=ecr.Repository.from_repository_arn(
                    scope, "ByArn", "arn:aws:ecr:eu-west-1:444455556666:repository/common/base"
                )
            ),
            GuardedRepository(repository=ecr.Repository(scope, "Own")),
        ],
        interval_minutes=10,
        revisions_kept=4,
        releases_kept=6,
    )
    template = synthesize(scope)
    (asset,) = (path for path in folder.iterdir() if path.name.startswith("asset."))
    return Made(template, asset, guard.alarms)


def filled_in(made: Made, value: Any) -> Any:
    """A part of the template as CloudFormation would fill it in; generated names are the logical ids."""
    if isinstance(value, list):
        return [filled_in(made, item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        known = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": "eu-west-1"}
        return {**known, "AWS::StackId": STACK_ID}.get(value["Ref"], value["Ref"])
    if set(value) == {"Fn::GetAtt"}:
        logical_id, attribute = value["Fn::GetAtt"]
        kind = made.template["Resources"][logical_id]["Type"]
        return HERE + logical_id.lower() if (kind, attribute) == ("AWS::ECR::Repository", "Arn") else logical_id
    if set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        return separator.join(filled_in(made, part) for part in parts)
    return {key: filled_in(made, item) for key, item in value.items()}


def rules(made: Made) -> dict[str, dict[str, Any]]:
    """The rules by logical id."""
    return of_type(made.template, "AWS::Events::Rule")


def pattern(made: Made) -> dict[str, Any]:
    """The one event pattern, as EventBridge gets it."""
    (found,) = (rule["EventPattern"] for rule in rules(made).values() if "EventPattern" in rule)
    filled: dict[str, Any] = filled_in(made, found)
    return filled


# ------------------------------------------------------------ before and after

NOW = datetime(2026, 4, 1, tzinfo=UTC)
RUNNING = "sha256:" + "1" * 64
BUILDS = [f"sha256:{number:064x}" for number in range(2, 42)]


def stored(tags_of_the_running_one: tuple[str, ...]) -> Iterator[Image]:
    """Incident Q: what runs was pushed before forty builds."""
    yield Image(digest=RUNNING, tags=("staging-1", *tags_of_the_running_one), pushed_at=NOW - timedelta(days=40))
    for age, digest in enumerate(BUILDS):
        yield Image(digest=digest, tags=(f"staging-{digest[-4:]}",), pushed_at=NOW - timedelta(days=39 - age / 2))


def test_before_nobody_pins_and_the_running_image_goes() -> None:
    """A repository with our own policy and nothing that sets pins: the image that runs is expired like any old one."""
    assert evaluate(RetentionPolicy().text(), stored(()), now=NOW)[RUNNING].action == "expire"


def test_after_what_the_guard_decides_keeps_the_running_image() -> None:
    """The tag that the guard's plan puts on the image is one that the policy's shield selects (Q2)."""
    repository = RepositoryId(registry=ACCOUNT, region="eu-west-1", name="shop/staging/web")
    use = Use(owner="web", source="task", name="task/1", starts=True)
    plan = decide(
        images=[StoredImage(digest=image.digest, tags=image.tags) for image in stored(())],
        used=[UsedImage(reference=ImageReference(repository=repository, digest=RUNNING), use=use)],
        idle_since={},
        now=NOW,
        complete=True,
        last_complete=None,
        pins_can_move=True,
        writer="0123ab",
    )
    (pin,) = plan.additions
    assert evaluate(RetentionPolicy().text(), stored((pin.tag,)), now=NOW)[RUNNING].action == "keep"


def test_before_nothing_hears_of_a_deleted_image() -> None:
    """Plain CDK's repository, with the usual rule, brings neither a rule for events nor an alarm (Q4)."""
    scope = stack()
    ecr.Repository(scope, "Images", lifecycle_rules=[ecr.LifecycleRule(max_image_count=10)])
    assert {resource["Type"] for resource in synthesize(scope)["Resources"].values()} == {"AWS::ECR::Repository"}


@pytest.mark.parametrize("what", WAKES)
def test_after_the_guard_wakes(made: Made, what: str) -> None:
    """Whatever changes what is in use, or what is stored, leads to a scan (Q4)."""
    assert matches(pattern(made), WAKES[what])


@pytest.mark.parametrize("what", SLEEPS)
def test_the_guard_sleeps_on(made: Made, what: str) -> None:
    """What is not its business does not wake it, its own pins least of all."""
    assert not matches(pattern(made), SLEEPS[what])


# ------------------------------------------------------------ the way of a wake-up


def test_the_schedule_is_a_rule_of_its_own(made: Made) -> None:
    """A fault in the pattern does not silence the schedule."""
    (schedule,) = (rule for rule in rules(made).values() if "EventPattern" not in rule)
    assert schedule["ScheduleExpression"] == "rate(10 minutes)"
    assert len(rules(made)) == 2


def test_every_rule_sends_the_event_s_time_to_one_group(made: Made) -> None:
    """The body is the time alone, so that events of one second are one message."""
    (queue,) = of_type(made.template, "AWS::SQS::Queue")
    for rule in rules(made).values():
        (target,) = rule["Targets"]
        assert target == {
            "Id": "wake-ups",
            "Arn": {"Fn::GetAtt": [queue, "Arn"]},
            "InputPath": "$.time",
            "SqsParameters": {"MessageGroupId": "scan"},
        }


def test_the_queue_serialises_and_coalesces(made: Made) -> None:
    """FIFO with content-based deduplication, held back as long as the function counts with, encrypted, one hour."""
    assert only(made.template, "AWS::SQS::Queue") == {
        "FifoQueue": True,
        "ContentBasedDeduplication": True,
        "DelaySeconds": wakeups.DELAY.total_seconds(),
        "VisibilityTimeout": 480,
        "MessageRetentionPeriod": 3600,
        "SqsManagedSseEnabled": True,
    }


def test_no_second_run_begins_while_the_first_may_still_run(made: Made) -> None:
    """The messages of a run stay hidden for longer than the function can run; Lambda insists on it, too."""
    function = only(made.template, "AWS::Lambda::Function")
    queue = only(made.template, "AWS::SQS::Queue")
    assert function["Timeout"] < queue["VisibilityTimeout"] < queue["MessageRetentionPeriod"] / 2
    assert wakeups.GAP.total_seconds() < function["Timeout"] / 2


def test_only_the_guard_s_rules_may_write_to_the_queue(made: Made) -> None:
    """Two statements: the rules by their ARNs, and nobody without TLS."""
    (queue,) = of_type(made.template, "AWS::SQS::Queue")
    policy = only(made.template, "AWS::SQS::QueuePolicy")
    assert policy["Queues"] == [{"Ref": queue}]
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sqs:SendMessage")
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    sources = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert sorted(source["Fn::GetAtt"][0] for source in sources) == sorted(rules(made))
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "sqs:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allow["Resource"] == deny["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}


def test_the_queue_calls_the_function_with_up_to_ten(made: Made) -> None:
    """Ten is the most that Lambda takes from a FIFO queue at once."""
    (queue,) = of_type(made.template, "AWS::SQS::Queue")
    (function,) = of_type(made.template, "AWS::Lambda::Function")
    mapping = only(made.template, "AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert mapping["FunctionName"] == {"Ref": function}
    assert mapping["BatchSize"] == 10


# ------------------------------------------------------------ the function and its memory


def test_the_function_is_small_python_with_a_log_of_its_own(made: Made) -> None:
    """Python on arm64, no layer, and a log that is kept for 90 days."""
    (log_group,) = of_type(made.template, "AWS::Logs::LogGroup")
    function = only(made.template, "AWS::Lambda::Function")
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "runtime.handler.main"
    assert (function["MemorySize"], function["Timeout"]) == (512, 420)
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": log_group}}
    assert "Layers" not in function
    assert "ReservedConcurrentExecutions" not in function
    assert only(made.template, "AWS::Logs::LogGroup")["RetentionInDays"] == 90


def test_the_function_reads_what_the_construct_writes(made: Made) -> None:
    """The settings in the template, filled in, are what the runtime understands."""
    variables = filled_in(made, only(made.template, "AWS::Lambda::Function")["Environment"]["Variables"])
    assert set(variables) == {settings.VARIABLE}
    read = settings.Settings.from_environment(variables)
    (table,) = of_type(made.template, "AWS::DynamoDB::Table")
    (own,) = of_type(made.template, "AWS::ECR::Repository")
    web = RepositoryId(registry=ACCOUNT, region="eu-west-1", name="shop/staging/web")
    assert read == settings.Settings(
        application="shop",
        environment="staging",
        account=ACCOUNT,
        region="eu-west-1",
        table=table,
        repositories=(
            web,
            RepositoryId(registry="444455556666", region="eu-west-1", name="common/base"),
            RepositoryId(registry=ACCOUNT, region="eu-west-1", name=own.lower()),
        ),
        releases={PARAMETER: web},
        revisions_kept=4,
        releases_kept=6,
    )


def test_the_memory_is_a_table_that_may_be_lost(made: Made) -> None:
    """One string key, paid by use, deleted with its stack: grace begins anew."""
    (resource,) = (item for item in made.template["Resources"].values() if item["Type"] == "AWS::DynamoDB::Table")
    assert resource["Properties"] == {
        "AttributeDefinitions": [{"AttributeName": memory.KEY, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": memory.KEY, "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    assert resource.get("DeletionPolicy", "Delete") == "Delete"


def test_the_asset_holds_the_runtime_package_and_runs_alone(made: Made, tmp_path: Path) -> None:
    """As in Lambda: the asset is the only thing on the path besides Python's own packages."""
    files = {path.relative_to(made.asset).as_posix() for path in made.asset.rglob("*") if path.is_file()}
    assert files == {f"runtime/{path.name}" for path in RUNTIME.glob("*.py")}
    asset = shutil.copytree(made.asset, tmp_path / "asset")
    code = "import sys; sys.modules['constructs_lib'] = None; import runtime.handler as h; print(callable(h.main))"
    done = subprocess.run([sys.executable, "-c", code], cwd=asset, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


# ------------------------------------------------------------ alarms


def test_the_alarms_watch_the_metrics_that_the_function_writes(made: Made) -> None:
    """Namespace, dimensions and names are the runtime's own."""
    for spec in made.alarms:
        assert spec.metric.namespace == report.NAMESPACE
        assert tuple(spec.metric.dimensions) == report.DIMENSIONS
        assert tuple(spec.metric.dimensions.values()) == ("shop", "staging")
    names = {spec.what: spec.metric.name for spec in made.alarms}
    assert names == {
        "missing-image": report.IMAGES_MISSING,
        "image-at-risk": report.IMAGES_AT_RISK,
        "scan-incomplete": report.SCAN_INCOMPLETE,
        "guard-silent": report.SCAN_INCOMPLETE,
    }


def test_a_missing_image_pages_at_once_and_until_it_is_back(made: Made) -> None:
    """One datapoint is enough, and a minute without a scan says nothing: the alarm stays as it is (Q4)."""
    spec = _alarm(made, "missing-image")
    assert spec.severity == "page"
    assert (spec.metric.period_seconds, spec.metric.statistic) == (60, "Maximum")
    assert (spec.threshold.value, spec.threshold.periods, spec.threshold.out_of) == (1, 1, 1)
    assert (spec.threshold.comparison, spec.threshold.missing) == ("GreaterThanOrEqualToThreshold", "ignore")


@pytest.mark.parametrize("what", ["image-at-risk", "scan-incomplete"])
def test_what_the_next_scan_may_mend_is_told_after_two_periods(made: Made, what: str) -> None:
    """A period is as long as the schedule's interval, so there is a scan in each; every scan of both must say so."""
    spec = _alarm(made, what)
    assert spec.severity == "notice"
    assert (spec.metric.period_seconds, spec.metric.statistic) == (10 * 60, "Minimum")
    assert (spec.threshold.value, spec.threshold.periods, spec.threshold.out_of) == (1, 2, 2)
    assert spec.threshold.missing == "ignore"


def test_an_hour_of_silence_is_told_and_no_value_is(made: Made) -> None:
    """Missing data is the fault; the metric is never below 0, whatever the scans found."""
    spec = _alarm(made, "guard-silent")
    assert spec.severity == "notice"
    assert spec.metric.period_seconds * spec.threshold.out_of == 3600
    assert spec.threshold.periods == spec.threshold.out_of > 1
    assert (spec.threshold.comparison, spec.threshold.value) == ("LessThanThreshold", 0)
    assert spec.threshold.missing == "breaching"
    # The longest interval leaves no window without a scan that came.
    assert spec.metric.period_seconds * spec.threshold.out_of > 30 * 60


def test_every_alarm_says_where_to_look(made: Made) -> None:
    """Each names the log, where the guard says what it found."""
    assert {spec.component for spec in made.alarms} == {alarms.COMPONENT}
    assert all("log" in spec.meaning for spec in made.alarms)


def _alarm(made: Made, what: str) -> AlarmSpec:
    (spec,) = (spec for spec in made.alarms if spec.what == what)
    return spec


# ------------------------------------------------------------ many repositories, wrong values


def filled(patterns: list[Pattern]) -> list[dict[str, Any]]:
    """The patterns with the stack's id, as CloudFormation fills it in."""
    text = json.dumps(patterns).replace('{"Ref": "AWS::StackId"}', json.dumps(STACK_ID))
    found: list[dict[str, Any]] = json.loads(text)
    return found


def length(pattern: Pattern) -> int:
    """How long a pattern can become: a stack has a name of up to 128 characters, a repository one of up to 256."""
    longest = STACK_ID.replace("guard/1", "s" * 128 + "/" + "1" * 36)
    text = json.dumps(pattern).replace('{"Ref": "AWS::StackId"}', json.dumps(longest))
    return len(text.replace(TOKEN, "r" * 256))


def names(*, longest: int) -> st.SearchStrategy[str]:
    """Names of every length, often the longest, so that they have to be spread over patterns."""
    return st.tuples(st.sampled_from("abc"), st.integers(1, longest) | st.just(longest)).map(lambda of: of[0] * of[1])


REPOSITORIES = st.lists(names(longest=256), min_size=1, max_size=25, unique=True)
PARAMETERS = st.lists(names(longest=1000).map(lambda name: f"/web/{name}"), max_size=25, unique=True)


@given(REPOSITORIES, PARAMETERS)
def test_every_pattern_fits_and_no_two_could_be_one(repositories: list[str], parameters: list[str]) -> None:
    """EventBridge takes 2,048 characters, and ``$or`` with two alternatives at least; rules are not wasted."""
    made = event_patterns(repositories, parameters)
    assert max(map(length, made)) <= MOST_CHARACTERS
    assert all(len(each["$or"]) > 1 for each in filled(made) if "$or" in each)
    for place, one in enumerate(made):
        for other in made[place + 1 :]:
            # Less what they need to be one, and what a stack's id may be longer in another region.
            assert length(one) + length(other) > MOST_CHARACTERS - 50


@given(REPOSITORIES, PARAMETERS)
def test_each_event_wakes_the_guard_once_and_others_do_not(repositories: list[str], parameters: list[str]) -> None:
    """Two rules that match would send one event twice; one that matches what is not ours would scan for nothing."""
    made = filled(event_patterns(repositories, parameters))

    def woken_by(event: dict[str, Any]) -> int:
        return sum(matches(pattern, event) for pattern in made)

    ours = [
        *(ecr_event("DELETE", repository=name) for name in repositories),
        *(ecr_event("PUSH", repository=name, tag="staging-1") for name in repositories),
        *(parameter_event(name, "Update") for name in parameters),
        ecs_event("ECS Task State Change", lastStatus="RUNNING"),
        ecs_event("ECS Service Action", eventName="SERVICE_TASK_START_IMPAIRED"),
        stack_event(STACK_ID, "UPDATE_COMPLETE"),
    ]
    assert [woken_by(event) for event in ours] == [1] * len(ours)
    others = [
        *(ecr_event("PUSH", repository=name, tag="pin-use-web-12345678-0") for name in repositories),
        *(ecr_event("DELETE", repository=name) for name in [*parameters, "d"]),
        *(parameter_event(name, "Delete") for name in parameters),
        *(parameter_event(name, "Update") for name in [*repositories, "/web/d"]),
    ]
    assert not any(map(woken_by, others))


def test_a_name_that_is_a_token_may_be_of_any_length() -> None:
    """The patterns fit when each turns out as long as ECR allows; at least six such names go in one."""
    made = event_patterns([TOKEN] * 25, [PARAMETER])
    assert max(map(length, made)) <= MOST_CHARACTERS
    assert len(made) <= 1 + 25 / 6


@pytest.mark.parametrize(("services", "rules"), [(10, 1), (25, 2)])
def test_names_of_the_usual_length_need_one_rule_or_two(services: int, rules: int) -> None:
    """An environment has 19 services at most, and a guard 25 repositories."""
    repositories = [f"shop/staging/web{n}" for n in range(services)]
    parameters = [f"/moorings/shop/staging/web{n}/digest" for n in range(services)]
    assert len(event_patterns(repositories, parameters)) == rules


@pytest.mark.parametrize("count", [1, 2])
def test_our_own_rules_let_a_guard_pass(count: int, tmp_path: Path) -> None:
    """It may tag images of several repositories and push to none; that is said with its reason, where it is needed."""
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "S", env=Environment(region="eu-west-1", account="111111111111"))
    repositories = [ecr.Repository.from_repository_name(stack, f"R{n}", f"shop/staging/r{n}") for n in range(count)]
    guarded = [GuardedRepository(repository=repository) for repository in repositories]
    RetentionGuard(stack, "Guard", application="shop", environment="staging", repositories=guarded)
    app.synth()
    report = check([tmp_path])
    assert [one for one in report.findings if one.severity == "error" or one.rule.startswith("MOOR-Q8")] == []
    assert report.accepted == count - 1


def guard(scope: Stack, repository: ecr.IRepository, changes: dict[str, Any]) -> RetentionGuard:
    """A guard, but for ``changes``."""
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "staging",
        "repositories": [GuardedRepository(repository=repository)],
        **changes,
    }
    return RetentionGuard(scope, "Guard", **arguments)


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"application": "Shop"}, "application", "Shop", "lower-case"),
        ({"application": TOKEN}, "application", TOKEN, "not a Token"),
        ({"environment": "pin-1"}, "environment", "pin-1", "begin with 'pin'"),
        ({"repositories": []}, "repositories", 0, "1 to 25"),
        ({"interval_minutes": 4}, "interval_minutes", 4, "5 to 30"),
        ({"interval_minutes": 31}, "interval_minutes", 31, "5 to 30"),
        ({"revisions_kept": 0}, "revisions_kept", 0, "1 to 20"),
        ({"revisions_kept": 21}, "revisions_kept", 21, "1 to 20"),
        ({"releases_kept": 0}, "releases_kept", 0, "1 to 20"),
        ({"releases_kept": -1.8881545897087626e289}, "releases_kept", -1.8881545897087626e289, "not a Token"),
    ],
)
def test_a_wrong_value_is_refused_and_leaves_nothing_behind(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """One sentence: what, the value, what is allowed, the fix."""
    scope = stack()
    repository = ecr.Repository.from_repository_name(scope, "Repository", "web")
    refused(lambda: guard(scope, repository, changes), what, value, allowed)
    assert [child.node.id for child in scope.node.children] == ["Repository"]


def test_too_many_repositories_are_refused() -> None:
    """25 are taken, 26 are not: their settings would not fit the function's environment."""
    scope = stack()
    some = [
        GuardedRepository(repository=ecr.Repository.from_repository_name(scope, f"R{n}", f"r{n}")) for n in range(26)
    ]
    refused(lambda: guard(scope, some[0].repository, {"repositories": some}), "repositories", 26, "1 to 25")
    assert guard(scope, some[0].repository, {"repositories": some[:25]}).alarms


def test_names_that_do_not_fit_the_function_s_environment_are_refused() -> None:
    """Lambda says so only when the stack is deployed; 4 KB are all that a function's variables may take."""
    scope = stack()
    some = [
        GuardedRepository(repository=ecr.Repository.from_repository_name(scope, f"R{n}", f"{n}" * 180))
        for n in range(10, 30)
    ]
    with pytest.raises(ValueError, match=r"repositories must be 4096 characters at most, .*, got '\d+ characters"):
        guard(scope, some[0].repository, {"repositories": some})


def test_what_is_accepted_fits_the_function_s_environment() -> None:
    """To the character, with a table's name as long as DynamoDB allows: 4,096 for the variable's name and its text."""
    scope = Stack(App(), "Stack", env=Environment(account=ACCOUNT, region="eu-west-1"))
    repository = ecr.Repository.from_repository_name(scope, "Repository", "shop/staging/web")

    def changes(length: int) -> dict[str, Any]:
        parameters = (*(f"/web/{letter * 900}" for letter in "abc"), f"/web/{'d' * length}")
        return {"repositories": [GuardedRepository(repository=repository, release_parameters=parameters)]}

    for length in range(1000, 0, -1):
        with suppress(ValueError):
            guard(scope, repository, changes(length))
            break
    text = only(synthesize(scope), "AWS::Lambda::Function")["Environment"]["Variables"][settings.VARIABLE]
    separator, parts = text["Fn::Join"]
    whole = separator.join(part if isinstance(part, str) else "t" * 255 for part in parts)
    assert len(settings.VARIABLE) + len(whole) == 4096


def test_a_bare_repository_is_refused() -> None:
    """The sentence says what to wrap it in."""
    scope = stack()
    repository = ecr.Repository.from_repository_name(scope, "Repository", "web")
    with pytest.raises(ValueError, match="must be a list of GuardedRepository, got "):
        guard(scope, repository, {"repositories": [repository]})


@pytest.mark.parametrize("wrong", [None, "shop/staging/web", PinnedRepository], ids=["none", "a name", "ours"])
def test_what_is_no_repository_is_refused(wrong: Any) -> None:
    """To pass a ``PinnedRepository`` and not what it holds is the likeliest mistake; the sentence says what to do."""
    value: Any = PinnedRepository(stack(), "Images") if wrong is PinnedRepository else wrong
    fix = refused(lambda: GuardedRepository(repository=value), "repository", value, "an ecr.IRepository")
    assert "`.repository`" in fix


@pytest.mark.parametrize("wrong", [None, 1])
def test_what_is_no_list_is_refused(wrong: Any) -> None:
    """Before anything is made."""
    scope = stack()
    repository = ecr.Repository(scope, "Images")
    refused(lambda: guard(scope, repository, {"repositories": wrong}), "repositories", wrong, "a list")


@pytest.mark.parametrize("arn", ["rubbish", "arn:aws:s3:::bucket", "arn:aws:ecr:eu-west-1:111111111111:web"])
def test_an_arn_of_something_else_is_refused(arn: str) -> None:
    """The function would fail at each run."""
    scope = stack()
    repository = ecr.Repository.from_repository_attributes(
        scope, "Images", repository_arn=arn, repository_name="shop/staging/web"
    )
    refused(lambda: guard(scope, repository, {}), "repositories", arn, "ARNs of ECR repositories")


def test_a_parameter_of_two_repositories_is_refused() -> None:
    """A digest is in one repository; in the other it would look as if it were missing."""
    scope = stack()
    both = [
        GuardedRepository(
            repository=ecr.Repository.from_repository_name(scope, name, name), release_parameters=(PARAMETER,)
        )
        for name in ("a", "b")
    ]
    refused(
        lambda: guard(scope, both[0].repository, {"repositories": both}),
        "release_parameters",
        [PARAMETER, PARAMETER],
        "all different",
    )


@pytest.mark.parametrize("parameter", ["", TOKEN, "digest", "/digest", "a/b", "/a b/digest", "/a/" + "b" * 1009])
def test_a_wrong_parameter_is_refused(parameter: str) -> None:
    """Its last part but one names the pins, and IAM must know its name."""
    repository = ecr.Repository.from_repository_name(stack(), "Repository", "web")
    with pytest.raises(ValueError, match=r"release_parameters must be .+, got .+; take it from"):
        GuardedRepository(repository=repository, release_parameters=(parameter,))


def test_a_text_for_the_parameters_is_refused() -> None:
    """A missing comma would give one parameter for each letter."""
    repository = ecr.Repository.from_repository_name(stack(), "Repository", "web")
    wrong: Any = PARAMETER
    with pytest.raises(ValueError, match="must be a tuple of names"):
        GuardedRepository(repository=repository, release_parameters=wrong)


def test_a_repository_of_another_region_is_refused() -> None:
    """The guard asks one region's ECR; images of another would all look as if they had gone."""
    scope = Stack(App(), "Stack", env=Environment(account=ACCOUNT, region="eu-west-1"))
    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/web"
    repository = ecr.Repository.from_repository_arn(scope, "Repository", arn)
    refused(lambda: guard(scope, repository, {}), "repositories", arn, "in eu-west-1")


def test_a_stack_without_a_region_is_accepted() -> None:
    """An app that is not bound to an account or region can have a guard; then the region is not compared."""
    scope = Stack(App(), "Stack")
    repository = ecr.Repository.from_repository_arn(
        scope, "Repository", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/web"
    )
    assert guard(scope, repository, {}).alarms


def test_a_guard_knows_where_it_stands_only_once_it_is_there() -> None:
    """In such an app CloudFormation fills in account and region, for the function and for the names of repositories."""
    scope = Stack(App(), "Stack")
    guard(scope, ecr.Repository.from_repository_name(scope, "Repository", "shop/staging/web"), {})
    made = Made(synthesize(scope), Path(), ())
    variables = only(made.template, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert ACCOUNT not in json.dumps(variables)
    read = settings.Settings.from_environment(filled_in(made, variables))
    assert (read.account, read.region) == (ACCOUNT, "eu-west-1")
    assert read.repositories == (RepositoryId(registry=ACCOUNT, region="eu-west-1", name="shop/staging/web"),)
