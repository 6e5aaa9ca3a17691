"""What a service is in the template, beside what plain CDK's pattern makes (lessons W2, T1, T3, T4, Q3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.conftest import Templates
from tests.support import DIGEST, Template, containers, listed, of_type, only, references, statements

TASK = "AWS::ECS::TaskDefinition"
SERVICE = "AWS::ECS::Service"
ALARM = "AWS::CloudWatch::Alarm"
NO_DIGEST = "sha256:" + "0" * 64


def image_suffix(container: dict[str, Any]) -> list[Any]:
    """What follows the repository's name in an image reference."""
    parts: list[Any] = container["Image"]["Fn::Join"][1]
    (index,) = (number for number, part in enumerate(parts) if part == {"Ref": "Images2D38C313"})
    return parts[index + 1 :]


def test_before_a_tag_decides_what_runs(pattern: Template) -> None:
    """Plain CDK refers to `latest`, so what a service runs changes with every push (Q3)."""
    assert image_suffix(containers(pattern)["web"]) == [":latest"]


def test_after_the_image_is_by_digest_only(web: Template, api: Template) -> None:
    """A digest in code stands in the reference; a released one comes from the parameter, or names no image (Q3)."""
    assert image_suffix(containers(api)["web-api"]) == [f"@{DIGEST}"]
    at, choice = image_suffix(containers(web)["web"])
    assert at == "@"
    (condition, then, otherwise) = choice["Fn::If"]
    assert (condition in web["Conditions"], otherwise) == (True, NO_DIGEST)
    assert web["Parameters"][then["Ref"]]["Type"] == "AWS::SSM::Parameter::Value<String>"


def test_before_nothing_says_how_logs_are_written(pattern: Template) -> None:
    """Plain CDK leaves the log mode to an account setting that no template controls (W2)."""
    options = containers(pattern)["web"]["LogConfiguration"]["Options"]
    assert not {"mode", "max-buffer-size"} & set(options)


def test_after_no_container_waits_for_its_logs(web: Template) -> None:
    """Every container, sidecars included, has the awslogs driver, non-blocking, with the recommended buffer (W2)."""
    for container in containers(web).values():
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"
        options = container["LogConfiguration"]["Options"]
        assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", f"{25 * 1024 * 1024}b")


def test_every_container_has_a_log_group_of_its_own(web: Template) -> None:
    """Each log group is in the template, so it exists before the task, keeps lines for 90 days, and stays (W2, W5)."""
    groups = [
        container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"] for container in containers(web).values()
    ]
    assert sorted(groups) == sorted(of_type(web, "AWS::Logs::LogGroup"))
    assert len(groups) == len(containers(web)) == 3
    for group in groups:
        resource = web["Resources"][group]
        assert resource["Properties"] == {"RetentionInDays": 90}
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_log_settings_reach_the_template(api: Template) -> None:
    """Buffer and retention are those that were asked for."""
    options = containers(api)["web-api"]["LogConfiguration"]["Options"]
    assert options["max-buffer-size"] == f"{50 * 1024 * 1024}b"
    assert only(api, "AWS::Logs::LogGroup")["RetentionInDays"] == 400


def test_before_a_container_may_write_anywhere(pattern: Template) -> None:
    """Plain CDK leaves the root file system writable and the health of the container unknown."""
    assert not {"ReadonlyRootFilesystem", "HealthCheck"} & set(containers(pattern)["web"])


def test_after_only_named_directories_are_writable(web: Template) -> None:
    """Root file systems are read-only; each writable path is a volume of its own, mounted where it was asked for."""
    assert all(container["ReadonlyRootFilesystem"] is True for container in containers(web).values())
    mounts = {
        (name, mount["ContainerPath"]): mount
        for name, container in containers(web).items()
        for mount in container.get("MountPoints", [])
    }
    assert set(mounts) == {("web", "/tmp"), ("web", "/sub-x"), ("web-sub", "/x")}
    assert all(mount["ReadOnly"] is False for mount in mounts.values())
    volumes = [volume["Name"] for volume in only(web, TASK)["Volumes"]]
    assert sorted(volumes) == sorted(mount["SourceVolume"] for mount in mounts.values())
    assert len(set(volumes)) == 3, "containers `web` + /sub-x and `web-sub` + /x would share a volume"
    assert all(set(volume) == {"Name"} for volume in only(web, TASK)["Volumes"])


