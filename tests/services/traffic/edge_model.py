"""A model of what CloudFront and an application load balancer do with a request, by AWS's documents.

It reads a synthesized template and says what a visitor gets. It is no AWS: it knows what these pages say, and where
they say nothing, it takes what a test tells it.

* Custom error responses: the page is fetched by the first cache behavior that matches its path, from that behavior's
  origin; when it does not come, the visitor gets the status with which it did not come; an error of a path is kept for
  its error caching minimum TTL, 10 seconds unless told otherwise, and only of a GET or HEAD; what is in the cache is
  shown, even expired, while the origin answers 5xx.
  https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
  https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html
* An origin's certificate must have the origin's domain name, or the Host header if that is forwarded; else 502.
  https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html
* A load balancer takes the first rule that matches, then the default action.
  https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tests.support import Template, of_type

SECONDS_KEPT = {
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": 0,
    "658327ea-f89d-4fab-a63d-7e88639e58f6": 86400,
}
"""For how long an answer without Cache-Control is kept, by cache policy: CachingDisabled, CachingOptimized."""

FORWARDS_HOST = {
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
    "216adef6-5c7f-47e4-b989-5492eafa07d3": True,
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": True,
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": False,
    None: False,
}
"""By origin request policy: AllViewer, HostHeaderOnly, AllViewerExceptHostHeader, none."""

ALWAYS_KEPT = {404, 405, 414, 500, 501, 502, 503, 504}
ERROR_SECONDS = 10


class Answer(NamedTuple):
    """What somebody gets."""

    status: int
    body: str


class Kept(NamedTuple):
    """What an edge has of a path."""

    answer: Answer
    until: float


@dataclass
class Site:
    """A load balancer, with or without CloudFront before it, as a template makes them.

    ``certificates``: the names in each certificate, by its ARN. ``targets``: what the load balancer answers for the
    targets; ``None`` when it cannot be reached itself, which CloudFront then calls ``unreachable``.
    ``page_method``: the method with which CloudFront asks for the page, where no document says it; ``None``: the
    visitor's own.
    """

    template: Template
    certificates: dict[str, set[str]]
    targets: int | None = 200
    unreachable: int = 504
    page_method: str | None = None
    now: float = 0
    edge: dict[str, Kept] = field(default_factory=dict)

    @property
    def distribution(self) -> dict[str, Any] | None:
        found = list(of_type(self.template, "AWS::CloudFront::Distribution").values())
        return found[0]["DistributionConfig"] if found else None

    def visit(self, path: str = "/", *, method: str = "GET", host: str = "shop.example.com") -> Answer:
        """What a visitor gets who asks for a path."""
        config = self.distribution
        if config is None:
            return self.balancer(path, port=443 if self.has_port(443) else 80)
        if host not in config.get("Aliases", []) and not host.endswith(".cloudfront.net"):
            return Answer(403, "CloudFront: no distribution has this name")
        got = self.through_edge(config, path, method, host)
        row = {row["ErrorCode"]: row for row in config.get("CustomErrorResponses", [])}.get(got.status, {})
        if "ResponsePagePath" not in row:
            return got
        page = self.through_edge(config, row["ResponsePagePath"], self.page_method or method, host)
        return Answer(row["ResponseCode"], page.body) if page.status == 200 else page

    def through_edge(self, config: dict[str, Any], path: str, method: str, host: str) -> Answer:
        behavior = next(
            (each for each in config.get("CacheBehaviors", []) if fnmatchcase(path, each["PathPattern"])),
            config["DefaultCacheBehavior"],
        )
        if method not in behavior.get("AllowedMethods", ["GET", "HEAD"]):
            return Answer(403, "CloudFront: method not allowed")
        keeps = method in ("GET", "HEAD")
        kept = self.edge.get(path) if keeps else None
        if kept and kept.until > self.now:
            return kept.answer
        got = self.origin(config, behavior, path, host)
        if kept and kept.answer.status == 200 and got.status >= 500:
            return kept.answer
        seconds: float = SECONDS_KEPT[behavior["CachePolicyId"]]
        if got.status >= 400:
            rows = {row["ErrorCode"]: row for row in config.get("CustomErrorResponses", [])}
            usual = ERROR_SECONDS if got.status in ALWAYS_KEPT else 0
            seconds = rows.get(got.status, {}).get("ErrorCachingMinTTL", usual)
        if keeps and seconds:
            self.edge[path] = Kept(got, self.now + seconds)
        return got

    def origin(self, config: dict[str, Any], behavior: dict[str, Any], path: str, host: str) -> Answer:
        (origin,) = (each for each in config["Origins"] if each["Id"] == behavior["TargetOriginId"])
        custom = origin["CustomOriginConfig"]
        encrypted = custom["OriginProtocolPolicy"] == "https-only"
        port = 443 if encrypted else 80
        (balancer,) = of_type(self.template, "AWS::ElasticLoadBalancingV2::LoadBalancer").values()
        if self.targets is None or balancer["Scheme"] != "internet-facing" or not self.has_port(port):
            return Answer(self.unreachable, "CloudFront: the origin cannot be reached")
        if encrypted:
            names = {origin["DomainName"]} if isinstance(origin["DomainName"], str) else set()
            if FORWARDS_HOST[behavior.get("OriginRequestPolicyId")]:
                names.add(host)
            (certificate,) = self.listener(port)["Certificates"]
            if not names & self.certificates[certificate["CertificateArn"]]:
                return Answer(502, "CloudFront: the origin's certificate has none of its names")
        return self.balancer(path, port=port)

    def has_port(self, port: int) -> bool:
        return port in {each["Port"] for each in of_type(self.template, LISTENER).values()}

    def listener(self, port: int) -> dict[str, Any]:
        (found,) = (each for each in of_type(self.template, LISTENER).values() if each["Port"] == port)
        return found

    def balancer(self, path: str, *, port: int) -> Answer:
        (name,) = (key for key, each in of_type(self.template, LISTENER).items() if each["Port"] == port)
        rules = [
            rule
            for rule in of_type(self.template, "AWS::ElasticLoadBalancingV2::ListenerRule").values()
            if rule["ListenerArn"] == {"Ref": name}
        ]
        for rule in sorted(rules, key=lambda each: int(each["Priority"])):
            if all(_matches(condition, path) for condition in rule["Conditions"]):
                return self.act(rule["Actions"][-1])
        return self.act(self.listener(port)["DefaultActions"][-1])

    def act(self, action: dict[str, Any]) -> Answer:
        if action["Type"] == "fixed-response":
            fixed = action["FixedResponseConfig"]
            return Answer(int(fixed["StatusCode"]), fixed.get("MessageBody", ""))
        if action["Type"] == "redirect":
            return Answer(int(action["RedirectConfig"]["StatusCode"].removeprefix("HTTP_")), "")
        assert self.targets is not None, "nobody asks a load balancer that cannot be reached"
        by_itself = self.targets in (502, 503, 504)
        return Answer(self.targets, f"load balancer: {self.targets}" if by_itself else f"application: {self.targets}")


LISTENER = "AWS::ElasticLoadBalancingV2::Listener"


def _matches(condition: dict[str, Any], path: str) -> bool:
    if condition["Field"] != "path-pattern":
        return False
    return any(fnmatchcase(path, pattern) for pattern in condition["PathPatternConfig"]["Values"])
