"""W1d: kernel settings with which a task on Fargate does not start."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

PLACE = "Properties/ContainerDefinitions/0/SystemControls/0/Namespace"
FARGATE = "RequiresCompatibilities: [FARGATE]"


def task(name: str, kinds: str = FARGATE) -> str:
    """A task definition with a system control."""
    return f"""
Parameters:
  Open: {{Type: String}}
  Switch: {{Type: String}}
  Given: {{Type: String, Default: net.core.rmem_max}}
  Kinds: {{Type: CommaDelimitedList, Default: 'EC2,FARGATE'}}
  OpenKinds: {{Type: CommaDelimitedList}}
Conditions: {{Maybe: !Equals [!Ref Switch, x]}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      {kinds}
      ContainerDefinitions:
        - Name: web
          SystemControls: [{{Namespace: {name}, Value: '1'}}]
"""


@pytest.mark.parametrize(
    "name",
    [
        "net.core.rmem_max",
        "net.core.wmem_max",
        "net.core.netdev_max_backlog",
        "net.core.default_qdisc",
        "net.ipv4.tcp_mem",
        "net.ipv4.udp_mem",
        "net.ipv4.tcp_max_orphans",
        "net.ipv4.tcp_tw_recycle",
        "kernel.pid_max",
        "kernel.shmmax_",
        "fs.file-max",
        "fs.mqueue",
        "vm.max_map_count",
        "somaxconn",
        "!Ref Given",
        "!Sub '${Given}'",
        "!If [Maybe, net.core.rmem_max, net.ipv4.tcp_tw_reuse]",
    ],
)
def test_before_a_setting_that_is_not_there_keeps_the_task_from_starting(name: str) -> None:
    """What the container does not have, what ECS does not take, and what Linux has not any more."""
    found = findings(task(name), "MOOR-W1d")
    assert [(one.status, one.severity, one.path.split("/Fn::If")[0]) for one in found] == [("fail", "error", PLACE)]
    assert "does not start" in found[0].message


@pytest.mark.parametrize(
    "name",
    [
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_tw_reuse",
        "net.ipv4.tcp_keepalive_time",
        "net.core.somaxconn",
        "net.ipv6.conf.all.disable_ipv6",
        "kernel.msgmax",
        "kernel.shm_rmid_forced",
        "kernel.sem",
        "fs.mqueue.msg_max",
        "''",
        "!Ref AWS::NoValue",
    ],
)
def test_after_what_can_be_set_is_left_alone(name: str) -> None:
    """AWS's list holds eight of kernel.* and all of fs.mqueue.*; nothing speaks against other names of net.*."""
    assert said(task(name), "MOOR-W1d") == []


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (FARGATE, "fail"),
        ("RequiresCompatibilities: [EC2, FARGATE]", "fail"),
        ("RequiresCompatibilities: !Ref Kinds", "fail"),
        ("RequiresCompatibilities: [EC2]", None),
        ("RequiresCompatibilities: [EXTERNAL]", None),
        ("RequiresCompatibilities: []", None),
        ("NetworkMode: awsvpc", None),
        ("RequiresCompatibilities: !Ref OpenKinds", "unknown"),
    ],
)
def test_it_is_about_fargate(kinds: str, status: str | None) -> None:
    """What an instance of one's own has, its owner knows."""
    assert [one for one, *_ in said(task("net.core.rmem_max", kinds), "MOOR-W1d")] == ([status] if status else [])


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [(FARGATE, ["unknown"]), ("RequiresCompatibilities: [EC2]", [])],
)
def test_a_setting_that_is_not_known_matters_on_fargate_only(kinds: str, expected: list[str]) -> None:
    """Be it the name, the entry or the whole list."""
    template = task("!Ref Open", kinds)
    assert [one for one, *_ in said(template, "MOOR-W1d")] == expected
    entry = "[{Namespace: !Ref Open, Value: '1'}]"
    assert entry in template
    for unknown in ("[!Ref Open]", "!Ref Open"):
        assert [one for one, *_ in said(template.replace(entry, unknown), "MOOR-W1d")] == expected
    containers = template.replace("ContainerDefinitions:", "ContainerDefinitions: !Ref Open\n      Ignored:")
    assert [one for one, *_ in said(containers, "MOOR-W1d")] == expected


def test_a_setting_that_is_fine_asks_nothing_of_the_task() -> None:
    """Whether it is for Fargate does not matter then."""
    assert said(task("net.ipv4.tcp_tw_reuse", "RequiresCompatibilities: !Ref OpenKinds"), "MOOR-W1d") == []
