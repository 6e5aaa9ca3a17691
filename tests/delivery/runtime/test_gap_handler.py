"""What the function reads, what it writes, and what it says when it could not read (lesson Q5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.runtime import gap_handler
from constructs_lib.delivery.runtime.gap import UpstreamRelease
from constructs_lib.delivery.runtime.gap_handler import Clients, UnreadableLedgerError, release
from constructs_lib.delivery.runtime.gap_settings import VARIABLE, GapSettings, Place, Service
from constructs_lib.naming import build_tag, release_parameter_name, release_path
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws, Fault, Params, page
from tests.fake_aws.ecr import FakeEcr

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = GapSettings(
    application="shop",
    here=Place(environment="production", account=ACCOUNT, region=REGION),
    upstream=Place(environment="staging", account=ACCOUNT, region=REGION),
    services=(
        Service(name="web", repository="shop/production/web", upstream_repository="shop/staging/web"),
        Service(name="worker", repository="shop/production/worker", upstream_repository="shop/staging/worker"),
    ),
)


@dataclass
class Parameters:
    """Parameter Store, as far as the gap reads it."""

    values: dict[str, str] = field(default_factory=dict)
    name = "ssm"

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation == "GetParameter":
            if params["Name"] not in self.values:
                raise Fault("ParameterNotFound")
            return {"Parameter": {"Name": params["Name"], "Value": self.values[params["Name"]]}}
        assert operation == "GetParametersByPath"
        path = params["Path"] + "/"
        under = [name for name in sorted(self.values) if name.startswith(path) and "/" not in name[len(path) :]]
        found, rest = page(under, params, size=10, token="NextToken")
        return {"Parameters": [{"Name": name, "Value": self.values[name]} for name in found], **rest}


@dataclass
class World:
    """Two environments of one account, in which staging has built and production has released once."""

    aws: FakeAws
    ecr: FakeEcr
    ssm: Parameters
    clients: Clients

    def connect(self, _place: Place) -> Clients:
        """The same clients for both."""
        return self.clients

    def build(self, service: str, number: int, *, days_ago: float) -> str:
        """Staging builds a commit; the image's digest."""
        return self.ecr.push(f"shop/staging/{service}", [build_tag("staging", NOW - days_ago * DAY, f"{number:012x}")])

    def releases(self, service: str, value: str) -> None:
        """Production's release parameter."""
        self.ssm.values[release_parameter_name("shop", "production", service)] = value

    def entry(self, service: str, number: int, digest: str, **changes: Any) -> None:
        """An entry of staging's ledger."""
        text = replace(ENTRY, number=number, digest=digest, **changes).to_json()
        self.ssm.values[f"{release_path('shop', 'staging', service)}/{number}"] = text

    def handle(self, settings: GapSettings = SETTINGS) -> dict[str, int]:
        """What Lambda does, at noon."""
        return gap_handler.handle(settings, self.connect, clock=lambda: NOW)


ENTRY = Entry(
    number=1,
    action="release",
    state="successful",
    digest="sha256:" + "0" * 64,
    previous="none",
    who="arn:aws:sts::111111111111:assumed-role/release/me",
    began=NOW - DAY,
    lease=NOW - DAY,
)


@pytest.fixture(scope="module")
def _clients() -> tuple[FakeAws, Clients]:
    """Making clients takes a moment, so all tests share them."""
    aws = FakeAws(FakeEcr(), Parameters())
    return aws, Clients(ecr=aws.client("ecr"), ssm=aws.client("ssm"))


