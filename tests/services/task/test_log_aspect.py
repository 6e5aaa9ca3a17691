"""W2: no container of a scope waits for its logs, whoever added it, and whenever."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import App, Aspects, CfnParameter, CfnResource, Duration, IAspect, NestedStack, Size, Stack, Stage, Token
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct, IConstruct
from hypothesis import HealthCheck as Slow
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.jsii_calls import counted
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_rendering import log_driver, retained_log_group
from constructs_lib.services.task.non_blocking_logs import NonBlockingLogs, keep_logs_non_blocking
from tests.guardrails.support import findings
from tests.services.conftest import SIDECAR, parts
from tests.support import DIGEST, Template, all_flags, containers, of_type, only, stack, synthesize

STABLE = {"@aws-cdk/core:aspectStabilization": True}
CONTEXTS = [
    pytest.param({}, id="no flags"),
    pytest.param(all_flags(), id="all flags"),
    pytest.param({**all_flags(), **STABLE}, id="all flags and stabilized Aspects"),
]
"""CDK does not recommend the last one yet. It runs Aspects another way: until nothing changes."""

SAFE = {"mode": "non-blocking", "max-buffer-size": "40m"}
DELIVERY = LogDelivery(buffer_mib=40)


@pytest.fixture(params=CONTEXTS)
def app(request: pytest.FixtureRequest) -> App:
    """An app with one set of feature flags."""
    return App(context=request.param)


@jsii.implements(IAspect)
class Calling:
    """An Aspect that calls a function once, when it meets a construct of a type."""

    def __init__(self, kind: type, act: Callable[[Any], object]) -> None:
        self._kind, self._act, self._done = kind, act, False

    def visit(self, node: IConstruct) -> None:
        """Acts on the first one."""
        if isinstance(node, self._kind) and not self._done:
            self._done = True
            self._act(node)


def pattern(scope: Stack, id: str = "Web") -> patterns.ApplicationLoadBalancedFargateService:
    """A service as plain CDK's own pattern makes it."""
    cluster, repository = parts(scope)
    return patterns.ApplicationLoadBalancedFargateService(
        scope,
        id,
        cluster=cluster,
        memory_limit_mib=1024,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository), container_port=8080
        ),
    )


def plain_task(scope: Construct, logging: ecs.LogDriver | None, id: str = "Task") -> ecs.FargateTaskDefinition:
    """A task definition with one container."""
    task = ecs.FargateTaskDefinition(scope, id, memory_limit_mib=1024)
    add(task, "app", logging)
    return task


def add(task: ecs.TaskDefinition, name: str, logging: ecs.LogDriver | None) -> ecs.ContainerDefinition:
    """A container as other people add it."""
    return task.add_container(name, image=ecs.ContainerImage.from_registry(SIDECAR), logging=logging)


def blocking(prefix: str = "x") -> ecs.LogDriver:
    """A driver whose mode is blocking."""
    return ecs.LogDrivers.aws_logs(stream_prefix=prefix, mode=ecs.AwsLogDriverMode.BLOCKING)


def silent(prefix: str = "x") -> ecs.LogDriver:
    """A driver that says nothing of its mode."""
    return ecs.LogDrivers.aws_logs(stream_prefix=prefix)


def own_task(scope: Construct, memory_mib: int = 1024, log_delivery: LogDelivery = DELIVERY) -> FargateTask:
    """A task of ours."""
    return FargateTask(
        scope,
        "web",
        repository=ecr.Repository(scope, "Images"),
        digest=DIGEST,
        size=TaskSize(cpu=256, memory_mib=memory_mib),
        settings=ContainerSettings(),
        log_delivery=log_delivery,
        stop_seconds=30,
    )


def logged(template: Template) -> dict[str, tuple[Any, Any]]:
    """Mode and buffer of each container."""
    made = {name: container["LogConfiguration"].get("Options", {}) for name, container in containers(template).items()}
    return {name: (options.get("mode"), options.get("max-buffer-size")) for name, options in made.items()}


