"""The environments are typed values: what is wrong fails in one sentence, before CDK starts (lessons Q1, T4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from constructs_lib.delivery.policy import GitHubSource, PullThroughCache
from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.observability.notification.targets import EmailTarget, SlackTarget, TeamsTarget
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.ports.local_ports import KERNEL
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import HealthCheck
from stacks.config import EnvironmentConfig, ExistingVpc, ServiceConfig, ServiceSize
from stacks.domain import Domain
from stacks.environments import ENVIRONMENTS
from stacks.landscape import check_environments
from stacks.releases import BuildSettings, PipelineSettings, Promotion, ReleasePolicy
from tests.support import DIGEST, TOKEN, refused, run_without_cdk

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/84941bd4-6795-4871-99f6-e2e4697138da"
WEB = ServiceConfig(name="web", health_check=HealthCheck.http("/healthz", port=8080, program="curl"))
WORKER = replace(WEB, name="worker", subdomain="worker")
DOMAIN = Domain(name="shop.example.com", certificate_arn=CERTIFICATE)
VPC = ExistingVpc(
    vpc_id="vpc-1", private_subnet_ids=("subnet-1", "subnet-2"), public_subnet_ids=("subnet-3", "subnet-4")
)
STAGING = EnvironmentConfig(
    application="shop",
    name="staging",
    region="eu-west-1",
    availability_zones=("eu-west-1a", "eu-west-1b"),
    source=GitHubSource(owner="example", repository="shop"),
    services=(WEB,),
)


def changed(**changes: Any) -> EnvironmentConfig:
    """The environment above, but for ``changes``."""
    return replace(STAGING, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"account": "111122223333"},
        {"region": "us-gov-west-1", "availability_zones": ("us-gov-west-1a", "us-gov-west-1b")},
        {"region": "ap-southeast-7", "availability_zones": ("ap-southeast-7a", "ap-southeast-7c")},
        {"region": "us-west-2", "availability_zones": ("us-west-2a", "us-west-2-lax-1a")},
        {"services": (WEB, WORKER)},
        {"services": (WEB, WORKER), "domain": DOMAIN},
        {"services": (WEB, replace(WORKER, subdomain=""))},
        {"network": VPC},
        {"internet_facing": True, "domain": DOMAIN},
        {"notify": (EmailTarget(address="ops@example.com"),)},
        {"services": (replace(WEB, secrets=("DATABASE_URL", "TOKEN"), environment=(("MODE", "shop"),)),)},
    ],
)
def test_a_right_environment_is_accepted(changes: dict[str, Any]) -> None:
    """What the issue promises can be described: accounts, regions, several services, an existing VPC, a domain."""
    made = changed(**changes)
    assert all(getattr(made, name) == value for name, value in changes.items())


def wrong(changes: Any, what: str, value: object, allowed: str) -> Any:
    """A row of the table below."""
    return pytest.param(changes, what, value, allowed, id=f"{what}={value}"[:70])


ONE_ZONE = ("eu-west-1a",)
OPS = EmailTarget(address="ops@example.com")
TWICE = ("eu-west-1a", "eu-west-1a")


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        wrong({"application": "Shop"}, "application", "Shop", "lower-case"),
        wrong({"application": TOKEN}, "application", TOKEN, "not a Token"),
        wrong({"name": "pre--production"}, "name", "pre--production", "single hyphens"),
        wrong({"name": "pin"}, "name", "pin", "begin with 'pin'"),
        wrong({"name": "pin-test"}, "name", "pin-test", "begin with 'pin'"),
        wrong({"account": "1234"}, "account", "1234", "12 digits"),
        wrong({"account": "١١١١٢٢٢٢٣٣٣٣"}, "account", "١١١١٢٢٢٢٣٣٣٣", "12 digits"),
        wrong({"account": TOKEN}, "account", TOKEN, "12 digits in quotes"),
        wrong({"region": "europe"}, "region", "europe", "an AWS region"),
        wrong({"region": TOKEN}, "region", TOKEN, "not a Token"),
        wrong({"availability_zones": ONE_ZONE}, "availability_zones", ONE_ZONE, "at least two different zones"),
        wrong({"availability_zones": TWICE}, "availability_zones", TWICE, "at least two different zones"),
        wrong({"availability_zones": ()}, "availability_zones", (), "at least two different zones"),
        wrong({"availability_zones": ("eu-west-1a", "eu-west-2a")}, "availability_zones", "eu-west-2a", "of eu-west-1"),
        wrong({"availability_zones": ("eu-west-1a", "eu-west-1")}, "availability_zones", "eu-west-1", "of eu-west-1"),
        wrong({"availability_zones": ("eu-west-1a", TOKEN)}, "availability_zones", TOKEN, "of eu-west-1"),
        wrong({"services": ()}, "services", (), "at least one service"),
        wrong({"services": (WEB, WEB)}, "services", ["web", "web"], "all different"),
        wrong(
            {"services": (WEB, replace(WORKER, subdomain="")), "domain": DOMAIN},
            "subdomains",
            ["", ""],
            "all different",
        ),
        wrong({"notify": ("ops@example.com",)}, "notify", "ops@example.com", "targets of notifications"),
        wrong({"notify": "ops@example.com"}, "notify", "ops@example.com", "a tuple of targets"),
        wrong({"notify": OPS}, "notify", OPS, "a tuple of targets"),
        wrong({"status_page": True}, "status_page", True, "a StatusPageConfig"),
        wrong({"notify": (OPS, OPS)}, "notify", OPS, "named once"),
        wrong(
            {"domain": replace(DOMAIN, certificate_arn=CERTIFICATE.replace("eu-west-1", "us-east-1"))},
            "certificate_arn",
            CERTIFICATE.replace("eu-west-1", "us-east-1"),
            "of a certificate in eu-west-1",
        ),
        wrong(
            {"network": replace(VPC, private_subnet_ids=("subnet-1",))},
            "private_subnet_ids",
            ("subnet-1",),
            "one for each of the 2 zones",
        ),
        wrong({"network": replace(VPC, public_subnet_ids=())}, "public_subnet_ids", (), "one for each of the 2 zones"),
        wrong(
            {"network": replace(VPC, private_subnet_ids=("subnet-1", TOKEN))},
            "private_subnet_ids",
            TOKEN,
            "not a Token",
        ),
    ],
)
def test_a_wrong_environment_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """Names, places, zones, services and subnets are checked together, and the sentence says which is wrong."""
    refused(lambda: changed(**changes), what, value, allowed)


@pytest.mark.parametrize(
    ("make", "what", "value", "allowed"),
    [
        wrong(lambda: replace(WEB, name="Web"), "service", "Web", "lower-case"),
        wrong(lambda: replace(WEB, secrets=("token",)), "setting", "token", "upper-case"),
        wrong(
            lambda: replace(WEB, secrets=("A",), environment=(("A", "1"),)),
            "environment and secrets",
            ["A", "A"],
            "all different",
        ),
        wrong(lambda: replace(WEB, subdomain="a.b"), "subdomain", "a.b", "lower-case"),
        wrong(lambda: replace(DOMAIN, name="shop"), "name", "shop", "a domain name"),
        wrong(lambda: replace(DOMAIN, name="*.example.com"), "name", "*.example.com", "a domain name"),
        wrong(
            lambda: replace(DOMAIN, certificate_arn="arn:aws:acm"),
            "certificate_arn",
            "arn:aws:acm",
            "the ARN of an ACM certificate",
        ),
        wrong(lambda: changed(services=(WEB)), "services", WEB, "a tuple of ServiceConfig"),
        wrong(lambda: replace(WEB, secrets=cast("Any", "DATABASE_URL")), "secrets", "DATABASE_URL", "a tuple of str"),
        wrong(
            lambda: replace(WEB, writable_paths=cast("Any", ("/tmp",))),
            "writable_paths",
            ("/tmp",),
            "a tuple of WritablePath",
        ),
        wrong(lambda: replace(WEB, environment=cast("Any", {"A": "b"})), "environment", {"A": "b"}, "a tuple of tuple"),
        wrong(lambda: replace(WEB, environment=cast("Any", (("A", 1),))), "environment", ("A", 1), "pairs of texts"),
        wrong(lambda: changed(source=cast("Any", "main")), "source", "main", "a GitHubSource or a Promotion"),
        wrong(
            lambda: changed(source=Promotion(environment="test"), upstream="test"),
            "upstream",
            "test",
            "left out beside a Promotion",
        ),
        wrong(lambda: changed(code_pipeline=PipelineSettings()), "source", STAGING.source, "with a connection_arn"),
        wrong(lambda: Promotion(environment="Staging"), "environment", "Staging", "lower-case"),
        wrong(lambda: ReleasePolicy(window=cast("Any", "always")), "window", "always", "a MaintenanceWindow"),
        wrong(
            lambda: ReleasePolicy(outside_window=cast("Any", "skip")), "outside_window", "skip", "'refuse' or 'wait'"
        ),
        wrong(lambda: ReleasePolicy(scan_threshold=cast("Any", "HIGH")), "scan_threshold", "HIGH", "'high'"),
        wrong(lambda: ReleasePolicy(steady_minutes=0), "steady_minutes", 0, "from 1 to 120"),
        wrong(
            lambda: PipelineSettings(execution_mode=cast("Any", "PARALLEL")),
            "execution_mode",
            "PARALLEL",
            "'SUPERSEDED' or 'QUEUED'",
        ),
        wrong(lambda: changed(account=123456789012), "account", 123456789012, "12 digits in quotes"),
        wrong(lambda: NetworkPolicy(nat_gateways=cast("Any", 1)), "nat_gateways", 1, "NatGateways.ONE"),
        wrong(lambda: NetworkPolicy(endpoints=cast("Any", "private")), "endpoints", "private", "Endpoints.PRIVATE"),
        wrong(lambda: replace(VPC, admitted_cidrs=("0.0.0.0/0",)), "admitted_cidrs", "0.0.0.0/0", "from /8 to /32"),
        wrong(lambda: replace(VPC, vpc_id=""), "vpc_id", "", "not empty"),
        wrong(lambda: replace(VPC, vpc_id=TOKEN), "vpc_id", TOKEN, "not a Token"),
    ],
)
def test_a_wrong_part_is_refused(make: Any, what: str, value: object, allowed: str) -> None:
    """Services, domains and existing networks check themselves."""
    refused(make, what, value, allowed)


def test_a_secret_named_twice_is_refused() -> None:
    """One setting has one value."""
    refused(lambda: replace(WEB, secrets=("A", "A")), "environment and secrets", ["A", "A"], "all different")


def test_more_services_than_a_stack_holds_are_refused() -> None:
    """CloudFormation takes 500 resources in a stack, and says so only when everything is made."""
    many = tuple(replace(WEB, name=f"service-{number}") for number in range(20))
    refused(lambda: changed(services=many), "services", 20, "at most 17")


def test_secrets_bring_the_endpoint_that_they_are_read_through() -> None:
    """The network's endpoints follow from what the services use, so a secret does not take the NAT gateway (W1)."""
    assert STAGING.features == ("images", "logs")
    assert set(changed(services=(WORKER, replace(WEB, secrets=("A",)))).features) == {"images", "logs", "parameters"}


