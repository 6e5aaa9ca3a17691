"""Compares the sockets of services with those before their last release (lesson W1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import environment_name, invalid, name
from constructs_lib.iam_policy import Arns, PolicyDocument, allow, document, write_log
from constructs_lib.places import arns_of
from constructs_lib.python_function import python_function
from constructs_lib.services.sockets.comparison_alarms import EVERY_MINUTES, SocketChange, comparison_alarms
from constructs_lib.services.sockets.socket_metrics import METRIC_NAMES
from constructs_lib.services.sockets.socket_metrics import NAMESPACE as SOCKETS_NAMESPACE

_VARIABLE: Final = "MOORINGS_SOCKETS"  # as runtime/settings.py reads it
_ENVIRONMENT_CHARACTERS: Final = 4096
_TOKEN: Final = "${Token["  # noqa: S105  (CDK's marker, not a secret)
_NAME_THAT_IS_NOT_KNOWN: Final = 64
_DEFAULT_CHANGE: Final = SocketChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedService:
    """One service behind an Application Load Balancer whose sockets are measured (lesson W1).

    Args:
        service: its name in the socket metrics, such as ``web``; see
            :class:`constructs_lib.services.sockets.socket_metrics.SocketSource`.
        cluster: ECS's name of its cluster; may be a Token.
        ecs_service: ECS's name of the service; may be a Token.
        target_groups: full names of its target group, ``targetgroup/…/…``, or of its two; may be Tokens.
        load_balancer: full name of their load balancer, ``app/…/…``; may be a Token. CloudWatch knows response times by
            it, without which a slow dependency looks like a release that opens more sockets.
        container: the container whose image is the application; by default it has the service's name.
        rollback: the command that goes back to what ran before, for the page; by default that of ``moorings``.

    Raises:
        ValueError: a wrong name, or not one or two target groups.
    """

    service: str
    cluster: str
    ecs_service: str
    target_groups: Sequence[str]
    load_balancer: str
    container: str = ""
    rollback: str = ""

    def __post_init__(self) -> None:
        name("service", self.service)
        for what, value in (("cluster", self.cluster), ("ecs_service", self.ecs_service)):
            if not isinstance(value, str) or not value or "/" in value:
                raise invalid(what, value, "a name, and no ARN", "pass .cluster_name and .service_name")
        groups = self.target_groups
        if isinstance(groups, str) or not 1 <= len(groups) <= 2 or not all(groups):
            fix = "pass [target_group.target_group_full_name]; a service without one has no requests to count"
            raise invalid("target_groups", groups, "a list of one or two full names", fix)
        balancer = self.load_balancer
        if not isinstance(balancer, str) or not balancer or balancer.startswith("arn:"):
            fix = "pass load_balancer.load_balancer_full_name"
            raise invalid("load_balancer", balancer, "a full name, and no ARN", fix)


class SocketComparison(Construct):
    """Compares every 15 minutes the sockets per request of services with those before their last release (lesson W1).

    A change that goes in at night shows at the first traffic, hours before the ports run out. What is compared, and why
    it cannot be the traffic's fault, is in ``runtime/comparison.py``: the newest hours with enough requests, with the
    same hours of a day before the release. A release is compared for a week.

    Metrics in the namespace ``Moorings``: ``SocketsPerRequestChange`` by Application, Environment and Service, 1 for as
    before; ``SocketComparisonsUnknown`` and ``SocketComparisonsFailed`` by Application and Environment, the services
    that cannot be compared yet, and those that could not be read. Of what is not known there is no change, and the log
    says why.

    One function for all services of an environment, in their account and region. It needs the socket metrics of
    :class:`constructs_lib.services.sockets.socket_metrics.SocketSource`, and ECS's own deployments: services under
    CodeDeploy or an external controller have none that it could read. Workers are left out: nobody requests anything of
    them, and what they do instead has no number that AWS knows.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``production``.
        services: the services; at least one, all different.
        change: from which change on somebody is paged; 1.5 times by default.

    Attributes:
        function: the Lambda function (Python, arm64, 256 MB, 5 minutes); its log is kept for 90 days.
        role: what it may do; it changes nothing.
        alarms: a page for each service and a notice on silence, for
            :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: no service, the same one twice, a wrong name, or more names than a function's environment holds.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        services: Sequence[ComparedService],
        change: SocketChange = _DEFAULT_CHANGE,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        _check_services(services)
        if not isinstance(change, SocketChange):
            raise invalid("change", change, "a SocketChange", "leave it out for the defaults")
        settings = _settings(application, environment, services, change)
        _check_size(settings)
        super().__init__(scope, id)

        arns = arns_of(scope)
        made = python_function(
            self,
            folder=Path(__file__).parent,
            handler="runtime.handler.main",
            description="Compares sockets per request with those before the last release (lesson W1)",
            schedule=f"rate({EVERY_MINUTES} minutes)",
            # No Token here stands for a text with a character that JSON escapes, so they can stay in the text.
            environment={_VARIABLE: settings},
            permissions=lambda log_group: comparison_permissions(arns, services, log_group),
            may="Reads deployments and metrics to compare sockets; changes nothing (lesson W1)",
        )
        self.function, self.role = made.function, made.role
        place = f"{application}/{environment}"
        self.alarms: tuple[AlarmSpec, ...] = comparison_alarms(
            application=application,
            environment=environment,
            rollbacks={one.service: one.rollback or f"moorings rollback {place}/{one.service}" for one in services},
            change=change,
        )


