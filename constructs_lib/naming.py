"""Names that must be known outside the stack that makes them: pure functions of application and environment.

Tokens do not cross CDK Stages and another account cannot read an output, so what one environment must know of another
(a repository to promote to, a parameter to release through) has a name that both can compute. No two different sets of
names give the same result: single names hold neither ``--`` nor ``/`` (:func:`constructs_lib.checks.name`).
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from constructs_lib.checks import environment_name, invalid, name

PIN_PATTERN = "pin-*"
"""Tags that keep an image in use. Only these may move (lesson Q2)."""

NOT_RELEASED = "none"
"""The value of a release parameter before the first release: the service stands with zero tasks."""

NO_IMAGE = "sha256:" + "0" * 64
"""What a task definition names while there is nothing to run: it must name one, and no image has this digest."""

RELEASE_PARAMETER = re.compile(r"(?=.{,1011}$)(/[\w.-]+){2,}", re.ASCII)
"""Names of release parameters, ours or anybody's: the service is the last part but one. Parameter Store takes no longer
names."""

_SETTING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_ROLE_NAME_LENGTH = 64
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


def release_path(application: str, environment: str, service: str) -> str:
    """The path under which Parameter Store holds the ledger of a service, one parameter for each release."""
    return "/moorings/" + "/".join((*_names(application, environment, service), "releases"))


def delivery_settings_name(application: str, environment: str, service: str) -> str:
    """The SSM parameter that tells release commands what they need to know of a service."""
    return "/moorings/" + "/".join((*_names(application, environment, service), "delivery"))


def freeze_parameter_name(application: str, environment: str) -> str:
    """The SSM parameter that holds all releases of an environment while it exists."""
    return "/moorings/" + "/".join((*_names(application, environment), "freeze"))


def promotion_project_name(application: str, environment: str, image: str) -> str:
    """The CodeBuild project that takes one image into one environment, such as ``shop--production--web--promotion``."""
    return build_project_name(application, environment, image) + "--promotion"


def release_project_name(application: str, environment: str, service: str) -> str:
    """The CodeBuild project that releases one service, such as ``shop--production--web--release``."""
    return build_project_name(application, environment, service) + "--release"


def release_role_name(application: str, environment: str) -> str:
    """The role with which CloudFormation updates an environment's services in a release."""
    return _role_name(*_names(application, environment), "release")


def reader_role_name(application: str, environment: str) -> str:
    """The role by which a later environment, perhaps of another account, reads images and ledger of this one."""
    return _role_name(*_names(application, environment), "reader")


def alarm_name(application: str, environment: str, component: str, what: str) -> str:
    """The name of an alarm, such as ``shop/staging/web/unhealthy-targets``: it is what a paged person reads first."""
    return "/".join(_names(application, environment, component, what))


def evidence_log_name(application: str, environment: str) -> str:
    """The log group that keeps an environment's events (lesson W5), such as ``/aws/events/moorings/shop/staging``."""
    return "/aws/events/moorings/" + "/".join(_names(application, environment))


def dashboard_name(application: str, environment: str) -> str:
    """CloudWatch's name of an environment's dashboard, such as ``shop--staging``."""
    return "--".join(_names(application, environment))


def status_bus_name(application: str, environment: str) -> str:
    """The event bus, perhaps of another region, that a status page listens to (lesson T5)."""
    return "--".join((*_names(application, environment), "status"))


def status_page_name(application: str, environment: str) -> str:
    """What CloudFront calls the parts of a status page, such as ``shop--production--status`` (lesson T5)."""
    return _role_name(*_names(application, environment), "status")


def status_page_parameter_name(application: str, environment: str) -> str:
    """The SSM parameter that tells commands where the status page is (lesson T5)."""
    return "/moorings/" + "/".join((*_names(application, environment), "status-page"))


def status_feed_role_name(application: str, environment: str) -> str:
    """The role with which EventBridge tells the status page of alarms, perhaps in another region (lesson T5)."""
    return _role_name(*_names(application, environment), "status-feed")


def status_bucket_name(application: str, environment: str, account: str, region: str) -> str:
    """The bucket of a status page, such as ``shop--production--status-111111111111-eu-west-1`` (lesson T5).

    S3 takes 63 characters. Account and region may be Tokens: of them 12 and at most 16 characters are reckoned with.
    """
    place = _cut("--".join(_names(application, environment)), 63 - len("--status-") - 12 - len("-") - 16)
    return f"{place}--status-{account}-{region}"


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


def _role_name(*parts: str) -> str:
    """Joined like a stack's name. IAM takes 64 characters, so a longer one ends with a hash of itself."""
    return _cut("--".join(parts), _ROLE_NAME_LENGTH)


def _cut(joined: str, longest: int) -> str:
    """A name that is too long is cut, and ends with a hash of the whole."""
    if len(joined) <= longest:
        return joined
    digest = hashlib.sha256(joined.encode()).hexdigest()[:8]
    return f"{joined[: longest - 11]}---{digest}"


def _names(application: str, environment: str, *parts: str) -> tuple[str, ...]:
    return (
        name("application", application),
        environment_name("environment", environment),
        *(name("name", part) for part in parts),
    )
