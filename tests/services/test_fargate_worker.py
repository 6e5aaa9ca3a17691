"""A service without a load balancer has the same guardrails as one with it (lessons W2, W3, T1, T4, Q3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import FixedDigest, TaskSize
from constructs_lib.services.scaling.capacity import Capacity, ScheduledCapacity
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.worker_alarms import worker_alarms
from tests.guardrails.support import findings
from tests.services.conftest import parts
from tests.services.workers_support import ALIVE, synthesized
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, refused, stack, synthesize

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
OURS = ("MOOR-T1", "MOOR-T4", "MOOR-W2", "MOOR-Q3a", "MOOR-Q3b")
"""Rules that a worker itself can break. The others are about repositories and about what is beside a service."""


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> dict[str, Template]:
    """The stacks of :mod:`tests.services.workers_support`, with none of CDK's feature flags and with all."""
    return synthesized(request.param)


@pytest.fixture(scope="module")
def worker(made: dict[str, Template]) -> Template:
    """The stack with a worker whose digest comes from a parameter, and with its alarms."""
    return made["Released"]


def service(template: Template) -> dict[str, Any]:
    """The properties of the stack's ECS service."""
    return only(template, SERVICE)


def containers(template: Template, family: str) -> dict[str, dict[str, Any]]:
    """The containers of the task definition whose logical id begins so, by name."""
    (task,) = (properties for key, properties in of_type(template, TASK).items() if key.startswith(family))
    return {one["Name"]: one for one in task["ContainerDefinitions"]}


def broken(template: Template) -> set[str]:
    """The rules of ours that the stack's service and task definitions break for certain."""
    watched = {key for kind in (SERVICE, TASK, TARGET) for key in of_type(template, kind)}
    found = findings(json.dumps(template))
    return {one.rule for one in found if one.status == "fail" and one.logical_id in watched}


def test_before_plain_cdks_worker_has_the_faults_of_three_incidents(made: dict[str, Template]) -> None:
    """Its logs may block, nothing checks it, half of it may be gone in a deployment that nothing ends, and it is one
    task by a tag: our rules find all of that (W2, T1, T4, Q3)."""
    plain = made["Plain"]
    (container,) = containers(plain, "Mailer").values()
    assert "mode" not in container["LogConfiguration"]["Options"]
    assert "HealthCheck" not in container
    assert service(plain)["DeploymentConfiguration"]["MinimumHealthyPercent"] == 50
    assert "DeploymentCircuitBreaker" not in service(plain)["DeploymentConfiguration"]
    assert only(plain, TARGET)["MinCapacity"] == 1
    assert {"MOOR-W2b", "MOOR-T1b", "MOOR-T4a", "MOOR-T4b", "MOOR-T4c", "MOOR-T4e", "MOOR-Q3a"} <= broken(plain)


def test_after_a_worker_has_none_of_them(worker: Template) -> None:
    """Not one certain finding on the worker or on the task that runs beside it (W2, T1, T4, Q3)."""
    assert {rule for rule in broken(worker) if rule.startswith(OURS)} == set()


def test_no_container_waits_for_its_logs(worker: Template) -> None:
    """The worker's container and its sidecar have the awslogs driver, non-blocking, and a read-only root (W2)."""
    found = containers(worker, "Mailer")
    assert set(found) == {"mailer", "agent"}
    for container in found.values():
        options = container["LogConfiguration"]["Options"]
        assert (container["LogConfiguration"]["LogDriver"], options["mode"]) == ("awslogs", "non-blocking")
        assert options["max-buffer-size"] == f"{25 * 1024 * 1024}b"
        assert container["ReadonlyRootFilesystem"] is True


