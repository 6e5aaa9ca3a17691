"""A shell in a running container, for those who ask for it (lesson T4). Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import concrete
from constructs_lib.services.policy import WritablePath

SESSION_PATHS: Final = tuple(
    WritablePath(path=path) for path in ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")
)
"""Where the agent of a session writes, with a root file system that is read-only.

AWS's guide says that a read-only root is not supported; these three mounts are what users of it found
(https://github.com/aws/containers-roadmap/issues/1359), and AWS has documented none
(https://github.com/aws/containers-roadmap/issues/2824).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteCommand:
    """ECS Exec: who may call ``ecs:ExecuteCommand`` gets a shell in a running task (lesson T4). Off unless given.

    A session is recorded where the cluster says; by default in the log group of its container. Commands run as root.

    Args:
        reason: why this service needs it; it stands in the template.

    Raises:
        ValueError: no reason.
    """

    reason: str

    def __post_init__(self) -> None:
        concrete("reason", self.reason, "say who needs a shell, and what for")