def faults(template: Template) -> set[str]:
    """What our rules say of the logs."""
    return {finding.rule for finding in findings(json.dumps(template), "MOOR-W2")}


def refusal(of: Stack) -> str:
    """What the synthesis fails with."""
    with pytest.raises(RuntimeError, match="Validation failed with the following errors") as error:
        synthesize(of)
    return str(error.value)


def test_before_a_pattern_leaves_the_mode_open(app: App) -> None:
    """`aws_ecs_patterns` names the driver and no more: our rule asks for a mode (W2)."""
    scope = stack(app)
    pattern(scope)
    template = synthesize(scope)
    assert logged(template) == {"web": (None, None)}
    assert faults(template) == {"MOOR-W2b"}


def test_after_the_aspect_the_pattern_does_not_wait(app: App) -> None:
    """The same service with the Aspect on its app, put there first: non-blocking, with the chosen buffer (W2)."""
    NonBlockingLogs(delivery=DELIVERY).apply_to(app)
    scope = stack(app)
    pattern(scope)
    template = synthesize(scope)
    assert logged(template) == {"web": ("non-blocking", "40m")}
    assert faults(template) == set()
    options = containers(template)["web"]["LogConfiguration"]["Options"]
    assert options["awslogs-stream-prefix"] == "Web"
    assert list(of_type(template, "AWS::Logs::LogGroup")) == [options["awslogs-group"]["Ref"]]


def test_nothing_else_changes(app: App) -> None:
    """Numbers, secrets, ports and names from other stacks are in the template as they were."""

    def made(*, covered: bool) -> Template:
        root = App(context=app.node.get_all_context({}))
        elsewhere = ecr.Repository(stack(root, "Elsewhere"), "Images")
        scope = stack(root)
        task = ecs.FargateTaskDefinition(scope, "Task", cpu=512, memory_limit_mib=1024)
        task.add_container(
            "app",
            image=ecs.ContainerImage.from_ecr_repository(elsewhere),
            environment={"NAME": elsewhere.repository_name, "REGION": scope.region},
            secrets={"TOKEN": ecs.Secret.from_secrets_manager(secretsmanager.Secret(scope, "Token"))},
            port_mappings=[ecs.PortMapping(container_port=8080)],
            stop_timeout=Duration.seconds(45),
            readonly_root_filesystem=True,
            health_check=ecs.HealthCheck(command=["CMD", "true"]),
            docker_labels={"a.b": "c"},
            ulimits=[ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=1, hard_limit=2)],
            logging=log_driver("app", retained_log_group(scope, "app")),
        )
        if covered:
            NonBlockingLogs().apply_to(scope)
        return synthesize(scope)

    assert made(covered=True) == made(covered=False)


def test_every_container_of_a_task_is_made_safe(app: App) -> None:
    """Blocking, silent, too small, and one that is safe and keeps its own buffer; Splunk too."""
    scope = stack(app)
    task = plain_task(scope, blocking())
    add(task, "silent", silent())
    small = ecs.LogDrivers.aws_logs(
        stream_prefix="x", mode=ecs.AwsLogDriverMode.NON_BLOCKING, max_buffer_size=Size.mebibytes(4)
    )
    add(task, "small", small)
    NonBlockingLogs(delivery=DELIVERY).apply_to(task)
    add(task, "safe", log_driver("safe", retained_log_group(scope, "safe"), LogDelivery(buffer_mib=30)))
    add(task, "splunk", ecs.GenericLogDriver(log_driver="splunk", options={"splunk-url": "https://x"}))
    template = synthesize(scope)
    assert logged(template) == {
        "app": ("non-blocking", "40m"),
        "silent": ("non-blocking", "40m"),
        "small": ("non-blocking", "40m"),
        "safe": ("non-blocking", "31457280b"),
        "splunk": ("non-blocking", "40m"),
    }
    assert faults(template) == set()


def test_before_a_container_without_a_driver_is_accepted(app: App) -> None:
    """Plain CDK adds a container that logs nowhere; our rule says so (W2)."""
    scope = stack(app)
    plain_task(scope, None)
    assert faults(synthesize(scope)) == {"MOOR-W2a"}


