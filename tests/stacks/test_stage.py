"""What holds for every environment of the app, read from the templates."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.delivery.settings import DeliverySettings, Upstream
from constructs_lib.services.task.health_check import ContainerCheck
from stacks.application import application
from stacks.config import SERVICES_AT_MOST, ServiceConfig, ServiceSize
from stacks.environments import ENVIRONMENTS
from tests.conftest import Templates
from tests.delivery.support import of_type, only
from tests.stacks import iam
from tests.stacks.variants import two_accounts, variants

ENVIRONMENT_NAMES = [environment.name for environment in ENVIRONMENTS]

PINNED_IDS = {
    "images": {"AWS::ECR::Repository": {"webC55AEA92"}},
    "network": {"AWS::Logs::LogGroup": {"NetworkFlowLogs2BEC3212"}},
    "services": {
        "AWS::Logs::LogGroup": {"webwebLogs0D0848CC"},
        "AWS::ElasticLoadBalancingV2::LoadBalancer": {"webLoadBalancer50866541"},
        "AWS::S3::Bucket": {"AccessLogs247031D9"},
    },
}
"""Renaming one of these replaces it: the images, the logs or the address that visitors use would be gone."""


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
@pytest.mark.parametrize("stack", PINNED_IDS)
def test_logical_ids_of_what_must_not_be_replaced(environment: str, stack: str, templates: Templates) -> None:
    """Repositories, log groups, load balancers and their logs keep their logical ids."""
    template = templates[f"shop--{environment}--{stack}"]
    for kind, ids in PINNED_IDS[stack].items():
        assert set(of_type(template, kind)) == ids


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_repositories_outlive_their_stack(environment: str, templates: Templates) -> None:
    """A repository is kept when its stack is deleted or its definition is replaced (lesson Q2)."""
    for repository in of_type(templates[f"shop--{environment}--images"], "AWS::ECR::Repository").values():
        assert repository["DeletionPolicy"] == repository["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_the_guard_looks_after_every_repository_and_release(environment: str, templates: Templates) -> None:
    """No repository of an environment is left out, and none of another is touched (Q2)."""
    template = templates[f"shop--{environment}--retention"]
    functions = of_type(template, "AWS::Lambda::Function").values()
    variables = [function["Properties"]["Environment"]["Variables"] for function in functions]
    (settings,) = (json.dumps(each["MOORINGS_GUARD"]) for each in variables if "MOORINGS_GUARD" in each)
    made = of_type(templates[f"shop--{environment}--images"], "AWS::ECR::Repository").values()
    names = [repository["Properties"]["RepositoryName"] for repository in made]
    assert re.findall(r"repository\W+([\w/-]+)", settings) == names
    parameters = re.findall(r"/moorings/[\w/-]+", settings)
    assert parameters == [f"/moorings/shop/{environment}/web/digest"]


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_a_missing_image_pages(environment: str, templates: Templates) -> None:
    """The guard's alarms go to the environment's topic; one of them pages (Q4)."""
    alarms = of_type(templates[f"shop--{environment}--retention"], "AWS::CloudWatch::Alarm").values()
    properties = [alarm["Properties"] for alarm in alarms]
    named = {each["AlarmName"]: each for each in properties if "/images/" in each["AlarmName"]}
    start = f"shop/{environment}/images"
    assert set(named) == {
        f"{start}/{what}" for what in ("missing-image", "image-at-risk", "scan-incomplete", "guard-silent")
    }
    assert [name for name, alarm in named.items() if alarm["AlarmDescription"].startswith("[page]")] == [
        f"{start}/missing-image"
    ]
    assert named[f"{start}/missing-image"]["TreatMissingData"] == "ignore"
    assert all(alarm["AlarmActions"] for alarm in named.values())


@pytest.mark.parametrize(("environment", "gateways"), [("staging", 1), ("production", 3)])
def test_a_gateway_without_a_port_pages(environment: str, gateways: int, templates: Templates) -> None:
    """Each NAT gateway has a page and a notice in its own stack, which go to the environment's topic (W1)."""
    template = templates[f"shop--{environment}--network"]
    alarms = [alarm["Properties"] for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()]
    start, numbers = f"shop/{environment}/network", range(1, gateways + 1)
    assert {alarm["AlarmName"] for alarm in alarms} == {
        f"{start}/{what}-{number}" for what in ("nat-ports", "nat-drops") for number in numbers
    }
    paging = [alarm for alarm in alarms if alarm["AlarmDescription"].startswith("[page]")]
    watched = {alarm["Dimensions"][0]["Value"]["Ref"] for alarm in paging}
    assert watched == set(of_type(template, "AWS::EC2::NatGateway"))
    for alarm in alarms:
        (topic,) = alarm["AlarmActions"]
        assert topic["Fn::GetStackOutput"]["StackName"] == f"shop--{environment}--observability"


