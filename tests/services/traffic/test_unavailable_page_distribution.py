"""What a visitor gets when no target answers: before, of a load balancer alone; after, through CloudFront (lesson Q4).

``edge_model.py`` reads the synthesized templates; it is a model of AWS's documents, not AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.traffic.ingress import OwnLoadBalancer, SharedListener
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.traffic.unavailable_page import EdgeWaits, UnavailablePage
from constructs_lib.services.traffic.unavailable_page_distribution import UnavailablePageDistribution
from tests.services.conftest import CERTIFICATE, CHECK, parts
from tests.services.traffic.edge_model import Answer, Site
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, refused, stack, synthesize, vpc

EDGE_CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/4567"
NAMES = {CERTIFICATE: {"shop.example.com"}}
PAGE = UnavailablePage(title="Shop closed", sentence="Come back in a minute.")
DISTRIBUTION = "AWS::CloudFront::Distribution"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
BUDGET = TimeoutBudget(idle_seconds=50, caller_seconds=70)

Templates = Mapping[str, Template]


def ours(app: App) -> None:
    """A service of ours with its own name, behind CloudFront."""
    scope = stack(app, "Ours")
    cluster, repository = parts(scope)
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        timeouts=BUDGET,
        ingress=OwnLoadBalancer(internet_facing=True, certificate_arn=CERTIFICATE),
    )
    UnavailablePageDistribution(
        scope,
        "Edge",
        load_balancer=web.load_balancer,
        listener=web.listener,
        page=PAGE,
        domain_names=["shop.example.com"],
        certificate_arn=EDGE_CERTIFICATE,
        timeouts=BUDGET,
    )


def balancer(scope: Stack, **listening: Any) -> tuple[elbv2.ApplicationLoadBalancer, elbv2.ApplicationListener]:
    """Somebody's load balancer, with a plain ``ecs.FargateService`` behind it."""
    made = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=vpc(scope), internet_facing=True)
    task = ecs.FargateTaskDefinition(scope, "Task")
    image = ecs.ContainerImage.from_registry("nginx")
    task.add_container("web", image=image, port_mappings=[ecs.PortMapping(container_port=80)])
    cluster = ecs.Cluster(scope, "Cluster", vpc=made.vpc)
    service = ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)
    group = elbv2.ApplicationTargetGroup(scope, "Group", vpc=made.vpc, port=80, targets=[service])
    return made, made.add_listener("Listener", default_target_groups=[group], **listening)


def alone(app: App) -> None:
    """The part alone, before a plain service, with no name and no certificate."""
    scope = stack(app, "Alone")
    made, listener = balancer(scope, port=80)
    UnavailablePageDistribution(scope, "Edge", load_balancer=made, listener=listener)


def named(app: App) -> None:
    """The load balancer has a name of its own in its certificate, and its rules begin at 7."""
    scope = stack(app, "Named")
    made, listener = balancer(scope, port=443, certificates=[elbv2.ListenerCertificate.from_arn(CERTIFICATE)])
    UnavailablePageDistribution(
        scope,
        "Edge",
        load_balancer=made,
        listener=listener,
        priority=7,
        domain_names=["shop.example.com", "*.shop.example.com"],
        certificate_arn=EDGE_CERTIFICATE,
        origin_name="origin.example.com",
        waits=EdgeWaits(connect_seconds=3, attempts=1),
    )


def plain(app: App) -> None:
    """What plain CDK's own pattern makes."""
    scope = stack(app, "Plain")
    cluster, repository = parts(scope)
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=cluster,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository)
        ),
    )


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> Templates:
    """All of the above, with none of CDK's feature flags and with all."""
    app = App(context=request.param)
    for make in (ours, alone, named, plain):
        make(app)
    return {each.stack_name: each.template for each in app.synth().stacks}


def site(template: Template, **state: Any) -> Site:
    """A site as a template makes it, at a moment."""
    return Site(template, NAMES, **state)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_before_visitors_see_what_the_load_balancer_says(status: int, made: Templates) -> None:
    """Plain CDK's pattern passes the load balancer's own 502, 503 and 504 on to the visitor: incident Q."""
    assert site(made["Plain"], targets=status).visit("/cart") == Answer(status, f"load balancer: {status}")
    assert of_type(made["Plain"], RULE) == {}


@pytest.mark.parametrize("path", ["/", "/cart", "/api/orders"])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_after_visitors_see_a_page(status: int, path: str, made: Templates) -> None:
    """The same moment through CloudFront: the page, and a 503 for programs."""
    assert site(made["Ours"], targets=status).visit(path) == Answer(503, PAGE.html())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("page_method", [None, "GET"])
