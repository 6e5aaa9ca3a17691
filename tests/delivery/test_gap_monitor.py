"""The gap's monitor (lesson Q5), in apps with none and with all of CDK's feature flags."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.alarms import GapThreshold
from constructs_lib.delivery.gap_monitor import ReleaseGap, WatchedService
from constructs_lib.delivery.release_parameter import ReleaseParameters
from constructs_lib.delivery.runtime.gap_settings import VARIABLE, GapSettings, Place, Service
from constructs_lib.delivery.settings import Upstream
from constructs_lib.guardrails.check import check
from constructs_lib.naming import reader_role_name
from tests.support import FLAG_SETS, TOKEN, Template, listed, of_type, only, refused, statements, synthesize

ACCOUNT = "111122223333"
OTHER = "444455556666"
REGION = "eu-west-1"
READER = f"arn:aws:iam::{OTHER}:role/{reader_role_name('shop', 'staging')}"


def upstream(service: str, **changes: str) -> Upstream:
    """Staging, in the same account but for ``changes``."""
    return Upstream(
        **{
            "environment": "staging",
            "account": ACCOUNT,
            "region": REGION,
            "repository": f"shop/staging/{service}",
            **changes,
        }  # type: ignore[arg-type]
    )


def watched(service: str = "web", **changes: str) -> WatchedService:
    """A service of production."""
    return WatchedService(
        service=service, repository=f"shop/production/{service}", upstream=upstream(service, **changes)
    )


def monitor(scope: Stack, *services: WatchedService, **changes: Any) -> ReleaseGap:
    """A monitor of these services, but for ``changes``."""
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "production",
        "services": list(services) or [watched()],
        **changes,
    }
    return ReleaseGap(scope, "Gap", **arguments)


def bound(app: App | None = None) -> Stack:
    """A stack whose account and region are known."""
    return Stack(app or App(), "Stack", env=Environment(account=ACCOUNT, region=REGION))


@dataclass(frozen=True)
class Made:
    """A stack with a monitor of two services."""

    template: Template
    asset: Path
    alarms: tuple[AlarmSpec, ...]


@pytest.fixture(scope="module", params=FLAG_SETS)
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    def one(*services: WatchedService) -> Made:
        folder = tmp_path_factory.mktemp("cdk.out")
        scope = bound(App(context=request.param, outdir=str(folder)))
        made = monitor(scope, *services)
        (asset,) = (path for path in folder.iterdir() if path.name.startswith("asset."))
        return Made(synthesize(scope), asset, made.alarms)

    return one


@pytest.fixture(scope="module")
def same(make: Callable[..., Made]) -> Made:
    """Staging in the same account, in another region."""
    return make(watched("web", region="eu-central-1"), watched("worker", region="eu-central-1"))


@pytest.fixture(scope="module")
def two_accounts(make: Callable[..., Made]) -> Made:
    """Staging in another account."""
    changes = {"account": OTHER, "reader_role": READER}
    return make(watched("web", **changes), watched("worker", **changes))


def as_text(resource: Any) -> str:
    """With a concrete region a feature flag decides whether the partition is ``aws`` or left to CloudFormation."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return "".join("aws" if isinstance(part, dict) else part for part in resource["Fn::Join"][1])


def allowed(made: Made) -> dict[str, list[str]]:
    """What the function may do, and to what."""
    (role,) = of_type(made.template, "AWS::IAM::Role")
    found: dict[str, list[str]] = {}
    for statement in statements(made.template, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            found.setdefault(action, []).extend(map(as_text, listed(statement["Resource"])))
    return {action: sorted(resources) for action, resources in found.items()}


# ------------------------------------------------------------ before and after


def test_before_nobody_sees_how_far_production_is_behind() -> None:
    """A release parameter alone: nothing looks at it again, and nothing could tell anybody (Q5)."""
    scope = bound()
    ReleaseParameters(scope, "Release", application="shop", environment="production", services=["web"])
    template = synthesize(scope)
    assert not of_type(template, "AWS::Events::Rule")
    assert not of_type(template, "AWS::CloudWatch::Alarm")


def test_after_every_hour_somebody_looks_and_is_told(same: Made) -> None:
    """A rule calls the function, which only that rule may call, and there are alarms on what it writes (Q5)."""
    rule = only(same.template, "AWS::Events::Rule")
    ((rule_id, _),) = of_type(same.template, "AWS::Events::Rule").items()
    ((function_id, _),) = of_type(same.template, "AWS::Lambda::Function").items()
    arn = {"Fn::GetAtt": [function_id, "Arn"]}
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert [target["Arn"] for target in rule["Targets"]] == [arn]
    assert only(same.template, "AWS::Lambda::Permission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": arn,
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [rule_id, "Arn"]},
    }
    assert {(spec.component, spec.what) for spec in same.alarms} == {
        ("web", "builds-behind"),
        ("web", "days-behind"),
        ("worker", "builds-behind"),
        ("worker", "days-behind"),
        ("delivery", "gap-unknown"),
    }
    assert {spec.metric.dimensions["Environment"] for spec in same.alarms} == {"production"}


