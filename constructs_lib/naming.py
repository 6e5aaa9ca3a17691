"""Names that must be known outside the stack that makes them: pure functions of application and environment.

Tokens do not cross CDK Stages and another account cannot read an output, so what one environment must know of another
(a repository to promote to, a parameter to release through) has a name that both can compute. No two different sets of
names give the same result: single names hold neither ``--`` nor ``/`` (:func:`constructs_lib.checks.name`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from constructs_lib.checks import environment_name, invalid, name

PIN_PATTERN = "pin-*"
"""Tags that keep an image in use. Only these may move (lesson Q2)."""

NOT_RELEASED = "none"
"""The value of a release parameter before the first release: the service stands with zero tasks."""

RELEASE_PARAMETER = re.compile(r"(?=.{,1011}$)(/[\w.-]+){2,}", re.ASCII)
"""Names of release parameters, ours or anybody's: the service is the last part but one. Parameter Store takes no longer
names."""

_SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_COMMIT = re.compile(r"[0-9a-f]{12,64}")


def stack_name(application: str, environment: str, stack: str) -> str:
    """CloudFormation's name of a stack, such as ``shop--staging--images``."""
    return "--".join(_names(application, environment, stack))


def repository_name(application: str, environment: str, image: str) -> str:
    """The ECR repository of one image in one environment (lesson Q1), such as ``shop/staging/web``."""
    return "/".join(_names(application, environment, image))


def build_project_name(application: str, environment: str, image: str) -> str:
    """The CodeBuild project that builds one image for one environment, such as ``shop--staging--web``."""
    return "--".join(_names(application, environment, image))


def release_parameter_name(application: str, environment: str, service: str) -> str:
    """The SSM parameter that holds the digest which a service runs."""
    return "/moorings/" + "/".join((*_names(application, environment, service), "digest"))


def secret_parameter_name(application: str, environment: str, service: str, setting: str) -> str:
    """The SecureString parameter that holds one secret setting of a service, such as ``DATABASE_URL``.

    A person or another system writes it; no template ever holds the value.
    """
    if not _SETTING.fullmatch(setting):
        raise invalid("setting", setting, "upper-case words joined by '_'", "pass such as 'DATABASE_URL'")
    return "/moorings/" + "/".join((*_names(application, environment, service), "secrets", setting))


def alarm_name(application: str, environment: str, component: str, what: str) -> str:
    """The name of an alarm, such as ``shop/staging/web/unhealthy-targets``: it is what a paged person reads first."""
    return "/".join(_names(application, environment, component, what))


def build_tag(environment: str, at: datetime, commit: str) -> str:
    """A tag of a build: unique, readable, never moved (lesson Q3), such as ``staging-20260401T101500Z-0123456789ab``.

    Raises:
        ValueError: ``at`` has no time zone, or ``commit`` is not at least 12 hexadecimal digits.
    """
    if at.tzinfo is None:
        raise invalid("at", at, "a time with a time zone", "use datetime.now(UTC)")
    if not _COMMIT.fullmatch(commit):
        raise invalid("commit", commit, "at least 12 lower-case hexadecimal digits", "pass git's full commit id")
    environment_name("environment", environment)
    return f"{environment}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{commit[:12]}"


def _names(application: str, environment: str, *parts: str) -> tuple[str, ...]:
    return (
        name("application", application),
        environment_name("environment", environment),
        *(name("name", part) for part in parts),
    )