def test_after_a_container_without_a_driver_stops_the_synthesis(app: App) -> None:
    """The sentence names the container, and its place in the tree (W2)."""
    scope = stack(app)
    plain_task(scope, None)
    NonBlockingLogs().apply_to(scope)
    said = refusal(scope)
    assert "[Stack/Task/Resource] the log driver of container 'app' must be named, got None; pass logging=" in said


def test_a_driver_that_ecs_does_not_name_stops_the_synthesis(app: App) -> None:
    """Its options are not known, so nothing can be promised."""
    scope = stack(app)
    plain_task(scope, ecs.GenericLogDriver(log_driver="logentries", options={"mode": "non-blocking"}))
    NonBlockingLogs().apply_to(scope)
    assert "the log driver of container 'app' must be one of awslogs" in refusal(scope)


@pytest.mark.parametrize("option", ["mode", "max-buffer-size"])
def test_what_a_parameter_decides_stops_the_synthesis(app: App, option: str) -> None:
    """A parameter could be blocking; who deploys decides, and nobody sees it here."""
    scope = stack(app)
    parameter = CfnParameter(scope, "Given", default="non-blocking").value_as_string
    values = {"mode": "non-blocking", "max-buffer-size": "30m", option: parameter}
    plain_task(scope, ecs.GenericLogDriver(log_driver="awslogs", options=values))
    NonBlockingLogs().apply_to(scope)
    assert f"the log option {option} of container 'app' must be known before deployment, got 'Ref'" in refusal(scope)


def test_buffers_that_crowd_the_task_stop_the_synthesis(app: App) -> None:
    """What other code asks for counts too: the arithmetic is in the sentence."""
    scope = stack(app)
    greedy = ecs.LogDrivers.aws_logs(
        stream_prefix="x", mode=ecs.AwsLogDriverMode.NON_BLOCKING, max_buffer_size=Size.mebibytes(240)
    )
    task = plain_task(scope, greedy)
    add(task, "agent", silent())
    NonBlockingLogs().apply_to(scope)
    assert "(240 + 25 = 265 MiB, a quarter of 1024 MiB is 256 MiB), got '265 MiB'" in refusal(scope)


def test_a_task_on_ec2_without_memory_is_made_safe(app: App) -> None:
    """Its buffers are compared with no memory; FireLens is left alone, and the router that CDK adds for it is not."""
    scope = stack(app)
    task = ecs.Ec2TaskDefinition(scope, "Task")
    task.add_container("app", image=ecs.ContainerImage.from_registry(SIDECAR), memory_limit_mib=64, logging=silent())
    task.add_container(
        "other",
        image=ecs.ContainerImage.from_registry(SIDECAR),
        memory_limit_mib=64,
        logging=ecs.GenericLogDriver(log_driver="awsfirelens", options={"Name": "cloudwatch"}),
    )
    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    assert logged(synthesize(scope)) == {
        "app": ("non-blocking", "40m"),
        "other": (None, None),
        "log-router": ("non-blocking", "40m"),
    }


@pytest.mark.parametrize("kind", [ecs.FargateTaskDefinition, ecs.CfnTaskDefinition])
@pytest.mark.parametrize("first", [True, False])
def test_an_aspect_that_adds_a_container_is_followed(app: App, kind: type, first: bool) -> None:
    """Whether it is put before ours or after: at CDK's usual priorities it runs before, on the same construct."""
    scope = stack(app)
    task = plain_task(scope, silent())
    other = Calling(kind, lambda _: add(task, "late", blocking()))
    if first:
        Aspects.of(scope).add(other)
    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    if not first:
        Aspects.of(scope).add(other)
    assert logged(synthesize(scope)) == {"app": ("non-blocking", "40m"), "late": ("non-blocking", "40m")}