# ------------------------------------------------------------ what it may do


def test_in_one_account_the_role_reads_exactly_what_is_measured(same: Made) -> None:
    """Nothing is written but the log; the ledger is allowed as the path that is asked for."""
    (log,) = of_type(same.template, "AWS::Logs::LogGroup")
    here, before = f"{REGION}:{ACCOUNT}", f"eu-central-1:{ACCOUNT}"
    services = ("web", "worker")
    assert allowed(same) == {
        "ecr:DescribeImages": [
            *(f"arn:aws:ecr:{before}:repository/shop/staging/{name}" for name in services),
            *(f"arn:aws:ecr:{here}:repository/shop/production/{name}" for name in services),
        ],
        "ssm:GetParameter": [
            f"arn:aws:ssm:{here}:parameter/moorings/shop/production/{name}/digest" for name in services
        ],
        "ssm:GetParametersByPath": [
            f"arn:aws:ssm:{before}:parameter/moorings/shop/staging/{name}/releases" for name in services
        ],
        "logs:CreateLogStream": [f"{log}.Arn"],
        "logs:PutLogEvents": [f"{log}.Arn"],
    }


def test_in_two_accounts_the_role_may_only_become_the_reader_there(two_accounts: Made) -> None:
    """What the reader may do is that account's to say."""
    found = allowed(two_accounts)
    assert found.pop("sts:AssumeRole") == [READER]
    assert set(found) == {"ecr:DescribeImages", "ssm:GetParameter", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert OTHER not in json.dumps(found)


def test_no_statement_names_everything_and_no_managed_policy_is_used(same: Made, two_accounts: Made) -> None:
    """There is no ``*`` at all."""
    for made in (same, two_accounts):
        assert "ManagedPolicyArns" not in only(made.template, "AWS::IAM::Role")
        found = allowed(made)
        assert not [one for one in (*found, *(r for rs in found.values() for r in rs)) if "*" in one]


def test_a_repository_of_two_services_is_named_once(make: Callable[..., Made]) -> None:
    """Two services may run the same image."""
    web = watched("web")
    made = make(web, replace(web, service="worker"))
    assert len(allowed(made)["ecr:DescribeImages"]) == 2
    assert len(allowed(made)["ssm:GetParameter"]) == 2


# ------------------------------------------------------------ the function


def test_the_function_reads_the_settings_that_it_is_given(same: Made, two_accounts: Made) -> None:
    """What the construct writes, ``gap_settings`` reads."""
    services = tuple(
        Service(name=name, repository=f"shop/production/{name}", upstream_repository=f"shop/staging/{name}")
        for name in ("web", "worker")
    )
    here = Place(environment="production", account=ACCOUNT, region=REGION)
    before = Place(environment="staging", account=ACCOUNT, region="eu-central-1")
    beyond = Place(environment="staging", account=OTHER, region=REGION, reader_role=READER)
    for made, place in ((same, before), (two_accounts, beyond)):
        variables = only(made.template, "AWS::Lambda::Function")["Environment"]["Variables"]
        assert GapSettings.from_environment(variables) == GapSettings(
            application="shop", here=here, upstream=place, services=services
        )


def test_the_function_is_small_python_with_a_log_group_of_its_own(same: Made) -> None:
    """90 days of log; nothing retries longer than the function may run."""
    (log,) = of_type(same.template, "AWS::Logs::LogGroup")
    properties = only(same.template, "AWS::Lambda::Function")
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.14", ["arm64"])
    assert (properties["Handler"], properties["Timeout"], properties["MemorySize"]) == (
        "runtime.gap_handler.main",
        300,
        256,
    )
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": log}}
    assert only(same.template, "AWS::Logs::LogGroup") == {"RetentionInDays": 90}


def test_the_asset_runs_without_the_library_around_it(same: Made, tmp_path: Path) -> None:
    """As Lambda does: the asset is the only thing on the path besides Python's own packages."""
    asset = shutil.copytree(same.asset, tmp_path / "asset")
    code = "import sys; sys.modules['constructs_lib'] = None; import runtime.gap_handler as h; print(callable(h.main))"
    done = subprocess.run([sys.executable, "-c", code], cwd=asset, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_few_resources_are_made(same: Made) -> None:
    """One of each for all services."""
    assert sorted(resource["Type"] for resource in same.template["Resources"].values()) == [
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
    ]


def test_an_app_that_knows_no_account_has_a_monitor_too() -> None:
    """CloudFormation fills in account and region; the ARNs are whole."""
    scope = Stack(App(), "Stack")
    monitor(scope, watched(account=scope.account, region=scope.region))
    template = synthesize(scope)
    variables = only(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert {"Ref": "AWS::AccountId"} in variables[VARIABLE]["Fn::Join"][1]
    (role,) = of_type(template, "AWS::IAM::Role")
    (ours, theirs) = (
        listed(s["Resource"]) for s in statements(template, role) if "ecr:DescribeImages" in listed(s["Action"])
    )
    for resources, name in ((ours, "production"), (theirs, "staging")):
        parts = resources[0]["Fn::Join"][1]
        refs = [part["Ref"] for part in parts if isinstance(part, dict)]
        assert refs == ["AWS::Partition", "AWS::Region", "AWS::AccountId"]
        assert parts[-1] == f":repository/shop/{name}/web"


@pytest.mark.parametrize("unknown", ["here", "upstream"])
def test_accounts_are_compared_only_when_both_are_known(unknown: str) -> None:
    """Whether a reader role is missing cannot be said of an account that CloudFormation fills in."""
    here = Stack(App(), "Stack") if unknown == "here" else bound()
    there = OTHER if unknown == "here" else TOKEN
    assert monitor(here, watched(account=there)).alarms


def test_our_own_rules_let_a_monitor_pass(tmp_path: Path) -> None:
    """It pushes nothing, keeps its log for a set time, and names what it reads."""
    app = App(outdir=str(tmp_path))
    monitor(bound(app))
    app.synth()
    report = check([tmp_path])
    assert [one for one in report.findings if one.severity == "error" or one.rule.startswith("MOOR-Q8")] == []


# ------------------------------------------------------------ wrong values


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"application": "Shop"}, "application", "Shop", "lower-case"),
        ({"application": TOKEN}, "application", TOKEN, "not a Token"),
        ({"environment": "pin-1"}, "environment", "pin-1", "begin with 'pin'"),
        ({"services": []}, "services", [], "at least one WatchedService"),
        ({"services": "web"}, "services", "web", "at least one WatchedService"),
        ({"services": ["web"]}, "services", ["web"], "at least one WatchedService"),
        ({"services": [watched(), watched()]}, "services", ["web", "web"], "all different"),
        (
            {"services": [watched("web"), watched("worker", environment="test")]},
            "services",
            ["staging", "test"],
            "the same environment",
        ),
        (
            {"services": [watched("web"), watched("worker", account=OTHER, reader_role=READER)]},
            "services",
            ["staging", "staging"],
            "the same environment",
        ),
        (
            {
                "services": [
                    watched("web", account=OTHER, reader_role=READER),
                    watched("worker", account=OTHER, reader_role=f"{READER}-2"),
                ]
            },
            "services",
            ["staging", "staging"],
            "the same environment",
        ),
        ({"services": [watched(account=OTHER)]}, "upstream.reader_role", "", f"the reader role in {OTHER}"),
        ({"threshold": 20}, "threshold", 20, "a GapThreshold"),
    ],
)
def test_a_wrong_value_is_refused_and_leaves_nothing_behind(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """One sentence: what, the value, what is allowed, the fix."""
    scope = bound()
    refused(lambda: monitor(scope, **changes), what, value, allowed)
    assert scope.node.children == []


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"service": "Web"}, "service", "Web", "lower-case"),
        ({"repository": ""}, "repository", "", "not empty"),
        ({"repository": TOKEN}, "repository", TOKEN, "not a Token"),
        ({"upstream": None}, "upstream", None, "an Upstream"),
        ({"upstream": upstream("web", environment="pin")}, "upstream.environment", "pin", "begin with 'pin'"),
        ({"upstream": upstream("web", repository="")}, "upstream.repository", "", "not empty"),
    ],
)
def test_a_wrong_service_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """Before CDK is asked for anything."""
    arguments: dict[str, Any] = {"service": "web", "repository": "shop/production/web", "upstream": upstream("web")}
    refused(lambda: WatchedService(**{**arguments, **changes}), what, value, allowed)


def test_more_names_than_a_function_s_environment_holds_are_refused() -> None:
    """Lambda says so only when the stack is deployed; nineteen services with names of usual length fit."""
    scope = bound()
    few = [watched(f"service-number-{n}") for n in range(19)]
    many = [watched(f"service-with-a-long-name-{n}") for n in range(60)]
    with pytest.raises(ValueError, match=r"services must be 4096 characters at most, .*, got '\d+ characters"):
        monitor(scope, *many)
    assert monitor(scope, *few).alarms


def test_the_threshold_is_the_alarms() -> None:
    """What is passed is what is compared with."""
    made = monitor(bound(), threshold=GapThreshold(builds=3, days=2))
    values = {spec.what: spec.threshold.value for spec in made.alarms}
    assert (values["builds-behind"], values["days-behind"]) == (3, 2)
