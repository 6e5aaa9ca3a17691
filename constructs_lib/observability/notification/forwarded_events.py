"""Sends an environment's events to event buses (lesson W5)."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid, tuple_of
from constructs_lib.iam_policy import allow, document
from constructs_lib.observability.notification.forwarding import forwarded, forwarding_alarms
from constructs_lib.observability.notification.targets import EventBusTarget
from constructs_lib.places import arns_of

_TARGETS_OF_A_RULE = 5


class ForwardedEvents(Construct):
    """Sends an environment's alarms and events to one to five event buses, as AWS sent them (lesson W5).

    EventBridge does it without code of ours, with a role that may put events on those buses and nothing else. It tries
    for 24 hours; what it could not deliver is told by an alarm, and kept by the log of evidence, not by a queue. The
    buses must not have a rule that sends on to a third: EventBridge forwards an event once.

    Args:
        application: the application's name.
        environment: the environment's name.
        buses: where the events go.
        clusters: names of the ECS clusters whose events they are; with ``*`` at the end, all that begin so.
        repositories: names of ECR repositories likewise; none by default.

    Attributes:
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: no bus, more than five, or a wrong name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        buses: Sequence[EventBusTarget],
        clusters: Sequence[str],
        repositories: Sequence[str] = (),
    ) -> None:
        tuple_of("buses", tuple(buses), EventBusTarget, "[EventBusTarget(bus_arn=…)]")
        if not 1 <= len(buses) <= _TARGETS_OF_A_RULE:
            raise invalid("buses", len(buses), f"1 to {_TARGETS_OF_A_RULE}", "forward on from one of them")
        patterns = forwarded(
            arns_of(scope),
            application=application,
            environment=environment,
            clusters=clusters,
            repositories=repositories,
        )
        super().__init__(scope, id)
        arns = [bus.bus_arn for bus in buses]
        role = iam.CfnRole(
            self,
            "Role",
            description="Puts an environment's events on the event buses that are told of them",
            assume_role_policy_document=document(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="PutEvents", policy_document=document(allow(arns, "events:PutEvents"))
                )
            ],
        )
        rules = [
            events.CfnRule(
                self,
                what,
                description=f"Tells event buses of an environment's {what.lower()} (lesson W5)",
                event_pattern=pattern,
                targets=[
                    events.CfnRule.TargetProperty(id=f"bus{number}", arn=arn, role_arn=role.attr_arn)
                    for number, arn in enumerate(arns)
                ],
            )
            for what, pattern in patterns.items()
        ]
        self.alarms: tuple[AlarmSpec, ...] = forwarding_alarms([rule.ref for rule in rules])