@pytest.mark.parametrize("priority", [0, 500, 2000])
def test_a_container_that_comes_after_the_visit_is_made_safe(app: App, priority: int) -> None:
    """An Aspect adds it while it visits the service, after the task definition: the containers are read later still."""
    scope = stack(app)
    task = pattern(scope).task_definition
    Aspects.of(scope).add(Calling(ecs.CfnService, lambda _: add(task, "late", blocking())), priority=priority)
    NonBlockingLogs(delivery=DELIVERY).apply_to(app)
    assert logged(synthesize(scope)) == {"web": ("non-blocking", "40m"), "late": ("non-blocking", "40m")}


def test_a_container_without_logs_that_comes_after_the_visit_stops_the_synthesis(app: App) -> None:
    """It is in the template as the others are, so it is refused as they are."""
    scope = stack(app)
    task = pattern(scope).task_definition
    Aspects.of(scope).add(Calling(ecs.CfnService, lambda _: add(task, "late", None)))
    NonBlockingLogs(delivery=DELIVERY).apply_to(app)
    assert "the log driver of container 'late' must be named" in refusal(scope)


def replaced(logging: dict[str, str] | None) -> list[ecs.CfnTaskDefinition.ContainerDefinitionProperty]:
    """Other containers for the lowest construct."""
    driver = ecs.CfnTaskDefinition.LogConfigurationProperty(log_driver="awslogs", options=logging)
    return [
        ecs.CfnTaskDefinition.ContainerDefinitionProperty(
            name="other", image="x", log_configuration=None if logging is None else driver
        )
    ]


@pytest.mark.parametrize(
    ("logging", "sentence"),
    [
        (None, "the log driver of container 'other' must be named"),
        (
            {"mode": "blocking"},
            "the containers must be those that NonBlockingLogs found, got 'others, with blocking logs'",
        ),
        ({**SAFE, "max-buffer-size": "300m"}, "(300 = 300 MiB, a quarter of 1024 MiB is 256 MiB)"),
    ],
)
def test_other_containers_put_in_their_place_stop_the_synthesis(
    app: App, logging: dict[str, str] | None, sentence: str
) -> None:
    """An Aspect replaces the list of the lowest construct when ours has been there: the last look finds it."""
    scope = stack(app)
    task = plain_task(scope, silent())

    def replace(resource: ecs.CfnTaskDefinition) -> None:
        scope.resolve(resource.container_definitions)  # as an Aspect does that judges them
        resource.container_definitions = [*replaced(logging)]

    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    Aspects.of(task).add(Calling(ecs.CfnTaskDefinition, replace), priority=2000)
    assert sentence in refusal(scope)


def test_a_token_put_in_their_place_stops_the_synthesis(app: App) -> None:
    """Also when the others are known late."""
    scope = stack(app)
    task = plain_task(scope, silent())

    def replace(resource: ecs.CfnTaskDefinition) -> None:
        resource.container_definitions = Token.as_any([{"name": "other", "image": "x"}])

    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    Aspects.of(task).add(Calling(ecs.CfnTaskDefinition, replace), priority=2000)
    assert "the log driver of container 'other' must be named" in refusal(scope)


@pytest.mark.parametrize("priority", [0, 2000])
def test_other_containers_with_safe_logs_are_accepted(app: App, priority: int) -> None:
    """Before ours or after it."""
    scope = stack(app)
    task = plain_task(scope, silent())

    def replace(resource: ecs.CfnTaskDefinition) -> None:
        resource.container_definitions = [*replaced(SAFE)]

    NonBlockingLogs().apply_to(scope)
    Aspects.of(task).add(Calling(ecs.CfnTaskDefinition, replace), priority=priority)
    assert logged(synthesize(scope)) == {"other": ("non-blocking", "40m")}


@pytest.mark.parametrize("outer_first", [True, False])
def test_two_of_them_agree(app: App, outer_first: bool) -> None:
    """On an app and on a stack in it: CDK lets the app's go first, so it decides, whichever was put there first."""
    scope = stack(app)
    plain_task(scope, silent())
    outer, inner = NonBlockingLogs(delivery=DELIVERY), NonBlockingLogs(delivery=LogDelivery(buffer_mib=60))
    for aspect, place in ((outer, app), (inner, scope)) if outer_first else ((inner, scope), (outer, app)):
        aspect.apply_to(place)
    assert logged(synthesize(scope)) == {"app": ("non-blocking", "40m")}


