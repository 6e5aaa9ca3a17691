"""What release commands must know of a service, as the SSM parameter that the stack writes (lessons Q5, Q7, W6).

One place for the terminal and for CodeBuild, so the two cannot differ. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal, TypeAlias, get_args

Severity: TypeAlias = Literal["critical", "high", "medium", "low"]
"""The least severity of a scan's findings that stops a release."""

_CHOICES: Final = {
    "check": ("digest", "commit"),
    "outside_window": ("refuse", "wait"),
    "scan_threshold": (*get_args(Severity), ""),
}
_KINDS: Final[dict[str, type]] = {
    **dict.fromkeys(("steady_minutes", "deployment_minutes", "minutes"), int),
    "roles": tuple,
}
_CHECKED_BY_THEMSELVES: Final = ("upstream", "before_release")


_NEWER: Final = ("before_release", "alternate_target_group", "deployment_minutes")
"""Fields that came later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The environment that an image must have run in before (lesson Q7).

    Args:
        environment: its name.
        account: its account, 12 digits.
        region: its region.
        repository: the repository of the same image there.
        check: ``digest`` when images are promoted, ``commit`` when they are built again here.
        reader_role: ARN of the role that reads there; empty in the same account.
    """

    environment: str
    account: str
    region: str
    repository: str
    check: Literal["digest", "commit"] = "digest"
    reader_role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeRelease:
    """The task that a release runs once before it changes anything (lesson Q5).

    Args:
        family: its task definition's family.
        container: its container, whose image the release names and whose exit code counts.
        minutes: after so many minutes it is stopped.
        roles: ARNs of its task role and its execution role, which whoever starts it passes.
    """

    family: str
    container: str
    minutes: int
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What release commands must know of a service (lessons Q5, Q7, W6).

    Args:
        application: the application.
        environment: the environment.
        service: the service; also the component of its alarms and the name of its container.
        account: the environment's account, 12 digits.
        region: its region.
        stack: CloudFormation's name of the services' stack.
        role: ARN of the role that CloudFormation uses in a release.
        cluster: name of the ECS cluster.
        ecs_service: name of the ECS service.
        target_group: ARN of the target group; empty for a worker, which has none.
        repository: name of the ECR repository.
        platform: ``linux/arm64`` or ``linux/amd64``.
        steady_minutes: how long to wait for running tasks and healthy targets after the stack is updated.
        window: the maintenance window as text (:meth:`MaintenanceWindow.to_text`); empty when there is none.
        outside_window: whether a release ``refuse``\\ s or ``wait``\\ s outside it.
        scan_threshold: the least severity of scan findings that stops a release; empty when scans do not matter.
        upstream: where an image must have run before; ``None`` when nowhere.
        before_release: what a release runs once first; ``None`` when nothing.
        alternate_target_group: ARN of the second target group, which deployments shift requests to and from; empty when
            there is one only.
        deployment_minutes: how long a deployment takes by its own clock, beside starting tasks: steps and baking.
    """

    application: str
    environment: str
    service: str
    account: str
    region: str
    stack: str
    role: str
    cluster: str
    ecs_service: str
    target_group: str
    repository: str
    platform: str
    steady_minutes: int = 15
    window: str = ""
    outside_window: Literal["refuse", "wait"] = "refuse"
    scan_threshold: Severity | Literal[""] = ""
    upstream: Upstream | None = None
    before_release: BeforeRelease | None = None
    alternate_target_group: str = ""
    deployment_minutes: int = 0

    @property
    def place(self) -> str:
        """How a person names the service, such as ``shop/production/web``."""
        return "/".join((self.application, self.environment, self.service))

    def to_json(self) -> str:
        """The parameter's value. Values may be Tokens.

        What a service does not use is left out where the version before did not know it, so that one can still go back.
        """
        values = asdict(self)
        unused = [one.name for one in fields(self) if one.name in _NEWER and values[one.name] == one.default]
        return json.dumps({key: value for key, value in values.items() if key not in unused}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DeliverySettings:
        """The settings that a parameter holds.

        Raises:
            ValueError: it holds something else.
        """
        try:
            values = json.loads(text)
            upstream, before = values.pop("upstream", None), values.pop("before_release", None)
            settings = cls(
                **values,
                upstream=Upstream(**upstream) if upstream else None,
                before_release=_before_release(**before) if before else None,
            )
            for one in (settings, settings.upstream, settings.before_release):
                if one is not None:
                    _check(one)
            return settings
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"the delivery settings must be JSON as this version's stacks write it, got {text[:80]!r}; "
                "use the version that deployed the services' stack, or deploy it with this one"
            ) from error


def _before_release(family: str, container: str, minutes: int, roles: list[str]) -> BeforeRelease:
    """JSON has no tuples."""
    return BeforeRelease(family=family, container=container, minutes=minutes, roles=tuple(roles))


def _check(read: DeliverySettings | Upstream | BeforeRelease) -> None:
    """Refuses values of another kind, which JSON may hold though no stack writes them."""
    for field in fields(read):
        value, key = getattr(read, field.name), field.name
        kind = _KINDS.get(key, str)
        if key not in _CHECKED_BY_THEMSELVES and (not isinstance(value, kind) or isinstance(value, bool)):
            raise ValueError(f"{key} must be of type {kind.__name__}, got {value!r}")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise ValueError(f"{key} must be one of {_CHOICES[key]}, got {value!r}")