def test_after_whatever_was_asked(method: str, page_method: str | None, made: Templates) -> None:
    """Also who sends a form sees the page, whichever method CloudFront asks for it with."""
    here = site(made["Ours"], targets=504, page_method=page_method)
    assert here.visit("/cart", method=method) == Answer(503, PAGE.html())


@pytest.mark.parametrize("status", [200, 301, 304, 400, 401, 403, 404, 405, 410, 414, 429, 500, 501])
def test_every_other_answer_passes_unchanged(status: int, made: Templates) -> None:
    """What the application answers is the application's; only 502, 503 and 504 are replaced."""
    assert site(made["Ours"], targets=status).visit("/cart") == Answer(status, f"application: {status}")


@pytest.mark.parametrize("status", [404, 405, 414, 500, 501, 502, 503, 504])
def test_no_error_outlives_its_cause(status: int, made: Templates) -> None:
    """The next request reaches the application again: an error is given to nobody else, not even for ten seconds."""
    here = site(made["Ours"], targets=status)
    here.visit("/cart")
    here.targets = 200
    assert here.visit("/cart") == Answer(200, "application: 200")


def test_nothing_of_the_application_is_kept(made: Templates) -> None:
    """What one visitor gets, the next one does not get from a cache."""
    here = site(made["Ours"])
    here.visit("/cart")
    here.targets = 404
    assert here.visit("/cart").status == 404


@pytest.mark.parametrize("unreachable", [502, 504])
def test_an_edge_that_has_the_page_shows_it_without_the_load_balancer(unreachable: int, made: Templates) -> None:
    """The page survives the load balancer where it was shown within a day, and longer while the edge keeps it."""
    here = site(made["Ours"], targets=503, unreachable=unreachable)
    here.visit("/")
    here.targets = None
    for hours in (1, 23, 48):
        here.now = hours * 3600
        assert here.visit("/cart") == Answer(503, PAGE.html())


def test_an_edge_that_never_had_the_page_cannot_show_it(made: Templates) -> None:
    """What is not promised: without the load balancer, an edge that has no copy shows CloudFront's own words."""
    assert site(made["Ours"], targets=None).visit("/").status == 504


def test_the_page_itself_is_no_error(made: Templates) -> None:
    """Its own path answers 200, tasks or no tasks: CloudFront keeps it and shows it only so."""
    assert site(made["Ours"], targets=503).visit(PAGE.path()) == Answer(200, PAGE.html())
    assert fixed(made["Ours"])["ContentType"] == "text/html"


def test_while_a_new_text_is_deployed_the_page_is_there(made: Templates) -> None:
    """The rule changes in seconds and CloudFront in minutes: until then it asks for the path of the text before."""
    assert site(made["Ours"], targets=503).visit(UnavailablePage().path()) == Answer(200, PAGE.html())


def test_each_error_is_named_once(made: Templates) -> None:
    """By hand: three are replaced, the others that CloudFront would keep are passed on; none of them is kept."""
    rows = config(made["Ours"])["CustomErrorResponses"]
    assert [row["ErrorCode"] for row in rows] == [502, 503, 504, 404, 405, 414, 500, 501]
    assert [row.get("ResponseCode") for row in rows] == [503, 503, 503, None, None, None, None, None]
    assert {row["ErrorCachingMinTTL"] for row in rows} == {0}


def test_alone_before_a_plain_service(made: Templates) -> None:
    """Before anybody's load balancer, under CloudFront's own name, without a certificate."""
    here = site(made["Alone"], targets=504)
    assert here.visit("/", host="d111.cloudfront.net") == Answer(503, UnavailablePage().html())
    here.targets = 200
    assert here.visit("/", host="d111.cloudfront.net") == Answer(200, "application: 200")


def test_a_name_of_the_load_balancer_will_do_too(made: Templates) -> None:
    """With a name of its own in its certificate, it need not have the site's."""
    here = Site(made["Named"], {CERTIFICATE: {"origin.example.com"}}, targets=504)
    assert here.visit("/") == Answer(503, UnavailablePage().html())


def config(template: Template) -> dict[str, Any]:
    """The settings of the one distribution."""
    found: dict[str, Any] = only(template, DISTRIBUTION)["DistributionConfig"]
    return found


