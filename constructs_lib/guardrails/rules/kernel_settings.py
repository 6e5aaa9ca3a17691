"""W1: kernel settings with which a task on Fargate does not start."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION
from constructs_lib.guardrails.rules.ports import port_ranges
from constructs_lib.guardrails.templates.node import Node, NotKnown

_IPC: Final = frozenset(
    f"kernel.{name}" for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)
_TAKEN: Final = ("net.", "fs.mqueue.")
"""With the eight above, all that ECS takes. Of ``net.*`` only what exists within the container:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
"""

_ABSENT: Final = {
    "net.core.rmem_max": "Fargate's containers do not have it",
    "net.core.wmem_max": "Fargate's containers do not have it",
    "net.ipv4.tcp_tw_recycle": "Linux has not had it since 4.12",
    **dict.fromkeys(
        (
            *("net.core.netdev_max_backlog", "net.core.default_qdisc"),
            *("net.ipv4.tcp_mem", "net.ipv4.udp_mem", "net.ipv4.tcp_max_orphans"),
        ),
        "it is of the whole machine, and no container has it",
    ),
}
"""The first two are seen to keep tasks from starting: https://github.com/aws/containers-roadmap/issues/2368 .
What Linux has: https://docs.kernel.org/networking/ip-sysctl.html ; commit 4396e46187ca took tcp_tw_recycle out.
The last five are in the kernel's tables of the first network namespace alone (net_core_table and ipv4_table in
net/core/sysctl_net_core.c and net/ipv4/sysctl_net_ipv4.c): ``unshare --net ls /proc/sys/net/ipv4`` lacks them.
"""


def impossible_setting(control: Node) -> Fault | None:
    """W1d. A setting that is not known matters on Fargate only."""
    try:
        name = control.get("Namespace")
        text = name.text() or ""
    except NotKnown:
        if _on_fargate(control):
            raise
        return None
    why = _why(text)
    if not why or not _on_fargate(control):
        return None
    return Fault(name, f"a task does not start with the system control {text[:60]!r}: {why}")


def settings(task_definition: Node) -> list[Node]:
    """The system controls of all containers; what is not known matters on Fargate only."""
    try:
        return list(port_ranges(task_definition))
    except NotKnown:
        if _on_fargate(task_definition):
            raise
        return []


def _why(name: str) -> str:
    """What is wrong with a setting; empty when nothing is known to be."""
    if not name or name in _IPC:
        return ""
    if not name.startswith(_TAKEN):
        return "ECS takes net.*, fs.mqueue.* and eight of kernel.*"
    return _ABSENT.get(name, "")


def _on_fargate(node: Node) -> bool:
    kinds = Node.of(node.world, node.resource).get("Properties", "RequiresCompatibilities")
    return any(kind.text() == "FARGATE" for kind in kinds.items())


RULES: Final = (
    Rule(
        id="MOOR-W1d",
        severity="error",
        types=(TASK_DEFINITION,),
        title="no kernel setting keeps a task on Fargate from starting",
        why="WebORCA, March 2025: ports ran out, and settings against that are changed in haste; a task that does not"
        " start makes it worse.",
        fix="Take the entry out of SystemControls: on Fargate those of net.ipv4.*, such as net.ipv4.tcp_keepalive_time,"
        " of fs.mqueue.* and of the IPC namespace can be set.",
        subjects=settings,
        judge=impossible_setting,
    ),
)