def comparison_permissions(arns: Arns, services: Sequence[ComparedService], log_group: str) -> PolicyDocument:
    """What the function may do: read the deployments of these services, read metrics, write its log.

    The ECS part is AWS's own example, without the deployments' details, which are not read
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment-permissions.html).
    The only ``*`` is that of ``cloudwatch:GetMetricData``, which knows no resource
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/permissions-reference-cw.html): so the function can
    read every metric of the account and region. Its own metrics go through its log, which needs no permission.
    """
    named = {f"{one.cluster}/{one.ecs_service}": None for one in services}
    return document(
        allow([arns.of("ecs", f"service/{one}") for one in named], "ecs:ListServiceDeployments"),
        allow(
            [arns.of("ecs", kind) for one in named for kind in (f"service/{one}", f"service-revision/{one}/*")],
            "ecs:DescribeServiceRevisions",
        ),
        allow(["*"], "cloudwatch:GetMetricData"),
        write_log(log_group),
    )


def _check_services(services: Sequence[ComparedService]) -> None:
    if not isinstance(services, Sequence) or not services or not all(isinstance(s, ComparedService) for s in services):
        raise invalid("services", services, "a list of at least one ComparedService", "make one of each service")
    names = [one.service for one in services]
    if len(set(names)) != len(names):
        raise invalid("services", names, "all different", "name each service once")


def _settings(application: str, environment: str, services: Sequence[ComparedService], change: SocketChange) -> str:
    """What the function is told, as ``runtime/settings.py`` reads it."""
    clusters = list(dict.fromkeys(one.cluster for one in services))  # mostly one: its name is long
    told = {
        "application": application,
        "environment": environment,
        "namespace": SOCKETS_NAMESPACE,
        "sockets": list(METRIC_NAMES),
        "threshold": change.times,
        "requests": change.requests,
        "clusters": clusters,
        "services": [
            [
                *(one.service, clusters.index(one.cluster), one.ecs_service, one.container or one.service),
                *(list(one.target_groups), one.load_balancer),
            ]
            for one in services
        ],
    }
    return json.dumps(told, separators=(",", ":"))


def _check_size(settings: str) -> None:
    """A Token is counted as a name that CloudFormation makes, which is seldom longer."""
    known, *unknown = settings.split(_TOKEN)
    rest = sum(len(part.partition("}")[2]) + _NAME_THAT_IS_NOT_KNOWN for part in unknown)
    size = len(_VARIABLE) + len(known) + rest
    if size > _ENVIRONMENT_CHARACTERS:
        raise invalid(
            "services",
            f"{size} characters of names",
            f"{_ENVIRONMENT_CHARACTERS} characters at most, what the environment of a function holds",
            "put some of them into another SocketComparison of the same application, in another stack",
        )