def test_what_is_said_to_cloudfront(made: Templates) -> None:
    """By hand: TLS 1.2 on both sides, the budget's time-out, two attempts of 5 s, IPv4 as the load balancer has."""
    settings = config(made["Ours"])
    (origin,) = settings["Origins"]
    assert origin["ConnectionAttempts"] == 2
    assert origin["ConnectionTimeout"] == 5
    assert origin["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
        "OriginReadTimeout": 70,
    }
    assert settings["ViewerCertificate"] == {
        "AcmCertificateArn": EDGE_CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert settings["Aliases"] == ["shop.example.com"]
    assert settings["Enabled"] is True
    assert settings["IPV6Enabled"] is False
    assert settings["HttpVersion"] == "http2"
    assert settings["Comment"] == "Ours/Edge: a page when no target answers"
    for behavior in (settings["DefaultCacheBehavior"], *settings["CacheBehaviors"]):
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    # Everything that a visitor sends: cookies, queries, the upgrade of a WebSocket.
    assert settings["DefaultCacheBehavior"]["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    # Of a visitor who is shown the page, nothing but the site's name goes to the load balancer.
    assert settings["CacheBehaviors"][0]["OriginRequestPolicyId"] == "bf0718e1-ba1e-49d1-88b1-f726733018ae"


def test_what_can_be_changed_is_changed(made: Templates) -> None:
    """Names, the origin's name, the rule's priority and the waits."""
    settings = config(made["Named"])
    (origin,) = settings["Origins"]
    assert (origin["ConnectionAttempts"], origin["ConnectionTimeout"]) == (1, 3)
    assert origin["DomainName"] == "origin.example.com"
    assert settings["Aliases"] == ["shop.example.com", "*.shop.example.com"]
    assert only(made["Named"], RULE)["Priority"] == 7
    assert only(made["Ours"], RULE)["Priority"] == 1


def test_without_a_name_of_ones_own(made: Templates) -> None:
    """CloudFront's name and certificate for visitors; plain HTTP to a load balancer that has no certificate."""
    settings = config(made["Alone"])
    (origin,) = settings["Origins"]
    assert settings["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert "Aliases" not in settings
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
    assert set(origin["DomainName"]["Fn::GetAtt"]) == {next(iter(of_type(made["Alone"], BALANCER))), "DNSName"}


BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def test_a_name_of_the_load_balancer_alone_is_enough_for_https() -> None:
    """Who has no name for visitors may have one for the load balancer: then nothing goes there in plain text."""
    scope = stack()
    values = listening(scope) | {"domain_names": (), "certificate_arn": None, "origin_name": "origin.example.com"}
    UnavailablePageDistribution(scope, "Edge", **values)
    (origin,) = config(synthesize(scope))["Origins"]
    assert origin["DomainName"] == "origin.example.com"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_a_comment_is_as_long_as_cloudfront_takes() -> None:
    """128 letters: of a longer path the end is kept, which says what it is."""
    scope = stack()
    UnavailablePageDistribution(scope, "E" * 150, **listening(scope))
    comment = config(synthesize(scope))["Comment"]
    assert len(comment) == 128
    assert comment.endswith("EEE: a page when no target answers")


def test_it_costs_two_resources(made: Templates) -> None:
    """A rule and a distribution: no bucket, no function, nothing that must change in an outage."""
    more = [each["Type"] for key, each in made["Alone"]["Resources"].items() if key.startswith("Edge")]
    assert sorted(more) == [DISTRIBUTION, RULE]


def test_a_release_leaves_it_alone(made: Templates) -> None:
    """Neither resource depends on a condition or a parameter, so the role of a release need not know them."""
    for kind in (DISTRIBUTION, RULE):
        for resource in made["Ours"]["Resources"].values():
            if resource["Type"] == kind:
                assert "Condition" not in resource
                assert "Fn::If" not in str(resource)


def distribution(template: Template) -> dict[str, Any]:
    return config(template)


def error(template: Template, code: int) -> dict[str, Any]:
    (row,) = (each for each in config(template)["CustomErrorResponses"] if each["ErrorCode"] == code)
    found: dict[str, Any] = row
    return found


def rule(template: Template) -> dict[str, Any]:
    return only(template, RULE)


def fixed(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = rule(template)["Actions"][0]["FixedResponseConfig"]
    return found


def https(template: Template) -> dict[str, Any]:
    kind = "AWS::ElasticLoadBalancingV2::Listener"
    (found,) = (each for each in of_type(template, kind).values() if each["Port"] == 443)
    return found


def catch_all(template: Template) -> None:
    """Somebody's rule for every path, before the page's."""
    rule(template)["Priority"] = 2
    template["Resources"]["Other"] = {
        "Type": RULE,
        "Properties": {
            "ListenerArn": rule(template)["ListenerArn"],
            "Priority": 1,
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            "Actions": [{"Type": "forward"}],
        },
    }


BREAKS: dict[str, Callable[[Template], object]] = {
    "no page for 504": lambda t: error(t, 504).pop("ResponsePagePath"),
    "a 200 for 504": lambda t: error(t, 504).update(ResponseCode=200),
    "a page that is elsewhere": lambda t: error(t, 504).update(ResponsePagePath="/error.html"),
    "errors are kept": lambda t: error(t, 504).pop("ErrorCachingMinTTL"),
    "no behavior for the page": lambda t: distribution(t).pop("CacheBehaviors"),
    "the page without the site's name": lambda t: distribution(t)["CacheBehaviors"][0].pop("OriginRequestPolicyId"),
    "the page for GET only": lambda t: distribution(t)["CacheBehaviors"][0].pop("AllowedMethods"),
    "the page is not kept": lambda t: distribution(t)["CacheBehaviors"][0].update(
        CachePolicyId="4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    ),
    "the site is kept": lambda t: distribution(t)["DefaultCacheBehavior"].update(
        CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6"
    ),
    "the site without its name": lambda t: distribution(t)["DefaultCacheBehavior"].update(
        OriginRequestPolicyId="b689b0a8-53d0-40ab-baf2-68738e2966ac"
    ),
    "the site for GET only": lambda t: distribution(t)["DefaultCacheBehavior"].pop("AllowedMethods"),
    "plain HTTP to the load balancer": lambda t: distribution(t)["Origins"][0]["CustomOriginConfig"].update(
        OriginProtocolPolicy="http-only"
    ),
    "no name of the site": lambda t: distribution(t).pop("Aliases"),
    "a rule for another path": lambda t: rule(t)["Conditions"][0]["PathPatternConfig"].update(Values=["/gone/*"]),
    "a rule on another listener": lambda t: rule(t).update(ListenerArn={"Ref": "Elsewhere"}),
    "a page that is an error": lambda t: fixed(t).update(StatusCode="503"),
    "another page": lambda t: fixed(t).update(MessageBody="<h1>Hello</h1>"),
    "somebody's rule before it": catch_all,
    "another certificate": lambda t: https(t).update(Certificates=[{"CertificateArn": EDGE_CERTIFICATE}]),
    "an internal load balancer": lambda t: only(t, BALANCER).update(Scheme="internal"),
}


def works(template: Template) -> bool:
    """The promise as a whole: the site, the page for GET and POST, its end at once, and the page without the load
    balancer."""
    here = Site(template, NAMES | {EDGE_CERTIFICATE: {"other.example.com"}}, targets=504)
    shown = Answer(503, PAGE.html())
    during = [here.visit("/cart"), here.visit("/cart", method="POST")]
    here.targets = 200
    after = [here.visit("/cart"), here.visit("/cart", method="POST")]
    here.targets = 404
    fresh = here.visit("/cart").status
    here.targets = None
    without = here.visit("/other")
    return (
        during == [shown, shown]
        and after == [Answer(200, "application: 200")] * 2
        and fresh == 404
        and without == shown
    )


@pytest.mark.parametrize("what", BREAKS)
def test_the_model_sees_what_would_break_the_promise(what: str, made: Templates) -> None:
    """Each change of the template by hand takes something from visitors, and the model tells."""
    template = deepcopy(made["Ours"])
    assert works(template)
    BREAKS[what](template)
    assert not works(template)


def listening(scope: Stack, *, internet_facing: bool = True) -> dict[str, Any]:
    """What a distribution needs."""
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=vpc(scope), internet_facing=internet_facing)
    action = elbv2.ListenerAction.fixed_response(404)
    return {
        "load_balancer": balancer,
        "listener": balancer.add_listener("Listener", port=80, default_action=action),
        "domain_names": ["shop.example.com"],
        "certificate_arn": EDGE_CERTIFICATE,
    }


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"certificate_arn": CERTIFICATE}, "certificate_arn", CERTIFICATE, "of a certificate in us-east-1"),
        ({"certificate_arn": "x"}, "certificate_arn", "x", "the ARN of an ACM certificate"),
        (
            {"certificate_arn": None},
            "domain_names and certificate_arn",
            (["shop.example.com"], None),
            "given together",
        ),
        ({"domain_names": ()}, "domain_names and certificate_arn", ([], EDGE_CERTIFICATE), "given together"),
        ({"domain_names": ["Shop"]}, "domain_names", "Shop", "domain names in lower case"),
        ({"domain_names": "shop.example.com"}, "domain_names", "shop.example.com", "a sequence of names"),
        ({"domain_names": ["a.b.com", "a.b.com"]}, "domain_names", ["a.b.com", "a.b.com"], "all different"),
        ({"priority": 0}, "priority", 0, "from 1 to 50000"),
        ({"priority": 50001}, "priority", 50001, "from 1 to 50000"),
        ({"origin_name": ""}, "origin_name", "", "not empty"),
        (
            {"timeouts": TimeoutBudget(caller_seconds=121)},
            "caller_seconds",
            121,
            "at most 120 behind CloudFront",
        ),
    ],
)
def test_what_could_not_be_deployed_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """In one sentence, before anything is made."""
    scope = stack()
    values = listening(scope) | changes
    refused(lambda: UnavailablePageDistribution(scope, "Edge", **values), what, value, allowed)
    assert scope.node.try_find_child("Edge") is None


