"""The configuration and its copy (lesson T2), in apps with none and with all of CDK's feature flags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

from constructs_lib.guardrails.check import check
from constructs_lib.services.configuration.fail_static_config import FailStaticConfig
from constructs_lib.services.configuration.policy import ConfigurationDeployment
from constructs_lib.services.configuration.runtime.settings import VARIABLE, CopySettings
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, TaskSize
from constructs_lib.services.task.health_check import HealthCheck
from tests.support import (
    DIGEST,
    FLAG_SETS,
    Template,
    containers,
    listed,
    of_type,
    only,
    references,
    refused,
    stack,
    statements,
    synthesize,
    vpc,
)

SCHEMA = '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["limit"]}'
CONTENT = '{"limit": 5}'
AGENT = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/aws-appconfig-agent@{DIGEST}"
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:errors"
CHECK = HealthCheck.http("/healthz", port=8080, program="curl")


def config(scope: Stack, id: str = "Config", **changes: Any) -> FailStaticConfig:
    """A configuration, but for ``changes``."""
    arguments: dict[str, Any] = {
        "application": "shop",
        "environment": "staging",
        "profile": "web",
        "schema": SCHEMA,
        "content": CONTENT,
        **changes,
    }
    return FailStaticConfig(scope, id, **arguments)


def service(scope: Stack, **changes: Any) -> FargateWebService:
    """A web service of ours."""
    return FargateWebService(
        scope,
        "Web",
        cluster=ecs.Cluster(scope, "Cluster", vpc=vpc(scope)),
        repository=ecr.Repository(scope, "Images"),
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        **changes,
    )


def ours(app: App) -> None:
    """Our service with a configuration that alarms can take back."""
    scope = stack(app, "Ours")
    made = config(scope, rollback_alarms=[ALARM, f"{ALARM}-2"])
    made.attach(service(scope).task, agent_image=AGENT)


def alone(app: App) -> None:
    """The same beside a task of plain CDK, without alarms."""
    scope = stack(app, "Alone")
    task = ecs.FargateTaskDefinition(scope, "Task", cpu=256, memory_limit_mib=512)
    image = ecs.ContainerImage.from_registry("public.ecr.aws/example/web:1.4.2")
    task.add_container("app", image=image, logging=ecs.LogDrivers.aws_logs(stream_prefix="app"))
    config(
        scope,
        deployment=ConfigurationDeployment(minutes=0, growth_percent=100, bake_minutes=5),
        notice_after_minutes=60,
    ).attach(task, agent_image=AGENT)


def plain(app: App) -> None:
    """AppConfig and a task as plain CDK makes them; the application asks AppConfig itself."""
    scope = stack(app, "Plain")
    application = appconfig.Application(scope, "Configuration")
    environment = appconfig.Environment(scope, "Environment", application=application)
    appconfig.HostedConfiguration(
        scope,
        "Hosted",
        application=application,
        deploy_to=[environment],
        content=appconfig.ConfigurationContent.from_inline_json(CONTENT),
    )
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("app", image=ecs.ContainerImage.from_registry("public.ecr.aws/example/web:1.4.2"))


@pytest.fixture(scope="module", params=FLAG_SETS)
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The templates of all three, by the stack's name."""
    app = App(context=request.param, outdir=str(tmp_path_factory.mktemp("out")))
    for make in (ours, alone, plain):
        make(app)
    return {made.stack_name: made.template for made in app.synth().stacks}


@pytest.fixture(scope="module")
def web(templates: dict[str, Template]) -> Template:
    """Our service."""
    return templates["Ours"]


@pytest.fixture(scope="module")
def task(templates: dict[str, Template]) -> Template:
    """The plain task definition."""
    return templates["Alone"]


def found(template: Template, folder: Path) -> set[str]:
    """The rules that find something in a template."""
    file = folder / "template.json"
    file.write_text(json.dumps(template))
    return {one.rule for one in check([file]).findings}


def one_of(template: Template, kind: str) -> tuple[str, Mapping[str, Any]]:
    """The logical id and the whole of the one resource of a type."""
    ((key, value),) = [(key, one) for key, one in template["Resources"].items() if one["Type"] == kind]
    return key, value


