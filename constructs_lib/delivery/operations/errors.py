"""What a failed call says, and whether trying again later can help."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 300

_LASTING: Final = (
    *("AccessDenied", "UnauthorizedOperation", "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient"),
    *("SignatureDoesNotMatch", "InvalidSignature", "NoCredentials", "ParamValidationError", "ValidationError"),
    *("ClusterNotFound", "ServiceNotFound", "TargetGroupNotFound", "InvalidParameter"),
)
"""How codes begin of what stays wrong however often one asks."""


def failures() -> tuple[type[Exception], ...]:
    """What a call of a client raises when AWS refuses it, or cannot be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def code(error: Exception) -> str:
    """The error's code as the service gives it; for one that no service gave, its class."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def message(error: Exception) -> str:
    """What the service says, in one short line."""
    from botocore.exceptions import ClientError

    text = str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else str(error)
    return " ".join(text.split())[:_LONGEST]


def why(error: Exception) -> str:
    """The error in one short line, with the call that failed."""
    from botocore.exceptions import ClientError

    call = f"{error.operation_name} failed: " if isinstance(error, ClientError) else ""
    return f"{call}{code(error)}: {message(error)}".removesuffix(": ")


def may_pass(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    return not code(error).startswith(_LASTING)
