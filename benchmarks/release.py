"""What going back costs until new tasks are asked for: ``python -m benchmarks.release``. See README.md here."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `python benchmarks/release.py`

from constructs_lib.command_line import FINE
from constructs_lib.delivery.ledger import ENTRIES_KEPT, RELEASES_KEPT, Entry, successful
from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import build_tag, delivery_settings_name, release_parameter_name, release_path
from constructs_lib.ops.cli import main as moorings
from constructs_lib.ops.outside import real
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT
from demo.image import push, web_image
from local_cloud import control

if TYPE_CHECKING:
    from boto3.session import Session

AIM_CALLS: Final = 25
AIM_SECONDS: Final = 5.0

REGION: Final = "eu-west-1"
TASKS: Final = 3
_NAMES: Final = ("bench", "production", "web")
_PLACE: Final = "/".join(_NAMES)
_REQUEST: Final = "UpdateStack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """One rollback.

    Attributes:
        calls: what AWS was asked until it took the update, by name.
        seconds: until then, from the command's first line of code.
        all_calls: until the command's end.
        all_seconds: until then.
    """

    calls: Counter[str]
    seconds: float
    all_calls: int
    all_seconds: float


class Watch:
    """Counts calls, and notes when the update was taken."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.until: Counter[str] | None = None
        self.requested = 0.0

    def session(self, made: Session) -> Session:
        """The session, watched."""

        def before(model: Any, **_: object) -> None:
            self.calls[model.name] += 1

        def after(model: Any, **_: object) -> None:
            if model.name == _REQUEST and self.until is None:
                self.until, self.requested = self.calls.copy(), time.monotonic()

        made.events.register("before-call.*", before)
        made.events.register("after-call.*", after)
        return made


def prepare() -> None:
    """A service that runs the second of two releases, with as long a ledger as there ever is."""
    images = [web_image(hashlib.sha256(word).hexdigest()[:40]) for word in (b"first", b"second")]
    ecr, ssm = boto3.client("ecr", region_name=REGION), boto3.client("ssm", region_name=REGION)
    ecr.create_repository(repositoryName=_PLACE)
    for number, image in enumerate(images):
        push(ecr, _PLACE, image, build_tag("production", datetime.now(UTC) + timedelta(seconds=number), "0" * 40))
    parameter = release_parameter_name(*_NAMES)
    ssm.put_parameter(Name=parameter, Value=images[1].digest, Type="String")
    for number in range(1, ENTRIES_KEPT + RELEASES_KEPT + 1):
        entry = _entry(number, images[number % 2].digest)
        ssm.put_parameter(Name=f"{release_path(*_NAMES)}/{number}", Value=entry.to_json(), Type="String")
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(StackName="bench", TemplateBody=json.dumps(_template(parameter)))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="bench", WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName="bench")["Stacks"]
    settings = DeliverySettings(
        application=_NAMES[0],
        environment=_NAMES[1],
        service=_NAMES[2],
        account=ACCOUNT,
        region=REGION,
        stack="bench",
        role=f"arn:aws:iam::{ACCOUNT}:role/bench",
        cluster="bench",
        ecs_service="web",
        target_group={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}["Targets"],
        repository=_PLACE,
        platform="linux/arm64",
    )
    ssm.put_parameter(Name=delivery_settings_name(*_NAMES), Value=settings.to_json(), Type="String")


def rollback() -> Rollback:
    """Goes back once: the two releases change places.

    Raises:
        RuntimeError: it failed; the message holds what the command said.
    """
    watch, printed = Watch(), io.StringIO()
    outside = real()
    world = replace(
        outside,
        out=printed,
        err=printed,
        session=lambda region, profile: watch.session(outside.session(region, profile)),
    )
    other = successful(Ledger(boto3.client("ssm", region_name=REGION), release_path(*_NAMES)).entries())[1].digest
    began = time.monotonic()
    code = moorings(["rollback", _PLACE, "--to", other, "--region", REGION], world)
    ended = time.monotonic()
    if code != FINE or watch.until is None:
        raise RuntimeError(f"the rollback ended with {code}:\n{printed.getvalue()}")
    return Rollback(
        calls=watch.until,
        seconds=watch.requested - began,
        all_calls=watch.calls.total(),
        all_seconds=ended - began,
    )


def _entry(number: int, digest: str) -> Entry:
    at = datetime.now(UTC) - timedelta(days=100 - number)
    return Entry(
        number=number,
        action="release",
        state="successful",
        digest=digest,
        previous=digest,
        who="arn:aws:iam::111122223333:user/somebody",
        began=at,
        lease=at,
        ended=at,
    )


def _template(parameter: str) -> dict[str, object]:
    """As much of the services' stack as a release touches; on AWS the rest is not touched either."""
    image = {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/" + _PLACE + "@${Digest}"}
    container = {"Name": "web", "Image": image, "PortMappings": [{"ContainerPort": 8080}]}
    definition = {
        "Family": "web",
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "ContainerDefinitions": [container],
    }
    service = {
        "Cluster": {"Ref": "Cluster"},
        "ServiceName": "web",
        "LaunchType": "FARGATE",
        "DesiredCount": TASKS,
        "TaskDefinition": {"Ref": "Definition"},
        "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}},
        "LoadBalancers": [{"TargetGroupArn": {"Ref": "Targets"}, "ContainerName": "web", "ContainerPort": 8080}],
    }
    targets = {"Port": 8080, "Protocol": "HTTP", "TargetType": "ip", "VpcId": "vpc-1"}
    return {
        "Parameters": {"Digest": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": parameter}},
        "Resources": {
            "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "bench"}},
            "Targets": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": targets},
            "Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": definition},
            "Service": {"Type": "AWS::ECS::Service", "Properties": service},
        },
        "Outputs": {"Targets": {"Value": {"Ref": "Targets"}}},
    }


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and ends with 1 when an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.release", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rollbacks to measure; the first one only warms up")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        cloud = LocalCloud.started(Path(folder))
        try:
            cloud.enter(REGION)
            prepare()
            rollback()
            done = [rollback() for _ in range(rounds)]
        finally:
            control.stop(Path(folder))
    calls = max(one.calls.total() for one in done)
    seconds = sorted(one.seconds for one in done)
    print(f"calls until the update was taken: {calls}, aim at most {AIM_CALLS}")
    for name, times in sorted(done[-1].calls.items()):
        print(f"  {times:2} {name}")
    print(
        f"seconds until then: {statistics.median(seconds):.2f} ({seconds[0]:.2f}-{seconds[-1]:.2f}), "
        f"aim under {AIM_SECONDS:.0f}\n"
        f"until the end: {statistics.median(one.all_calls for one in done):.0f} calls, "
        f"{statistics.median(one.all_seconds for one in done):.1f} s\n"
        "This is our own time and the local cloud's. On AWS each call takes some tens of milliseconds, and\n"
        "CloudFormation and ECS take their minutes on top."
    )
    return int(calls > AIM_CALLS or seconds[-1] >= AIM_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
