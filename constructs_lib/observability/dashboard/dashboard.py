"""The dashboard of an environment: one resource, from plain data (lesson W3)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from aws_cdk import Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import is_token
from constructs_lib.naming import dashboard_name
from constructs_lib.observability.dashboard.contents import Contents, DashboardService
from constructs_lib.observability.dashboard.sections import rows
from constructs_lib.observability.dashboard.widgets import lay_out
from constructs_lib.places import arns_of

_TOKEN: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")
_SHOWN: Final = "-PT3H"
"""What it shows when it is opened: long enough to see the release before the fault."""


class EnvironmentDashboard(Construct):
    """What is happening in one environment, readable in ten seconds at night (lesson W3).

    First the alarms that page and all that are red; then deployments by the minute, on the same times as the graphs
    below them; then for each service its requests, errors, latency, healthy tasks, CPU and ports, each beside the line
    at which an alarm begins; last the network, images and the release gap. A dashboard costs 3 USD a month after the
    account's first three; it belongs in the stack of the services, so that no stack must export their names.

    Args:
        application: the application's name.
        environment: the environment's name.
        services: what is shown of each service, in this order.
        alarms: the environment's alarms, those of other stacks too: of them only names, thresholds and what has no
            Token is used; none by default.
        evidence_log: name of the log group with the environment's events, for deployments
            (:class:`constructs_lib.observability.evidence.evidence_log.EvidenceLog`); ``None``, the default: they are
            not shown. Each look scans it, at 0.005 USD a GB.

    Raises:
        ValueError: a wrong name, or more than a dashboard takes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        services: Sequence[DashboardService],
        alarms: Sequence[AlarmSpec] = (),
        evidence_log: str | None = None,
    ) -> None:
        name = dashboard_name(application, environment)
        super().__init__(scope, id)
        here = arns_of(self)
        contents = Contents(
            application=application,
            environment=environment,
            region=here.region,
            alarm_arn=here.of("cloudwatch", "alarm:"),
            services=tuple(services),
            alarms=tuple(alarms),
            evidence_log=evidence_log,
        )
        body: dict[str, object] = {
            "start": _SHOWN,
            "periodOverride": "inherit",
            "widgets": lay_out(list(rows(contents))),
        }
        cloudwatch.CfnDashboard(self, "Resource", dashboard_name=name, dashboard_body=_one_text(body))


def _one_text(body: dict[str, object]) -> str:
    """JSON in which CloudFormation puts what CDK does not know yet.

    By hand, because CDK would cut the text at each of some hundred Tokens. What they stand for, names and ARNs, has no
    character that JSON escapes.
    """
    text = json.dumps(body, separators=(",", ":"))
    tokens = list(dict.fromkeys(_TOKEN.findall(text)))
    if not tokens:
        return text
    names = {token: f"V{number}" for number, token in enumerate(tokens)}
    pieces = _TOKEN.split(text)
    safe = [piece.replace("${", "${!") for piece in pieces]
    found = _TOKEN.findall(text)
    joined = "".join(f"{piece}${{{names[token]}}}" for piece, token in zip(safe, found, strict=False)) + safe[-1]
    assert not is_token(joined), "each Token has become a variable"
    return Fn.sub(joined, {name: token for token, name in names.items()})
