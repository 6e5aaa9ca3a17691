"""The status page and its feed as templates: what they refer to, and what each may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.observability.runtime.status.settings import VARIABLE, StatusSettings
from constructs_lib.observability.status_page.policy import StatusComponent, StatusDomain, StatusPagePolicy
from constructs_lib.observability.status_page.status_page import StatusPage
from constructs_lib.observability.status_page.status_source import StatusSource
from tests.support import FLAG_SETS, Template, listed, of_type, only, refused, stack, statements, synthesize, vpc

ACCOUNT = "111111111111"
HERE, THERE = "eu-west-1", "eu-central-1"
PAGE = StatusPagePolicy(
    en="Shop status",
    ja="ショップの稼働状況",
    components=(
        StatusComponent(name="web", en="Website", ja="ウェブサイト"),
        StatusComponent(name="worker", en="Orders"),
    ),
)
DOMAIN = StatusDomain(
    name="status.example.com",
    certificate_arn="arn:aws:acm:us-east-1:111111111111:certificate/0123",
    hosted_zone_id="Z0123456789ABCDEFGHIJ",
)
NAMES = {"application": "shop", "environment": "production"}
BUCKET = f"shop--production--status-{ACCOUNT}-{THERE}"


class Made:
    """A page in one region and its feed in another, each alone in a plain stack of one app."""

    def __init__(self, context: dict[str, Any]) -> None:
        app = App(context=context)
        there = Stack(app, "Page", env=Environment(account=ACCOUNT, region=THERE))
        here = Stack(app, "Source", env=Environment(account=ACCOUNT, region=HERE))
        self.status = StatusPage(there, "Status", **NAMES, page=PAGE, source_region=HERE)
        self.source = StatusSource(here, "Feed", **NAMES, page_region=THERE)
        assembly = app.synth()
        self.page: Template = assembly.get_stack_by_name("Page").template
        self.feed: Template = assembly.get_stack_by_name("Source").template
        self.dependencies = [one.id for one in assembly.get_stack_by_name("Page").dependencies]


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> Made:
    """With none of CDK's feature flags and with all."""
    return Made(request.param)


def named(template: Template, kind: str) -> str:
    """The logical id of the one resource of a type."""
    (found,) = of_type(template, kind)
    return found


def arn_of(template: Template, kind: str) -> dict[str, Any]:
    """How a template names it."""
    return {"Fn::GetAtt": [named(template, kind), "Arn"]}


