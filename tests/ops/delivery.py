"""An account with services that are released: what the commands about releases see, without AWS behind it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from constructs_lib.delivery.ledger import Action, Entry, State
from constructs_lib.delivery.settings import DeliverySettings, Upstream
from constructs_lib.naming import (
    delivery_settings_name,
    release_parameter_name,
    release_path,
    status_bucket_name,
    status_page_parameter_name,
)
from constructs_lib.observability.runtime.status.changes import AlarmChanged, Checked, Configured
from constructs_lib.observability.runtime.status.objects import Objects
from constructs_lib.observability.runtime.status.store import StateStore, changed
from constructs_lib.observability.runtime.status.values import Text
from tests.fake_aws.clock import Clock
from tests.fake_aws.cloudformation import FakeCloudFormation, ServicesStack
from tests.fake_aws.cloudwatch import FakeCloudWatch
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws, Params
from tests.fake_aws.ecr import MANIFEST
from tests.fake_aws.ecr_layers import CONFIG, FakeEcrWithLayers, described
from tests.fake_aws.ecs_scheduler import FakeEcsWithScheduler
from tests.fake_aws.elbv2 import FakeElbv2
from tests.fake_aws.others import FakeSsm
from tests.fake_aws.s3 import FakeS3
from tests.fake_aws.sts import FakeSts
from tests.ops.support import NOW, Done, run

JO = f"arn:aws:iam::{ACCOUNT}:user/jo"
SECRET = "hunter2-in-a-parameter"
SECRET_NAME = "/moorings/shop/production/web/secrets/DATABASE_URL"


def digest(number: int) -> str:
    """A digest that is easy to tell from others, also in its first twelve digits."""
    return f"sha256:{number:012d}{number:052d}"


def build_tag(number: int, environment: str = "staging") -> str:
    """The tag of build ``number``, an hour after the one before it."""
    at = datetime(2026, 3, 30, tzinfo=NOW.tzinfo) + timedelta(hours=number)
    return f"{environment}-{at:%Y%m%dT%H%M%SZ}-{number:012x}"


class Sessions:
    """boto3 sessions whose clients' requests the fakes answer. Clients are made once: it takes long."""

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.made: dict[str, Any] = {}
        self.asked: list[tuple[str | None, str | None]] = []

    def __call__(self, region: str | None, profile: str | None) -> Any:
        self.asked.append((region, profile))
        return self

    def client(self, name: str, region_name: str | None = None, config: object = None) -> Any:
        """What ``Session.client`` gives."""
        assert region_name in (None, REGION)
        assert config is not None, "every client is told how often to try"
        if name not in self.made:
            self.made[name] = self.aws.client(name)
        return self.made[name]


class CloudWatch(FakeCloudWatch):
    """CloudWatch that also knows alarms by the beginning of their names."""

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if "AlarmNamePrefix" not in params:
            return super().answer(operation, params)
        assert (operation, params["StateValue"]) == ("DescribeAlarms", "ALARM")
        found = [n for n, state in self.alarms.items() if n.startswith(params["AlarmNamePrefix"]) and state == "ALARM"]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": "ALARM"} for name in found]}


