"""The environments. This is the file to edit, and the only place with account ids.

``stacks/config.py`` says what each value may be; a wrong one fails in one sentence, before CDK starts.
"""

from __future__ import annotations

from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.observability.status_page.policy import StatusComponent, StatusPagePolicy
from constructs_lib.services.policy import TaskSize, WritablePath
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.task.health_check import HealthCheck
from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize
from stacks.releases import Promotion
from stacks.status_config import StatusPageConfig

_WEB = ServiceConfig(
    name="web",
    # The check runs inside the container, so it must be a program that the image has.
    health_check=HealthCheck.http("/healthz", port=8080, program="python3"),
    writable_paths=(WritablePath(path="/tmp"),),  # noqa: S108  (the container's, empty in each new task)
)

# Each alarm ends with the link to its own page. Put in where your team reads docs/runbooks.
_RUNBOOKS = "https://github.com/your-organisation/your-infrastructure/blob/main/docs/runbooks/"

ENVIRONMENTS: tuple[EnvironmentConfig, ...] = (
    EnvironmentConfig(
        application="shop",
        name="staging",
        region="eu-west-1",
        availability_zones=("eu-west-1a", "eu-west-1b"),
        # One NAT gateway and no priced endpoint: about 37 USD a month in us-east-1. See docs/network.md.
        network=NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.GATEWAY_ONLY),
        source=GitHubSource(owner="your-organisation", repository="your-application", branch="main"),
        services=(_WEB,),
        runbooks=_RUNBOOKS,
    ),
    EnvironmentConfig(
        application="shop",
        name="production",
        region="eu-west-1",
        availability_zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"),
        network=NetworkPolicy(nat_gateways=NatGateways.PER_ZONE, endpoints=Endpoints.PRIVATE),
        # What ran in staging, the same bytes. To build again from a branch instead: a GitHubSource, and
        # upstream="staging", so that only commits are released that ran there.
        source=Promotion(environment="staging"),
        services=(_WEB,),
        # Three tasks: two serve the peak, and one may be lost with its zone. Put in what your own load test says of a
        # task; see docs/lessons/T1-capacity-for-the-peak.md.
        size=ServiceSize(
            task=TaskSize(cpu=1024, memory_mib=2048),
            capacity=Capacity.for_peak(requests_per_second=60, per_task=30, az_count=3, max_tasks=12),
        ),
        runbooks=_RUNBOOKS,
        # What users read when something is wrong. In another region it stays when this one is lost: region="…", see
        # docs/status-page.md.
        status_page=StatusPageConfig(
            page=StatusPagePolicy(
                en="Shop status",
                ja="ショップの稼働状況",
                components=(StatusComponent(name="web", en="Website", ja="ウェブサイト"),),
            )
        ),
    ),
)