def test_a_nested_stack_is_covered_by_its_hash_too(app: App) -> None:
    """CDK stores its template under a hash that it takes early: it must not be that of the blocking one."""

    def nested(*, covered: bool) -> tuple[str, str]:
        scope = stack(App(context=app.node.get_all_context({})))
        inner = NestedStack(scope, "Inner")
        plain_task(inner, blocking())
        if covered:
            NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
        root = scope.node.root
        assert isinstance(root, App)
        assembly = root.synth()
        artifact = assembly.get_stack_by_name("Stack")
        (asset,) = [path for path in artifact.template["Resources"] if path.startswith("Inner")]
        url = json.dumps(artifact.template["Resources"][asset]["Properties"]["TemplateURL"])
        return url, (Path(assembly.directory) / inner.template_file).read_text()

    before_url, before = nested(covered=False)
    after_url, after = nested(covered=True)
    assert faults(json.loads(before)) == {"MOOR-W2b"}
    assert faults(json.loads(after)) == set()
    assert before_url != after_url


def test_the_stages_of_an_app_are_covered(app: App) -> None:
    """CDK stops the Aspects of an app at its stages, so those that exist get it too."""
    outer = Stage(app, "Production")
    inner = Stage(outer, "Europe")
    scopes = [Stack(place, "Stack") for place in (outer, inner)]
    for scope in scopes:
        plain_task(scope, silent())
    NonBlockingLogs(delivery=DELIVERY).apply_to(app)
    assembly = app.synth()
    first = assembly.get_nested_assembly("assembly-Production")
    second = first.get_nested_assembly("assembly-Production-Europe")
    for made in (first, second):
        assert logged(made.stacks[0].template) == {"app": ("non-blocking", "40m")}


def test_before_a_stage_that_is_made_later_is_not_reached(app: App) -> None:
    """An Aspect of the app sees nothing in a stage, so it cannot even refuse."""
    seen: list[object] = []
    Aspects.of(app).add(Calling(ecs.CfnTaskDefinition, seen.append))
    plain_task(Stack(Stage(app, "Production"), "Stack"), None)
    app.synth()
    assert seen == []


def test_after_a_stage_that_is_made_later_stops_the_synthesis(app: App) -> None:
    """The sentence names the stage, and one without task definitions, or with an Aspect of its own, is left alone."""
    NonBlockingLogs().apply_to(app)
    Stack(Stage(app, "Empty"), "Stack")
    covered = Stage(app, "Covered")
    plain_task(Stack(covered, "Stack"), silent())
    NonBlockingLogs().apply_to(covered)
    plain_task(Stack(Stage(app, "Production"), "Stack"), None)
    with pytest.raises(RuntimeError) as error:
        app.synth()
    said = str(error.value)
    assert "a stage with task definitions must be covered by itself, got 'Production'" in said
    assert "Empty" not in said
    assert "Covered" not in said


def test_a_task_definition_of_type_and_properties_stops_the_synthesis(app: App) -> None:
    """CfnResource shows its properties to nobody; other resources made with it are left alone."""
    scope = stack(app)
    properties = {"ContainerDefinitions": [{"Name": "app", "Image": "x"}]}
    CfnResource(scope, "Bare", type="AWS::ECS::TaskDefinition", properties=properties)
    CfnResource(scope, "Topic", type="AWS::SNS::Topic")
    NonBlockingLogs().apply_to(scope)
    said = refusal(scope)
    assert "[Stack/Bare] a task definition must be an ecs.CfnTaskDefinition or above, got 'a CfnResource'" in said
    assert "Topic" not in said