AGENT = SocketMetrics(image=f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}")


def test_an_agent_brings_the_endpoint_that_it_sends_through() -> None:
    """What counts the ports of the NAT gateway does not take them (W1)."""
    seen = changed(services=(replace(WEB, secrets=("A",), socket_metrics=AGENT), WORKER))
    assert set(seen.features) == {"images", "logs", "parameters", "metrics"}
    assert set(changed(services=(replace(WORKER, socket_metrics=AGENT),)).features) == {"images", "logs", "metrics"}


def test_an_agent_that_does_not_fit_the_task_is_refused() -> None:
    """In an environment of small tasks it would have more than the application (W1)."""
    seen = replace(WEB, socket_metrics=replace(AGENT, memory_mib=513))
    small = ServiceSize(task=TaskSize(cpu=512, memory_mib=1024))
    refused(lambda: changed(services=(seen,), size=small), "memory_mib", 513, "at most half of the task's 1024 MiB")
    half = replace(AGENT, memory_mib=512)
    assert changed(services=(replace(seen, socket_metrics=half),), size=small).services[0].socket_metrics == half


def test_what_is_no_agent_is_refused() -> None:
    """An image alone does not say how many destinations there are."""
    image = cast("SocketMetrics", AGENT.image)
    refused(lambda: replace(WEB, socket_metrics=image), "socket_metrics", image, "a SocketMetrics or None")