def ids(template: Template) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """AppConfig's ids of application, environment and profile."""
    kinds = ("Application", "Environment", "ConfigurationProfile")
    first, second, third = ({"Ref": one_of(template, f"AWS::AppConfig::{kind}")[0]} for kind in kinds)
    return first, second, third


def of_copy(template: Template) -> tuple[str, dict[str, Any]]:
    """The function that copies, among others that CDK may make."""
    ((key, made),) = [
        (key, value)
        for key, value in of_type(template, "AWS::Lambda::Function").items()
        if VARIABLE in value["Environment"]["Variables"]
    ]
    return key, made


def joined(value: Any, names: Mapping[str, str] | None = None) -> str:
    """A text with ``Ref`` and ``GetAtt`` written as the resource's short name."""
    if isinstance(value, str):
        return value
    if value == {"Ref": "AWS::Partition"}:
        return "aws"  # with all of CDK's flags it is known
    if "Ref" in value:
        return (names or {}).get(value["Ref"], f"<{value['Ref']}>")
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    separator, parts = value["Fn::Join"]
    return str(separator).join(joined(part, names) for part in parts)


# ------------------------------------------------------------ before and after


def test_before_plain_cdk_has_no_copy_to_go_on_with(templates: dict[str, Template], tmp_path: Path) -> None:
    """Incident T: the application asks AppConfig itself, and nothing holds a copy; rule MOOR-T2a says so.

    Plain CDK's deployment has no alarms to go back by.
    """
    before = templates["Plain"]
    assert "MOOR-T2a" in found(before, tmp_path)
    assert "Monitors" not in only(before, "AWS::AppConfig::Environment")
    assert of_type(before, "AWS::S3::Bucket") == {}


@pytest.mark.parametrize("name", ["Ours", "Alone"])
def test_after_the_agent_is_beside_the_application(templates: dict[str, Template], name: str, tmp_path: Path) -> None:
    """Rules MOOR-T2a and MOOR-T2b have nothing to say, and no rule finds an error."""
    template = templates[name]
    assert not {"MOOR-T2a", "MOOR-T2b"} & found(template, tmp_path)
    file = tmp_path / "template.json"
    errors = {one.rule for one in check([file]).findings if one.severity == "error"}
    # The plain task's own container is what its team wrote.
    assert errors <= ({"MOOR-Q3b", "MOOR-W2a", "MOOR-W2b", "MOOR-W2c"} if name == "Alone" else set())


# ------------------------------------------------------------ AppConfig


def test_one_application_has_one_environment_and_one_profile(web: Template) -> None:
    """Two deployments of one environment at once are refused, so nothing else is deployed to this one."""
    application, _, _ = ids(web)
    assert only(web, "AWS::AppConfig::Application") == {"Name": "shop-staging-web"}
    environment = only(web, "AWS::AppConfig::Environment")
    assert (environment["ApplicationId"], environment["Name"]) == (application, "staging")
    assert only(web, "AWS::AppConfig::ConfigurationProfile") == {
        "ApplicationId": application,
        "LocationUri": "hosted",
        "Name": "web",
        "Type": "AWS.Freeform",
        "Validators": [{"Type": "JSON_SCHEMA", "Content": SCHEMA}],
    }


def test_the_content_is_deployed_gradually(web: Template) -> None:
    """A version, a strategy and a deployment that refers to both, so that another content is another deployment."""
    application, environment, profile = ids(web)
    version, content = one_of(web, "AWS::AppConfig::HostedConfigurationVersion")
    assert content["Properties"] == {
        "ApplicationId": application,
        "ConfigurationProfileId": profile,
        "Content": CONTENT,
        "ContentType": "application/json",
    }
    strategy, slowly = one_of(web, "AWS::AppConfig::DeploymentStrategy")
    assert slowly["Properties"] == {
        "Name": "shop-staging-web",
        "ReplicateTo": "NONE",
        "DeploymentDurationInMinutes": 10,
        "GrowthFactor": 20,
        "GrowthType": "LINEAR",
        "FinalBakeTimeInMinutes": 10,
    }
    assert only(web, "AWS::AppConfig::Deployment") == {
        "ApplicationId": application,
        "EnvironmentId": environment,
        "ConfigurationProfileId": profile,
        "ConfigurationVersion": {"Ref": version},
        "DeploymentStrategyId": {"Ref": strategy},
    }