def test_an_l1_is_covered(app: App) -> None:
    """A task definition without CDK's higher constructs."""
    scope = stack(app)
    log_configuration = ecs.CfnTaskDefinition.LogConfigurationProperty(
        log_driver="awslogs", options={"awslogs-group": "/x", "mode": "blocking"}
    )
    container = ecs.CfnTaskDefinition.ContainerDefinitionProperty(
        name="app", image="x", log_configuration=log_configuration
    )
    ecs.CfnTaskDefinition(scope, "Task", container_definitions=[container])
    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    template = synthesize(scope)
    assert logged(template) == {"app": ("non-blocking", "40m")}
    assert containers(template)["app"]["LogConfiguration"]["Options"]["awslogs-group"] == "/x"


def test_an_included_template_is_covered(app: App, tmp_path: Path) -> None:
    """CfnInclude brings in a template that nobody wrote with CDK."""
    configuration = {"LogDriver": "awslogs", "Options": {"awslogs-group": "/x", "mode": "blocking"}}
    container = {"Name": "app", "Image": {"Ref": "Image"}, "LogConfiguration": configuration}
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Parameters": {"Image": {"Type": "String"}}, "Resources": {"Task": task}}))
    scope = stack(app)
    CfnInclude(scope, "Included", template_file=str(path))
    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    template = synthesize(scope)
    assert logged(template) == {"app": ("non-blocking", "40m")}
    assert containers(template)["app"]["Image"] == {"Ref": "Image"}


@pytest.mark.parametrize("given_containers", [None, []])
def test_a_task_definition_without_containers_is_left_alone(app: App, given_containers: list[Any] | None) -> None:
    """ECS refuses it, and there is nothing to log."""
    scope = stack(app)
    ecs.CfnTaskDefinition(scope, "Task", container_definitions=given_containers)
    NonBlockingLogs().apply_to(scope)
    assert only(synthesize(scope), "AWS::ECS::TaskDefinition").get("ContainerDefinitions", []) == []


def test_what_an_override_wrote_is_seen_by_the_rules(app: App) -> None:
    """No Aspect can read it; the rules read the finished template, so both together leave no way (W2)."""
    scope = stack(app)
    task = plain_task(scope, silent())
    resource = task.node.default_child
    assert isinstance(resource, CfnResource)
    resource.add_property_override("ContainerDefinitions.1", {"Name": "agent", "Image": "x"})
    NonBlockingLogs(delivery=DELIVERY).apply_to(scope)
    assert faults(synthesize(scope)) == {"MOOR-W2a"}


def test_a_container_that_other_code_adds_to_our_task_is_made_safe(app: App) -> None:
    """Without any Aspect of the user: with add_container on our own task definition, or by an Aspect."""
    scope = stack(app)
    task = own_task(scope)
    task.add_sidecar("agent", image=SIDECAR)
    add(task.definition, "other", silent())
    Aspects.of(scope).add(Calling(ecs.CfnTaskDefinition, lambda _: add(task.definition, "aspect", blocking())))
    template = synthesize(scope)
    assert logged(template) == {
        "web": ("non-blocking", "41943040b"),
        "agent": ("non-blocking", "41943040b"),
        "other": ("non-blocking", "40m"),
        "aspect": ("non-blocking", "40m"),
    }
    assert faults(template) == set()


def test_a_container_without_logs_in_our_task_stops_the_synthesis(app: App) -> None:
    """Absent logging cannot be had, also not by way of the task definition."""
    scope = stack(app)
    add(own_task(scope).definition, "other", None)
    assert "the log driver of container 'other' must be named, got None" in refusal(scope)


def test_containers_that_other_code_adds_count_in_our_task(app: App) -> None:
    """Five buffers of 25 MiB are a quarter of 512 MiB; the sixth stops the synthesis."""
    scope = stack(app)
    task = own_task(scope, 512, LogDelivery())
    for number in range(5):
        add(task.definition, f"other-{number}", silent(f"{number}"))
    assert "= 150 MiB, a quarter of 512 MiB is 128 MiB)" in refusal(scope)


logging_of_others = st.sampled_from(["none", "silent", "blocking", "small", "safe", "splunk", "parameter", "unknown"])
ways = st.sampled_from(["sidecar", "add", "aspect on the task", "aspect on a sibling"])


