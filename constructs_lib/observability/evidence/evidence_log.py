"""Keeps what AWS forgets (lesson W5)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import concrete, invalid
from constructs_lib.log_retention import RETENTION_DAYS, check_retention
from constructs_lib.observability.evidence.alarms import evidence_alarms
from constructs_lib.observability.evidence.build_events import PATHS, TEMPLATE
from constructs_lib.observability.evidence.patterns import Pattern, evidence_patterns
from constructs_lib.observability.evidence.permissions import evidence_policy
from constructs_lib.observability.evidence.queries import QUERIES
from constructs_lib.places import arns_of

_BEGINNING: Final = "/aws/events/"
_NAME: Final = re.compile(r"/aws/events(/[\w.#-]+)+", re.ASCII)
_LONGEST_NAME: Final = 512

_ABOUT: Final = {
    "Tasks": "stopped tasks",
    "Services": "deployments and service actions",
    "Images": "pushed and deleted images",
    "Builds": "builds, without their variables",
    "Health": "what AWS says of itself",
}


class EvidenceLog(Construct):
    """A log group of everything that ECS, ECR, CodeBuild and AWS Health told (lesson W5), with queries to read it.

    ECS lists a stopped task for about an hour, and says nothing of it later. EventBridge writes each event here by
    itself; no code of ours is in the way. Names that end with ``*`` stand for all that begin so, so that the log can
    be deployed before the first service.

    Kept are stopped tasks, deployments, service actions but those of a steady state, actions on images, builds without
    their variables and texts, and AWS Health's events of this Region. A task's event is kept whole: what was passed to
    ``RunTask`` as a plain variable is in it. An event may be written twice, and late.

    Args:
        name: the log group's name; begins with ``/aws/events/``.
        clusters: names of ECS clusters of this account and Region, such as ``cluster.cluster_name`` or ``shop--*``.
        repositories: names of ECR repositories; none by default.
        build_projects: names of CodeBuild projects; none by default.
        retention_days: how long events are kept; 400 by default, so that a fault can be compared with last year's.
        kms_key_arn: a key of your own that admits CloudWatch Logs; ``None``, the default: CloudWatch Logs' own key.
        resource_policy: whether the policy is made that lets EventBridge write. An account has at most 10 in a Region:
            ``False`` where one of yours covers ``/aws/events/*``. ``True`` by default.

    Attributes:
        log_group: the log group; it outlives the stack.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: a name that EventBridge's console would not find, a retention that CloudWatch does not know, no
            cluster, or more names than a pattern holds.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        clusters: Sequence[str],
        repositories: Sequence[str] = (),
        build_projects: Sequence[str] = (),
        retention_days: int = 400,
        kms_key_arn: str | None = None,
        resource_policy: bool = True,
    ) -> None:
        _check_name(name)
        check_retention("retention_days", retention_days)
        here = arns_of(scope)
        patterns = evidence_patterns(here, clusters=clusters, repositories=repositories, build_projects=build_projects)
        super().__init__(scope, id)
        self.log_group = logs.LogGroup(
            self,
            "Resource",
            log_group_name=name,
            retention=logs.RetentionDays[RETENTION_DAYS[retention_days]],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        group = cast("logs.CfnLogGroup", self.log_group.node.default_child)
        if kms_key_arn is not None:
            group.kms_key_id = kms_key_arn
        # A target's ARN ends with the name; that of CloudFormation's attribute ends with ":*".
        target = here.of("logs", f"log-group:{group.ref}")
        rules = [self._rule(what, pattern, target) for what, pattern in patterns.items()]
        if resource_policy:
            policy = evidence_policy(group.attr_arn, [rule.attr_arn for rule in rules])
            logs.CfnResourcePolicy(
                self,
                "Policy",
                policy_name=name.strip("/").replace("/", "-"),
                # No Token here stands for a text with a character that JSON escapes, so they can stay in the text.
                policy_document=json.dumps(policy),
            )
        folder = name.removeprefix(_BEGINNING)
        for query in QUERIES:
            logs.CfnQueryDefinition(
                self, query.id, name=f"{folder}/{query.name}", query_string=query.text, log_group_names=[name]
            )
        self.alarms: tuple[AlarmSpec, ...] = evidence_alarms([rule.ref for rule in rules])

    def _rule(self, what: str, pattern: Pattern, target: str) -> events.CfnRule:
        kept = (
            events.CfnRule.InputTransformerProperty(input_paths_map=PATHS, input_template=TEMPLATE)
            if what == "Builds"
            else None
        )
        return events.CfnRule(
            self,
            what,
            description=f"Keeps as evidence: {_ABOUT[what]} (lesson W5)",
            event_pattern=pattern,
            targets=[events.CfnRule.TargetProperty(id="evidence", arn=target, input_transformer=kept)],
        )


def _check_name(name: str) -> None:
    concrete("name", name)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise invalid(
            "name",
            name,
            f"the name of a log group that begins with '{_BEGINNING}'",
            "pass such as '/aws/events/shop'; EventBridge's console finds no others",
        )