def test_two_environments_with_one_repository_are_refused() -> None:
    """Incident Q began with two environments that shared what was built; here they cannot (Q1)."""
    fix = refused(
        lambda: check_environments((STAGING, changed(source=GitHubSource(owner="example", repository="other")))),
        "repository",
        "shop/staging/web",
        "one environment's only",
    )
    assert "Q1" in fix


def test_one_repository_name_in_two_regions_is_still_one_stage_too_many() -> None:
    """Two environments of one name would be one CDK stage, wherever they are."""
    elsewhere = changed(region="eu-west-2", availability_zones=("eu-west-2a", "eu-west-2b"))
    refused(
        lambda: check_environments((STAGING, elsewhere)), "environments", ["staging", "staging"], "of different names"
    )


def test_no_environment_is_refused() -> None:
    """An app without environments would deploy nothing in silence."""
    refused(lambda: check_environments(()), "environments", (), "at least one")


def test_different_environments_are_accepted() -> None:
    """The check gives back what it was given."""
    both = (STAGING, changed(name="production"))
    assert check_environments(both) == both


_TENANT = "01234567-89ab-cdef-0123-456789abcdef"
SLACK = SlackTarget(workspace="T0123456789", channel="C0123456789")
TEAMS = TeamsTarget(tenant=_TENANT, team=_TENANT, channel="19%3ab6ef35dc342d56ba%40thread.tacv2")


