"""What a failed call says. A failure that AWS can answer is a result or a gap; anything else is a bug and is raised."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 300


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


def why(error: Exception) -> str:
    """The error in one short line."""
    from botocore.exceptions import ClientError

    text = str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else str(error)
    return f"{code(error)}: {' '.join(text.split())}"[:_LONGEST].removesuffix(": ")
