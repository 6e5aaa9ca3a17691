"""How a container's log lines leave it (lesson W2). Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from constructs_lib.checks import concrete, invalid, is_token, whole_number
from constructs_lib.log_retention import check_retention

MIB: Final = 1024 * 1024
SMALLEST_BUFFER_MIB: Final = 25
"""What AWS recommends: https://github.com/aws/amazon-ecs-agent/pull/4524 and
https://aws.amazon.com/blogs/containers/preventing-log-loss-with-non-blocking-mode-in-the-awslogs-container-log-driver/
"""
LARGEST_BUFFER_MIB: Final = 1024
_KEY: Final = re.compile(r"arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDelivery:
    """Non-blocking delivery to a CloudWatch log group of the container's own (lesson W2).

    In blocking mode a container waits when the log service cannot be reached: that froze every WebORCA container. In
    non-blocking mode lines wait in a buffer, and those that find it full are dropped. :meth:`non_blocking` computes the
    buffer from how much is logged. ``docs/lessons/W2-log-delivery.md`` says what a buffer counts and what it does not.

    Args:
        mode: ``non-blocking``; there is no other. It is a parameter so that asking for the other one says why not.
        buffer_mib: size of each container's buffer in MiB, 25 to 1024; 25 by default. It is part of the task's memory.
        retention_days: how long CloudWatch keeps the lines, one of the numbers it accepts; 90 by default.
        kms_key_arn: ARN of a symmetric KMS key of yours that encrypts the lines, perhaps a Token; ``None`` by default:
            CloudWatch Logs encrypts with a key of its own
            (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html). The key's policy must
            admit CloudWatch Logs, or the log group is not made.

    Raises:
        ValueError: blocking mode, a buffer out of its range, a retention that CloudWatch does not know, or what is no
            ARN of a key.
    """

    mode: Literal["non-blocking"] = "non-blocking"
    buffer_mib: int = SMALLEST_BUFFER_MIB
    retention_days: int = 90
    kms_key_arn: str | None = None

    def __post_init__(self) -> None:
        if self.mode != "non-blocking":
            raise invalid(
                "mode",
                self.mode,
                "'non-blocking'",
                "a blocking driver stops the container when logs cannot be delivered (lesson W2)",
            )
        whole_number(
            "buffer_mib",
            self.buffer_mib,
            low=SMALLEST_BUFFER_MIB,
            high=LARGEST_BUFFER_MIB,
            fix="AWS recommends 25; LogDelivery.non_blocking computes it from how much is logged",
        )
        check_retention("retention_days", self.retention_days)
        if self.kms_key_arn is not None:
            _check_key(self.kms_key_arn)

    @classmethod
    def non_blocking(
        cls,
        *,
        lines_per_second: int,
        bytes_per_line: int,
        tolerated_outage_seconds: int,
        retention_days: int = 90,
        kms_key_arn: str | None = None,
    ) -> LogDelivery:
        """A buffer that holds what one container writes in so many seconds, when nothing can be delivered.

        It is lines a second x bytes a line x seconds, rounded up to whole MiB, and at least 25 MiB. It is room, and no
        promise: the awslogs driver itself gives up a batch that it could not send
        (https://github.com/moby/moby/pull/41577).

        Args:
            lines_per_second: what one container of the task writes at peak, 1 to 1,000,000.
            bytes_per_line: mean length of a line in bytes, 1 to 262,144; the driver splits longer ones.
            tolerated_outage_seconds: for how long no line may be dropped for want of room, in seconds, 1 to 86,400.
            retention_days: as in the class; 90 by default.
            kms_key_arn: as in the class; ``None`` by default.

        Raises:
            ValueError: a number out of its range, or a buffer of more than 1024 MiB.
        """
        whole_number("lines_per_second", lines_per_second, low=1, high=1_000_000, fix="count one task's lines at peak")
        whole_number("bytes_per_line", bytes_per_line, low=1, high=262_144, fix="the driver splits longer lines")
        whole_number(
            "tolerated_outage_seconds", tolerated_outage_seconds, low=1, high=86_400, fix="120 is a good start"
        )
        rate = lines_per_second * bytes_per_line
        needed = -(-rate * tolerated_outage_seconds // MIB)
        if needed > LARGEST_BUFFER_MIB:
            raise invalid(
                "tolerated_outage_seconds",
                tolerated_outage_seconds,
                f"at most {LARGEST_BUFFER_MIB * MIB // rate} for {lines_per_second} lines of {bytes_per_line} bytes a "
                f"second ({lines_per_second} x {bytes_per_line} x {tolerated_outage_seconds} is {needed} MiB, and the "
                f"largest buffer {LARGEST_BUFFER_MIB} MiB)",
                "log less, tolerate a shorter outage, or buffer on disk with FireLens",
            )
        return cls(buffer_mib=max(needed, SMALLEST_BUFFER_MIB), retention_days=retention_days, kms_key_arn=kms_key_arn)

    def check_memory(self, containers: int, task_memory_mib: int) -> None:
        """Refuses buffers that together may take more than a quarter of the task's memory.

        The driver counts the text of a line alone, and a short line takes about twice its text
        (https://github.com/aws/shim-loggers-for-containerd/blob/main/docs/memory-optimization-recommendations.md): a
        quarter by this count may be half of the memory.
        """
        together = containers * self.buffer_mib
        if together * 4 > task_memory_mib:
            raise invalid(
                "buffer_mib",
                self.buffer_mib,
                f"at most a quarter of the task's {task_memory_mib} MiB for all {containers} containers together "
                f"({containers} x {self.buffer_mib} = {together} MiB, a quarter of {task_memory_mib} MiB is "
                f"{task_memory_mib / 4:g} MiB)",
                "the buffers are part of the task's memory; shrink them or give the task more",
            )


def _check_key(arn: str) -> None:
    """A key made in the same app has a Token for its ARN, which only CloudFormation can judge."""
    if is_token(arn):
        return
    concrete("kms_key_arn", arn)
    if not _KEY.fullmatch(arn):
        raise invalid(
            "kms_key_arn",
            arn,
            "the ARN of a KMS key, 'arn:aws:kms:<region>:<account>:key/<id>'",
            "CloudWatch Logs takes neither an id nor an alias; read it with `aws kms describe-key`",
        )