@pytest.mark.parametrize("chat", [SLACK, TEAMS])
def test_one_chat_channel_for_two_environments_of_an_account_is_refused(chat: SlackTarget | TeamsTarget) -> None:
    """Chat takes one configuration for a channel in an account: the second environment would not deploy (W3)."""
    notice = replace(chat, severities=("notice",))
    fix = refused(
        lambda: check_environments((changed(notify=(chat,)), changed(name="production", notify=(notice,)))),
        "notify",
        notice,
        "a channel of one environment only in an account",
    )
    assert "'staging' and 'production'" in fix


def test_a_chat_channel_may_be_told_from_two_accounts() -> None:
    """And one address of mail from one: SNS has no such limit."""
    mail = EmailTarget(address="ops@example.com")
    both = (
        changed(account="1" * 12, notify=(SLACK, mail)),
        changed(name="production", account="2" * 12, notify=(SLACK, mail)),
    )
    assert check_environments(both) == both
    alone = (changed(notify=(mail,)), changed(name="production", notify=(mail, TEAMS, SLACK)))
    assert check_environments(alone) == alone


PRODUCTION = changed(name="production", source=Promotion(environment="staging"))
ARM = replace(WEB, size=ServiceSize(task=TaskSize(architecture="arm64")))
INTEL = replace(WEB, size=ServiceSize(task=TaskSize(architecture="x86_64")))


@pytest.mark.parametrize(
    "environments",
    [
        (STAGING, PRODUCTION),
        (PRODUCTION, STAGING),
        (STAGING, PRODUCTION, replace(PRODUCTION, name="second", source=Promotion(environment="production"))),
        (STAGING, changed(name="production", upstream="staging")),
        (changed(account="1" * 12), replace(PRODUCTION, account="2" * 12)),
        (changed(services=(ARM,)), changed(name="production", upstream="staging", services=(INTEL,))),
    ],
)
def test_environments_may_follow_each_other(environments: tuple[EnvironmentConfig, ...]) -> None:
    """In any order and over several steps, by promotion or by commit; who builds anew may have another platform."""
    assert check_environments(environments) == environments