def test_the_gap_to_staging_is_told_in_production_only(templates: Templates) -> None:
    """Notices of builds and days behind belong to the environment that has one before it (Q5)."""
    told = {}
    for environment in ENVIRONMENT_NAMES:
        alarms = of_type(templates[f"shop--{environment}--retention"], "AWS::CloudWatch::Alarm").values()
        names = [alarm["Properties"]["AlarmName"] for alarm in alarms]
        told[environment] = sorted(name for name in names if "/images/" not in name)
    assert told["staging"] == []
    assert len(told["production"]) == 3
    assert all(name.startswith(("shop/production/web/", "shop/production/delivery/")) for name in told["production"])


def settings_of(templates: Templates, environment: str) -> DeliverySettings:
    """The delivery settings of ``web`` as a command reads them; what AWS makes is ``<its name>``."""
    parameter = only(templates[f"shop--{environment}--services"], "AWS::SSM::Parameter")["Properties"]
    assert parameter["Name"] == f"/moorings/shop/{environment}/web/delivery"
    return DeliverySettings.from_json(iam.text(parameter["Value"]))


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_release_commands_find_what_the_stack_made(environment: str, templates: Templates) -> None:
    """The settings name the cluster, service and target group of the same template, and the narrow role (Q5)."""
    template = templates[f"shop--{environment}--services"]
    settings = settings_of(templates, environment)
    assert (settings.place, settings.region) == (f"shop/{environment}/web", "eu-west-1")
    assert settings.stack == f"shop--{environment}--services"
    assert settings.role == f"arn:aws:iam::<AWS::AccountId>:role/shop--{environment}--release"
    (role,) = (r for r in of_type(template, "AWS::IAM::Role").values() if "RoleName" in r["Properties"])
    assert settings.role.endswith(f"/{role['Properties']['RoleName']}")
    for value, kind in (
        (settings.cluster, "AWS::ECS::Cluster"),
        (settings.ecs_service, "AWS::ECS::Service"),
        (settings.target_group, "AWS::ElasticLoadBalancingV2::TargetGroup"),
    ):
        (logical_id,) = of_type(template, kind)
        assert value in {f"<{logical_id}>", f"<{logical_id}.Name>"}
    assert settings.repository == f"shop/{environment}/web"
    assert settings.platform == "linux/arm64"