def test_both_health_checks_are_there(web: Template) -> None:
    """The container's check and the load balancer's say the same, and a new task has time for both (T4)."""
    assert containers(web)["web"]["HealthCheck"] == {
        "Command": [
            *("CMD", "curl", "--fail", "--silent", "--output", "/dev/null", "--max-time", "4"),
            "http://127.0.0.1:8080/healthz",
        ],
        "Interval": 12,
        "Timeout": 4,
        "Retries": 3,
        "StartPeriod": 60,
    }
    targets = only(web, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert targets["HealthCheckPath"] == "/healthz"
    assert (targets["HealthCheckIntervalSeconds"], targets["HealthCheckTimeoutSeconds"]) == (12, 4)
    assert (targets["HealthyThresholdCount"], targets["UnhealthyThresholdCount"]) == (2, 3)
    assert targets["Matcher"] == {"HttpCode": "200"}
    assert (targets["TargetType"], targets["Port"]) == ("ip", 8080)
    assert only(web, SERVICE)["HealthCheckGracePeriodSeconds"] == 60 + 2 * 12 + 4


def test_before_a_bad_deployment_goes_on(pattern: Template) -> None:
    """Plain CDK halves the tasks during a deployment, has no breaker, and watches no alarm (T4)."""
    deployment = only(pattern, SERVICE)["DeploymentConfiguration"]
    assert deployment["MinimumHealthyPercent"] == 50
    assert "DeploymentCircuitBreaker" not in deployment
    assert not deployment.get("Alarms", {}).get("AlarmNames")


def test_after_a_deployment_keeps_all_tasks_and_goes_back_by_itself(web: Template) -> None:
    """Old tasks stay until new ones are healthy; breaker and alarms roll back; zones are kept in balance (T4)."""
    service = only(web, SERVICE)
    deployment = service["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    breaker = deployment["DeploymentCircuitBreaker"]
    assert (breaker["Enable"], breaker["Rollback"]) == (True, True)
    assert (deployment["Alarms"]["Enable"], deployment["Alarms"]["Rollback"]) == (True, True)
    assert service["AvailabilityZoneRebalancing"] == "ENABLED"
    assert service.get("DeploymentController", {"Type": "ECS"}) == {"Type": "ECS"}


def test_deployment_alarms_watch_this_service_and_are_metric_alarms(templates: Templates) -> None:
    """They see this target group only, so a neighbour on the same load balancer rolls nothing back (T4)."""
    template = templates["Shared"]
    services = of_type(template, SERVICE).values()
    for service in services:
        (targets,) = (balancer["TargetGroupArn"]["Ref"] for balancer in service["LoadBalancers"])
        names = service["DeploymentConfiguration"]["Alarms"]["AlarmNames"]
        watched = {template["Resources"][name["Ref"]]["Properties"]["MetricName"] for name in names}
        assert "HTTPCode_Target_5XX_Count" in watched
        for name in names:
            alarm = template["Resources"][name["Ref"]]
            assert alarm["Type"] == ALARM
            dimensions = {row["Name"]: row["Value"] for row in alarm["Properties"]["Dimensions"]}
            assert dimensions["TargetGroup"] == {"Fn::GetAtt": [targets, "TargetGroupFullName"]}
            assert set(dimensions) == {"LoadBalancer", "TargetGroup"}
    assert len(services) == 2


def test_deployment_alarms_page_nobody_and_need_no_service(web: Template) -> None:
    """They have no action and do not refer to the service that names them, so neither waits for the other (T4)."""
    resources = web["Resources"]
    (service,) = of_type(web, SERVICE)

    def reaches(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            resource = resources.get(ahead.pop(), {})
            more = references(resource.get("Properties")) | set(listed(resource.get("DependsOn", [])))
            ahead += more - seen
            seen |= more
        return seen

    alarms = of_type(web, ALARM)
    assert alarms
    assert set(alarms) <= reaches(service)
    for name, alarm in alarms.items():
        assert service not in reaches(name)
        assert not alarm.get("AlarmActions")
        assert alarm["TreatMissingData"] == "notBreaching"


def test_tasks_have_no_public_address(web: Template) -> None:
    """Tasks run in the private subnets of both zones (T4)."""
    network = only(web, SERVICE)["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert network["Subnets"] == ["subnet-private-a", "subnet-private-b"]


def test_a_task_is_what_was_asked_for(web: Template, api: Template) -> None:
    """CPU, memory, processor and stop time come from the values, and two stacks never share a task family."""
    small, large = only(web, TASK), only(api, TASK)
    assert (small["Cpu"], small["Memory"], small["RuntimePlatform"]["CpuArchitecture"]) == ("512", "1024", "ARM64")
    assert (large["Cpu"], large["Memory"], large["RuntimePlatform"]["CpuArchitecture"]) == ("1024", "4096", "X86_64")
    assert {container["StopTimeout"] for container in containers(web).values()} == {30}
    assert containers(api)["web-api"]["StopTimeout"] == 25
    assert {"Ref": "AWS::StackName"} in small["Family"]["Fn::Join"][1]


def test_settings_and_secrets_reach_the_container(web: Template) -> None:
    """Plain settings are in the template; of a secret only its address is."""
    container = containers(web)["web"]
    assert {row["Name"]: row["Value"] for row in container["Environment"]} == {
        "MODE": "shop",
        "MOORINGS_UPSTREAM_TIMEOUT_SECONDS": "15",
        "MOORINGS_REQUEST_TIMEOUT_SECONDS": "30",
        "MOORINGS_KEEP_ALIVE_SECONDS": "75",
        "MOORINGS_SHUTDOWN_SECONDS": "20",
    }
    (secret,) = container["Secrets"]
    assert secret["Name"] == "TOKEN"
    assert set(secret["ValueFrom"]) == {"Ref"}


@pytest.mark.parametrize("stack", ["Released", "Fixed"])
def test_the_application_may_do_nothing(templates: Templates, stack: str) -> None:
    """The task role has no permission until somebody grants one."""
    role = only(templates[stack], TASK)["TaskRoleArn"]["Fn::GetAtt"][0]
    assert statements(templates[stack], role) == []
    assert "ManagedPolicyArns" not in templates[stack]["Resources"][role]["Properties"]


def test_the_execution_role_may_do_what_a_start_needs(web: Template) -> None:
    """It pulls from one repository, writes to these log groups and reads this secret; only a login has no resource."""
    role = only(web, TASK)["ExecutionRoleArn"]["Fn::GetAtt"][0]
    may: dict[str, set[str]] = {}
    for statement in statements(web, role):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            on = listed(statement["Resource"])
            may.setdefault(action, set()).update({"*"} if on == ["*"] else references(on))
    repository, secret = {"Images2D38C313"}, set(of_type(web, "AWS::SecretsManager::Secret"))
    logs = set(of_type(web, "AWS::Logs::LogGroup"))
    assert may == {
        "ecr:BatchCheckLayerAvailability": repository,
        "ecr:GetDownloadUrlForLayer": repository,
        "ecr:BatchGetImage": repository,
        "ecr:GetAuthorizationToken": {"*"},
        "logs:CreateLogStream": logs,
        "logs:PutLogEvents": logs,
        "secretsmanager:GetSecretValue": secret,
        "secretsmanager:DescribeSecret": secret,
    }


def test_tasks_start_after_they_may_pull(web: Template) -> None:
    """The service waits for the execution role's policy, or the first tasks fail and count for the breaker (T4)."""
    (service,) = (value for value in web["Resources"].values() if value["Type"] == SERVICE)
    role = only(web, TASK)["ExecutionRoleArn"]["Fn::GetAtt"][0]
    policies = {key for key, value in of_type(web, "AWS::IAM::Policy").items() if {"Ref": role} in value["Roles"]}
    assert policies
    assert policies <= set(service["DependsOn"])