@pytest.mark.parametrize(
    ("environments", "what", "value", "allowed"),
    [
        wrong((PRODUCTION,), "source", "staging", "one of production"),
        wrong((STAGING, changed(name="production", upstream="test")), "upstream", "test", "staging, production"),
        wrong(
            (STAGING, replace(PRODUCTION, source=Promotion(environment="production"))),
            "source",
            "production after production",
            "no circle",
        ),
        wrong(
            (replace(PRODUCTION, name="staging", source=Promotion(environment="production")), PRODUCTION),
            "source",
            "staging after production after staging",
            "no circle",
        ),
        wrong(
            (STAGING, replace(PRODUCTION, services=(WEB, WORKER))), "services", ["web", "worker"], "those of 'staging'"
        ),
        wrong((changed(services=(WEB, WORKER)), PRODUCTION), "services", ["web"], "those of 'staging'"),
        wrong((STAGING, replace(PRODUCTION, application="other")), "source", "shop/staging", "an environment of other"),
        wrong((STAGING, replace(PRODUCTION, account="1" * 12)), "account", "1" * 12, "both or neither"),
        wrong(
            (changed(services=(ARM,)), replace(PRODUCTION, services=(INTEL,))),
            "architecture",
            "x86_64",
            "'arm64' for 'web'",
        ),
    ],
)
def test_an_environment_that_could_not_follow_is_refused(
    environments: tuple[EnvironmentConfig, ...], what: str, value: object, allowed: str
) -> None:
    """An image comes from an environment that is there, that has the same services, and that is not after this one
    (Q7)."""
    refused(lambda: check_environments(environments), what, value, allowed)


def test_ours_are_right() -> None:
    """Staging and production are there, pass the check, and share nothing."""
    assert [environment.name for environment in check_environments(ENVIRONMENTS)] == ["staging", "production"]


def test_production_is_sturdier_than_staging() -> None:
    """Production has three zones with a gateway each and private endpoints; staging is the cheaper choice (T4)."""
    staging, production = ENVIRONMENTS
    assert (len(staging.availability_zones), len(production.availability_zones)) == (2, 3)
    assert isinstance(staging.network, NetworkPolicy)
    assert isinstance(production.network, NetworkPolicy)
    assert (staging.network.nat_gateways, production.network.nat_gateways) == (NatGateways.ONE, NatGateways.PER_ZONE)
    assert production.network.endpoints is Endpoints.PRIVATE
    assert production.size.capacity.min_tasks >= len(production.availability_zones)


def test_ours_need_no_credential_and_no_account() -> None:
    """A newcomer can synthesize and deploy what is committed: no account id, no connection, nobody's certificate."""
    for environment in ENVIRONMENTS:
        assert environment.account is None
        assert isinstance(environment.source, Promotion) or environment.source.connection_arn is None
        assert environment.domain is None
        assert environment.notify == ()


def test_a_wrong_environment_fails_before_node_starts() -> None:
    """The file that people edit most is checked without loading CDK."""
    code = (
        "from dataclasses import replace\n"
        "from stacks.environments import ENVIRONMENTS\n"
        "replace(ENVIRONMENTS[0], availability_zones=('eu-west-1a',))"
    )
    assert run_without_cdk(code).startswith("availability_zones must be at least two different zones")


def test_docker_hub_is_asked_by_builds_only() -> None:
    """A promotion builds nothing, so what it says of builds could only be a mistake (lesson Q6)."""
    build = BuildSettings(docker_hub=PullThroughCache(prefix="docker-hub"))
    assert changed(build=build).build == build
    refused(lambda: replace(PRODUCTION, build=build), "build", build, "left out beside a Promotion")


@pytest.mark.parametrize(("what", "value"), [("docker_hub", "docker-hub"), ("sbom", True)])
def test_build_settings_take_their_own_values_only(what: str, value: object) -> None:
    """A name alone does not say whether it is a secret or a cache."""
    with pytest.raises(ValueError, match=f"^{what} must be"):
        BuildSettings(**{what: value})  # type: ignore[arg-type]


def test_a_vpc_whose_acls_cannot_be_changed_keeps_the_kernels_ports() -> None:
    """Answers below 32768 would not come through, so its tasks open no connection from there (W1)."""
    key = "net.ipv4.ip_local_port_range"
    assert changed(network=VPC).kernel.settings((8080,)) == {key: "10240 65535"}
    assert changed(network=replace(VPC, local_ports=KERNEL)).kernel.settings((8080,)) == {}
    assert changed().kernel.settings((8080,)) == {key: "10240 65535"}
    wrong: Any = "32768 60999"
    refused(lambda: replace(VPC, local_ports=wrong), "local_ports", wrong, "LocalPorts or None")
