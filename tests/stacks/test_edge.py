"""CloudFront before the load balancers of an environment, so that visitors see a page instead of 504 (lesson Q4)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.traffic.unavailable_page import UnavailablePage
from stacks.application import application
from stacks.config import EnvironmentConfig
from stacks.domain import Domain
from tests.services.traffic.edge_model import Answer, Site
from tests.stacks.variants import variants
from tests.support import Template, of_type, only, refused

(EDGE,) = (each for each in variants() if each.name == "edge")
assert EDGE.domain is not None
DOMAIN = EDGE.domain
DISTRIBUTION = "AWS::CloudFront::Distribution"
RECORD = "AWS::Route53::RecordSet"


def services_of(config: EnvironmentConfig, folder: Path) -> Template:
    """The template of an environment's services."""
    application([config], checked=False, outdir=str(folder)).synth()
    (path,) = (each for each in folder.rglob("*.template.json") if "services" in each.name)
    template: Template = json.loads(path.read_text())
    return template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Two services behind CloudFront, one of them with a name of its own."""
    (web,) = EDGE.services
    budget = TimeoutBudget(idle_seconds=70, caller_seconds=100, keep_alive_seconds=80)
    services = (web, replace(web, name="api", subdomain="api", timeouts=budget))
    return services_of(replace(EDGE, services=services), tmp_path_factory.mktemp("edge"))


def test_each_name_leads_to_its_distribution(template: Template) -> None:
    """Route 53 points to CloudFront, whose zone is the same everywhere, and each distribution has one name."""
    aliases = {key: made["DistributionConfig"]["Aliases"] for key, made in of_type(template, DISTRIBUTION).items()}
    assert sorted(aliases.values()) == [["api.edge.example.com"], ["edge.example.com"]]
    records = of_type(template, RECORD).values()
    assert len(records) == 2
    for record in records:
        (logical_id, attribute) = record["AliasTarget"]["DNSName"]["Fn::GetAtt"]
        assert attribute == "DomainName"
        assert aliases[logical_id] == [record["Name"].removesuffix(".")]
        zone = record["AliasTarget"]["HostedZoneId"]
        assert zone == "Z2FDTNDATAQYW2" or "Z2FDTNDATAQYW2" in str(template["Mappings"])


def test_cloudfront_waits_as_the_budget_of_each_service_says(template: Template) -> None:
    """Each longer than its own load balancer's idle timeout (T3)."""
    waits = {}
    for made in of_type(template, DISTRIBUTION).values():
        settings = made["DistributionConfig"]
        waits[settings["Aliases"][0]] = settings["Origins"][0]["CustomOriginConfig"]["OriginReadTimeout"]
    assert waits == {"edge.example.com": 90, "api.edge.example.com": 100}


def test_both_distributions_are_before_their_own_load_balancer(template: Template) -> None:
    """The page's rule and the origin belong to the same load balancer, on its HTTPS listener."""
    listeners = of_type(template, "AWS::ElasticLoadBalancingV2::Listener")
    rules = of_type(template, "AWS::ElasticLoadBalancingV2::ListenerRule")
    by_rule = {listeners[rule["ListenerArn"]["Ref"]]["LoadBalancerArn"]["Ref"] for rule in rules.values()}
    origins = [made["DistributionConfig"]["Origins"][0] for made in of_type(template, DISTRIBUTION).values()]
    assert by_rule == {origin["DomainName"]["Fn::GetAtt"][0] for origin in origins}
    assert {listeners[rule["ListenerArn"]["Ref"]]["Port"] for rule in rules.values()} == {443}


def test_visitors_of_the_app_see_its_page(tmp_path: Path) -> None:
    """Before the first release no task is there, so the page can be seen by everybody as soon as all is deployed."""
    made = services_of(EDGE, tmp_path)
    names = {DOMAIN.certificate_arn: {"edge.example.com"}}
    page = UnavailablePage(title="Shop closed", sentence="We are mending it.").html()
    assert Site(made, names, targets=503).visit("/", host="edge.example.com") == Answer(503, page)
    assert Site(made, names).visit("/", host="edge.example.com") == Answer(200, "application: 200")


def test_without_a_second_certificate_nothing_changes(tmp_path: Path) -> None:
    """Opt-in: the name leads to the load balancer, and no page is there."""
    made = services_of(
        replace(
            EDGE,
            domain=Domain(
                name=DOMAIN.name, certificate_arn=DOMAIN.certificate_arn, hosted_zone_id=DOMAIN.hosted_zone_id
            ),
        ),
        tmp_path,
    )
    assert of_type(made, DISTRIBUTION) == {}
    assert of_type(made, "AWS::ElasticLoadBalancingV2::ListenerRule") == {}
    assert "elb" not in str(only(made, RECORD)["Name"])
    assert "LoadBalancer" in str(only(made, RECORD)["AliasTarget"])


def test_without_a_zone_the_record_is_left_to_you(tmp_path: Path) -> None:
    """The distribution is there all the same, with the site's name."""
    made = services_of(replace(EDGE, domain=replace(DOMAIN, hosted_zone_id=None)), tmp_path)
    assert of_type(made, RECORD) == {}
    assert only(made, DISTRIBUTION)["DistributionConfig"]["Aliases"] == ["edge.example.com"]


def test_an_internal_environment_gets_no_page() -> None:
    """CloudFront cannot reach an internal load balancer, and who is inside is no visitor."""
    refused(
        lambda: replace(EDGE, internet_facing=False),
        "edge_certificate_arn",
        DOMAIN.edge_certificate_arn,
        "left out of an internal environment",
    )


def test_a_service_that_waits_longer_than_cloudfront_is_refused() -> None:
    """CloudFront is the caller of a service's budget; without it the same budget is fine."""
    (web,) = EDGE.services
    slow = replace(web, timeouts=TimeoutBudget(caller_seconds=121))
    refused(lambda: replace(EDGE, services=(slow,)), "caller_seconds", 121, "at most 120 behind CloudFront")
    assert replace(EDGE, services=(slow,), domain=None).services == (slow,)


def test_a_page_without_cloudfront_is_refused() -> None:
    """Whoever writes a text must be told that nobody would see it."""
    refused(
        lambda: replace(DOMAIN, edge_certificate_arn=None),
        "unavailable_page",
        "Shop closed",
        "left out without an edge_certificate_arn",
    )


def test_a_certificate_of_the_load_balancers_region_is_refused() -> None:
    """CloudFront takes certificates of us-east-1 only, and says so only in the middle of a deployment."""
    local = DOMAIN.certificate_arn
    refused(lambda: replace(DOMAIN, edge_certificate_arn=local), "edge_certificate_arn", local, "in us-east-1")