def test_an_internal_load_balancer_gets_no_distribution() -> None:
    """CloudFront could not reach it, and visitors would see nothing but its error."""
    scope = stack()
    values = listening(scope, internet_facing=False)
    refused(
        lambda: UnavailablePageDistribution(scope, "Edge", **values),
        "load_balancer",
        "Stack/Balancer",
        "internet-facing",
    )


def test_an_imported_load_balancer_and_a_certificate_that_is_a_token() -> None:
    """What is known at deployment only is taken as it is: a load balancer of another app, a certificate of this one."""
    scope = stack()
    group = ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0123")
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/x/0123"
    imported = elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes(
        scope, "Balancer", load_balancer_arn=arn, security_group_id="sg-0123", load_balancer_dns_name="x.example.com"
    )
    listener = elbv2.ApplicationListener.from_application_listener_attributes(
        scope, "Listener", listener_arn=arn.replace("loadbalancer", "listener") + "/4567", security_group=group
    )
    edge = UnavailablePageDistribution(
        scope,
        "Edge",
        load_balancer=imported,
        listener=listener,
        domain_names=["shop.example.com"],
        certificate_arn=CfnParameter(scope, "Certificate").value_as_string,
    )
    template = synthesize(scope)
    assert config(template)["Origins"][0]["DomainName"] == "x.example.com"
    assert config(template)["ViewerCertificate"]["AcmCertificateArn"] == {"Ref": "Certificate"}
    assert rule(template)["ListenerArn"].endswith("/4567")
    assert edge.distribution.distribution_domain_name == edge.domain_name


