"""How an environment gets its images and when it releases them: values that refuse what could not be meant.

Pure Python, as ``stacks/config.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from constructs_lib.checks import environment_name, invalid, whole_number
from constructs_lib.delivery.alarms import GapThreshold
from constructs_lib.delivery.policy import DockerHubLogin, PullThroughCache, Sbom
from constructs_lib.delivery.settings import Severity
from constructs_lib.delivery.window import MaintenanceWindow
from constructs_lib.services.sockets.comparison_alarms import SocketChange

_GAP: Final = GapThreshold()
_SOCKETS: Final = SocketChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """Images come from another environment, the same digest: what was tested is what runs (lessons Q1, Q7).

    Args:
        environment: the name of that environment, such as ``staging``.
    """

    environment: str

    def __post_init__(self) -> None:
        environment_name("environment", self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """How the images of an environment that builds are built (lesson Q6).

    Args:
        docker_hub: how base images of Docker Hub are pulled: a ``DockerHubLogin`` or a ``PullThroughCache``. ``None``,
            the default: as nobody, within Docker Hub's limit for an address that others use too.
        sbom: makes and keeps a list of what is in each image; ``None`` by default.
    """

    docker_hub: DockerHubLogin | PullThroughCache | None = None
    sbom: Sbom | None = None

    def __post_init__(self) -> None:
        if self.docker_hub is not None and not isinstance(self.docker_hub, DockerHubLogin | PullThroughCache):
            raise invalid(
                "docker_hub", self.docker_hub, "a DockerHubLogin or a PullThroughCache", "leave it out for neither"
            )
        if self.sbom is not None and not isinstance(self.sbom, Sbom):
            raise invalid("sbom", self.sbom, "an Sbom", "leave it out for none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """When an environment may be released to, and what stops it.

    Args:
        window: the maintenance window; ``None``, the default: at any time.
        outside_window: whether a release outside it is refused, the default, or waits.
        scan_threshold: the least severity of ECR's scan findings that stops a release; empty, the default: findings do
            not stop it.
        steady_minutes: how long a release waits for running tasks and healthy targets, 1 to 120; 15 by default.
        gap: from which gap to the environment before it somebody is told; 20 builds or 14 days by default.
        sockets: from how many times the sockets of before a release somebody is paged; 1.5 by default. Of web services
            with ``socket_metrics`` (lesson W1).
    """

    window: MaintenanceWindow | None = None
    outside_window: Literal["refuse", "wait"] = "refuse"
    scan_threshold: Severity | Literal[""] = ""
    steady_minutes: int = 15
    gap: GapThreshold = _GAP
    sockets: SocketChange = _SOCKETS

    def __post_init__(self) -> None:
        if self.window is not None and not isinstance(self.window, MaintenanceWindow):
            raise invalid("window", self.window, "a MaintenanceWindow or None", "leave it out for any time")
        if self.outside_window not in ("refuse", "wait"):
            raise invalid("outside_window", self.outside_window, "'refuse' or 'wait'", "leave it out to refuse")
        if self.scan_threshold not in ("", *get_args(Severity)):
            raise invalid(
                "scan_threshold",
                self.scan_threshold,
                "'critical', 'high', 'medium', 'low' or ''",
                "leave it out when findings shall not stop a release",
            )
        if not isinstance(self.sockets, SocketChange):
            raise invalid("sockets", self.sockets, "a SocketChange", "leave it out for 1.5 times")
        whole_number("steady_minutes", self.steady_minutes, low=1, high=120, fix="a slow start needs ten or twenty")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """A CodePipeline of each service, over the buttons that are there without it.

    Args:
        approval: whether a person must approve before a release; ``True`` by default.
        execution_mode: ``SUPERSEDED``, the default: a newer execution overtakes one that waits; ``QUEUED``: each has
            its turn.
    """

    approval: bool = True
    execution_mode: Literal["SUPERSEDED", "QUEUED"] = "SUPERSEDED"

    def __post_init__(self) -> None:
        if self.execution_mode not in ("SUPERSEDED", "QUEUED"):
            raise invalid(
                "execution_mode", self.execution_mode, "'SUPERSEDED' or 'QUEUED'", "leave it out for 'SUPERSEDED'"
            )
