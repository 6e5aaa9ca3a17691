"""The status page among the stacks of an environment: where it stands, and what it hangs on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.observability.notification.targets import SlackTarget
from constructs_lib.observability.status_page.policy import StatusComponent, StatusPagePolicy
from stacks import retained
from stacks.application import application
from stacks.environments import ENVIRONMENTS
from stacks.status_config import StatusPageConfig
from tests.conftest import Templates
from tests.delivery.support import of_type
from tests.stacks.variants import elsewhere
from tests.support import refused

STAGING, PRODUCTION = ENVIRONMENTS
PAGE, FEED = "shop--production--status", "shop--production--status-source"


def stacks_of(folder: Path, environment: str) -> dict[str, Any]:
    """The manifest's entry of each stack, by CloudFormation's name."""
    manifest = json.loads((folder / f"assembly-{environment}" / "manifest.json").read_text())
    made = [one for one in manifest["artifacts"].values() if one["type"] == "aws:cloudformation:stack"]
    return {one["properties"]["stackName"]: one for one in made}


def test_production_has_a_page_and_staging_none(templates: Templates) -> None:
    """And an environment without one pays nothing for it: no stack, no resource."""
    assert {name for name in templates if "--status" in name} == {PAGE, FEED}


def test_the_page_hangs_on_nothing_that_serves_visitors(templates: Templates, assembly: Path) -> None:
    """What it takes from other stacks is where its own alarms go; the bus is there before its feed."""
    page = templates[PAGE]
    text = json.dumps(page)
    for word in ("AWS::EC2::", "AWS::ECS::", "LoadBalancing", "VpcConfig", "--services", "--network", "--images"):
        assert word not in text
    stacks = stacks_of(assembly, "production")
    ids = {one["properties"]["stackName"]: key for key, one in _raw(assembly).items()}
    needed = {name for name, key in ids.items() if key in stacks[PAGE]["dependencies"]}
    assert needed <= {"shop--production--observability"}
    assert ids[PAGE] in stacks[FEED]["dependencies"]
    assert stacks[PAGE]["environment"].endswith("/eu-west-1")


def _raw(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / "assembly-production" / "manifest.json").read_text())
    return {key: one for key, one in manifest["artifacts"].items() if one["type"] == "aws:cloudformation:stack"}


def test_no_service_waits_for_the_page(assembly: Path) -> None:
    """A page that cannot be deployed holds no release."""
    ids = {key for key, one in _raw(assembly).items() if one["properties"]["stackName"] in (PAGE, FEED)}
    for name, one in stacks_of(assembly, "production").items():
        if name not in (PAGE, FEED):
            assert not ids & set(one["dependencies"]), name


def test_notices_about_the_page_go_to_the_environments_topic(templates: Templates) -> None:
    """Four, none of which wakes anybody."""
    alarms = [
        alarm["Properties"]
        for name in (PAGE, FEED)
        for alarm in of_type(templates[name], "AWS::CloudWatch::Alarm").values()
    ]
    assert sorted(alarm["AlarmName"].rpartition("/")[2] for alarm in alarms) == [
        "status-page-failing",
        "status-page-letters",
        "status-page-silent",
        "status-source-letters",
    ]
    assert all(alarm["AlarmActions"] for alarm in alarms)
    assert not [alarm for alarm in alarms if alarm["AlarmDescription"].startswith("[page]")]


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Production with its page in us-west-2, and only a chat that is told."""
    folder = tmp_path_factory.mktemp("abroad")
    slack = SlackTarget(workspace="T0123456789", channel="C0123456789")
    status = elsewhere()
    page = replace(status.page, components=status.page.components[:1])
    there = replace(PRODUCTION, notify=(slack,), status_page=replace(status, page=page))
    application((STAGING, there), checked=False, outdir=str(folder)).synth()
    return folder


def test_in_another_region_nothing_crosses_but_names(abroad: Path) -> None:
    """The page's stack stands there, refers to no stack at all, and is fed from here. A chat has its topics here, so
    there are none there."""
    stacks = stacks_of(abroad, "production")
    assert stacks[PAGE]["environment"].endswith("/us-west-2")
    assert stacks[FEED]["environment"].endswith("/eu-west-1")
    folder = abroad / "assembly-production"
    page = json.loads((folder / stacks[PAGE]["properties"]["templateFile"]).read_text())
    feed = json.loads((folder / stacks[FEED]["properties"]["templateFile"]).read_text())
    assert "Fn::GetStackOutput" not in json.dumps(page)
    assert "Fn::ImportValue" not in json.dumps(page)
    assert not of_type(page, "AWS::SNS::Topic")
    assert not of_type(page, "AWS::CloudWatch::Alarm")
    ours = set(_raw(abroad))
    assert not ours & set(stacks[PAGE]["dependencies"])
    told = [one["Properties"].get("EventPattern") for one in of_type(page, "AWS::Events::Rule").values()]
    assert [pattern["region"] for pattern in told if pattern] == [["eu-west-1"]]
    (rule,) = of_type(feed, "AWS::Events::Rule").values()
    assert ":events:us-west-2:" in json.dumps(rule["Properties"]["Targets"])


def test_who_may_be_told_there_is_told_there(tmp_path: Path) -> None:
    """An address or an endpoint has a topic of that region too."""
    from constructs_lib.observability.notification.targets import EmailTarget

    status = StatusPageConfig(
        page=StatusPagePolicy(en="Shop", components=(StatusComponent(name="web", en="Website"),)), region="us-west-2"
    )
    there = replace(PRODUCTION, notify=(EmailTarget(address="ops@example.com"),), status_page=status)
    application((STAGING, there), checked=False, outdir=str(tmp_path)).synth()
    file = stacks_of(tmp_path, "production")[PAGE]["properties"]["templateFile"]
    page = json.loads((tmp_path / "assembly-production" / file).read_text())
    assert len(of_type(page, "AWS::CloudWatch::Alarm")) == 3
    assert {one["Properties"]["Protocol"] for one in of_type(page, "AWS::SNS::Subscription").values()} == {"email"}


def test_a_component_must_be_a_service() -> None:
    """Before CDK starts."""
    page = StatusPagePolicy(en="Shop", components=(StatusComponent(name="api", en="API"),))
    refused(
        lambda: replace(PRODUCTION, status_page=StatusPageConfig(page=page)),
        "component",
        "api",
        "one of the services: web",
    )


def test_what_stays_when_it_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    """The bucket, with what people wrote, by its name."""
    assert retained.main(["production"]) == 0
    said = capsys.readouterr().out
    assert "AWS::S3::Bucket: shop--production--status-<AWS::AccountId>-eu-west-1" in said
    assert "cdk import 'production/status'" in said
    assert retained.main(["staging"]) == 0
    assert "status page" not in capsys.readouterr().out


def test_its_bucket_keeps_its_logical_id(templates: Templates) -> None:
    """Renaming it would replace it: the history would be gone from the page."""
    assert set(of_type(templates[PAGE], "AWS::S3::Bucket")) == {"PageBucket8C80C4CC"}
