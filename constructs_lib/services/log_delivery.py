"""How a container's log lines leave it (lesson W2). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from constructs_lib.checks import invalid, whole_number
from constructs_lib.log_retention import check_retention


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDelivery:
    """Non-blocking delivery to a CloudWatch log group of the container's own (lesson W2).

    In blocking mode a container waits when the log service cannot be reached: that froze every WebORCA container. In
    non-blocking mode lines wait in a buffer, and are dropped when it is full. AWS recommends 25 MiB
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html).

    Args:
        mode: ``non-blocking``; there is no other. It is a parameter so that asking for the other one says why not.
        buffer_mib: size of the buffer in MiB, 10 to 1024; 25 by default. It is part of the task's memory.
        retention_days: how long CloudWatch keeps the lines, one of the numbers it accepts; 90 by default.

    Raises:
        ValueError: blocking mode, a buffer out of its range, or a retention that CloudWatch does not know.
    """

    mode: Literal["non-blocking"] = "non-blocking"
    buffer_mib: int = 25
    retention_days: int = 90

    def __post_init__(self) -> None:
        if self.mode != "non-blocking":
            raise invalid(
                "mode",
                self.mode,
                "'non-blocking'",
                "a blocking driver stops the container when logs cannot be delivered (lesson W2)",
            )
        whole_number("buffer_mib", self.buffer_mib, low=10, high=1024, fix="AWS recommends 25")
        check_retention("retention_days", self.retention_days)

    def check_memory(self, containers: int, task_memory_mib: int) -> None:
        """Refuses buffers that together may take more than a quarter of the task's memory."""
        if self.buffer_mib * containers * 4 > task_memory_mib:
            raise invalid(
                "buffer_mib",
                self.buffer_mib,
                f"at most a quarter of the task's {task_memory_mib} MiB for all {containers} containers together",
                "the buffers are part of the task's memory; shrink them or give the task more",
            )
