"""Brings parameter and stack to a digest, forwards or back. Each step can be done again (lessons W4, Q5)."""

from __future__ import annotations

from typing import Final

from constructs_lib.delivery.operations.errors import code, failures, message
from constructs_lib.delivery.operations.facts import Stack
from constructs_lib.delivery.operations.outcomes import Failure
from constructs_lib.delivery.operations.owner import Owner, Purpose, asked_by
from constructs_lib.delivery.operations.waiting import POLL_SECONDS, Watched, service_now, stack_end, steady
from constructs_lib.delivery.readiness import short
from constructs_lib.delivery.runtime.decision import ALLOWED_PATTERN
from constructs_lib.naming import NOT_RELEASED, release_parameter_name

_TRIES: Final = 3
"""How often an update is asked for while others of the same stack come first, or a reading of AWS's own lags."""


def write_parameter(owner: Owner, digest: str) -> None:
    """Writes the release parameter; with its pattern, for no page says that SSM keeps it otherwise.

    As with :func:`update_stack`, the entry was stored just before, so nobody had taken over.
    """
    settings = owner.settings
    owner.world.clients.ssm.put_parameter(
        Name=release_parameter_name(settings.application, settings.environment, settings.service),
        Value=digest,
        Type="String",
        AllowedPattern=ALLOWED_PATTERN,
        Overwrite=True,
    )


def update_stack(owner: Owner, stack: Stack, purpose: Purpose, digest: str) -> bool:
    """Asks for an update by the narrow role, with the template and values that the stack has; False if nothing changes.

    CloudFormation reads the release parameter anew at each update. What was written a moment ago may not show yet
    (https://github.com/aws/aws-cdk-cli/issues/830), so without a change it is asked again, unless ``digest`` is there.
    """
    settings = owner.settings
    for attempt in range(_TRIES):
        try:
            owner.world.clients.cloudformation.update_stack(
                StackName=settings.stack,
                UsePreviousTemplate=True,
                Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in stack.parameters],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                RoleARN=settings.role,
                ClientRequestToken=f"{asked_by(owner.entry, purpose)}{attempt}",
            )
        except failures() as error:
            said = message(error)
            if code(error) == "ValidationError" and "No updates are to be performed" in said:
                service = service_now(owner)
                if service is None or service.digest == digest or attempt + 1 == _TRIES:
                    return False
                owner.pause(POLL_SECONDS)
                owner.still()
                continue
            if code(error) == "ValidationError" and "_IN_PROGRESS" in said and attempt + 1 < _TRIES:
                owner.say(f"{settings.stack} is being updated by somebody else; waiting for its end")
                owner.pause(POLL_SECONDS)
                stack = stack_end(owner)
                owner.still()
                continue
            raise
        return True
    return False  # pragma: no cover  (the last attempt returns or raises)


def go_back(owner: Owner, digest: str) -> None:
    """Brings the former digest back: parameter first, so that whoever deploys next brings it too.

    Raises:
        Failure: it does not run again.
        NeedsRepair: the stack needs a person.
    """
    write_parameter(owner, digest)
    owner.pause(POLL_SECONDS)  # an update whose answer was lost may not show yet
    stack = stack_end(owner)
    service = service_now(owner)
    if service is not None and service.digest != digest:
        owner.still()
        update_stack(owner, stack, "back", digest)
        owner.pause(POLL_SECONDS)  # DescribeStacks may still show it as it was
        stack_end(owner)
        service = service_now(owner)
        if service is None or service.digest != digest:
            raise Failure(f"the stack went back to what had failed instead of {short(digest)}")
    if digest != NOT_RELEASED:
        steady(owner, Watched(digest=digest))