def test_the_container_is_checked_and_a_job_in_hand_has_two_minutes(worker: Template) -> None:
    """The check is in the task definition, because ECS ignores the image's own; SIGTERM comes 120 s before the end."""
    container = containers(worker, "Mailer")["mailer"]
    assert container["HealthCheck"] == {
        "Command": ["CMD", "python3", "-m", "mailer.alive"],
        "Interval": 15,
        "Retries": 3,
        "StartPeriod": 30,
        "Timeout": 5,
    }
    assert container["StopTimeout"] == 120
    assert "PortMappings" not in container
    assert container["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "mailer_tmp"}]
    assert container["Environment"] == [{"Name": "MODE", "Value": "shop"}]
    assert [one["Name"] for one in container["Secrets"]] == ["TOKEN"]


def test_a_deployment_keeps_all_tasks_and_goes_back_by_itself(worker: Template) -> None:
    """All tasks stay until new ones are healthy; the breaker goes back after three failed tasks; no alarms (T4)."""
    how = dict(service(worker)["DeploymentConfiguration"])
    assert how.pop("Alarms", {"AlarmNames": []})["AlarmNames"] == []  # CDK writes an empty list without its flags
    assert how == {
        "Strategy": "ROLLING",
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {
            "Enable": True,
            "Rollback": True,
            "ResetOnHealthyTask": False,
            "ThresholdConfiguration": {"Type": "COUNT", "Value": 3},
        },
    }


def test_the_breaker_counts_on_the_tasks_that_run_at_night_too() -> None:
    """Of 40 tasks by day and 2 by night, half of those that always run is what ends a deployment: at least 3 (T4)."""
    night = ScheduledCapacity(name="night", schedule="cron(0 22 * * ? *)", min_tasks=2, max_tasks=40)
    scope = stack()
    cluster, repository = parts(scope)
    FargateWorker(
        scope,
        "Mailer",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=ContainerCheck.of("true"),
        capacity=Capacity(min_tasks=40, max_tasks=40, scheduled=(night,)),
    )
    breaker = service(synthesize(scope))["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker["ThresholdConfiguration"] == {"Type": "COUNT", "Value": 3}


def test_its_tasks_are_in_private_subnets_of_two_zones_and_nobody_can_connect(worker: Template) -> None:
    """No public address, no load balancer, no rule that admits anybody, and rebalanced over the zones (T4)."""
    properties = service(worker)
    network = properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert network["Subnets"] == ["subnet-private-a", "subnet-private-b"]
    assert properties["AvailabilityZoneRebalancing"] == "ENABLED"
    assert properties.get("LoadBalancers", []) == []
    assert (properties["EnableECSManagedTags"], properties["PropagateTags"]) == (True, "SERVICE")
    assert of_type(worker, "AWS::ElasticLoadBalancingV2::TargetGroup") == {}
    groups = of_type(worker, "AWS::EC2::SecurityGroup").values()
    assert [group.get("SecurityGroupIngress", []) for group in groups] == [[], []]


def test_nothing_starts_before_the_first_release(worker: Template) -> None:
    """Desired count, limits and schedule follow one condition; after it the template holds no count (Q3)."""
    (condition,) = (name for name in worker["Conditions"] if name.startswith("MailerReleased"))
    assert service(worker)["DesiredCount"] == {"Fn::If": [condition, {"Ref": "AWS::NoValue"}, 0]}
    target = only(worker, TARGET)
    assert target["MinCapacity"] == {"Fn::If": [condition, 2, 0]}
    assert target["MaxCapacity"] == {"Fn::If": [condition, 10, 0]}


def test_a_fixed_digest_runs_at_once_with_what_was_asked_for(made: dict[str, Template]) -> None:
    """Sizes, limits, memory target, stop time and logs reach the template; no condition is needed."""
    fixed = made["Fixed"]
    container = containers(fixed, "Mailer")["mailer"]
    assert container["Image"]["Fn::Join"][1][-1] == f"@{DIGEST}"
    assert container["StopTimeout"] == 20
    assert container["LogConfiguration"]["Options"]["max-buffer-size"] == f"{50 * 1024 * 1024}b"
    assert "DesiredCount" not in service(fixed)
    assert (only(fixed, TARGET)["MinCapacity"], only(fixed, TARGET)["MaxCapacity"]) == (3, 7)
    aims = {
        policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]: (
            policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        )
        for policy in of_type(fixed, POLICY).values()
    }
    assert aims == {"ECSServiceAverageCPUUtilization": 40, "ECSServiceAverageMemoryUtilization": 70}


def test_the_first_task_waits_until_it_may_pull(worker: Template) -> None:
    """The service depends on the policy of its execution role, not only on its task definition."""
    (depends,) = (one["DependsOn"] for one in worker["Resources"].values() if one["Type"] == SERVICE)
    assert any(name.startswith("MailerTaskExecutionRoleDefaultPolicy") for name in depends)


def test_a_worker_is_this_many_resources(made: dict[str, Template]) -> None:
    """Of the 500 that a stack may have: nine, and its alarms; a scheduled task eleven, and one alarm."""
    fixed = made["Fixed"]["Resources"]
    assert len([key for key in fixed if key.startswith("Mailer")]) == 10  # one of them for the target on memory
    assert len([key for key in fixed if key.startswith("Hourly")]) == 11


def test_the_why_is_in_the_template(worker: Template) -> None:
    """Whoever reads the service finds the arithmetic of its numbers beside it (Q8)."""
    (metadata,) = (one["Metadata"] for one in worker["Resources"].values() if one["Type"] == SERVICE)
    why = metadata["moorings:why"]
    assert set(why) == {"capacity", "health", "logs", "ports", "stop"}
    assert why["ports"][0].startswith("Connections are opened from ports 10240 to 65535, 55296 to each destination")
    assert "at most 60 s" in why["health"][0]
    assert "at most 50 s after its start" in why["health"][0]
    assert why["stop"] == ["A job in hand has 120 s after SIGTERM; then ECS kills it."]


def test_the_caller_can_scale_it_by_a_queue_and_let_it_roll_back_by_an_alarm() -> None:
    """What only the caller knows is added to public parts: a metric to scale on, an alarm for deployments."""
    scope = stack()
    made = small(scope)
    metric = cloudwatch.Metric(namespace="AWS/SQS", metric_name="ApproximateAgeOfOldestMessage")
    made.scaling.scale_to_track_custom_metric("Age", metric=metric, target_value=60)
    made.service.enable_deployment_alarms(["jobs-too-old"])
    template = synthesize(scope)
    assert len(of_type(template, POLICY)) == 2
    how = service(template)["DeploymentConfiguration"]
    assert how["Alarms"]["AlarmNames"] == ["jobs-too-old"]
    assert how["DeploymentCircuitBreaker"]["Rollback"] is True


# Alarms


def test_too_few_running_tasks_page_and_no_data_are_no_tasks(worker: Template) -> None:
    """The samples of the CPU metric are the running tasks; without any there is no data, which is a fault (W3, T4)."""
    alarm = alarms(worker)["too-few-running-tasks"]
    condition = alarm["ActionsEnabled"]["Fn::If"][0]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/ECS", "CPUUtilization", "SampleCount")
    assert {one["Name"] for one in alarm["Dimensions"]} == {"ClusterName", "ServiceName"}
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Threshold"] == {"Fn::If": [condition, 2, -1]}
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Period"]) == (3, 3, 60)
    assert alarm["TreatMissingData"] == {"Fn::If": [condition, "breaching", "notBreaching"]}
    assert alarm["AlarmDescription"].startswith("[page] Fewer than 2 tasks run.")


def test_the_maximum_and_a_worker_without_cpu_are_noticed(worker: Template) -> None:
    """Both are notices: jobs take longer, and nothing is lost (T1)."""
    found = alarms(worker)
    most, cpu = found["at-maximum"], found["no-cpu-left"]
    assert (most["Statistic"], most["Threshold"]["Fn::If"][1], most["EvaluationPeriods"]) == ("SampleCount", 10, 15)
    assert (cpu["Statistic"], cpu["Threshold"]["Fn::If"][1], cpu["EvaluationPeriods"]) == ("Average", 95, 15)
    for alarm in (most, cpu):
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        assert alarm["AlarmDescription"].startswith("[notice]")
        assert alarm["DatapointsToAlarm"] == 15
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_alarms_work_with_any_fargate_service() -> None:
    """Plain names go in, plain data come out."""
    specs = worker_alarms(
        "jobs",
        cluster="main",
        service="jobs-1",
        capacity=Capacity(min_tasks=4, max_tasks=4),
        acts_if="Released",
    )
    assert [(spec.what, spec.severity) for spec in specs] == [
        ("too-few-running-tasks", "page"),
        ("no-running-tasks", "page"),
        ("no-cpu-left", "notice"),
    ]
    assert [spec.felt for spec in specs] == ["degraded", "outage", None]
    assert [spec.threshold.value for spec in specs[:2]] == [4, 1]
    assert specs[0].metric.dimensions == {"ClusterName": "main", "ServiceName": "jobs-1"}
    assert {spec.acts_if for spec in specs} == {"Released"}


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The stack's alarms by the last part of their name."""
    found = of_type(template, "AWS::CloudWatch::Alarm").values()
    return {alarm["AlarmName"].rpartition("/")[2]: alarm for alarm in found}


def test_a_worker_that_starts_is_no_fault_and_one_that_ends_is_an_outage(worker: Template) -> None:
    """In a first release both alarms wait until scaling may start tasks, and then as long as that may take (W3)."""
    (target,) = of_type(worker, "AWS::ApplicationAutoScaling::ScalableTarget")
    for name in ("too-few-running-tasks", "no-running-tasks"):
        (resource,) = (
            one
            for one in worker["Resources"].values()
            if str(one.get("Properties", {}).get("AlarmName")).endswith(f"/{name}")
        )
        assert resource["DependsOn"] == [target]
        condition, warm, before = resource["Properties"]["WarmUpConfiguration"]["Fn::If"]
        assert condition == resource["Properties"]["ActionsEnabled"]["Fn::If"][0]
        assert warm == {"WarmUpPeriodDurationInMinutes": 6, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
        assert before == {"Ref": "AWS::NoValue"}
        assert "AlarmActions" not in resource["Properties"]
    rules = {one["AlarmName"]: one for one in of_type(worker, "AWS::CloudWatch::CompositeAlarm").values()}
    assert rules["shop/staging/mailer/outage"]["AlarmRule"] == 'ALARM("shop/staging/mailer/no-running-tasks")'
    assert len(rules["shop/staging/mailer/degraded"]["AlarmActions"]) == 1


# What is refused


def small(scope: Stack, id: str = "Mailer", **changes: Any) -> FargateWorker:
    """A worker with all defaults, but for ``changes``."""
    found = scope.node.try_find_child("Cluster"), scope.node.try_find_child("Images")
    cluster, repository = parts(scope) if found[0] is None else found
    assert isinstance(cluster, ecs.Cluster)
    assert isinstance(repository, ecr.Repository)
    arguments: dict[str, Any] = {"image": FixedDigest(DIGEST), "health_check": ALIVE, **changes}
    return FargateWorker(scope, id, cluster=cluster, repository=repository, **arguments)


SHIFTING = DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN)
WEB_CHECK = HealthCheck.http("/healthz", port=8080, program="curl")


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"image": "web:latest"}, "image", "web:latest", "a FixedDigest or a ReleasedDigest"),
        ({"health_check": None}, "health_check", None, "a ContainerCheck"),
        ({"health_check": WEB_CHECK}, "health_check", WEB_CHECK, "a ContainerCheck"),
        ({"stop_seconds": 121}, "stop_seconds", 121, "from 2 to 120"),
        ({"stop_seconds": 1}, "stop_seconds", 1, "from 2 to 120"),
        ({"deployment": SHIFTING}, "strategy", "BLUE_GREEN", "ROLLING"),
        ({"log_delivery": LogDelivery(buffer_mib=300)}, "buffer_mib", 300, "a quarter"),
        ({"capacity": Capacity(target_requests_per_minute=9)}, "target_group", None, "a target on requests"),
    ],
)
def test_what_a_worker_cannot_have_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """One sentence; a check for a load balancer, requests to count or to shift: a worker has none."""
    scope = stack()
    refused(lambda: small(scope, **changes), what, value, allowed)