def test_a_shared_listener_is_told_too() -> None:
    """A service says which listener passes requests on to it, its own or one that was given."""
    scope = stack()
    cluster, repository = parts(scope)
    balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=cluster.vpc, internet_facing=True)
    listener = balancer.add_listener("Listener", port=80, default_action=elbv2.ListenerAction.fixed_response(404))
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        ingress=SharedListener(
            load_balancer=balancer,
            listener=listener,
            priority=2,
            conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
        ),
    )
    assert web.listener is listener
    UnavailablePageDistribution(scope, "Edge", load_balancer=web.load_balancer, listener=web.listener, page=PAGE)
    here = site(synthesize(scope), targets=503)
    assert here.visit("/", host="d111.cloudfront.net") == Answer(503, PAGE.html())


def test_a_deployment_that_shifts_traffic_leaves_the_page_alone() -> None:
    """ECS moves the traffic of a rule of its own, the last one of the listener; the page's comes before it (T4)."""
    scope = stack()
    cluster, repository = parts(scope)
    web = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        ingress=OwnLoadBalancer(internet_facing=True),
        deployment=DeploymentPolicy(strategy=DeploymentStrategy.BLUE_GREEN),
    )
    UnavailablePageDistribution(scope, "Edge", load_balancer=web.load_balancer, listener=web.listener, page=PAGE)
    template = synthesize(scope)
    assert sorted(int(each["Priority"]) for each in of_type(template, RULE).values()) == [1, 50000]
    here = site(template, targets=504)
    assert here.visit("/", host="d111.cloudfront.net") == Answer(503, PAGE.html())
    here.targets = 200
    assert here.visit("/", host="d111.cloudfront.net") == Answer(200, "application: 200")