def test_another_deployment_is_rendered(task: Template) -> None:
    """All at once, and five minutes of watching."""
    made = only(task, "AWS::AppConfig::DeploymentStrategy")
    numbers = made["DeploymentDurationInMinutes"], made["GrowthFactor"], made["FinalBakeTimeInMinutes"]
    assert numbers == (0, 100, 5)


def test_alarms_take_a_deployment_back(web: Template) -> None:
    """Each alarm with the role by which AppConfig reads it; the role may describe alarms and no more."""
    role, made = next(
        (key, one)
        for key, one in of_type(web, "AWS::IAM::Role").items()
        if "appconfig.amazonaws.com" in json.dumps(one["AssumeRolePolicyDocument"])
    )
    assert only(web, "AWS::AppConfig::Environment")["Monitors"] == [
        {"AlarmArn": arn, "AlarmRoleArn": {"Fn::GetAtt": [role, "Arn"]}} for arn in (ALARM, f"{ALARM}-2")
    ]
    (statement,) = statements(web, role)
    assert (statement["Effect"], statement["Action"]) == ("Allow", "cloudwatch:DescribeAlarms")
    assert joined(statement["Resource"]).endswith(":cloudwatch:eu-west-1:<AWS::AccountId>:alarm:*")
    (trust,) = made["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "appconfig.amazonaws.com"}


def test_without_alarms_there_is_no_role_for_them(task: Template) -> None:
    """Nothing is watched, and nobody may read alarms."""
    assert "Monitors" not in only(task, "AWS::AppConfig::Environment")
    assert "appconfig.amazonaws.com" not in json.dumps(of_type(task, "AWS::IAM::Role"))


@pytest.mark.parametrize(
    ("kind", "deleted"),
    [
        *((f"AWS::AppConfig::{one}", "Retain") for one in ("Application", "Environment", "ConfigurationProfile")),
        *((f"AWS::AppConfig::{one}", "Retain") for one in ("HostedConfigurationVersion", "Deployment")),
        ("AWS::S3::Bucket", "RetainExceptOnCreate"),
    ],
)
def test_what_tasks_read_stays_when_the_stack_goes(web: Template, kind: str, deleted: str) -> None:
    """A version that another content replaced stays: AppConfig goes back to it.

    So does one that a stack's update goes back from: it may be in force by then, and tasks read it.
    """
    made = [one for one in web["Resources"].values() if one["Type"] == kind]
    assert made
    assert all((one["DeletionPolicy"], one["UpdateReplacePolicy"]) == (deleted, "Retain") for one in made)


# ------------------------------------------------------------ the copy


def test_the_bucket_is_private_and_keeps_versions(web: Template) -> None:
    """Nothing is public, nothing unencrypted, and what a copy replaced stays for 30 days."""
    assert of_type(web, "AWS::S3::Bucket")[copies_bucket(web)] == {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "LifecycleConfiguration": {
            "Rules": [
                {"Id": "replaced-copies", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}
            ]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "VersioningConfiguration": {"Status": "Enabled"},
    }


def copies_bucket(template: Template) -> str:
    """The logical id of the bucket that holds the copy; a load balancer has one of its own."""
    (bucket,) = [key for key, one in of_type(template, "AWS::S3::Bucket").items() if "VersioningConfiguration" in one]
    return bucket


def test_only_the_function_may_write_and_only_over_tls(web: Template) -> None:
    """Two denials, whatever an identity is allowed elsewhere."""
    bucket = copies_bucket(web)
    _, function = of_copy(web)
    (policy,) = [
        one["PolicyDocument"]["Statement"]
        for one in of_type(web, "AWS::S3::BucketPolicy").values()
        if one["Bucket"] == {"Ref": bucket}
    ]
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    inside = {"Fn::Join": ["", [arn, "/*"]]}
    assert policy == [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": [arn, inside],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:PutObject",
            "Resource": inside,
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": function["Role"]}},
        },
    ]


def test_the_function_may_read_one_configuration_and_write_one_object(web: Template) -> None:
    """No star but the number of a version."""
    application, environment, profile = (one["Ref"] for one in ids(web))
    names = {application: "APP", environment: "ENV", profile: "PROFILE"}
    bucket = copies_bucket(web)
    _, function = of_copy(web)
    made = {
        tuple(sorted(listed(one["Action"]))): {joined(each, names) for each in listed(one["Resource"])}
        for one in statements(web, function["Role"]["Fn::GetAtt"][0])
    }
    (log,) = made.pop(("logs:CreateLogStream", "logs:PutLogEvents"))
    assert log == f"<{function['LoggingConfig']['LogGroup']['Ref']}.Arn>"
    at = "arn:aws:appconfig:eu-west-1:<AWS::AccountId>:application/APP"
    assert made == {
        ("appconfig:ListDeployments",): {at, f"{at}/environment/ENV"},
        ("appconfig:GetHostedConfigurationVersion",): {
            at,
            f"{at}/configurationprofile/PROFILE",
            f"{at}/configurationprofile/PROFILE/hostedconfigurationversion/*",
        },
        ("s3:GetObject", "s3:PutObject"): {f"<{bucket}.Arn>/last-good/shop/staging/web.json"},
        ("s3:ListBucket",): {f"<{bucket}.Arn>"},
    }


def test_the_function_runs_every_five_minutes_on_its_own_code(web: Template) -> None:
    """Small, with a log that is kept for 90 days, and called by its schedule only."""
    key, function = of_copy(web)
    assert (function["Handler"], function["Runtime"], function["Architectures"]) == (
        "runtime.handler.main",
        "python3.14",
        ["arm64"],
    )
    assert (function["MemorySize"], function["Timeout"]) == (256, 180)
    rule = only(web, "AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    arn = {"Fn::GetAtt": [key, "Arn"]}
    assert rule["Targets"] == [{"Arn": arn, "Id": "function"}]
    permission = only(web, "AWS::Lambda::Permission")
    assert (permission["FunctionName"], permission["Principal"]) == (arn, "events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": [one_of(web, "AWS::Events::Rule")[0], "Arn"]}
    group = web["Resources"][function["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
    assert group["RetentionInDays"] == 90


def test_the_function_is_told_what_it_reads(web: Template) -> None:
    """The construct's text is what the function's settings are read from, ids and all."""
    application, environment, profile = (one["Ref"] for one in ids(web))
    _, function = of_copy(web)
    names = {application: "app1", environment: "env1", profile: "prof1", copies_bucket(web): "copies"}
    text = joined(function["Environment"]["Variables"][VARIABLE], names)
    assert CopySettings.from_environment({VARIABLE: text}) == CopySettings(
        application="shop",
        environment="staging",
        profile="web",
        application_id="app1",
        environment_id="env1",
        profile_id="prof1",
        bucket="copies",
        key="last-good/shop/staging/web.json",
    )


# ------------------------------------------------------------ attached


@pytest.mark.parametrize(("name", "application"), [("Ours", "web"), ("Alone", "app")])
def test_the_agent_can_end_without_the_task(templates: dict[str, Template], name: str, application: str) -> None:
    """Not essential, started again by ECS whatever it said, read-only but for its backups, non-blocking logs."""
    template = templates[name]
    agent = containers(template)["configuration-agent"]
    assert (agent["Image"], agent["Essential"], agent["ReadonlyRootFilesystem"]) == (AGENT, False, True)
    assert agent["RestartPolicy"] == {"Enabled": True, "RestartAttemptPeriod": 60}
    assert "HealthCheck" not in agent
    assert agent["MountPoints"] == [
        {"ContainerPath": "/backups", "ReadOnly": False, "SourceVolume": "configuration-agent_backups"}
    ]
    options = agent["LogConfiguration"]["Options"]
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "26214400b")
    names = dict(zip((one["Ref"] for one in ids(template)), ("APP", "ENV", "PROFILE"), strict=True))
    told = {one["Name"]: joined(one["Value"], names) for one in agent["Environment"]}
    assert told == {"BACKUP_DIRECTORY": "/backups", "HTTP_PORT": "2772", "PREFETCH_LIST": "APP:ENV:PROFILE"}
    assert "PortMappings" not in agent
    assert containers(template)[application]["Essential"] is True


@pytest.mark.parametrize(("name", "application"), [("Ours", "web"), ("Alone", "app")])
def test_the_application_is_told_where_to_ask(templates: dict[str, Template], name: str, application: str) -> None:
    """The agent, the copy in S3, and a directory that it may write to, on a volume of the task."""
    template = templates[name]
    names = dict(zip((one["Ref"] for one in ids(template)), ("APP", "ENV", "PROFILE"), strict=True))
    names[copies_bucket(template)] = "copies"
    container = containers(template)[application]
    told = {one["Name"]: joined(one["Value"], names) for one in container["Environment"]}
    assert {key: value for key, value in told.items() if key.startswith("MOORINGS_CONFIG")} == {
        "MOORINGS_CONFIG_URL": "http://localhost:2772/applications/APP/environments/ENV/configurations/PROFILE",
        "MOORINGS_CONFIG_COPY": "s3://copies/last-good/shop/staging/web.json",
        "MOORINGS_CONFIG_DIRECTORY": "/var/lib/moorings",
    }
    volume = f"{application}_var-lib-moorings"
    assert {"ContainerPath": "/var/lib/moorings", "ReadOnly": False, "SourceVolume": volume} in container["MountPoints"]
    assert {"Name": volume} in only(template, "AWS::ECS::TaskDefinition")["Volumes"]


@pytest.mark.parametrize("name", ["Ours", "Alone"])
def test_a_task_may_read_its_configuration_and_its_copy(templates: dict[str, Template], name: str) -> None:
    """Nothing else: no listing, no other configuration, no other object, and no star."""
    template = templates[name]
    application, environment, profile = (one["Ref"] for one in ids(template))
    names = {application: "APP", environment: "ENV", profile: "PROFILE"}
    role = only(template, "AWS::ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    made = [(sorted(listed(one["Action"])), joined(one["Resource"], names)) for one in statements(template, role)]
    assert made == [
        (
            ["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"],
            "arn:aws:appconfig:eu-west-1:<AWS::AccountId>:application/APP/environment/ENV/configuration/PROFILE",
        ),
        (["s3:GetObject"], f"<{copies_bucket(template)}.Arn>/last-good/shop/staging/web.json"),
    ]


def test_the_configuration_needs_nothing_of_the_service(web: Template) -> None:
    """So the service waits for its configuration, and never the other way round."""
    parts = {
        key: one for key, one in web["Resources"].items() if key.startswith("Config") or "AppConfig" in one["Type"]
    }
    assert not any(
        web["Resources"][other]["Type"].startswith("AWS::ECS")
        for one in parts.values()
        for other in references(one.get("Properties", {}))
        if other in web["Resources"]
    )


def test_two_tasks_may_have_one_configuration() -> None:
    """A service and its worker read the same; the copy is made once."""
    scope = stack()
    made = config(scope)
    for name in ("One", "Two"):
        task = ecs.FargateTaskDefinition(scope, name)
        task.add_container(
            "app",
            image=ecs.ContainerImage.from_registry("x"),
            logging=ecs.LogDrivers.aws_logs(stream_prefix="app"),
        )
        made.attach(task, agent_image=AGENT)
    template = synthesize(scope)
    assert len(of_type(template, "AWS::ECS::TaskDefinition")) == 2
    assert len(of_type(template, "AWS::Lambda::Function")) == 1


# ------------------------------------------------------------ wrong values


def plain_task(scope: Stack, *, container: bool = True) -> ecs.FargateTaskDefinition:
    """A task definition of plain CDK."""
    made = ecs.FargateTaskDefinition(scope, "Task")
    if container:
        made.add_container("app", image=ecs.ContainerImage.from_registry("x"))
    return made


def test_an_agent_by_tag_is_refused() -> None:
    """A tag can move; nothing is half done then."""
    scope = stack()
    made, task = config(scope), plain_task(scope)
    image = "public.ecr.aws/aws-appconfig/aws-appconfig-agent:2.x"
    refused(lambda: made.attach(task, agent_image=image), "agent_image", image, "an image by digest")
    assert task.find_container("configuration-agent") is None


def test_a_task_without_its_application_is_refused() -> None:
    """Nobody would be told where to ask."""
    scope = stack()
    made, task = config(scope), plain_task(scope, container=False)
    refused(lambda: made.attach(task, agent_image=AGENT), "task", "Stack/Task", "with its application's container")
    assert task.find_container("configuration-agent") is None


def test_a_second_configuration_of_a_task_is_refused() -> None:
    """Two agents would want the same port."""
    scope = stack()
    made, task = config(scope), plain_task(scope)
    made.attach(task, agent_image=AGENT)
    refused(lambda: made.attach(task, agent_image=AGENT), "task", "Stack/Task", "without a configuration yet")
    elsewhere = stack(name="Other")
    web, other = service(elsewhere, size=TaskSize(memory_mib=2048)), config(elsewhere)
    other.attach(web.task, agent_image=AGENT)
    with pytest.raises(ValueError, match="name must be none of"):
        other.attach(web.task, agent_image=AGENT)


@pytest.mark.parametrize("value", [ALARM, [""], [5]])
def test_what_are_no_arns_of_alarms_is_refused(value: Any) -> None:
    """A text would be a list of its letters."""
    refused(lambda: config(stack(), rollback_alarms=value), "rollback_alarms", value, "a list of ARNs")


def test_more_alarms_than_appconfig_takes_are_refused() -> None:
    """Five are allowed."""
    refused(lambda: config(stack(), rollback_alarms=[ALARM] * 6), "rollback_alarms", 6, "at most 5")
    config(stack(), rollback_alarms=[ALARM] * 5)


def test_alarms_without_time_to_watch_them_are_refused() -> None:
    """All at once without baking never goes back by itself."""
    at_once = ConfigurationDeployment(minutes=0, growth_percent=100, bake_minutes=0)
    refused(
        lambda: config(stack(), deployment=at_once, rollback_alarms=[ALARM]),
        "deployment",
        at_once,
        "longer than 0 minutes with rollback_alarms",
    )
    config(stack(), deployment=at_once)


def test_a_wrong_text_is_refused_before_anything_is_made() -> None:
    """The tree stays as it was."""
    scope = stack()
    refused(lambda: config(scope, content="limit: 5"), "content", "limit: 5", "the text of a JSON object")
    assert scope.node.try_find_child("Config") is None


def test_the_alarm_of_the_construct_is_the_one_that_was_asked_for(task: Template) -> None:
    """One notice, with its own number of minutes."""
    (alarm,) = config(stack(), notice_after_minutes=60).alarms
    assert (alarm.component, alarm.threshold.value) == ("web", 50)
    assert task is not None


@pytest.mark.parametrize(
    ("image", "places"),
    [
        (AGENT, {":ecr:eu-west-1:111122223333:repository/aws-appconfig-agent"}),
        (
            f"111122223333.dkr-ecr.eu-west-1.on.aws/tools/agent@{DIGEST}",
            {":ecr:eu-west-1:111122223333:repository/tools/agent"},
        ),
        (f"public.ecr.aws/aws-appconfig/aws-appconfig-agent@{DIGEST}", set()),
    ],
)
def test_the_agent_may_be_pulled_from_where_it_is(image: str, places: set[str]) -> None:
    """A private repository needs a permission, for that one only; a public one needs none."""
    scope = stack()
    task = plain_task(scope)
    config(scope).attach(task, agent_image=image)
    template = synthesize(scope)
    role = only(template, "AWS::ECS::TaskDefinition")["ExecutionRoleArn"]["Fn::GetAtt"][0]
    allowed = {
        joined(one["Resource"]).removeprefix("arn:aws")
        for one in statements(template, role)
        if "ecr:BatchGetImage" in listed(one["Action"])
    }
    assert allowed == places
    for one in statements(template, role):
        assert one["Resource"] != "*" or listed(one["Action"]) == ["ecr:GetAuthorizationToken"]
