"""How requests reach a service, and who may send them (lessons T3, W5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.traffic.ingress import AccessLogsBucket, OwnLoadBalancer, SharedListener
from tests.services.conftest import CERTIFICATE, CHECK, Templates, parts
from tests.support import (
    DIGEST,
    TOKEN,
    Template,
    of_type,
    only,
    references,
    refused,
    stack,
    synthesize,
    vpc,
)

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
SERVICE = "AWS::ECS::Service"


def open_to(template: Template) -> dict[int, set[str]]:
    """Which addresses may connect to which port of anything in a template."""
    rules: list[dict[str, Any]] = list(of_type(template, "AWS::EC2::SecurityGroupIngress").values())
    for group in of_type(template, "AWS::EC2::SecurityGroup").values():
        rules += group.get("SecurityGroupIngress", [])
    found: dict[int, set[str]] = {}
    for rule in rules:
        cidr = rule.get("CidrIp") or rule.get("CidrIpv6")
        if cidr:
            found.setdefault(rule["FromPort"], set()).add(cidr)
    return found


def attributes(balancer: dict[str, Any]) -> dict[str, Any]:
    """A load balancer's attributes by name."""
    return {row["Key"]: row["Value"] for row in balancer["LoadBalancerAttributes"]}


def test_before_anybody_may_connect(pattern: Template) -> None:
    """Plain CDK's pattern stands on the internet, open to all, over plain HTTP, without access logs (W5)."""
    balancer = only(pattern, BALANCER)
    assert open_to(pattern) == {80: {"0.0.0.0/0"}}
    assert balancer["Scheme"] == "internet-facing"
    assert "access_logs.s3.enabled" not in attributes(balancer)


def test_after_nobody_may_connect_by_default(web: Template) -> None:
    """The default is internal and admits no address at all; only the load balancer reaches the tasks."""
    assert open_to(web) == {}
    assert only(web, BALANCER)["Scheme"] == "internal"
    assert only(web, BALANCER)["Subnets"] == ["subnet-private-a", "subnet-private-b"]