def test_production_takes_what_ran_in_staging(templates: Templates) -> None:
    """Staging builds and has nothing before it; production promotes the same digest and builds nothing (Q1, Q7)."""
    assert settings_of(templates, "staging").upstream is None
    upstream = settings_of(templates, "production").upstream
    assert upstream is not None
    assert (upstream.environment, upstream.check, upstream.repository) == ("staging", "digest", "shop/staging/web")
    assert upstream.reader_role == ""
    projects = {
        environment: {
            project["Properties"]["Name"]
            for stack in ("delivery", "release")
            for project in of_type(templates[f"shop--{environment}--{stack}"], "AWS::CodeBuild::Project").values()
        }
        for environment in ENVIRONMENT_NAMES
    }
    assert projects == {
        "staging": {"shop--staging--web", "shop--staging--web--release"},
        "production": {"shop--production--web--promotion", "shop--production--web--release"},
    }


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_the_release_role_reads_the_stacks_that_the_template_reads(environment: str, templates: Templates) -> None:
    """``Fn::GetStackOutput`` is read by the role of the update, so without this a release could not even begin."""
    template = templates[f"shop--{environment}--services"]
    read = set(re.findall(r'"StackName": "([\w-]+)"', json.dumps(template["Resources"])))
    assert len(read) == 2
    grants = [one for one in iam.allowed({"s": template}) if one.action == "cloudformation:DescribeStacks"]
    assert {one.resource.split(":stack/")[1].removesuffix("/*") for one in grants} == read


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_no_build_runs_docker_for_a_promotion_or_a_release(environment: str, templates: Templates) -> None:
    """Only the build is privileged (Q6)."""
    for name, template in templates.items():
        for project in of_type(template, "AWS::CodeBuild::Project").values() if f"--{environment}--" in name else ():
            privileged = project["Properties"]["Environment"]["PrivilegedMode"]
            assert privileged == (project["Properties"]["Name"] == f"shop--{environment}--web")


def test_other_environments_say_how_they_are_released(tmp_path: Path) -> None:
    """A window, a threshold, another account and a check by commit reach the settings that commands read (Q7, W6)."""
    application(two_accounts(), checked=False, outdir=str(tmp_path)).synth()
    found = {}
    for name, template in iam.read_templates(tmp_path).items():
        for parameter in of_type(template, "AWS::SSM::Parameter").values():
            if not str(parameter["Properties"]["Name"]).endswith("/delivery"):
                continue
            settings = DeliverySettings.from_json(iam.text(parameter["Properties"]["Value"]))
            found[settings.environment, settings.service] = settings
            assert settings.stack == name
    assert len(found) == 6
    production, canary = found["production", "api"], found["canary", "web"]
    assert (production.account, production.region) == ("444455556666", "eu-central-1")
    assert (production.window, production.outside_window) == ("0 22 * * MON-FRI for 240 minutes in Asia/Tokyo", "wait")
    assert (production.scan_threshold, production.steady_minutes) == ("high", 30)
    assert production.upstream == Upstream(
        environment="staging",
        account="111122223333",
        region="eu-west-1",
        repository="shop/staging/api",
        check="digest",
        reader_role="arn:aws:iam::111122223333:role/shop--staging--reader",
    )
    assert canary.upstream == Upstream(
        environment="staging",
        account="111122223333",
        region="eu-west-1",
        repository="shop/staging/web",
        check="commit",
    )


def test_a_pipeline_starts_at_a_push_and_its_build_does_not(tmp_path: Path) -> None:
    """With both, CodeBuild would build each commit twice; without a pipeline the webhook stays (Q1)."""
    staging, *others = two_accounts()
    application([staging, *others], checked=False, outdir=str(tmp_path / "pipelines")).synth()
    application([replace(staging, code_pipeline=None)], checked=False, outdir=str(tmp_path / "buttons")).synth()
    for folder, has_webhook in (("pipelines", False), ("buttons", True)):
        templates = iam.read_templates(tmp_path / folder)
        projects = of_type(templates["shop--staging--delivery"], "AWS::CodeBuild::Project").values()
        assert {"Triggers" in project["Properties"] for project in projects} == {has_webhook}
        pipelines = of_type(templates["shop--staging--release"], "AWS::CodePipeline::Pipeline")
        assert len(pipelines) == (0 if has_webhook else 2)


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_scaling_that_cannot_keep_up_is_told_and_wakes_nobody(environment: str, templates: Templates) -> None:
    """The service has three notices: it is at its maximum, needs more than it may have, or few requests fail (T1, W3).

    What users notice pages once, by the alarm of the whole component; its own alarms tell nobody.
    """
    services = templates[f"shop--{environment}--services"]
    alarms = of_type(services, "AWS::CloudWatch::Alarm").values()
    told = [alarm["Properties"] for alarm in alarms if "AlarmActions" in alarm["Properties"]]
    assert all(alarm["AlarmDescription"].startswith("[notice]") for alarm in told)
    notices = ("some-requests-fail", "at-maximum", "scaling-cannot-keep-up")
    assert sorted(alarm["AlarmName"] for alarm in told) == sorted(f"shop/{environment}/web/{what}" for what in notices)
    composites = [alarm["Properties"] for alarm in of_type(services, "AWS::CloudWatch::CompositeAlarm").values()]
    pages = [alarm["AlarmName"] for alarm in composites if "AlarmActions" in alarm]
    assert pages == [f"shop/{environment}/web/degraded"]