class Account:
    """Services ``shop/staging/web`` and ``shop/production/web``, which has staging before it.

    Attributes:
        sessions: what a command connects with.
        clock: its time.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.sessions, self.aws = sessions, sessions.aws
        self.clock = Clock(NOW)
        self.ssm, self.ecr = FakeSsm(), FakeEcrWithLayers(now=NOW)
        self.ecs = FakeEcsWithScheduler(self.clock)
        self.stacks = FakeCloudFormation(self.clock, self.ssm, self.ecs)
        self.targets, self.alarms = FakeElbv2(), CloudWatch()
        services: list[Any] = [self.ssm, self.ecr, self.ecs, self.stacks, self.targets, self.alarms, FakeSts()]
        self.aws.services = {fake.name: fake for fake in services}
        self.aws.calls.clear()
        self.aws.before = lambda _operation, _params: None
        self.sessions.asked.clear()
        self.settings: dict[str, DeliverySettings] = {}
        self.add("shop/staging/web")
        self.add("shop/production/web", upstream="staging")
        self.ssm.put(SECRET_NAME, SECRET)
        self.ssm.parameters[SECRET_NAME].kind = "SecureString"

    def add(self, place: str, *, upstream: str | None = None, window: str = "", known: bool = True) -> DeliverySettings:
        """A service with its delivery settings; ``known`` is whether the parameter is in this account."""
        application, environment, service = place.split("/")
        before = Upstream(
            environment=upstream or "", account=ACCOUNT, region=REGION, repository=f"{application}/{upstream}/{service}"
        )
        settings = DeliverySettings(
            application=application,
            environment=environment,
            service=service,
            account=ACCOUNT,
            region=REGION,
            stack=f"{application}--{environment}--services",
            role=f"arn:aws:iam::{ACCOUNT}:role/{application}--{environment}--release",
            cluster=environment,
            ecs_service=service,
            target_group=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{environment}/0123456789abcdef",
            repository=place,
            platform="linux/arm64",
            window=window,
            upstream=before if upstream else None,
        )
        self.ssm.parameters.pop(delivery_settings_name(application, environment, service), None)
        if known:
            self.ssm.put(delivery_settings_name(application, environment, service), settings.to_json())
        if place not in self.ecr.repositories:
            self.ecr.repository(place)
        self.settings[place] = settings
        return settings

    def status_page(self, place: str = "shop/production") -> FakeS3:
        """A status page with one component, whose alarm is red for five minutes; the bucket that holds it."""
        application, environment = place.split("/")
        s3 = self.aws.services["s3"] = FakeS3()
        bucket = status_bucket_name(application, environment, ACCOUNT, REGION)
        where = {"application": application, "environment": environment, "account": ACCOUNT, "region": REGION}
        address = "https://d111111abcdef8.cloudfront.net"
        name = status_page_parameter_name(application, environment)
        self.ssm.put(name, json.dumps({**where, "bucket": bucket, "address": address}))
        at, titles = self.clock.now(), Text(en="Shop status")
        red = AlarmChanged(component="web", felt="degraded", value="ALARM", timestamp=at - timedelta(minutes=5))
        shown = Configured(titles=titles, components=(("web", Text(en="Website", ja="ウェブサイト")),))
        objects = Objects(s3=self.sessions.client("s3", config=True), bucket=bucket, account=ACCOUNT)
        made = (shown, red, Checked())
        StateStore(objects=objects).change(lambda state: changed(state, made, at), titles=titles)
        self.aws.calls.clear()
        return s3

    def entry(
        self,
        place: str,
        number: int,
        image: str,
        *,
        action: Action = "release",
        state: State = "successful",
        hours_ago: float = 0,
        lease: timedelta = timedelta(),
        **other: Any,
    ) -> Entry:
        """An entry of the ledger, as a release leaves it."""
        began = NOW - timedelta(hours=hours_ago)
        ended = began + timedelta(minutes=5) if state in ("successful", "failed") else None
        entry = Entry(
            number=number,
            action=action,
            state=state,
            digest=image,
            **{"previous": "none", **other},
            who=JO,
            began=began,
            lease=NOW + lease,
            ended=ended,
        )
        self.ssm.put(f"{release_path(*place.split('/'))}/{number}", entry.to_json())
        return entry

    def stack(self, place: str, *, tasks: int = 2, alarms: tuple[str, ...] | None = None) -> ServicesStack:
        """Deploys the services' stack of a service, which was not released yet."""
        settings = self.settings[place]
        name = release_parameter_name(*place.split("/"))
        self.ssm.put(name, "none")
        made = self.stacks.make(
            settings.stack,
            parameter=name,
            cluster=self.ecs.cluster(settings.cluster),
            image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{settings.repository}",
            tasks=tasks,
            alarms=(f"{place}/unhealthy-targets",) if alarms is None else alarms,
        )
        self.targets.targets[settings.target_group] = lambda: self.ecs.states(made.service)
        return made

    def image(self, number: int, *places: str, environment: str = "staging") -> str:
        """Build ``number`` in the repositories of these services, one and the same image; its digest."""
        config = json.dumps({"os": "linux", "architecture": "arm64", "number": number}).encode()
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described(config, CONFIG), "layers": []}
        name = ""
        for place in places:
            self.ecr.layers.setdefault(place, {})[described(config)["digest"]] = config
            name = self.ecr.store(place, json.dumps(manifest), MANIFEST, [build_tag(number, environment)])
        return name

    def ended(self, place: str, number: int) -> datetime:
        """When a release that has ended did so, as its ledger entry says."""
        entry = json.loads(self.ssm.value(f"{release_path(*place.split('/'))}/{number}"))
        return datetime.fromisoformat(entry["ended"])

    def fetch(self, url: str) -> bytes:
        """What is behind one of ECR's addresses."""
        return self.ecr.open_address(url, 0).content

    def moorings(self, *words: object, **options: Any) -> Done:
        """One command in this account."""
        how = {"sleep": self.clock.sleep, "fetch": self.fetch, **options}
        done = run(*words, session=self.sessions, now=self.clock.now, **how)
        assert SECRET not in done.out + done.err
        return done