def test_only_the_load_balancer_reaches_the_tasks(web: Template) -> None:
    """One rule leads into the tasks: from the load balancer's group, to the container's port."""
    (group,) = only(web, SERVICE)["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
    rule = only(web, "AWS::EC2::SecurityGroupIngress")
    assert rule["GroupId"] == group
    assert rule["SourceSecurityGroupId"] in only(web, BALANCER)["SecurityGroups"]
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (8080, 8080, "tcp")


def test_admitted_addresses_may_connect(templates: Templates) -> None:
    """Blocks that were named may connect to the listener's port, and no other address."""
    assert open_to(templates["Inside"]) == {80: {"10.1.0.0/16"}}


def test_time_outs_are_explicit(web: Template, api: Template) -> None:
    """The load balancer's idle time-out and the target group's drain come from the one budget (T3)."""
    for template, idle, drain in ((web, "60", "45"), (api, "50", "35")):
        assert attributes(only(template, BALANCER))["idle_timeout.timeout_seconds"] == idle
        targets = only(template, "AWS::ElasticLoadBalancingV2::TargetGroup")["TargetGroupAttributes"]
        assert {"Key": "deregistration_delay.timeout_seconds", "Value": drain} in targets


def test_with_a_certificate_everything_is_https(api: Template) -> None:
    """443 speaks TLS 1.2 or later with the certificate and reaches the tasks; 80 only redirects, for good."""
    by_port = {listener["Port"]: listener for listener in of_type(api, LISTENER).values()}
    assert set(by_port) == {80, 443}
    assert by_port[443]["Protocol"] == "HTTPS"
    assert by_port[443]["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    assert re.fullmatch(r"ELBSecurityPolicy-TLS13-1-[23](-Res)?(-PQ)?-\d{4}-\d{2}", by_port[443]["SslPolicy"])
    assert [action["Type"] for action in by_port[443]["DefaultActions"]] == ["forward"]
    (redirect,) = by_port[80]["DefaultActions"]
    assert redirect["Type"] == "redirect"
    assert (redirect["RedirectConfig"]["Protocol"], redirect["RedirectConfig"]["Port"]) == ("HTTPS", "443")
    assert redirect["RedirectConfig"]["StatusCode"] == "HTTP_301"
    assert open_to(api) == {80: {"0.0.0.0/0"}, 443: {"0.0.0.0/0"}}


def test_access_logs_are_kept(web: Template) -> None:
    """The load balancer writes to a bucket that is private, encrypted, TLS only, and stays when the stack goes (W5)."""
    settings = attributes(only(web, BALANCER))
    assert settings["access_logs.s3.enabled"] == "true"
    assert settings["access_logs.s3.prefix"] == "web"
    assert settings["routing.http.drop_invalid_header_fields.enabled"] == "true"
    name = settings["access_logs.s3.bucket"]["Ref"]
    resource = web["Resources"][name]
    # Kept in every case but one: a stack that fails while it is made, when nothing is in it.
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    bucket = resource["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["LifecycleConfiguration"]["Rules"] == [{"ExpirationInDays": 90, "Status": "Enabled"}]


def test_a_bucket_of_access_logs_refuses_plain_http(web: Template) -> None:
    """Whoever asks without TLS is denied everything."""
    statements = only(web, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    (deny,) = (statement for statement in statements if statement["Effect"] == "Deny")
    assert (deny["Action"], deny["Principal"]) == ("s3:*", {"AWS": "*"})
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(deny["Resource"]) == 2


def test_services_may_share_a_bucket(templates: Templates) -> None:
    """Two services write to the one bucket under their own names, and no other bucket is made."""
    template = templates["Inside"]
    (name,) = of_type(template, "AWS::S3::Bucket")
    settings = [attributes(balancer) for balancer in of_type(template, BALANCER).values()]
    assert {row["access_logs.s3.bucket"]["Ref"] for row in settings} == {name}
    assert {row["access_logs.s3.prefix"] for row in settings} == {"first", "second"}


def test_a_shared_listener_gets_a_rule_for_each_service(templates: Templates) -> None:
    """Nothing of a load balancer is made; each service adds its own rule, in its own stack, and waits for it."""
    template = templates["Shared"]
    assert not of_type(template, BALANCER) | of_type(template, LISTENER) | of_type(template, "AWS::S3::Bucket")
    rules = of_type(template, RULE)
    by_targets = {rule["Actions"][0]["TargetGroupArn"]["Ref"]: (name, rule) for name, rule in rules.items()}
    assert sorted(rule["Priority"] for rule in rules.values()) == [1, 2]
    for service in (value for value in template["Resources"].values() if value["Type"] == SERVICE):
        (balancer,) = service["Properties"]["LoadBalancers"]
        name, rule = by_targets[balancer["TargetGroupArn"]["Ref"]]
        assert rule["Conditions"][0]["Field"] == "path-pattern"
        assert name in service["DependsOn"]


def test_a_listener_that_exists_elsewhere_does_not_know_its_services(templates: Templates) -> None:
    """The owner's stack refers to nothing of the services', so it can be deployed and changed alone."""
    owner = templates["Owner"]
    outside = references(list(owner["Resources"].values())) - set(owner["Resources"]) - set(owner["Parameters"])
    assert {name for name in outside if not name.startswith("AWS::")} == set()
    assert not of_type(owner, RULE)


def test_the_shared_load_balancer_reaches_the_tasks(templates: Templates) -> None:
    """Each service's group lets the shared load balancer in, on the container's port."""
    rules = of_type(templates["Shared"], "AWS::EC2::SecurityGroupIngress").values()
    groups = {
        tuple(sorted(references(service["NetworkConfiguration"])))
        for service in of_type(templates["Shared"], SERVICE).values()
    }
    assert {(rule["GroupId"]["Fn::GetAtt"][0],) for rule in rules} == groups
    assert {rule["FromPort"] for rule in rules} == {8080}


@pytest.mark.parametrize("arn", ["", "shop.example.com", "arn:aws:iam::111122223333:server-certificate/x"])
def test_a_certificate_that_is_none_is_refused(arn: str) -> None:
    """A wrong ARN fails here and not when the listener is made."""
    refused(lambda: OwnLoadBalancer(certificate_arn=arn), "certificate_arn", arn, "the ARN of an ACM certificate")


def test_a_certificate_of_the_same_app_may_be_a_token() -> None:
    """A certificate that the app makes has no known ARN yet, and is accepted."""
    assert OwnLoadBalancer(certificate_arn=TOKEN).certificate_arn == TOKEN


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "10.0.0.1/16", "10.0.0.0/255.255.0.0", "10.0.0.0", "vpc", TOKEN, "::/0"])
def test_admitting_everybody_or_nonsense_is_refused(cidr: str) -> None:
    """Only blocks that somebody could mean are admitted; the whole internet has a switch of its own."""
    refused(lambda: OwnLoadBalancer(admitted_cidrs=(cidr,)), "admitted_cidrs", cidr, "")


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"priority": 0}, "priority", "from 1 to 50000"),
        ({"priority": 50001}, "priority", "from 1 to 50000"),
        ({"priority": "1"}, "priority", "a whole number"),
        ({"conditions": []}, "conditions", "at least one condition"),
    ],
)
def test_a_wrong_rule_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """A rule needs a condition, or it would take every request, and a priority that a listener has."""
    scope = stack()
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=vpc(scope))
    listener = balancer.add_listener("Listener", port=80, default_action=elbv2.ListenerAction.fixed_response(404))
    values: dict[str, Any] = {
        "load_balancer": balancer,
        "listener": listener,
        "priority": 1,
        "conditions": [elbv2.ListenerCondition.host_headers(["shop.example.com"])],
    }
    refused(lambda: SharedListener(**values | changes), what, changes[what], allowed)


@pytest.mark.parametrize("days", [0, 3651])
def test_access_logs_are_kept_for_some_days(days: int) -> None:
    """Zero days would keep nothing, and S3 refuses it at deployment."""
    refused(lambda: AccessLogsBucket(stack(), "Logs", days=days), "days", days, "from 1 to 3650")


def test_a_redirect_is_reachable_for_those_who_are_admitted() -> None:
    """With a certificate, an admitted address reaches port 80 too, or the redirect is there for nobody."""
    scope = stack()
    cluster, repository = parts(scope)
    FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        ingress=OwnLoadBalancer(certificate_arn=CERTIFICATE, admitted_cidrs=("10.1.0.0/16",)),
    )
    assert open_to(synthesize(scope)) == {80: {"10.1.0.0/16"}, 443: {"10.1.0.0/16"}}