def text(value: Any) -> str:
    """What CloudFormation makes of a value, in the partition of most; a flag of CDK's writes that out."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(text(part) for part in value["Fn::Join"][1])
    if isinstance(value, dict):
        return "aws" if value == {"Ref": "AWS::Partition"} else f"<{next(iter(value.values()))}>"
    return str(value)


# Before and after (T5).

SERVES = ("AWS::EC2::", "AWS::ECS::", "AWS::ElasticLoadBalancingV2::", "AWS::ElasticLoadBalancing::")


def test_before_a_page_beside_the_services_falls_with_them() -> None:
    """The usual status page is one more service: its template hangs on the VPC, the cluster and a load balancer."""
    plain = stack()
    cluster = ecs.Cluster(plain, "Cluster", vpc=vpc(plain))
    patterns.ApplicationLoadBalancedFargateService(
        plain,
        "StatusPage",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_registry("public.ecr.aws/nginx/nginx")
        ),
    )
    template = synthesize(plain)
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert {"AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::LoadBalancer"} <= kinds
    service = json.dumps(of_type(template, "AWS::ECS::Service"))
    assert "subnet-private-a" in service
    assert named(template, "AWS::ECS::Cluster") in service
    assert named(template, "AWS::ElasticLoadBalancingV2::TargetGroup") in service


def test_after_nothing_of_the_page_is_of_what_serves_visitors(made: Made) -> None:
    """No VPC, no ECS, no load balancer, by type or by name; no value of another stack; all it is made of is here."""
    assert {resource["Type"] for resource in made.page["Resources"].values()} == {
        *("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"),
        *("AWS::CloudFront::Distribution", "AWS::CloudFront::OriginAccessControl", "AWS::CloudFront::CachePolicy"),
        *(
            "AWS::CloudFront::ResponseHeadersPolicy",
            "AWS::IAM::Role",
            "AWS::Lambda::Function",
            "AWS::Lambda::Permission",
        ),
        *("AWS::Lambda::EventInvokeConfig", "AWS::Logs::LogGroup", "AWS::Events::EventBus", "AWS::Events::Rule"),
        "AWS::SSM::Parameter",
    }
    text = json.dumps(made.page)
    for word in (*SERVES, "Fn::ImportValue", "Fn::GetStackOutput", "vpc-", "subnet-", "VpcConfig", "Custom::"):
        assert word not in text
    assert made.dependencies == [asset for asset in made.dependencies if asset.endswith(".assets")]


def test_no_token_crosses_regions(made: Made) -> None:
    """Each side names the other as text: the bus, the region, and no attribute."""
    target = only(made.feed, "AWS::Events::Rule")["Targets"][0]["Arn"]
    assert text(target) == f"arn:aws:events:{THERE}:{ACCOUNT}:event-bus/shop--production--status"
    assert only(made.page, "AWS::Events::EventBus")["Name"] == "shop--production--status"
    assert "ImportValue" not in json.dumps([made.page, made.feed])


# The bucket.


def test_the_bucket_is_private_and_kept(made: Made) -> None:
    """Blocked from the public, encrypted, versioned, its owner's alone; deletion of the stack leaves it."""
    bucket = only(made.page, "AWS::S3::Bucket")
    assert bucket["BucketName"] == BUCKET
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    whole = made.page["Resources"][named(made.page, "AWS::S3::Bucket")]
    assert (whole["DeletionPolicy"], whole["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    rules = {rule["Prefix"]: rule["NoncurrentVersionExpiration"] for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules == {"state/": {"NoncurrentDays": 30}, "page/": {"NoncurrentDays": 1}}
    assert all("ExpirationInDays" not in rule for rule in bucket["LifecycleConfiguration"]["Rules"])


def test_a_first_deployment_that_fails_at_cloudfront_can_be_tried_again(made: Made) -> None:
    """The function, and so what calls it, waits for the distribution: until then the bucket is empty, and goes."""
    function = made.page["Resources"][named(made.page, "AWS::Lambda::Function")]
    assert named(made.page, "AWS::CloudFront::Distribution") in function["DependsOn"]
    assert all(arn_of(made.page, "AWS::Lambda::Function") in targets for targets in _targets(made.page))


def _targets(template: Template) -> list[list[Any]]:
    return [[one["Arn"] for one in rule["Targets"]] for rule in of_type(template, "AWS::Events::Rule").values()]


def test_who_may_do_what_with_the_bucket(made: Made) -> None:
    """TLS only; no write without a precondition; this one distribution reads the pages, and not the state."""
    bucket = arn_of(made.page, "AWS::S3::Bucket")
    tls, blind, read = only(made.page, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", {"AWS": "*"}, "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert tls["Resource"] == [bucket, {"Fn::Join": ["", [bucket, "/*"]]}]
    assert (blind["Effect"], blind["Action"]) == ("Deny", "s3:PutObject")
    assert blind["Condition"] == {"Null": {"s3:if-match": "true", "s3:if-none-match": "true"}}
    assert blind["Resource"] == {"Fn::Join": ["", [bucket, "/*"]]}
    assert (read["Effect"], read["Principal"]) == ("Allow", {"Service": "cloudfront.amazonaws.com"})
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", {"Fn::Join": ["", [bucket, "/page/*"]]})
    distribution = named(made.page, "AWS::CloudFront::Distribution")
    ((key, arn),) = read["Condition"]["StringEquals"].items()
    assert (key, text(arn)) == ("AWS:SourceArn", f"arn:aws:cloudfront::{ACCOUNT}:distribution/<{distribution}>")


# CloudFront.


def test_what_visitors_get(made: Made) -> None:
    """HTTPS, the page at the root, only reading, only what is under page/, and by a signed request."""
    config = only(made.page, "AWS::CloudFront::Distribution")["DistributionConfig"]
    behavior, (origin,) = config["DefaultCacheBehavior"], config["Origins"]
    assert config["DefaultRootObject"] == "index.html"
    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior["AllowedMethods"] == ["GET", "HEAD"]
    assert origin["OriginPath"] == "/page"
    assert origin["OriginAccessControlId"] == {"Ref": named(made.page, "AWS::CloudFront::OriginAccessControl")}
    assert origin["DomainName"] == {"Fn::GetAtt": [named(made.page, "AWS::S3::Bucket"), "RegionalDomainName"]}
    access = only(made.page, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (access["SigningBehavior"], access["SigningProtocol"]) == ("always", "sigv4")
    assert config["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert "Aliases" not in config


def test_a_page_is_seconds_old(made: Made) -> None:
    """At most ten, an error one; one copy for all visitors."""
    policy = only(made.page, "AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 5, 10)
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    config = only(made.page, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["DefaultCacheBehavior"]["CachePolicyId"] == {"Ref": named(made.page, "AWS::CloudFront::CachePolicy")}
    errors = {one["ErrorCode"]: one["ErrorCachingMinTTL"] for one in config["CustomErrorResponses"]}
    assert {403, 404, 500, 503, 504} <= set(errors)
    assert set(errors.values()) == {1}
    assert all(set(one) == {"ErrorCode", "ErrorCachingMinTTL"} for one in config["CustomErrorResponses"])


def test_security_headers(made: Made) -> None:
    """No script, no other host, no frame, no guessing of types, no referrer, and HTTPS for a year."""
    config = only(made.page, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    headers = config["SecurityHeadersConfig"]
    csp = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert csp.startswith("default-src 'none';")
    assert "script-src" not in csp
    assert "frame-ancestors 'none'" in csp
    assert headers["StrictTransportSecurity"] == {"AccessControlMaxAgeSec": 31536000, "Override": True}
    assert headers["ContentTypeOptions"] == {"Override": True}
    assert headers["FrameOptions"] == {"FrameOption": "DENY", "Override": True}
    assert headers["ReferrerPolicy"] == {"ReferrerPolicy": "no-referrer", "Override": True}
    behavior = only(made.page, "AWS::CloudFront::Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    assert behavior["ResponseHeadersPolicyId"] == {"Ref": named(made.page, "AWS::CloudFront::ResponseHeadersPolicy")}


def test_an_address_of_ones_own() -> None:
    """With its certificate, TLS 1.2, and both records in the zone."""
    plain = stack()
    page = StatusPagePolicy(en="Shop", components=PAGE.components, domain=DOMAIN)
    made = StatusPage(plain, "Status", **NAMES, page=page)
    assert made.address == "https://status.example.com"
    template = synthesize(plain)
    config = only(template, "AWS::CloudFront::Distribution")["DistributionConfig"]
    assert config["Aliases"] == ["status.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": DOMAIN.certificate_arn,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    records = list(of_type(template, "AWS::Route53::RecordSet").values())
    assert sorted((one["Name"], one["Type"]) for one in records) == [
        ("status.example.com.", "A"),
        ("status.example.com.", "AAAA"),
    ]
    assert {one["AliasTarget"]["HostedZoneId"] for one in records} == {"Z2FDTNDATAQYW2"}
    assert isinstance(made.distribution, cloudfront.CfnDistribution)


# The function and its feed.


def test_what_the_function_may_do(made: Made) -> None:
    """Four objects, its queue, its log, and to read alarms of the services' region: that one statement is on *."""
    template = made.page
    bucket = arn_of(template, "AWS::S3::Bucket")
    objects, see, alarms, queue, log = statements(template, named(template, "AWS::IAM::Role"))
    assert objects["Action"] == ["s3:GetObject", "s3:PutObject"]
    keys = ("page/index.html", "page/ja/index.html", "page/status.json", "state/state.json")
    whole = [{"Fn::Join": ["", [bucket, f"/{key}"]]} for key in keys]
    assert sorted(objects["Resource"], key=str) == sorted(whole, key=str)
    assert (see["Action"], see["Resource"]) == ("s3:ListBucket", bucket)
    assert (alarms["Action"], alarms["Resource"]) == ("cloudwatch:DescribeAlarms", "*")
    assert alarms["Condition"] == {"StringEquals": {"aws:RequestedRegion": HERE}}
    assert (queue["Action"], queue["Resource"]) == ("sqs:SendMessage", arn_of(template, "AWS::SQS::Queue"))
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert all(one["Effect"] == "Allow" for one in (objects, see, alarms, queue, log))


def test_what_the_function_is_told(made: Made) -> None:
    """As it reads it; no secret."""
    function = only(made.page, "AWS::Lambda::Function")
    assert function["Handler"] == "runtime.status.handler.main"
    assert (function["Timeout"], function["Runtime"]) == (60, "python3.14")
    assert "ReservedConcurrentExecutions" not in function
    (text,) = function["Environment"]["Variables"].values()
    bucket = {"Ref": named(made.page, "AWS::S3::Bucket")}
    joined = "".join(part if isinstance(part, str) else BUCKET for part in text["Fn::Join"][1])
    assert bucket in text["Fn::Join"][1]
    settings = StatusSettings.from_environment({VARIABLE: joined})
    assert (settings.application, settings.environment, settings.account) == ("shop", "production", ACCOUNT)
    assert (settings.source_region, settings.bucket) == (HERE, BUCKET)
    assert settings.titles.ja == "ショップの稼働状況"
    assert [name for name, _ in settings.components] == ["web", "worker"]
    assert sorted(settings.alarms) == sorted(PAGE.alarm_names("shop", "production"))


def rules(template: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one of the clock, and the one of alarms."""
    found = sorted(of_type(template, "AWS::Events::Rule").values(), key=lambda rule: "EventPattern" in rule)
    return found[0], found[1]


def test_the_function_is_called_each_minute_and_by_each_change(made: Made) -> None:
    """The clock heals what an event did not bring. What cannot be delivered is tried for a quarter of an hour, and kept
    in the queue; so is what the function fails at, after two more tries."""
    clock, changes = rules(made.page)
    assert clock["ScheduleExpression"] == "rate(1 minute)"
    assert changes["EventBusName"] == {"Ref": named(made.page, "AWS::Events::EventBus")}
    pattern = changes["EventPattern"]
    assert (pattern["account"], pattern["region"]) == ([ACCOUNT], [HERE])
    (target,) = changes["Targets"]
    function, queue = arn_of(made.page, "AWS::Lambda::Function"), arn_of(made.page, "AWS::SQS::Queue")
    assert target["Arn"] == clock["Targets"][0]["Arn"] == function
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 20}
    assert target["DeadLetterConfig"] == {"Arn": queue}
    retries = only(made.page, "AWS::Lambda::EventInvokeConfig")
    assert (retries["MaximumRetryAttempts"], retries["MaximumEventAgeInSeconds"]) == (2, 900)
    assert retries["DestinationConfig"] == {"OnFailure": {"Destination": queue}}
    callers = of_type(made.page, "AWS::Lambda::Permission").values()
    ids = set(of_type(made.page, "AWS::Events::Rule"))
    assert {one["SourceArn"]["Fn::GetAtt"][0] for one in callers} == ids


@pytest.mark.parametrize("side", ["page", "feed"])
def test_both_sides_let_the_composites_through_and_nothing_else(side: str, made: Made) -> None:
    """Of this environment: the two of each component, whatever its name."""
    template: Template = getattr(made, side)
    (pattern,) = (
        rule["EventPattern"] for rule in of_type(template, "AWS::Events::Rule").values() if "EventPattern" in rule
    )
    assert pattern["source"] == ["aws.cloudwatch"]
    assert pattern["detail-type"] == ["CloudWatch Alarm State Change"]
    assert pattern["detail"] == {
        "alarmName": [{"wildcard": "shop/production/*/degraded"}, {"wildcard": "shop/production/*/outage"}]
    }


def test_the_feed_may_send_to_this_bus_only(made: Made) -> None:
    """Its role is EventBridge's in this account, and the bus admits that role."""
    role = only(made.feed, "AWS::IAM::Role")
    (statement,) = statements(made.feed, named(made.feed, "AWS::IAM::Role"))
    (target,) = only(made.feed, "AWS::Events::Rule")["Targets"]
    assert (listed(statement["Action"]), statement["Resource"]) == (["events:PutEvents"], target["Arn"])
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert target["RoleArn"] == arn_of(made.feed, "AWS::IAM::Role")
    (admitted,) = only(made.page, "AWS::Events::EventBus")["Policy"]["Statement"]
    assert text(admitted["Principal"]["AWS"]) == f"arn:aws:iam::{ACCOUNT}:root"
    role_arn = text(admitted["Condition"]["ArnEquals"]["aws:PrincipalArn"])
    assert role_arn == f"arn:aws:iam::{ACCOUNT}:role/{role['RoleName']}"
    assert admitted["Condition"]["StringEquals"] == {"events:source": "aws.cloudwatch"}


@pytest.mark.parametrize("side", ["page", "feed"])
def test_dead_letters_are_kept_and_only_the_rule_writes_them(side: str, made: Made) -> None:
    """Two weeks, encrypted, over TLS; and an alarm tells of them."""
    template: Template = getattr(made, side)
    queue = only(template, "AWS::SQS::Queue")
    assert queue == {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True}
    write, tls = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    (rule,) = (key for key, one in of_type(template, "AWS::Events::Rule").items() if "EventPattern" in one)
    assert write["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}
    (target,) = template["Resources"][rule]["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": arn_of(template, "AWS::SQS::Queue")}


def test_the_page_is_watched_too(made: Made) -> None:
    """Failing, silent, letters left: notices; nobody is woken for the page itself."""
    by_what: dict[str, AlarmSpec] = {one.what: one for one in (*made.status.alarms, *made.source.alarms)}
    assert set(by_what) == {"status-page-failing", "status-page-silent", "status-page-letters", "status-source-letters"}
    assert {one.severity for one in by_what.values()} == {"notice"}
    assert {one.felt for one in by_what.values()} == {None}
    silent = by_what["status-page-silent"].threshold
    assert (silent.missing, silent.comparison, silent.periods) == ("breaching", "LessThanThreshold", 5)
    assert by_what["status-page-failing"].threshold.missing == "notBreaching"


def test_commands_find_it(made: Made) -> None:
    """In the page's region all that they need; in the services' where to look."""
    here, there = only(made.feed, "AWS::SSM::Parameter"), only(made.page, "AWS::SSM::Parameter")
    assert here["Name"] == there["Name"] == "/moorings/shop/production/status-page"
    assert json.loads(here["Value"]) == {"page_region": THERE}
    parts = there["Value"]["Fn::Join"][1]
    shown = [part if isinstance(part, str) else next(iter(part)) for part in parts]
    text = json.loads("".join(shown))
    assert (text["application"], text["environment"]) == ("shop", "production")
    assert (text["account"], text["region"]) == (ACCOUNT, THERE)
    assert {"Ref": named(made.page, "AWS::S3::Bucket")} in parts


def test_in_one_region_there_is_one_parameter() -> None:
    """The feed says nothing where the page does; two stacks with one name could not be deployed."""
    plain = stack()
    StatusSource(plain, "Feed", **NAMES)
    assert of_type(synthesize(plain), "AWS::SSM::Parameter") == {}
    again = stack()
    StatusSource(again, "Feed", **NAMES, page_region="eu-west-1")
    assert of_type(synthesize(again), "AWS::SSM::Parameter") == {}


def test_in_any_account_and_the_own_region() -> None:
    """Without an account the names are joined when CloudFormation deploys; without a region it is the stack's own."""
    plain = stack()
    StatusPage(plain, "Status", **NAMES, page=PAGE)
    template = synthesize(plain)
    joined = only(template, "AWS::S3::Bucket")["BucketName"]["Fn::Join"][1]
    assert joined == ["shop--production--status-", {"Ref": "AWS::AccountId"}, "-eu-west-1"]
    _, changes = rules(template)
    assert changes["EventPattern"]["region"] == ["eu-west-1"]
    assert changes["EventPattern"]["account"] == [{"Ref": "AWS::AccountId"}]


def test_it_runs_alone_without_any_custom_resource(made: Made) -> None:
    """No Node function beside ours: one function in all."""
    assert len(of_type(made.page, "AWS::Lambda::Function")) == 1
    assert not [
        one for one in made.page["Resources"].values() if one["Type"].startswith(("Custom::", "AWS::CloudFormation::"))
    ]
    assert len(made.page["Resources"]) == 18


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"application": "Shop"}, "application", "Shop", "lower-case"),
        ({"environment": "pin-x"}, "environment", "pin-x", "does not begin with 'pin'"),
        ({"page": "Shop"}, "page", "Shop", "a StatusPagePolicy"),
        ({"source_region": ""}, "source_region", "", "not empty"),
    ],
)
def test_a_wrong_page_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """In one sentence, and nothing is made."""
    plain = stack()
    given = {**NAMES, "page": PAGE, **changes}
    refused(lambda: StatusPage(plain, "Status", **given), what, value, allowed)
    assert plain.node.try_find_child("Status") is None


def test_more_titles_than_the_function_holds() -> None:
    """4 KB of settings: told before anything is made."""
    many = tuple(StatusComponent(name=f"service-{n}", en="あ" * 80, ja="あ" * 80) for n in range(17))
    page = StatusPagePolicy(en="Shop", components=many)
    with pytest.raises(ValueError, match="4096 bytes at most"):
        StatusPage(stack(), "Status", **NAMES, page=page)


def test_a_wrong_feed_is_refused() -> None:
    """Likewise."""
    refused(lambda: StatusSource(stack(), "Feed", **NAMES, page_region=""), "page_region", "", "not empty")
    refused(
        lambda: StatusSource(stack(), "Feed", application="Shop", environment="x"), "application", "Shop", "lower-case"
    )


def test_permissions_name_all_and_only_once(made: Made) -> None:
    """No action of the page or the feed has a wildcard in it."""
    for template in (made.page, made.feed):
        for role in of_type(template, "AWS::IAM::Role"):
            for statement in statements(template, role):
                assert not [action for action in listed(statement["Action"]) if "*" in action]
