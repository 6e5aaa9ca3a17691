"""The values that a service is described with refuse what AWS would refuse later (lessons W2, T1, T3, T4, Q3)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from constructs_lib.services.policy import (
    FixedDigest,
    ReleasedDigest,
    TaskSize,
    WritablePath,
    check_volumes,
    pinned_image,
)
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.support import DIGEST, TOKEN, refused, run_without_cdk

# CPU units: lowest GiB, highest GiB, step, from the table "Task CPU and memory" of the ECS developer guide.
FARGATE = {
    256: (0.5, 2, None),
    512: (1, 4, 1),
    1024: (2, 8, 1),
    2048: (4, 16, 1),
    4096: (8, 30, 1),
    8192: (16, 60, 4),
    16384: (32, 120, 8),
}


def fargate_has(cpu: int, memory: int) -> bool:
    """Whether Fargate has a pair, by the developer guide's table."""
    if cpu not in FARGATE:
        return False
    low, high, step = FARGATE[cpu]
    gib = memory / 1024
    return gib in (0.5, 1, 2) if step is None else low <= gib <= high and (gib - low) % step == 0


@pytest.mark.parametrize("cpu", [*FARGATE, 0, 128, 1000])
def test_a_task_has_exactly_the_sizes_that_fargate_has(cpu: int) -> None:
    """Of all memory sizes up to 128 GiB those are accepted that Fargate has with this CPU, and no others."""
    accepted = []
    sizes = range(256, 128 * 1024 + 1, 256)
    for memory in sizes:
        with suppress(ValueError):
            accepted.append(TaskSize(cpu=cpu, memory_mib=memory).memory_mib)
    assert accepted == [memory for memory in sizes if fargate_has(cpu, memory)]


def wrong(make: Any, what: str, value: object, allowed: str) -> Any:
    """A row of the table below."""
    return pytest.param(make, what, value, allowed, id=f"{what}={value}"[:60])


@pytest.mark.parametrize(
    ("make", "what", "value", "allowed"),
    [
        wrong(lambda: TaskSize(cpu=300), "cpu", 300, "256, 512, 1024"),
        wrong(lambda: TaskSize(cpu=256, memory_mib=4096), "memory_mib", 4096, "512, 1024, 2048 with 256 CPU units"),
        wrong(lambda: TaskSize(architecture="arm"), "architecture", "arm", "'arm64' or 'x86_64'"),  # type: ignore[arg-type]
        wrong(lambda: LogDelivery(mode="blocking"), "mode", "blocking", "'non-blocking'"),  # type: ignore[arg-type]
        wrong(lambda: LogDelivery(buffer_mib=24), "buffer_mib", 24, "from 25 to 1024"),
        wrong(lambda: LogDelivery(retention_days=100), "retention_days", 100, "60, 90, 120"),
        wrong(
            lambda: LogDelivery(buffer_mib=86).check_memory(3, 1024),
            "buffer_mib",
            86,
            "a quarter of the task's 1024 MiB for all 3 containers",
        ),
        wrong(lambda: FixedDigest("latest"), "digest", "latest", "an image digest"),
        wrong(lambda: FixedDigest(TOKEN), "digest", TOKEN, "not a Token"),
        wrong(lambda: ReleasedDigest("shop/web"), "parameter_name", "shop/web", "a parameter path"),
        wrong(lambda: ReleasedDigest("/a" * 16), "parameter_name", "/a" * 16, "a parameter path"),
        wrong(lambda: ReleasedDigest(TOKEN), "parameter_name", TOKEN, "not a Token"),
        wrong(lambda: WritablePath(path="tmp"), "path", "tmp", "an absolute directory"),
        wrong(lambda: WritablePath(path="/"), "path", "/", "below the root"),
        wrong(lambda: WritablePath(path="/tmp/../etc"), "path", "/tmp/../etc", "below the root"),
        wrong(lambda: pinned_image("image", "busybox:1"), "image", "busybox:1", "an image by digest"),
        wrong(lambda: pinned_image("image", DIGEST), "image", DIGEST, "an image by digest"),
        wrong(lambda: pinned_image("image", f"x@{DIGEST[:-1]}"), "image", f"x@{DIGEST[:-1]}", "an image by digest"),
        wrong(
            lambda: check_volumes((WritablePath(path="/a/b"), WritablePath(path="/a-b"))),
            "writable_paths",
            "/a/b",
            "distinct directories",
        ),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(make: Any, what: str, value: object, allowed: str) -> None:
    """Each value object says what is wrong, the value, what is allowed, and the fix."""
    refused(make, what, value, allowed)


@pytest.mark.parametrize("path", ["/.", "/./tmp", "/tmp/."])
def test_the_root_in_disguise_is_refused(path: str) -> None:
    """`/.` is the root: writing to it would undo the read-only root file system."""
    refused(lambda: WritablePath(path=path), "path", path, "below the root")


@pytest.mark.parametrize("memory", [200, 199])
def test_all_buffers_are_at_most_a_quarter_of_the_task(memory: int) -> None:
    """The buffers of all containers are part of the task's memory, so together they may not fill it (W2)."""
    if memory == 200:
        LogDelivery(buffer_mib=25).check_memory(2, memory)
    else:
        refused(lambda: LogDelivery(buffer_mib=25).check_memory(2, memory), "buffer_mib", 25, "a quarter")


@pytest.mark.parametrize("image", [f"web@{DIGEST}", f"public.ecr.aws/docker/library/busybox:1@{DIGEST}"])
def test_an_image_by_digest_is_accepted(image: str) -> None:
    """A digest decides what runs, also beside a tag (Q3)."""
    assert pinned_image("image", image) == image


def test_a_volume_is_named_after_its_directory() -> None:
    """The name shows the directory, in the characters that a volume may have."""
    assert WritablePath(path="/var/cache/app.d").volume_name == "var-cache-app-d"


@pytest.mark.parametrize(
    "code",
    [
        "from constructs_lib.services.policy import TaskSize\nTaskSize(cpu=1)",
        "from constructs_lib.services.policy import FixedDigest\nFixedDigest('latest')",
        "from constructs_lib.services.scaling.capacity import Capacity\nCapacity(min_tasks=1)",
        "from constructs_lib.services.task.log_delivery import LogDelivery\nLogDelivery(mode='blocking')",
        "from constructs_lib.services.traffic.timeouts import TimeoutBudget\nTimeoutBudget(stop_seconds=1)",
        "import constructs_lib.services.alarms\nfrom constructs_lib.services.task.health_check import HealthCheck\n"
        "HealthCheck.http('healthz', port=80, program='curl')",
    ],
)
def test_a_wrong_value_fails_before_node_starts(code: str) -> None:
    """The values of a service are checked without loading CDK."""
    assert " must be " in run_without_cdk(code)
