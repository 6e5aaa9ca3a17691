"""Tells how far an environment is behind the one before it (lesson Q5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Stack
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import concrete, environment_name, invalid, is_token, name
from constructs_lib.delivery.alarms import GapThreshold, gap_alarms
from constructs_lib.delivery.settings import Upstream
from constructs_lib.iam_policy import Arns, PolicyDocument, allow, document, write_log
from constructs_lib.naming import release_parameter_name, release_path
from constructs_lib.places import arns_of
from constructs_lib.python_function import python_function

_VARIABLE: Final = "MOORINGS_GAP"  # as runtime/gap_settings.py reads it
_ENVIRONMENT_CHARACTERS: Final = 4096
_DEFAULT_THRESHOLD: Final = GapThreshold()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedService:
    """One service whose gap is measured (lesson Q5).

    Args:
        service: the service, such as ``web``.
        repository: the name of its repository in this environment.
        upstream: where its images run before, as in its delivery settings.

    Raises:
        ValueError: a wrong name, or something else than an ``Upstream``.
    """

    service: str
    repository: str
    upstream: Upstream

    def __post_init__(self) -> None:
        name("service", self.service)
        concrete("repository", self.repository, "take it from constructs_lib.naming.repository_name")
        if not isinstance(self.upstream, Upstream):
            raise invalid("upstream", self.upstream, "an Upstream", "an environment with none before it has no gap")
        environment_name("upstream.environment", self.upstream.environment)
        concrete("upstream.repository", self.upstream.repository, "take it from constructs_lib.naming.repository_name")


class ReleaseGap(Construct):
    """Measures every hour how many builds of the environment before wait, and for how long (lesson Q5).

    Metrics ``BuildsBehind`` and ``DaysBehind`` in the namespace ``Moorings``, by Application, Environment and Service;
    ``GapsUnknown``, by Application and Environment, counts services that could not be measured. What counts as a build
    is in ``runtime/gap.py``: commits, from when the environment before first built them. Of a service that could not be
    read there is no metric, the log says why, and after six hours an alarm does.

    One function for all services of an environment. Its role reads: the release parameters and the images here, and
    the images and the ledger of the environment before. In another account it may only assume the reader role there
    (:func:`constructs_lib.naming.reader_role_name`), which must trust this account.

    To wire it: one for each environment that has one before it, in any stack that is deployed after the release
    parameters, such as the retention stack. The environment before need not be there yet; until it is, the gap is
    unknown. Give ``.alarms`` to the :class:`constructs_lib.observability.alarms.Alarms` of the same stack.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``production``.
        services: the services; at least one, all different, and all with the same environment before them.
        threshold: from which gap on somebody is told; 20 builds or 14 days by default.

    Attributes:
        function: the Lambda function (Python, arm64, 256 MB, 5 minutes); its log is kept for 90 days.
        role: what it may do.
        alarms: two notices a service and one on silence.

    Raises:
        ValueError: no service, the same one twice, two environments before them, one in another account without a
            reader role, a wrong name, more names than a function's environment holds, or a Token.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        services: Sequence[WatchedService],
        threshold: GapThreshold = _DEFAULT_THRESHOLD,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        upstream = _upstream(services)
        if not isinstance(threshold, GapThreshold):
            raise invalid("threshold", threshold, "a GapThreshold", "leave it out for the defaults")
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        arns = arns_of(stack)
        _check_account(upstream, arns.account)
        here = Upstream(environment=environment, account=arns.account, region=arns.region, repository="")
        settings = _settings(application, here, services)
        _check_size(settings)
        super().__init__(scope, id)

        made = python_function(
            self,
            folder=Path(__file__).parent,
            handler="runtime.gap_handler.main",
            description="Measures how far an environment is behind the one before it (lesson Q5)",
            schedule="rate(1 hour)",
            environment={_VARIABLE: settings},
            permissions=lambda log_group: _permissions(arns, application, environment, services, log_group),
            may="Reads how far an environment is behind the one before it; writes nothing (lesson Q5)",
        )
        self.function, self.role = made.function, made.role
        self.alarms: tuple[AlarmSpec, ...] = gap_alarms(
            application=application,
            environment=environment,
            upstream=upstream.environment,
            services=[one.service for one in services],
            threshold=threshold,
        )


def _upstream(services: Sequence[WatchedService]) -> Upstream:
    """The environment before all of them."""
    if not isinstance(services, Sequence) or not services or not all(isinstance(s, WatchedService) for s in services):
        raise invalid("services", services, "a list of at least one WatchedService", "make one of each service")
    names = [one.service for one in services]
    if len(set(names)) != len(names):
        raise invalid("services", names, "all different", "name each service once")
    places = {
        (one.upstream.environment, one.upstream.account, one.upstream.region, one.upstream.reader_role): one
        for one in services
    }
    if len(places) > 1:
        raise invalid(
            "services",
            sorted(place[0] for place in places),
            "all after the same environment",
            "an environment has one before it, in one account and region",
        )
    return services[0].upstream


def _settings(application: str, here: Upstream, services: Sequence[WatchedService]) -> str:
    """What the function is told, as ``runtime/gap_settings.py`` reads it."""
    settings = {
        "application": application,
        "here": _place_of(here),
        "upstream": _place_of(services[0].upstream),
        "services": [[one.service, one.repository, one.upstream.repository] for one in services],
    }
    return json.dumps(settings, separators=(",", ":"))


def _place_of(one: Upstream) -> dict[str, str]:
    keys = ("environment", "account", "region", "reader_role")
    return {key: getattr(one, key) for key in keys}


def _permissions(
    arns: Arns, application: str, environment: str, services: Sequence[WatchedService], log_group_arn: str
) -> PolicyDocument:
    """What the function may do: read exactly what it measures, and write its log."""
    upstream = services[0].upstream
    theirs = Arns(partition=arns.partition, region=upstream.region, account=upstream.account)
    parameters = [release_parameter_name(application, environment, one.service) for one in services]
    statements = [
        allow([arns.repository(one.repository) for one in services], "ecr:DescribeImages"),
        allow([arns.parameter(each) for each in parameters], "ssm:GetParameter"),
        write_log(log_group_arn),
    ]
    if upstream.reader_role:
        statements.append(allow([upstream.reader_role], "sts:AssumeRole"))
    else:
        # The path itself, not what is under it: that is what GetParametersByPath is authorized against
        # (https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html).
        paths = [release_path(application, upstream.environment, one.service) for one in services]
        statements += [
            allow([theirs.repository(one.upstream.repository) for one in services], "ecr:DescribeImages"),
            allow([theirs.parameter(path) for path in paths], "ssm:GetParametersByPath"),
        ]
    return document(*statements)


def _check_account(upstream: Upstream, account: str) -> None:
    known = not is_token(account) and not is_token(upstream.account)
    if known and account != upstream.account and not upstream.reader_role:
        raise invalid(
            "upstream.reader_role",
            upstream.reader_role,
            f"the ARN of the reader role in {upstream.account}",
            "a role of this account cannot read there; constructs_lib.naming.reader_role_name gives the role's name",
        )


def _check_size(settings: str) -> None:
    size = len(_VARIABLE) + len(settings)
    if size > _ENVIRONMENT_CHARACTERS:
        raise invalid(
            "services",
            f"{size} characters of names",
            f"{_ENVIRONMENT_CHARACTERS} characters at most, what the environment of a function holds",
            "choose shorter names",
        )
