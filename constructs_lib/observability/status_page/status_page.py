"""A status page that stands when the services do not, perhaps in another region (lesson T5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import concrete, environment_name, invalid, name
from constructs_lib.iam_policy import Arns, queue_of_rules
from constructs_lib.kept_messages import KEPT_SECONDS
from constructs_lib.naming import (
    status_bucket_name,
    status_bus_name,
    status_feed_role_name,
    status_page_name,
    status_page_parameter_name,
)
from constructs_lib.observability.runtime.status.style import CSP
from constructs_lib.observability.status_page.alarms import page_alarms
from constructs_lib.observability.status_page.bucket import status_bucket
from constructs_lib.observability.status_page.distribution import name_page, status_distribution
from constructs_lib.observability.status_page.patterns import RETRIES, SECONDS_OF_USE, state_changes
from constructs_lib.observability.status_page.permissions import (
    bucket_policy,
    bus_policy,
    page_permissions,
)
from constructs_lib.observability.status_page.policy import StatusPagePolicy
from constructs_lib.places import arns_of
from constructs_lib.python_function import python_function

_VARIABLE: Final = "MOORINGS_STATUS"  # as runtime/status/settings.py reads it
_ENVIRONMENT_CHARACTERS: Final = 4096
_UNKNOWN_BUCKET: Final = 63
_ASYNC_RETRIES: Final = 2


class StatusPage(Construct):
    """A static page on S3 behind CloudFront, which follows the composite alarms of each component (lesson T5).

    It knows the services by name only: no VPC, cluster or load balancer is referred to, and nothing of another region.
    So it stands when they do not, and can stand elsewhere. One object in its bucket is the truth, the pages follow
    from it (``docs/decisions/0030-one-object-is-the-truth.md``). It is fed in two ways: by events, within seconds, for
    which the services' region has a :class:`constructs_lib.observability.status_page.status_source.StatusSource`; and
    by reading the alarms each minute, which mends what an event has not brought. What a person writes goes to the same
    object, with ``moorings status-page``.

    The first page is there a minute or two after CloudFront's distribution; until then CloudFront answers 403 or 404.

    To wire it: one for each environment that has one, in a stack of its own. Give ``.alarms`` to the
    :class:`constructs_lib.observability.alarms.Alarms` of the same stack.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``production``.
        page: what it shows, and where.
        source_region: where the services and their alarms are; ``None``, the default: the stack's own region.

    Attributes:
        bucket: S3's resource; it is kept when the stack is deleted.
        distribution: CloudFront's.
        function: the Lambda function (Python, arm64, 256 MB, one minute); its log is kept for 90 days.
        address: where visitors find the page, with ``https://``.
        alarms: three notices, on the page itself.

    Raises:
        ValueError: a wrong name, something else than a ``StatusPagePolicy``, a region that is a Token, or more titles
            than a function's environment holds.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        page: StatusPagePolicy,
        source_region: str | None = None,
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        if not isinstance(page, StatusPagePolicy):
            raise invalid("page", page, "a StatusPagePolicy", "say what it shows")
        if source_region is not None:
            concrete("source_region", source_region, "name the region of the services")
        names = (application, environment)
        _check_size(_settings(names, page, "1" * 12, "x" * _UNKNOWN_BUCKET, source_region or "x" * 16))
        super().__init__(scope, id)
        arns = arns_of(scope)
        region = source_region or arns.region
        self.bucket = status_bucket(self, "Bucket", name=status_bucket_name(*names, arns.account, arns.region))
        self.distribution = self._distribution(page, names, arns)
        self.address = f"https://{page.domain.name if page.domain else self.distribution.attr_domain_name}"
        queue = sqs.CfnQueue(self, "Letters", message_retention_period=KEPT_SECONDS, sqs_managed_sse_enabled=True)
        made = python_function(
            self,
            folder=Path(__file__).parents[1],
            handler="runtime.status.handler.main",
            description="Keeps the status page as the alarms are (lesson T5)",
            schedule="rate(1 minute)",
            environment={_VARIABLE: _settings(names, page, arns.account, self.bucket.ref, region)},
            permissions=lambda log_group: page_permissions(
                bucket_arn=self.bucket.attr_arn,
                queue_arn=queue.attr_arn,
                source_region=region,
                log_group_arn=log_group,
                account=arns.account,
            ),
            may="Writes the status page, and reads alarms of the services' region (lesson T5)",
            timeout_minutes=1,
        )
        self.function = made.function
        # What fails most on a first day is CloudFront, by an address or a certificate. Nobody has written to the bucket
        # then, so it goes with the stack, and the second deployment finds its name free.
        self.function.node.add_dependency(self.distribution)
        self._feed(names, queue, arns, region)
        self._tell(names, arns)
        self.alarms: tuple[AlarmSpec, ...] = page_alarms(
            function_name=self.function.function_name, queue_name=queue.attr_queue_name
        )

    def _distribution(self, page: StatusPagePolicy, names: tuple[str, str], arns: Arns) -> cloudfront.CfnDistribution:
        distribution = status_distribution(
            self,
            name=status_page_name(*names),
            bucket_domain=self.bucket.attr_regional_domain_name,
            domain=page.domain,
            content_security_policy=CSP,
        )
        distribution_arn = f"arn:{arns.partition}:cloudfront::{arns.account}:distribution/{distribution.ref}"
        s3.CfnBucketPolicy(
            self,
            "BucketPolicy",
            bucket=self.bucket.ref,
            policy_document=bucket_policy(bucket_arn=self.bucket.attr_arn, distribution_arn=distribution_arn),
        )
        if page.domain is not None:
            name_page(self, page.domain, distribution)
        return distribution

    def _feed(self, names: tuple[str, str], queue: sqs.CfnQueue, arns: Arns, region: str) -> None:
        """The bus that the services' region sends to, and what goes on from there."""
        bus_name = status_bus_name(*names)
        bus = events.CfnEventBus(
            self,
            "Bus",
            name=bus_name,
            policy=bus_policy(
                bus_arn=arns.of("events", f"event-bus/{bus_name}"),
                partition=arns.partition,
                account=arns.account,
                feed_role_arn=arns.role(status_feed_role_name(*names)),
            ),
        )
        rule = events.CfnRule(
            self,
            "Changes",
            description="Alarms of the services change the status page at once (lesson T5)",
            event_bus_name=bus.ref,
            event_pattern={**state_changes(*names), "account": [arns.account], "region": [region]},
            targets=[
                events.CfnRule.TargetProperty(
                    id="function",
                    arn=self.function.function_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=SECONDS_OF_USE, maximum_retry_attempts=RETRIES
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.attr_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "MayTell",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        # What the function fails at is tried twice more, a minute and two later, and then left in the queue.
        lambda_.CfnEventInvokeConfig(
            self,
            "Retries",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=_ASYNC_RETRIES,
            maximum_event_age_in_seconds=SECONDS_OF_USE,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=queue.attr_arn)
            ),
        )
        sqs.CfnQueuePolicy(
            self,
            "LettersPolicy",
            queues=[queue.ref],
            policy_document=queue_of_rules(queue.attr_arn, [rule.attr_arn]),
        )

    def _tell(self, names: tuple[str, str], arns: Arns) -> None:
        """Where commands look for it; no secret."""
        ssm.CfnParameter(
            self,
            "Place",
            name=status_page_parameter_name(*names),
            type="String",
            description="Where the status page is (lesson T5). Written by CloudFormation.",
            value=json.dumps(
                {
                    "application": names[0],
                    "environment": names[1],
                    "account": arns.account,
                    "region": arns.region,
                    "bucket": self.bucket.ref,
                    "address": self.address,
                }
            ),
        )


def _settings(names: tuple[str, str], page: StatusPagePolicy, account: str, bucket: str, region: str) -> str:
    """What the function is told, as ``runtime/status/settings.py`` reads it."""
    settings = {
        "application": names[0],
        "environment": names[1],
        "account": account,
        "source_region": region,
        "bucket": bucket,
        "en": page.en,
        "ja": page.ja,
        "components": [[one.name, one.en, one.ja] for one in page.components],
    }
    return json.dumps(settings, separators=(",", ":"), ensure_ascii=False)


def _check_size(settings: str) -> None:
    size = len(_VARIABLE) + len(settings.encode())
    if size > _ENVIRONMENT_CHARACTERS:
        raise invalid(
            "components",
            f"{size} bytes of titles",
            f"{_ENVIRONMENT_CHARACTERS} bytes at most, what the environment of a function holds",
            "choose shorter titles",
        )