def test_the_alarm_topic_is_there_before_what_is_watched(assembly: Path) -> None:
    """The network waits for the topic and for nothing else, and the services wait for the network."""
    for environment in ENVIRONMENT_NAMES:
        manifest = json.loads((assembly / f"assembly-{environment}" / "manifest.json").read_text())
        waits = {
            artifact["properties"]["stackName"].rsplit("--", 1)[1]: {
                name for name in artifact["dependencies"] if not name.endswith(".assets")
            }
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        ids = {key.removeprefix(environment)[:-8]: key for names in waits.values() for key in names}
        assert waits["observability"] == set()
        assert waits["network"] == {ids["observability"]}
        assert ids["network"] in waits["services"]


def test_the_most_services_that_are_accepted_fit_a_stack(tmp_path: Path) -> None:
    """CDK refuses a stack of more than 500 resources; with a domain and nothing else thirteen web services have at most
    500, and seventeen services have room when most are workers."""
    (public, *_) = variants()
    web = public.services[0]
    worker = ServiceConfig(name="worker", health_check=ContainerCheck.of("true"))
    webs = [replace(web, name=f"s-{number}", subdomain=f"s-{number}") for number in range(13)]
    workers = [replace(worker, name=f"w-{number}") for number in range(10)]
    for number, services in enumerate((webs, [*webs[:7], *workers])):
        assert len(services) in (13, SERVICES_AT_MOST)
        config = replace(public, services=tuple(services), size=ServiceSize(), status_page=None)
        application([config], checked=False, outdir=str(tmp_path / str(number))).synth()


@pytest.mark.parametrize("environment", ENVIRONMENT_NAMES)
def test_the_digest_is_read_from_the_release_parameter(environment: str, templates: Templates) -> None:
    """The services' stack has the parameter's name as default and no digest of its own."""
    parameters = templates[f"shop--{environment}--services"]["Parameters"]
    defaults = [
        value["Default"] for value in parameters.values() if value["Type"] == "AWS::SSM::Parameter::Value<String>"
    ]
    assert f"/moorings/shop/{environment}/web/digest" in defaults
    assert "sha256:" not in str(parameters)


def test_production_spreads_over_three_zones_with_a_nat_gateway_each(templates: Templates) -> None:
    """Production has three zones that do not depend on each other; staging saves two of the NAT gateways."""
    for environment, zones, gateways in (("staging", 2, 1), ("production", 3, 3)):
        network = templates[f"shop--{environment}--network"]
        subnets = of_type(network, "AWS::EC2::Subnet").values()
        assert len({subnet["Properties"]["AvailabilityZone"] for subnet in subnets}) == zones
        assert len(of_type(network, "AWS::EC2::NatGateway")) == gateways


def test_nothing_is_open_to_the_internet(templates: Templates) -> None:
    """No security group of the app admits everybody, and every load balancer is internal, unless asked."""
    for template in templates.values():
        for group in of_type(template, "AWS::EC2::SecurityGroup").values():
            assert "0.0.0.0/0" not in str(group["Properties"].get("SecurityGroupIngress", []))
        for balancer in of_type(template, "AWS::ElasticLoadBalancingV2::LoadBalancer").values():
            assert balancer["Properties"]["Scheme"] == "internal"
