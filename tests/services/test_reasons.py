"""The why of a service's numbers, in its template and before whoever synthesizes (lessons Q8, T1, T3, T4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.guardrails.check import check
from constructs_lib.services.explanation import explain
from constructs_lib.services.reasons import KEY, reasons, rotation
from constructs_lib.services.scaling.capacity import Capacity, ScheduledCapacity
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.services.conftest import Templates
from tests.support import DIGEST, FLAG_SETS, Template, stack, synthesize, vpc

CHECK = HealthCheck.http("/healthz", port=8080, program="curl")


def why(template: Template) -> dict[str, list[str]]:
    """What the one service of a template says of itself."""
    (service,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::ECS::Service")
    found: dict[str, list[str]] = service["Metadata"][KEY]
    return found


def test_before_a_template_says_no_reason(pattern: Template) -> None:
    """Whoever finds plain CDK's template in five years sees numbers and no why (Q8)."""
    (service,) = (one for one in pattern["Resources"].values() if one["Type"] == "AWS::ECS::Service")
    assert set(service.get("Metadata", {})) <= {"aws:cdk:path"}


def test_after_the_service_carries_its_arithmetic(api: Template) -> None:
    """Capacity, time-outs, health and logs, each with numbers that are the service's own (Q8)."""
    said = why(api)
    assert list(said) == ["capacity", "timeouts", "health", "logs", "ports"]
    assert said["capacity"][0] == "3 to 7 tasks."
    assert "Scaling aims at 40 % CPU" in said["capacity"][1]
    assert said["timeouts"][0].startswith("Upstream 15 s < idle 50 s < caller 90 s")
    assert "longest request 30 s <= drain 35 s" in said["timeouts"][2]
    assert "Shutdown 20 s <= stop 25 s" in said["timeouts"][3]
    assert "at most 40 s: 3 checks, 12 s apart, and 4 s for the last" in said["health"][0]
    assert "at most 88 s after its start: 60 s to start, 2 checks, 12 s apart" in said["health"][2]
    assert said["health"][3].endswith("for 88 s.")
    assert "50 MiB (non-blocking)" in said["logs"][0]
    assert "400 days" in said["logs"][1]
    assert said["ports"] == [
        "Connections are opened from ports 10240 to 65535, 55296 to each destination instead of 28232: no server "
        "listens there."
    ]


def test_the_arithmetic_of_a_peak_is_said() -> None:
    """So that whoever halves the tasks knows what they were for (Q8, T1)."""
    opening = ScheduledCapacity(name="opening", schedule="cron(0 8 * * ? *)", min_tasks=30, max_tasks=90)
    capacity = Capacity.for_peak(requests_per_second=1000, per_task=80, az_count=3, scheduled=(opening,))
    said = reasons(capacity, TimeoutBudget(), CHECK, LogDelivery())["capacity"]
    assert said == [
        "20 to 60 tasks.",
        "Peak: 1000 requests per second at 80 for a task need 13 tasks; the loss of one of 3 zones takes at most 7 of "
        "20, so at least 20 run.",
        "Scaling aims at 50 % CPU: room for a burst, and for a lost zone's load.",
        "Scaling aims at 3054 requests for each task and minute.",
        "Scaling waits 60 s after adding tasks and 300 s after taking some, so that their number does not flap.",
        "opening: from cron(0 8 * * ? *) UTC, 30 to 90 tasks.",
    ]
    memory = reasons(Capacity(target_memory_percent=70), TimeoutBudget(), CHECK, LogDelivery())["capacity"]
    assert "Scaling aims at 70 % memory; it rarely falls again." in memory


@given(st.integers(2, 30), st.integers(31, 60), st.integers(10, 75))
def test_sentences_are_short_and_always_the_same(low: int, high: int, cpu: int) -> None:
    """The same values give the same text, so a template changes only when a number does; and it stays small (Q8)."""
    made = [
        reasons(Capacity(min_tasks=low, max_tasks=high, target_cpu_percent=cpu), TimeoutBudget(), CHECK, LogDelivery())
        for _ in range(2)
    ]
    assert json.dumps(made[0]) == json.dumps(made[1])
    assert all(sentence.endswith(".") and len(sentence) < 250 for about in made[0].values() for sentence in about)
    assert len(json.dumps(made[0])) < 3000


def plain(scope: Stack) -> ecs.FargateService:
    """A service of somebody else."""
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("web", image=ecs.ContainerImage.from_registry(f"busybox@{DIGEST}"))
    cluster = ecs.Cluster(scope, "Cluster", vpc=vpc(scope))
    return ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_a_plain_service_can_be_explained_too(flags: dict[str, object], tmp_path: Path) -> None:
    """Its metadata has the sentences, its line is information, and none of it is a finding of ours (Q8, T4)."""
    app = App(context=flags, outdir=str(tmp_path / "cdk.out"))
    scope = stack(app)
    service = plain(scope)
    explain(service, service, {"health": ["It is fast."]}, rotation("web", CHECK))
    assert why(synthesize(scope)) == {"health": ["It is fast."]}
    (told,) = [
        entry
        for path in Path(app.outdir).glob("*.metadata.json")
        for entries in json.loads(path.read_text()).values()
        for entry in entries
        if entry["type"] == "aws:cdk:info"
    ]
    assert told["data"].startswith(
        "web: a dead task is out of rotation after at most 35 s; a new one is in rotation at most 85 s after its start"
    )
    assert [one for one in check([Path(app.outdir)]).findings if one.rule.startswith("MOOR-Q8")] == []


def test_every_service_of_ours_is_explained(templates: Templates) -> None:
    """Behind its own load balancer or a shared one, with a digest in code or none yet (Q8)."""
    services = [
        one
        for name in ("Released", "Fixed", "Shared", "Inside")
        for one in templates[name]["Resources"].values()
        if one["Type"] == "AWS::ECS::Service"
    ]
    assert len(services) == 6
    assert all(set(one["Metadata"][KEY]) == {"capacity", "timeouts", "health", "logs", "ports"} for one in services)
