"""Keeps a pin on every image in use (lessons Q2, Q4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import environment_name, invalid, name, whole_number
from constructs_lib.iam_policy import queue_of_rules
from constructs_lib.images.alarms import guard_alarms
from constructs_lib.images.event_patterns import Pattern, event_patterns
from constructs_lib.images.guarded_repository import GuardedRepository, check_region, check_repositories
from constructs_lib.images.permissions import guard_permissions
from constructs_lib.places import arns_of
from constructs_lib.runtime_code import runtime_code

_VARIABLE: Final = "MOORINGS_GUARD"  # as runtime/settings.py reads it
_DELAY_SECONDS: Final = 30  # as runtime/wakeups.py counts with
_TIMEOUT_MINUTES: Final = 7
# After a run that ended badly nobody may scan until then: one group, one at a time. So not AWS's six times the
# function's time-out, which is for functions that are throttled; this one is never called twice at once.
_VISIBILITY_SECONDS: Final = _TIMEOUT_MINUTES * 60 + 60
_ENVIRONMENT_CHARACTERS: Final = 4096
_UNKNOWN_ARN: Final = 150
_MAY_MOVE_PINS: Final = Acknowledgment(
    id="Moorings::MOOR-Q1a",
    reason="The guard puts tags on images that are there. It may not upload a layer, so it can push no build anywhere.",
)


class RetentionGuard(Construct):
    """Puts a ``pin-use-…`` tag on every image that something could start, and moves it on when nothing can (lesson Q2).

    In use is what tasks, services, their deployments and revisions, the last revisions of each task definition, what
    schedules, rules and state machines name, and releases refer to, in all clusters of the account and region. A
    lifecycle policy whose first rule selects ``pin-*`` never acts on such an image
    (:class:`constructs_lib.images.repository.PinnedRepository` has it). When an image in use has gone, an alarm tells
    before a task needs it (lesson Q4).

    The guard may tag images and restore archived ones, not delete or upload any. While it is down, pins stay.

    It scans every ``interval_minutes``, and after events of ECS, of a guarded repository, of a release parameter and of
    its own stack: within 40 seconds of an event, unless the scan before takes longer. Wake-ups go through a FIFO queue
    with one message group, so no two scans run at once. There is no queue for failed ones: after an hour a wake-up is
    dropped, for a later one does the same. For a scan at once, send the queue a message (group ``scan``, and a text
    that it has not had for five minutes). The table remembers since when images are out of use; if it is lost, each
    keeps its pin for a day more.

    Repositories must let pins move (mutable tags, or immutable ones with ``pin-*`` excluded); in others images in use
    are reported as at risk. A repository of another account needs a policy that allows ``.role`` the actions
    ``constructs_lib.images.permissions.ON_REPOSITORIES``; its events do not come here, so the schedule finds changes.
    A state machine that is encrypted with a key of yours needs a key that ``.role`` may decrypt with, or no scan is
    complete.

    Make one guard for an application and environment. Its metrics and alarms are named after them; its pins are marked
    with them, its account and its region. It moves no others, so guards of other environments or accounts may look
    after the same repository. When a guard is deleted, its pins stay on their images: a new one of the same names,
    account and region takes them over; otherwise move them by hand, or leave them. Nothing pages before the first
    release; the alarm on silence, a notice, is red until the first scan.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``staging``.
        repositories: 1 to 25 repositories of the guard's region.
        interval_minutes: longest time between two scans, 5 to 30; ECS lists stopped tasks for an hour. 15 by default.
        revisions_kept: how many ACTIVE revisions of each task-definition family count as in use, 1 to 20; 3 by default.
        releases_kept: how many released digests of each parameter count as in use, 1 to 20; 5 by default.

    Attributes:
        function: the Lambda function (Python, arm64, 512 MB); its log is kept for 90 days.
        role: what it may do.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: a number out of its range, no repository or too many, a repository of another region, one parameter
            for two repositories, a wrong name, or a Token.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        repositories: Sequence[GuardedRepository],
        interval_minutes: int = 15,
        revisions_kept: int = 3,
        releases_kept: int = 5,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        check_repositories(repositories)
        whole_number("interval_minutes", interval_minutes, low=5, high=30, fix="ECS lists stopped tasks for an hour")
        kept = "too few forget what a rollback needs, too many keep old images for good"
        whole_number("revisions_kept", revisions_kept, low=1, high=20, fix=kept)
        whole_number("releases_kept", releases_kept, low=1, high=20, fix=kept)
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        here = arns_of(stack)
        arns = [guarded.repository.repository_arn for guarded in repositories]
        parameters = [parameter for guarded in repositories for parameter in guarded.release_parameters]
        # Names are shorter than ARNs: there is little room.
        names = [repository_arn.removeprefix(here.repository("")) for repository_arn in arns]
        settings: dict[str, object] = {
            "application": application,
            "environment": environment,
            "account": here.account,
            "region": here.region,
            "repositories": [
                {"repository": each, "releases": list(guarded.release_parameters)}
                for each, guarded in zip(names, repositories, strict=True)
            ],
            "revisions_kept": revisions_kept,
            "releases_kept": releases_kept,
        }
        check_region(arns, here.region)
        _check_size(settings, names)
        super().__init__(scope, id)

        table = dynamodb.CfnTable(
            self,
            "Memory",
            key_schema=[dynamodb.CfnTable.KeySchemaProperty(attribute_name="id", key_type="HASH")],
            attribute_definitions=[
                dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name="id", attribute_type="S")
            ],
            billing_mode="PAY_PER_REQUEST",
        ).ref
        queue = sqs.CfnQueue(
            self,
            "WakeUps",
            fifo_queue=True,
            content_based_deduplication=True,
            delay_seconds=_DELAY_SECONDS,
            visibility_timeout=_VISIBILITY_SECONDS,
            message_retention_period=3600,
            sqs_managed_sse_enabled=True,
        )
        queue_arn = queue.attr_arn
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        permissions = guard_permissions(
            here=here,
            repositories=arns,
            parameters=[here.parameter(parameter) for parameter in parameters],
            table=here.of("dynamodb", f"table/{table}"),
            queue=queue_arn,
            log_group=log_group.log_group_arn,
        )
        # Part of the role and no policy beside it, so that Lambda may read the queue when the mapping is made.
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Pins images in use; may neither delete nor upload any (lesson Q2)",
            inline_policies={"Guard": iam.PolicyDocument.from_json(permissions)},
        )
        if len(repositories) > 1:
            Validations.of(self.role).acknowledge(_MAY_MOVE_PINS)
        self.function = lambda_.Function(
            self,
            "Resource",
            description="Keeps a pin on every image in use (lesson Q2)",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=runtime_code(Path(__file__).parent),
            handler="runtime.handler.main",
            memory_size=512,
            timeout=Duration.minutes(_TIMEOUT_MINUTES),
            # No Token here stands for a text with a character that JSON escapes, so they can stay in the text.
            environment={_VARIABLE: _text(settings, table)},
            role=self.role,
            log_group=log_group,
        )
        lambda_.EventSourceMapping(self, "Scans", target=self.function, event_source_arn=queue_arn, batch_size=10)
        patterns = event_patterns([guarded.repository.repository_name for guarded in repositories], parameters)
        rules = [
            self._rule("Schedule", queue_arn, schedule=f"rate({interval_minutes} minutes)"),
            *(self._rule(f"Events{place or ''}", queue_arn, pattern=each) for place, each in enumerate(patterns)),
        ]
        sqs.CfnQueuePolicy(
            self,
            "WakeUpsPolicy",
            queues=[queue.ref],
            policy_document=queue_of_rules(queue_arn, [rule.attr_arn for rule in rules]),
        )
        self.alarms: tuple[AlarmSpec, ...] = guard_alarms(
            application=application, environment=environment, interval_minutes=interval_minutes
        )

    def _rule(
        self, id: str, queue_arn: str, *, schedule: str | None = None, pattern: Pattern | None = None
    ) -> events.CfnRule:
        # An L1: the L2's pattern has no $or.
        return events.CfnRule(
            self,
            id,
            description="Wakes the guard of images in use",
            schedule_expression=schedule,
            event_pattern=pattern,
            targets=[
                events.CfnRule.TargetProperty(
                    id="wake-ups",
                    arn=queue_arn,
                    input_path="$.time",
                    sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id="scan"),
                )
            ],
        )


def _text(settings: dict[str, object], table: str) -> str:
    return json.dumps({**settings, "table": table}, separators=(",", ":"))


def _check_size(settings: dict[str, object], names: Sequence[str]) -> None:
    """A Token in the midst of a text is longer than what it stands for; one that is the whole is not."""
    unknown = sum(_UNKNOWN_ARN for each in names if each.startswith("${Token["))
    size = len(_VARIABLE) + len(_text(settings, table="x" * 255)) + unknown
    if size > _ENVIRONMENT_CHARACTERS:
        raise invalid(
            "repositories",
            f"{size} characters of names",
            f"{_ENVIRONMENT_CHARACTERS} characters at most, what the environment of a function holds",
            "choose shorter names, or make another guard, with another environment name",
        )
