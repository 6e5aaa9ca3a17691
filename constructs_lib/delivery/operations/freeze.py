"""Holds all releases of an environment, with a reason, until somebody lifts it (lesson W6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from constructs_lib.checks import invalid
from constructs_lib.delivery.ledger import parameter_value
from constructs_lib.naming import freeze_parameter_name

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Why nothing is released (lesson W6).

    Args:
        who: the caller's ARN.
        at: since when.
        reason: why, for whoever wants to release.
    """

    who: str
    at: datetime
    reason: str

    def __str__(self) -> str:
        return f"frozen by {self.who} since {self.at:%Y-%m-%d %H:%M} UTC: {self.reason}"


class AlreadyFrozen(Exception):  # noqa: N818  (a named state of an environment)
    """Somebody else froze the environment first (lesson W6).

    Attributes:
        freeze: theirs, which stays as it is.
    """

    def __init__(self, place: str, freeze: Freeze) -> None:
        super().__init__(f"{place} is already {freeze}; `moorings thaw {place}` lifts it")
        self.freeze = freeze


def freeze(ssm: SSMClient, application: str, environment: str, *, who: str, reason: str, now: datetime) -> Freeze:
    """Holds all releases of an environment from now on. One that has begun to change the service goes on.

    Raises:
        AlreadyFrozen: somebody did it before; nothing is changed.
        ValueError: the reason is empty or too long, or a freeze was lifted less than 30 seconds ago.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise invalid("reason", reason, f"1 to {LONGEST_REASON} characters", "say why, for whoever wants to release")
    name = freeze_parameter_name(application, environment)
    made = Freeze(who=who, at=now.astimezone(UTC), reason=reason.strip())
    try:
        ssm.put_parameter(
            Name=name,
            Description="While this parameter exists, nothing is released in this environment.",
            Value=parameter_value({"who": made.who, "at": made.at.isoformat(), "reason": made.reason}),
            Type="String",
            Tier="Standard",
            Overwrite=False,
        )
    except (ssm.exceptions.ParameterAlreadyExists, ssm.exceptions.TooManyUpdates) as error:
        there = read(ssm, application, environment)
        if there is None:
            # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html
            raise ValueError(
                f"the parameter {name} is just being written or deleted by somebody else; try again in 30 seconds"
            ) from error
        if there != made:  # an answer can be lost, and botocore then calls again
            raise AlreadyFrozen(f"{application}/{environment}", there) from None
    return made


def read(ssm: SSMClient, application: str, environment: str) -> Freeze | None:
    """Why an environment's releases are held; ``None`` when they are not.

    Raises:
        ValueError: the parameter exists and cannot be read, so the environment is frozen and nobody knows why.
    """
    name = freeze_parameter_name(application, environment)
    try:
        text = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None
    try:
        values = json.loads(text)
        at = datetime.fromisoformat(values["at"])
        if at.tzinfo is None:
            raise ValueError(at)
        return Freeze(who=str(values["who"]), at=at.astimezone(UTC), reason=str(values["reason"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the parameter {name} holds all releases while it exists, and must be JSON of who, at and reason, got "
            f"{text[:80]!r}; `moorings thaw {application}/{environment}` deletes it"
        ) from error


def thaw(ssm: SSMClient, application: str, environment: str) -> bool:
    """Lifts the freeze; whether there was one. It does not read it, so one that cannot be read is lifted too."""
    try:
        ssm.delete_parameter(Name=freeze_parameter_name(application, environment))
    except ssm.exceptions.ParameterNotFound:
        return False
    return True