@settings(max_examples=25, deadline=None, suppress_health_check=[Slow.too_slow])
@given(
    st.sampled_from([25, 26, 40]),
    st.sampled_from([512, 1024]),
    st.lists(st.tuples(ways, logging_of_others), max_size=4),
    st.sampled_from([{}, STABLE]),
)
def test_no_task_of_ours_waits_for_its_logs(
    buffer_mib: int, memory_mib: int, others: list[tuple[str, str]], flags: dict[str, Any]
) -> None:
    """Whatever delivery, sidecars and containers of other code there are: safe logs in the template, or no template."""
    scope = stack(App(context=flags))
    task = own_task(scope, memory_mib, LogDelivery(buffer_mib=buffer_mib))
    CfnResource(scope, "Zzz", type="AWS::SNS::Topic")
    try:
        for number, (way, kind) in enumerate(others):
            name = f"other-{number}"
            if way == "sidecar":
                task.add_sidecar(name, image=SIDECAR)
            elif way == "add":
                add(task.definition, name, of_others(scope, name, kind))
            else:
                place = ecs.CfnTaskDefinition if way == "aspect on the task" else CfnResource
                driver = of_others(scope, name, kind)
                late = Late(place, task.definition, name, driver)
                Aspects.of(scope).add(late)
        template = synthesize(scope)
    except (RuntimeError, ValueError) as error:
        assert "lesson W2" in str(error) or "a quarter of the task's" in str(error), error  # noqa: PT017
        return
    assert faults(template) == set()
    assert len(containers(template)) == 1 + len(others)
    for made in containers(template).values():
        options = made["LogConfiguration"]["Options"]
        assert options["mode"] == "non-blocking"
        assert options["max-buffer-size"] in {f"{buffer_mib}m", f"{buffer_mib * 1_048_576}b", "31457280b"}


@jsii.implements(IAspect)
class Late:
    """Adds a container when it meets a construct of exactly this type."""

    def __init__(self, kind: type, task: ecs.TaskDefinition, name: str, logging: ecs.LogDriver | None) -> None:
        self._kind, self._task, self._name, self._logging, self._done = kind, task, name, logging, False

    def visit(self, node: IConstruct) -> None:
        """Acts on the first one."""
        if type(node) is self._kind and not self._done:
            self._done = True
            add(self._task, self._name, self._logging)


def of_others(scope: Stack, name: str, kind: str) -> ecs.LogDriver | None:
    """A driver as other people write it."""
    if kind == "none":
        return None
    if kind == "silent":
        return silent(name)
    if kind == "blocking":
        return blocking(name)
    if kind in ("small", "safe"):
        size = Size.mebibytes(4 if kind == "small" else 30)
        return ecs.LogDrivers.aws_logs(stream_prefix=name, mode=ecs.AwsLogDriverMode.NON_BLOCKING, max_buffer_size=size)
    if kind == "splunk":
        return ecs.GenericLogDriver(log_driver="splunk", options={"splunk-url": "https://x"})
    if kind == "parameter":
        given_mode = CfnParameter(scope, f"Mode{name}").value_as_string
        return ecs.GenericLogDriver(log_driver="awslogs", options={"mode": given_mode})
    return ecs.GenericLogDriver(log_driver="logentries")


def test_a_task_of_ours_pays_little_for_it() -> None:
    """Sixteen requests to Node for a task definition: seven when it is made, nine when the template is written."""

    def requests(covers: bool) -> tuple[int, int]:
        scope = stack()
        task = plain_task(scope, log_driver("app", retained_log_group(scope, "app")))
        resource = task.node.default_child
        assert isinstance(resource, ecs.CfnTaskDefinition)
        with counted() as calls:
            if covers:
                keep_logs_non_blocking(resource)
            making = calls.total()
            synthesize(scope)
        return making, calls.total() - making

    (none, before), (making, after) = requests(False), requests(True)
    assert (none, making, after - before) == (0, 7, 9)
