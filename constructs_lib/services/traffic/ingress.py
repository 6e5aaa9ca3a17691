"""How requests reach a service: a load balancer of its own, or a listener that exists (lessons T3, W5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from aws_cdk import Duration, Fn, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.checks import certificate_arn, invalid, ipv4_block, is_token, whole_number
from constructs_lib.services.deployments.traffic_shift import both_groups

LAST_PRIORITY: Final = 50_000
"""The highest number that a listener rule may have."""

_IDLE_SECONDS: Final = 60
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLoadBalancer:
    """An application load balancer for this service alone (lessons T3, W5).

    Args:
        internet_facing: whether anybody on the internet may connect; ``False`` by default.
        admitted_cidrs: IPv4 blocks whose addresses may connect to a load balancer that is not internet-facing, such as
            the VPC's own; none by default, so that it admits nobody until you say whom.
        certificate_arn: an ACM certificate: then HTTPS on 443, and HTTP is redirected. ``None``, the default: HTTP.
        access_logs: a bucket for the access logs, shared by several services; one is made by default.

    Raises:
        ValueError: ``certificate_arn`` is no ARN of a certificate, or a block is no IPv4 block.
    """

    internet_facing: bool = False
    admitted_cidrs: tuple[str, ...] = ()
    certificate_arn: str | None = None
    access_logs: s3.IBucket | None = None

    def __post_init__(self) -> None:
        for cidr in self.admitted_cidrs:
            ipv4_block("admitted_cidrs", cidr, largest=8, smallest=32)
        if self.certificate_arn is not None and not is_token(self.certificate_arn):
            certificate_arn("certificate_arn", self.certificate_arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedListener:
    """A listener that exists, on a load balancer that exists; the service adds a rule to it (lesson T3).

    The load balancer's idle timeout and access logs stay its owner's business.

    Args:
        load_balancer: the load balancer that the listener belongs to.
        listener: where the rule goes.
        priority: the rule's priority, 1 to 50000, unique on the listener.
        conditions: which requests are for this service.

    Raises:
        ValueError: no condition, or a priority out of its range.
    """

    load_balancer: elbv2.IApplicationLoadBalancer
    listener: elbv2.IApplicationListener
    priority: int
    conditions: Sequence[elbv2.ListenerCondition]

    def __post_init__(self) -> None:
        whole_number("priority", self.priority, low=1, high=LAST_PRIORITY, fix="choose one that no other rule has")
        if not self.conditions:
            raise invalid("conditions", list(self.conditions), "at least one condition", "say which host or path it is")


class Ingress(NamedTuple):
    """What the rest of a service must know of its load balancer."""

    load_balancer: elbv2.IApplicationLoadBalancer
    listener: elbv2.IApplicationListener
    """The one that passes requests on."""
    full_name: str
    idle_seconds: int | None
    """Its idle timeout, as far as it can be told."""
    elsewhere: bool = False
    """Whether no template of the app has it, or has its listener."""
    rule: elbv2.ApplicationListenerRule | None = None
    """The listener rule that leads to the service; none where a listener leads to it by default."""


class AccessLogsBucket(Construct):
    """A private bucket for load-balancer access logs, kept for ``days`` days and when the stack goes (lesson W5).

    Encrypted with S3's own keys: load balancers cannot write to a bucket with a KMS key
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html).

    Args:
        days: how long a log is kept, 1 to 3650; 90 by default.

    Raises:
        ValueError: ``days`` is out of its range.
    """

    def __init__(self, scope: Construct, id: str, *, days: int = 90) -> None:
        whole_number("days", days, low=1, high=3650, fix="90 is a good start")
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Resource",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(days))],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )


def target_group(
    scope: Construct,
    id: str = "Targets",
    *,
    vpc: ec2.IVpc,
    port: int,
    check: elbv2.HealthCheck,
    drain_seconds: int,
) -> elbv2.ApplicationTargetGroup:
    """A target group for tasks, which have addresses of their own."""
    return elbv2.ApplicationTargetGroup(
        scope,
        id,
        vpc=vpc,
        port=port,
        protocol=elbv2.ApplicationProtocol.HTTP,
        target_type=elbv2.TargetType.IP,
        deregistration_delay=Duration.seconds(drain_seconds),
        health_check=check,
    )


def connect(
    scope: Construct,
    ingress: OwnLoadBalancer | SharedListener,
    target_group: elbv2.ApplicationTargetGroup,
    *,
    vpc: ec2.IVpc,
    idle_seconds: int,
    log_prefix: str,
    alternate: elbv2.ApplicationTargetGroup | None = None,
) -> Ingress:
    """Puts a target group behind a load balancer and tells what was used; with an ``alternate``, by a rule for both.

    Once ECS has shifted requests, the rule on AWS differs from the template. CloudFormation updates what differs
    between two templates, so it leaves the rule alone until somebody changes priority or conditions of a shared
    listener's rule: that sends the requests to the first group again, where there may be no task
    (https://github.com/aws/aws-cdk/issues/36649). The rule of a load balancer of its own changes only with its
    target groups, which another port replaces.
    """
    shifted = None if alternate is None else both_groups(target_group, alternate)
    if isinstance(ingress, SharedListener):
        # In the service's scope: made under the listener, the rule would tie a listener of another stack to this one.
        rule = elbv2.ApplicationListenerRule(
            scope,
            "Rule",
            listener=ingress.listener,
            priority=ingress.priority,
            conditions=list(ingress.conditions),
            action=shifted,
            target_groups=[target_group] if shifted is None else None,
        )
        arn = ingress.load_balancer.load_balancer_arn
        full_name = Fn.select(1, Fn.split(":loadbalancer/", arn))
        if isinstance(ingress.listener, elbv2.ApplicationListener):
            balancer = ingress.load_balancer
            if isinstance(balancer, elbv2.ApplicationLoadBalancer):
                return Ingress(balancer, ingress.listener, full_name, _idle_seconds(balancer), rule=rule)
        return Ingress(ingress.load_balancer, ingress.listener, full_name, None, elsewhere=True, rule=rule)
    own = _own(scope, ingress, target_group, vpc=vpc, idle_seconds=idle_seconds, log_prefix=log_prefix)
    if shifted is None:
        return own
    # A listener's default action has no name in CloudFormation that ECS could be given. The rule is for every path, and
    # the last, so that other rules may come before it.
    every_path = [elbv2.ListenerCondition.path_patterns(["/*"])]
    return own._replace(
        rule=elbv2.ApplicationListenerRule(
            scope, "Rule", listener=own.listener, priority=LAST_PRIORITY, conditions=every_path, action=shifted
        )
    )


def _own(
    scope: Construct,
    options: OwnLoadBalancer,
    target_group: elbv2.ApplicationTargetGroup,
    *,
    vpc: ec2.IVpc,
    idle_seconds: int,
    log_prefix: str,
) -> Ingress:
    load_balancer = elbv2.ApplicationLoadBalancer(
        scope,
        "LoadBalancer",
        vpc=vpc,
        internet_facing=options.internet_facing,
        idle_timeout=Duration.seconds(idle_seconds),
        drop_invalid_header_fields=True,
    )
    bucket = options.access_logs or AccessLogsBucket(scope, "AccessLogs").bucket
    try:
        load_balancer.log_access_logs(bucket, log_prefix)
    except RuntimeError as error:  # jsii's only error type
        if "Region is required" not in str(error):
            raise
        raise invalid(
            "the stack's region",
            "unknown",
            "known, because access logs need it",
            "give the stack env=Environment(region='eu-west-1'), or use a SharedListener",
        ) from None
    listeners = _listeners(load_balancer, options, target_group)
    for cidr in options.admitted_cidrs:
        peer = ec2.Peer.ipv4(cidr)
        for listener in listeners:
            listener.connections.allow_default_port_from(peer)
    return Ingress(load_balancer, listeners[0], load_balancer.load_balancer_full_name, idle_seconds)


def _idle_seconds(balancer: elbv2.ApplicationLoadBalancer) -> int | None:
    """The idle timeout of a load balancer that other code made; None when only CloudFormation knows it."""
    made = balancer.node.default_child
    if not isinstance(made, elbv2.CfnLoadBalancer):
        return None
    rows = balancer.stack.resolve(made.load_balancer_attributes) or []
    if not isinstance(rows, list):
        return None
    found = {row.get("key"): row.get("value") for row in rows if isinstance(row, dict)}
    given = str(found.get("idle_timeout.timeout_seconds", _IDLE_SECONDS))
    return int(given) if given.isdecimal() else None


def _listeners(
    load_balancer: elbv2.ApplicationLoadBalancer, options: OwnLoadBalancer, target_group: elbv2.ApplicationTargetGroup
) -> tuple[elbv2.ApplicationListener, ...]:
    if options.certificate_arn is None:
        http = load_balancer.add_listener(
            "Http", port=80, default_target_groups=[target_group], open=options.internet_facing
        )
        return (http,)
    redirect = load_balancer.add_redirect(open=options.internet_facing)
    https = load_balancer.add_listener(
        "Https",
        port=443,
        certificates=[elbv2.ListenerCertificate.from_arn(options.certificate_arn)],
        ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
        default_target_groups=[target_group],
        open=options.internet_facing,
    )
    return (https, redirect)
