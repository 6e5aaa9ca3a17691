"""One way to refuse a wrong value: what, the value, what is allowed, the fix. Standard library only.

A policy takes concrete values. A CDK Token looks like ``${Token[AWS.Region.4]}`` in a text, like
``#{Token[…]}`` in a list and like ``-1.888e+289`` as a number; all are recognised here without a call to Node.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_TOKEN: Final = "{Token["  # noqa: S105  (CDK's marker, not a secret)
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CERTIFICATE: Final = re.compile(r"arn:aws[\w-]*:acm:[\w-]+:[0-9]{12}:certificate/.+")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def invalid(what: str, value: object, allowed: str, fix: str) -> ValueError:
    """The error for a wrong value, as one sentence."""
    return ValueError(f"{what} must be {allowed}, got {value!r}; {fix}")


def is_token(value: object) -> bool:
    """Whether a value is one of CDK's placeholders, known only when CloudFormation deploys."""
    if isinstance(value, str):
        return _TOKEN in value
    return isinstance(value, int | float) and not isinstance(value, bool) and value < -1e280


def concrete(what: str, value: str, fix: str = "pass the literal text") -> str:
    """``value`` itself, refused when it is empty, no text, or a Token."""
    if not isinstance(value, str) or not value:
        raise invalid(what, value, "a text that is not empty", fix)
    if is_token(value):
        raise invalid(what, value, "known before deployment, not a Token", fix)
    return value


def whole_number(what: str, value: int, *, low: int, high: int, fix: str) -> int:
    """``value`` itself, refused outside ``low`` to ``high`` (both allowed)."""
    if is_token(value):
        raise invalid(what, value, "known before deployment, not a Token", fix)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid(what, value, f"a whole number from {low} to {high}", fix)
    return value


def tuple_of(what: str, value: object, kind: type, example: str) -> None:
    """Refuses what is not a tuple of one kind; a missing comma makes ``(web)`` no tuple."""
    if not isinstance(value, tuple) or not all(isinstance(item, kind) for item in value):
        raise invalid(what, value, f"a tuple of {kind.__name__}", f"write it as {example}, with the comma")


def name(what: str, value: str, *, longest: int = 30) -> str:
    """``value`` itself, refused unless it is lower-case words joined by single hyphens.

    Names are joined by ``--`` and ``/`` elsewhere, so a name may hold neither: two different sets of names can then
    never give the same resource.
    """
    concrete(what, value)
    if not _NAME.fullmatch(value) or len(value) > longest:
        raise invalid(
            what,
            value,
            f"lower-case letters and digits in words joined by single hyphens, at most {longest} characters",
            "choose a name such as 'shop' or 'pre-production'",
        )
    return value


def environment_name(what: str, value: str) -> str:
    """``value`` itself, refused unless it is a name that no pin could have.

    Build tags begin with it, and a tag that begins with ``pin-`` may move (lesson Q3).
    """
    name(what, value)
    if value == "pin" or value.startswith("pin-"):
        raise invalid(what, value, "a name that does not begin with 'pin'", "such tags may move; choose another name")
    return value


def ipv4_block(what: str, value: str, *, largest: int, smallest: int) -> str:
    """``value`` itself, refused unless it is an IPv4 block with a prefix from ``/largest`` to ``/smallest``."""
    concrete(what, value)
    try:
        block = ipaddress.IPv4Network(value)
    except ValueError:
        block = None
    if block is None or str(block) != value or not largest <= block.prefixlen <= smallest:
        raise invalid(
            what,
            value,
            f"an IPv4 block from /{largest} to /{smallest} without host bits",
            "pass one such as '10.0.0.0/16'",
        )
    return value


def certificate_arn(what: str, value: str) -> str:
    """``value`` itself, refused unless it is the ARN of an ACM certificate."""
    if not _CERTIFICATE.fullmatch(value):
        raise invalid(what, value, "the ARN of an ACM certificate", "copy it from Certificate Manager")
    return value


def is_digest(value: str) -> bool:
    """Whether a text is an image digest: ``sha256:`` and 64 hexadecimal digits."""
    return _DIGEST.fullmatch(value) is not None


def digest(what: str, value: str) -> str:
    """``value`` itself, refused unless it is an image digest (lesson Q3: services refer to digests only)."""
    concrete(what, value, "pass 'sha256:' and 64 hexadecimal digits, or use a release parameter")
    if not is_digest(value):
        raise invalid(
            what,
            value,
            "an image digest, 'sha256:' and 64 hexadecimal digits",
            "a tag can move to another image; read the digest with `aws ecr describe-images`",
        )
    return value


def email(what: str, value: str) -> str:
    """``value`` itself, refused unless it looks like an e-mail address."""
    concrete(what, value)
    if not _EMAIL.fullmatch(value):
        raise invalid(what, value, "an e-mail address", "pass one such as 'ops@example.com'")
    return value