def test_one_zone_is_refused() -> None:
    """The loss of one zone must not end the worker (T4)."""
    scope = stack()
    one = ec2.Vpc.from_vpc_attributes(
        scope, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"], private_subnet_ids=["subnet-1"]
    )
    cluster, repository = ecs.Cluster(scope, "Cluster", vpc=one), ecr.Repository(scope, "Images")
    image = FixedDigest(DIGEST)
    refused(
        lambda: FargateWorker(scope, "Mailer", cluster=cluster, repository=repository, image=image, health_check=ALIVE),
        "cluster.vpc",
        ["eu-west-1a"],
        "at least two availability zones",
    )


# Properties

SIZES = st.sampled_from(
    [TaskSize(cpu=cpu, memory_mib=memory) for cpu, memory in ((256, 512), (512, 1024), (4096, 8192))]
)
CHECKS = st.builds(
    ContainerCheck.of,
    st.sampled_from(["true", "/alive"]),
    interval_seconds=st.integers(61, 300),
    timeout_seconds=st.integers(2, 60),
    unhealthy_after=st.integers(2, 10),
    start_seconds=st.integers(0, 300),
)


@settings(max_examples=20, deadline=None)
@given(
    size=SIZES,
    check=CHECKS,
    least=st.integers(2, 5),
    more=st.integers(0, 5),
    buffer=st.sampled_from([25, 50, 1024]),
    stop=st.integers(2, 120),
    command=st.none() | st.just(["python3", "-m", "jobs"]),
)
def test_whatever_is_asked_for_logs_never_block_and_a_check_is_there(
    size: TaskSize, check: ContainerCheck, least: int, more: int, buffer: int, stop: int, command: list[str] | None
) -> None:
    """No combination of arguments that is accepted makes a worker that our rules find a fault in (W2, T1, T4)."""
    scope = stack(App())
    arguments: dict[str, Any] = {
        "size": size,
        "health_check": check,
        "capacity": Capacity(min_tasks=least, max_tasks=least + more),
        "log_delivery": LogDelivery(buffer_mib=buffer),
        "stop_seconds": stop,
        "settings": ContainerSettings(command=command),
    }
    if buffer * 4 > size.memory_mib:
        refused(lambda: small(scope, **arguments), "buffer_mib", buffer, "a quarter")
        return
    small(scope, **arguments)
    template = synthesize(scope)
    (container,) = containers(template, "Mailer").values()
    assert container["LogConfiguration"]["Options"]["mode"] == "non-blocking"
    assert container["HealthCheck"]["Command"][0] == "CMD"
    assert only(template, TARGET)["MinCapacity"] >= 2
    assert {rule for rule in broken(template) if rule.startswith(("MOOR-W2", "MOOR-T4", "MOOR-Q3a"))} == set()