@pytest.fixture
def world(_clients: tuple[FakeAws, Clients], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    aws, clients = _clients
    ecr, ssm = FakeEcr(), Parameters()
    aws.services.update(ecr=ecr, ssm=ssm)
    aws.calls.clear()
    aws.before = lambda _operation, _params: None
    made = World(aws, ecr, ssm, clients)
    for service in ("web", "worker"):
        for environment in ("staging", "production"):
            ecr.repository(f"shop/{environment}/{service}")
        running = made.build(service, 1, days_ago=30)
        made.build(service, 2, days_ago=20)
        made.build(service, 3, days_ago=10)
        made.releases(service, running)
    return made


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written, a line each."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(line: dict[str, Any]) -> tuple[dict[str, str], dict[str, float]]:
    """Dimensions and values, as CloudWatch reads them from a line."""
    (described,) = line["_aws"]["CloudWatchMetrics"]
    (names,) = described["Dimensions"]
    assert described["Namespace"] == "Moorings"
    assert line["_aws"]["Timestamp"] == NOW.timestamp() * 1000
    return {name: line[name] for name in names}, {each["Name"]: line[each["Name"]] for each in described["Metrics"]}


def test_each_service_has_its_gap_as_metrics(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Three dimensions, two metrics, and beside them what a person wants to read."""
    world.entry("web", 1, world.build("web", 4, days_ago=5))
    assert world.handle() == {"measured": 2, "unknown": 0}
    web, worker, last = lines(capsys)
    names = {"Application": "shop", "Environment": "production"}
    assert metrics(web) == ({**names, "Service": "web"}, {"BuildsBehind": 3, "DaysBehind": 20})
    assert metrics(worker) == ({**names, "Service": "worker"}, {"BuildsBehind": 2, "DaysBehind": 20})
    assert metrics(last) == (names, {"GapsUnknown": 0})
    told = {key: web[key] for key in ("message", "running", "newest", "ran", "known")}
    assert told == {
        "message": "gap",
        "running": "staging-20260316T120000Z-000000000001",
        "newest": "staging-20260410T120000Z-000000000004",
        "ran": 1,
        "known": True,
    }


def test_units_are_those_that_cloudwatch_knows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Days have no unit there."""
    world.handle()
    web = lines(capsys)[0]
    assert web["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "BuildsBehind", "Unit": "Count"},
        {"Name": "DaysBehind", "Unit": "None"},
    ]


def test_all_pages_are_read(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 images and 10 entries are a page each; what is on the second one counts."""
    for number in range(4, 1100):
        world.build("web", number, days_ago=9)
    for number in range(1, 26):
        world.entry("web", number, f"sha256:{number:064x}", build_tag=f"staging-20260414T000000Z-f{number:011x}")
    world.handle()
    web = lines(capsys)[0]
    assert web["BuildsBehind"] == 2 + 1096 + 25
    assert web["ran"] == 25


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("ssm.GetParameter", "/moorings/shop/production/web/digest"),
        ("ssm.GetParametersByPath", "/moorings/shop/staging/web/releases"),
        ("ecr.DescribeImages", "shop/staging/web"),
        ("ecr.DescribeImages", "shop/production/web"),
    ],
)
def test_what_cannot_be_read_is_said_and_has_no_metric(
    world: World, capsys: pytest.CaptureFixture[str], operation: str, name: str
) -> None:
    """A gap that nobody knows is not 0; the other service has its own."""

    def refuse(called: str, params: Params) -> None:
        if called == operation and name in params.values():
            raise Fault("AccessDeniedException", "not you")

    world.aws.before = refuse
    assert world.handle() == {"measured": 1, "unknown": 1}
    said, worker, last = lines(capsys)
    assert "_aws" not in said
    assert (said["message"], said["service"]) == ("the gap could not be read", "web")
    assert "AccessDenied" in said["why"]
    assert metrics(worker)[1]["BuildsBehind"] == 2
    assert metrics(last)[1] == {"GapsUnknown": 1}


def test_a_role_that_cannot_be_assumed_makes_every_gap_unknown(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said for each service, and counted."""

    def connect(place: Place) -> Clients:
        if place.environment == "staging":
            world.clients.ssm.get_parameter(Name="gone")
        return world.clients

    assert gap_handler.handle(SETTINGS, connect, clock=lambda: NOW) == {"measured": 0, "unknown": 2}
    first, second, last = lines(capsys)
    assert "ParameterNotFound" in first["why"]
    assert "ParameterNotFound" in second["why"]
    assert metrics(last)[1] == {"GapsUnknown": 2}


def test_an_entry_that_is_none_makes_the_gap_unknown(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be read is not nothing; the line names the parameter."""
    world.ssm.values["/moorings/shop/staging/web/releases/7"] = "rubbish"
    world.handle()
    said = lines(capsys)[0]
    assert "/moorings/shop/staging/web/releases/7 must be an entry of the ledger, got 'rubbish'" in said["why"]


def test_what_is_no_failure_of_aws_is_raised() -> None:
    """A bug is an error of the function, and not a gap that could not be read."""

    def broken(_place: Place) -> Clients:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        gap_handler.handle(SETTINGS, broken, clock=lambda: NOW)


def test_before_the_first_release_nothing_is_looked_up_here(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """``none`` is no digest: ECR would refuse it."""
    world.releases("web", "none")
    described: list[str] = []
    world.aws.before = lambda _called, params: described.append(params.get("repositoryName", ""))
    world.handle()
    assert "shop/production/web" not in described
    assert lines(capsys)[0]["BuildsBehind"] == 3


def test_an_image_that_is_built_here_is_found_by_the_tags_that_it_has_here(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Staging never had this digest; its commit is staging's second."""
    own = build_tag("production", NOW, f"{2:012x}")
    world.releases("web", world.ecr.push("shop/production/web", [own, "pin-release-0a1b2c-web-0"]))
    world.handle()
    web = lines(capsys)[0]
    assert (web["BuildsBehind"], web["running"], web["known"]) == (1, own, True)


def test_a_build_of_one_s_own_that_nobody_knows_there_is_behind_everything(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its tag is the newest of all, and says only when it was built here."""
    own = build_tag("production", NOW, f"{7:012x}")
    world.releases("web", world.ecr.push("shop/production/web", [own]))
    world.handle()
    web = lines(capsys)[0]
    assert (web["BuildsBehind"], web["running"], web["known"]) == (3, own, False)


def test_an_image_that_has_gone_here_is_no_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The guard tells of it; staging still knows the digest, so the gap is known."""
    world.handle()
    assert "shop/production/web" in world.ecr.repositories
    assert world.ecr.repositories["shop/production/web"].images == {}
    assert lines(capsys)[0]["BuildsBehind"] == 2


def test_each_account_is_asked_for_its_own(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Images and ledger of staging are read there and in its registry; parameter and running image here."""
    there = FakeAws(FakeEcr(registry="222222222222"), Parameters())
    upstream = Clients(ecr=there.client("ecr"), ssm=there.client("ssm"))
    ecr: Any = there.services["ecr"]
    ecr.repository("shop/staging/web")
    ecr.push("shop/staging/web")  # so that no digest there is one of here by chance
    ecr.push("shop/staging/web", [build_tag("staging", NOW - 2.25 * DAY, f"{9:012x}")])
    settings = replace(
        SETTINGS, upstream=replace(SETTINGS.upstream, account="222222222222"), services=SETTINGS.services[:1]
    )

    def connect(place: Place) -> Clients:
        return upstream if place.account == "222222222222" else world.clients

    assert gap_handler.handle(settings, connect, clock=lambda: NOW) == {"measured": 1, "unknown": 0}
    assert metrics(lines(capsys)[0])[1] == {"BuildsBehind": 1, "DaysBehind": 2.25}
    assert there.calls == {"ecr.DescribeImages": 1, "ssm.GetParametersByPath": 1}


def test_only_tagged_images_are_asked_for(world: World) -> None:
    """An untagged one is no build."""
    asked: list[Any] = []
    world.aws.before = lambda called, params: asked.append(params.get("filter")) if "Images" in called else None
    world.handle()
    assert {"tagStatus": "TAGGED"} in asked
    assert all(each in (None, {"tagStatus": "TAGGED"}) for each in asked)


def test_a_service_costs_few_calls(world: World) -> None:
    """One parameter, one image, one page of images, and a page for ten entries."""
    world.handle()
    assert world.aws.calls == {"ssm.GetParameter": 2, "ssm.GetParametersByPath": 2, "ecr.DescribeImages": 4}


# ------------------------------------------------------------ the ledger, the names, the clients


@pytest.mark.parametrize(
    ("changes", "successful"),
    [
        ({}, True),
        ({"action": "rollback"}, True),
        ({"action": "restart"}, False),
        ({"state": "failed"}, False),
        ({"state": "waiting"}, False),
    ],
)
def test_an_entry_is_read_as_a_release_writes_it(changes: dict[str, Any], successful: bool) -> None:
    """The asset cannot import the ledger, so what it writes is read here."""
    text = replace(ENTRY, build_tag="staging-1", **changes).to_json()
    assert release("name", text) == UpstreamRelease(digest=ENTRY.digest, build_tag="staging-1", successful=successful)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '"text"', '{"digest": "sha256:0"}'])
def test_what_is_no_entry_is_refused(text: str) -> None:
    """With the parameter's name and what it holds."""
    with pytest.raises(UnreadableLedgerError, match="n/1 must be an entry of the ledger, got"):
        release("n/1", text)


def test_names_are_those_that_a_release_uses() -> None:
    """The asset cannot import them, so they are compared here."""
    web = SETTINGS.services[0]
    assert SETTINGS.release_parameter(web) == release_parameter_name("shop", "production", "web")
    assert SETTINGS.upstream_ledger(web) == release_path("shop", "staging", "web")


TEXT = {
    "application": "shop",
    "here": {"environment": "production", "account": ACCOUNT, "region": REGION, "reader_role": ""},
    "upstream": {"environment": "staging", "account": ACCOUNT, "region": REGION},
    "services": [
        ["web", "shop/production/web", "shop/staging/web"],
        ["worker", "shop/production/worker", "shop/staging/worker"],
    ],
}


def test_settings_are_one_text_of_the_environment() -> None:
    """As the construct writes it."""
    assert GapSettings.from_environment({VARIABLE: json.dumps(TEXT)}) == SETTINGS


@pytest.mark.parametrize("environ", [{}, {VARIABLE: "rubbish"}, {VARIABLE: "{}"}])
def test_settings_that_are_none_are_refused(environ: dict[str, str]) -> None:
    """The function fails, and the alarm on silence tells."""
    with pytest.raises((KeyError, ValueError)):
        GapSettings.from_environment(environ)


def test_lambda_calls_main(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment, clients from ``connect``, and the time is now."""
    monkeypatch.setenv(VARIABLE, json.dumps(TEXT))
    places: list[Place] = []

    def connect(place: Place) -> Clients:
        places.append(place)
        return world.clients

    monkeypatch.setattr(gap_handler, "connect", connect)
    assert gap_handler.main({}, None) == {"measured": 2, "unknown": 0}
    assert places == [SETTINGS.here, SETTINGS.upstream]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of the function's own role."""
    for name, value in (("ACCESS_KEY_ID", "OWN"), ("SECRET_ACCESS_KEY", "own"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


def key_of(client: Any) -> str:
    """With which access key a client calls."""
    return str(client._request_signer._credentials.access_key)


@pytest.mark.usefixtures("credentials")
def test_in_one_s_own_account_one_s_own_role_reads() -> None:
    """In the region of the place, whatever the function's is."""
    made = gap_handler.connect(replace(SETTINGS.upstream, region="eu-west-3"))
    assert {client.meta.region_name for client in (made.ecr, made.ssm)} == {"eu-west-3"}
    assert {key_of(made.ecr), key_of(made.ssm)} == {"OWN"}


@pytest.mark.usefixtures("credentials")
def test_in_another_account_the_reader_role_reads() -> None:
    """The role is assumed, and both clients act as it."""
    role = "arn:aws:iam::222222222222:role/shop--staging--reader"
    sts: Any = boto3.client("sts", region_name=REGION)
    answer = {
        "AccessKeyId": "ASIAREADERREADER",
        "SecretAccessKey": "reader",
        "SessionToken": "token",
        "Expiration": NOW,
    }
    with Stubber(sts) as stub:
        stub.add_response("assume_role", {"Credentials": answer}, {"RoleArn": role, "RoleSessionName": "moorings-gap"})
        made = gap_handler.connect(replace(SETTINGS.upstream, reader_role=role), sts)
        stub.assert_no_pending_responses()
    assert {key_of(made.ecr), key_of(made.ssm)} == {"ASIAREADERREADER"}


def test_the_clock_is_read_for_each_service(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The metrics bear the time of writing: an alarm may have judged an earlier minute already."""
    times = iter(NOW + timedelta(seconds=n) for n in range(100))
    tick: Callable[[], datetime] = lambda: next(times)  # noqa: E731
    gap_handler.handle(SETTINGS, world.connect, clock=tick)
    stamps = [line["_aws"]["Timestamp"] for line in lines(capsys)]
    assert stamps == sorted(set(stamps))
