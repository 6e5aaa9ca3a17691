"""What describes an environment: values that refuse what could not be deployed.

Pure Python: a wrong value fails in one sentence, before CDK starts. The environments themselves are in
``stacks/environments.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from constructs_lib.checks import (
    concrete,
    environment_name,
    invalid,
    ipv4_block,
    name,
    tuple_of,
)
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.network.policy import Feature, NetworkPolicy
from constructs_lib.observability.notification.targets import NotificationTarget, check_targets
from constructs_lib.observability.runbooks import Runbooks
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.local_ports import LocalPorts
from stacks.calls import check_calls
from stacks.domain import Domain, check_edge
from stacks.releases import BuildSettings, PipelineSettings, Promotion, ReleasePolicy
from stacks.resources import check_resources
from stacks.scheduled import check_scheduled
from stacks.service_config import LONGEST_DEPLOYMENT as LONGEST_DEPLOYMENT
from stacks.service_config import ServiceConfig as ServiceConfig
from stacks.service_config import ServiceSize as ServiceSize
from stacks.status_config import StatusPageConfig

SERVICES_AT_MOST: Final = 17
"""More have no room in the role of releases. Of web services alone a stack has room for 13, and behind CloudFront for
12; workers take less than half of the room (``stacks/resources.py``)."""

_ANY_TIME: Final = ReleasePolicy()
_PLAIN_BUILD: Final = BuildSettings()
_SIZE: Final = ServiceSize()

SubnetIds: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingVpc:
    """A VPC that somebody else looks after. Its subnets are in the environment's availability zones, in that order.

    Args:
        vpc_id: such as ``vpc-0123456789abcdef0``.
        private_subnet_ids: one for each zone; tasks run there.
        public_subnet_ids: one for each zone; an internet-facing load balancer stands there.
        admitted_cidrs: IPv4 blocks whose addresses may connect to internal load balancers, such as the VPC's own; none
            by default, because nothing is looked up: then nobody can connect.
        local_ports: from which ports tasks open connections; ``None``, the default: from 10240 to 65535. ``KERNEL``
            where network ACLs let answers in from 32768 only, and cannot be changed (docs/network.md).
    """

    vpc_id: str
    private_subnet_ids: SubnetIds
    public_subnet_ids: SubnetIds
    admitted_cidrs: tuple[str, ...] = ()
    local_ports: LocalPorts | None = None

    def __post_init__(self) -> None:
        KernelSettings(local_ports=self.local_ports)
        for cidr in self.admitted_cidrs:
            ipv4_block("admitted_cidrs", cidr, largest=8, smallest=32)
        concrete("vpc_id", self.vpc_id, "pass the id of a VPC, such as 'vpc-0123456789abcdef0'")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentConfig:
    """One environment of an application, deployed as a CDK Stage of the same name.

    Args:
        application: the application's name; with ``name`` it makes every physical name.
        name: the environment's name, such as ``staging``.
        region: an AWS region; a repository and its services are in one.
        availability_zones: names of at least two zones of the region.
        source: what is built, from which branch; or a ``Promotion``: images come from another environment.
        services: at least one.
        account: the AWS account; ``None``, the default: the caller's.
        network: a VPC of its own, or one that exists.
        domain: the domain and its certificate; ``None``, the default: plain HTTP.
        internet_facing: whether anybody on the internet may connect. ``False``, the default: the load balancers are
            internal, and admit the addresses of the environment's own VPC, or what an existing one says.
        notify: who is told of alarms; nobody yet by default.
        runbooks: where the folder ``docs/runbooks`` can be read, an https address with a slash at the end; alarms and
            messages link to it. ``None``, the default: they name the file.
        size: the size of services that have none of their own.
        container_insights: whether ECS reports running and desired tasks, and more, to CloudWatch. ``False`` by
            default: nothing here needs it. It is charged by metric, 0.30 USD each a month, some ten for a service, so
            3 USD a service and month (us-east-1, November 2026).
        log_resource_policy: whether the environment makes the policy that lets EventBridge write into its log of
            events. ``True`` by default. An account has at most 10 such policies in a Region: from the eleventh
            environment on ``False``, and one of yours for all (docs/lessons/W5-evidence-kept.md).
        retention: which images may be forgotten.
        build: how images are built: Docker Hub, and what is kept beside them. A ``Promotion`` builds nothing.
        upstream: for an environment that builds: the name of another one in which a commit must have run before it is
            released here; ``None``, the default: nowhere. A ``Promotion`` says it already, and by digest.
        release: when it may be released to, and what stops it.
        code_pipeline: a CodePipeline of each service; ``None``, the default: buttons only.
        dashboard: one in CloudWatch, at 3 USD a month after the account's first three; ``True`` by default.
        status_page: a page that tells users how the services are; ``None``, the default: none.

    Raises:
        ValueError: a wrong name, account, region or zone, one zone only, no service, more than 17, or more than a
            stack has room for (13 web services with a domain, 12 behind CloudFront), two services of one name or host,
            a certificate of another region, subnets that do not fit the zones, or a call of what cannot be called.
    """

    application: str
    name: str
    region: str
    availability_zones: tuple[str, ...]
    source: GitHubSource | Promotion
    services: tuple[ServiceConfig, ...]
    account: str | None = None
    network: NetworkPolicy | ExistingVpc = NetworkPolicy()
    domain: Domain | None = None
    internet_facing: bool = False
    notify: tuple[NotificationTarget, ...] = ()
    runbooks: str | None = None
    size: ServiceSize = _SIZE
    container_insights: bool = False
    log_resource_policy: bool = True
    retention: RetentionPolicy = RetentionPolicy()
    build: BuildSettings = _PLAIN_BUILD
    upstream: str | None = None
    release: ReleasePolicy = _ANY_TIME
    code_pipeline: PipelineSettings | None = None
    status_page: StatusPageConfig | None = None
    dashboard: bool = True

    def __post_init__(self) -> None:
        name("application", self.application)
        environment_name("name", self.name)
        if self.account is not None and not (
            isinstance(self.account, str) and re.fullmatch(r"[0-9]{12}", self.account)
        ):
            raise invalid("account", self.account, "12 digits in quotes", "leave it out to use the caller's account")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", concrete("region", self.region)):
            raise invalid("region", self.region, "an AWS region", "pass one such as 'eu-west-1'")
        self._check_zones()
        self._check_services()
        if self.domain is not None and self.domain.certificate_arn.split(":")[3] != self.region:
            raise invalid(
                "certificate_arn",
                self.domain.certificate_arn,
                f"of a certificate in {self.region}",
                "a load balancer takes certificates of its own region only",
            )
        check_edge(self.domain, self.internet_facing, [service.timeouts for service in self.services])
        if not isinstance(self.notify, tuple):
            raise invalid(
                "notify",
                self.notify,
                "a tuple of targets",
                "write (EmailTarget(address='ops@example.com'),), with the comma",
            )
        check_targets("notify", self.notify)
        Runbooks(base=self.runbooks)
        if self.status_page is not None:
            if not isinstance(self.status_page, StatusPageConfig):
                raise invalid(
                    "status_page",
                    self.status_page,
                    "a StatusPageConfig",
                    "write StatusPageConfig(page=StatusPagePolicy(…))",
                )
            self.status_page.check_services([service.name for service in self.services])
        self._check_delivery()

    @property
    def before(self) -> str | None:
        """The name of the environment before this one; ``None`` when there is none."""
        return self.source.environment if isinstance(self.source, Promotion) else self.upstream

    def size_of(self, service: ServiceConfig) -> ServiceSize:
        """The size of a service: its own, or the environment's."""
        return service.size or self.size

    @property
    def has_edge(self) -> bool:
        """Whether CloudFront stands before the load balancers."""
        return self.domain is not None and self.domain.edge_certificate_arn is not None

    @property
    def has_web(self) -> bool:
        """Whether anybody can connect to one of the services."""
        return not all(service.is_worker for service in self.services)

    @property
    def kernel(self) -> KernelSettings:
        """What its tasks ask of their kernel."""
        network = self.network
        return KernelSettings(local_ports=network.local_ports if isinstance(network, ExistingVpc) else None)

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the services use of AWS; endpoints follow from it."""
        found: list[Feature] = ["images", "logs"]
        if any(service.secrets for service in self.services):
            found.append("parameters")
        if any(service.socket_metrics for service in self.services):
            found.append("metrics")
        if any(service.configuration for service in self.services):
            found.append("configuration")
        return tuple(found)

    def _check_delivery(self) -> None:
        source = self.source
        if not isinstance(source, GitHubSource | Promotion):
            raise invalid("source", source, "a GitHubSource or a Promotion", "say where images come from")
        if isinstance(source, Promotion) and self.upstream is not None:
            raise invalid("upstream", self.upstream, "left out beside a Promotion", "the Promotion names it already")
        if isinstance(source, Promotion) and self.build != _PLAIN_BUILD:
            raise invalid(
                "build", self.build, "left out beside a Promotion", "the environment before builds the images"
            )
        if self.code_pipeline and isinstance(source, GitHubSource) and source.connection_arn is None:
            raise invalid(
                "source",
                source,
                "a GitHubSource with a connection_arn for a code_pipeline",
                "CodePipeline reads GitHub through a connection, which a person authorises once",
            )

    def _check_zones(self) -> None:
        zones = self.availability_zones
        tuple_of("availability_zones", zones, str, "('eu-west-1a', 'eu-west-1b')")
        if len(set(zones)) < 2 or len(set(zones)) != len(zones):
            raise invalid(
                "availability_zones",
                zones,
                "at least two different zones",
                "the loss of one zone must not end the service (lesson T4)",
            )
        for zone in zones:
            if not re.fullmatch(rf"{self.region}(-[a-z]+-[0-9])?[a-z]", zone):
                raise invalid("availability_zones", zone, f"zones of {self.region}", "take zones of the same region")
        if isinstance(self.network, ExistingVpc):
            for what in ("private_subnet_ids", "public_subnet_ids"):
                subnets = getattr(self.network, what)
                if len(subnets) != len(zones) or any(not concrete(what, subnet) for subnet in subnets):
                    raise invalid(what, subnets, f"one for each of the {len(zones)} zones", "list them in their order")

    def _check_services(self) -> None:
        tuple_of("services", self.services, ServiceConfig, "(web,)")
        if not self.services:
            raise invalid("services", self.services, "at least one service", "add a ServiceConfig")
        if len(self.services) > SERVICES_AT_MOST:
            raise invalid(
                "services",
                len(self.services),
                f"at most {SERVICES_AT_MOST}",
                "the role of their releases has no room for more; put the others into an application of their own",
            )
        for service in self.services:
            if service.before_release is not None:
                service.before_release.check_architecture(self.size_of(service).task)
            if service.socket_metrics is not None:
                service.socket_metrics.check_task(self.size_of(service).task.memory_mib)
        scheduled = check_scheduled(
            [(service.name, service.scheduled_tasks, self.size_of(service).task) for service in self.services]
        )
        hosts = [service.subdomain for service in self.services if not service.is_worker] if self.domain else []
        names = [service.name for service in self.services] + scheduled
        for what, values in (("services", names), ("subdomains", hosts)):
            for value in values:
                if values.count(value) > 1:
                    raise invalid(what, values, "all different", f"rename one of the {value!r}")
        check_calls(self.services, self.size)
        check_resources(self.services, self.size, self.domain, zones=len(self.availability_zones))
