"""What the function copies, what it leaves alone, and what it says (lesson T2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from constructs_lib.services.configuration.runtime.clients import connect
from constructs_lib.services.configuration.runtime.settings import VARIABLE, CopySettings
from tests.services.configuration.runtime.world import PLACE, SETTINGS, World


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written, a line each."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def ages(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """The metric, as CloudWatch reads it from the lines."""
    found = []
    for line in lines(capsys):
        if "_aws" in line:
            (described,) = line["_aws"]["CloudWatchMetrics"]
            assert described == {
                "Namespace": "Moorings",
                "Dimensions": [["Application", "Environment", "Configuration"]],
                "Metrics": [{"Name": "CopyAgeMinutes", "Unit": "None"}],
            }
            assert (line["Application"], line["Environment"], line["Configuration"]) == ("shop", "staging", "web")
            found.append(line["CopyAgeMinutes"])
    return found


def test_what_is_complete_is_copied(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The first run writes version, time and content, and an age of zero."""
    world.appconfig.deploy('{"limit": 5}')
    assert world.run() == {"outcome": "written", "version": "1"}
    assert world.copy == {"version": "1", "confirmed_at": "2026-04-01T10:00:00+00:00", "content": {"limit": 5}}
    (line,) = lines(capsys)
    assert line["_aws"]["Timestamp"] == 1775037600000
    assert (line["CopyAgeMinutes"], line["outcome"], line["version"]) == (0, "written", "1")


def test_an_unchanged_configuration_is_confirmed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing changed, and still the copy says that it was right a moment ago."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.later(5)
    assert world.run() == {"outcome": "confirmed", "version": "1"}
    assert world.copy["confirmed_at"] == "2026-04-01T10:05:00+00:00"
    assert ages(capsys) == [0, 0]


@pytest.mark.parametrize(
    "state", ["VALIDATING", "DEPLOYING", "BAKING", "ROLLING_BACK", "ROLLED_BACK", "REVERTED", "NEW"]
)
def test_only_what_is_complete_is_good(world: World, state: str) -> None:
    """A deployment under way or taken back is not copied; the one before it is confirmed."""
    world.appconfig.deploy('{"limit": 5}')
    world.appconfig.deploy('{"limit": 0}', state=state)
    assert world.run()["version"] == "1"
    assert world.copy["content"] == {"limit": 5}


def test_after_a_revert_the_copy_goes_back_with_appconfig(world: World) -> None:
    """What was complete and then reverted is in no task any more, so it may not be in a new one."""
    world.appconfig.deploy('{"limit": 5}')
    second = world.appconfig.deploy('{"limit": 0}')
    world.run()
    assert world.copy["content"] == {"limit": 0}
    world.appconfig.becomes(second, "REVERTED")
    world.later(5)
    assert world.run() == {"outcome": "written", "version": "1"}
    assert world.copy["content"] == {"limit": 5}


def test_an_older_version_deployed_again_is_the_newest_deployment(world: World) -> None:
    """The number of the deployment decides, not the version's."""
    world.appconfig.deploy('{"limit": 5}')
    world.appconfig.deploy('{"limit": 6}')
    world.appconfig.deploy_version(1)
    assert world.run()["version"] == "1"


def test_deployments_of_another_profile_are_not_ours(world: World) -> None:
    """An environment may have more than one profile."""
    world.appconfig.deploy('{"limit": 5}')
    for _ in range(2):  # of version 2, which ours has not
        world.appconfig.deploy('{"colour": "red"}', profile="other")
    assert world.run()["version"] == "1"
    assert world.copy["content"] == {"limit": 5}


def test_an_older_botocore_knows_the_profile_by_its_name(world: World) -> None:
    """Lambda brings its own boto3; without the profile's id its name decides."""
    world.appconfig.deploy('{"limit": 5}')
    for _ in range(2):  # of version 2, which ours has not
        world.appconfig.deploy('{"colour": "red"}', profile="other")
    for one in world.appconfig.deployments:
        del one["ConfigurationProfileId"]
    world.run()
    assert world.copy["content"] == {"limit": 5}


def test_the_last_complete_deployment_may_be_pages_back(world: World) -> None:
    """A week of failed deployments does not hide the good one before them."""
    world.appconfig.page_size = 2
    world.appconfig.deploy('{"limit": 5}')
    for _ in range(7):
        world.appconfig.deploy('{"limit": 0}', state="ROLLED_BACK")
    assert world.run()["version"] == "1"
    assert world.aws.calls["appconfig.ListDeployments"] == 4


def test_no_page_is_read_that_is_not_needed(world: World) -> None:
    """The newest come first, so reading ends with the first page that has a good one."""
    world.appconfig.page_size = 2
    for number in range(8):
        world.appconfig.deploy(json.dumps({"limit": number}))
    world.run()
    assert world.aws.calls["appconfig.ListDeployments"] == 1


def test_while_appconfig_is_down_the_copy_stays_and_grows_old(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The age is told all the time, so the alarm has something to see."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    before = world.s3.objects[PLACE]
    world.appconfig.down = ("InternalServerException", 500)
    for _ in range(3):
        world.later(5)
        assert world.run() == {"outcome": "kept", "version": "1"}
    assert world.s3.objects[PLACE] == before
    assert ages(capsys) == [0, 5, 10, 15]


def test_an_appconfig_that_cannot_be_reached_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """No answer at all is as good as an error, and the log says why."""

    def lost(operation: str, _params: object) -> None:
        if operation.startswith("appconfig"):
            raise ConnectTimeoutError(endpoint_url="https://appconfig")

    world.aws.before = lost
    assert world.run() == {"outcome": "kept", "version": "none"}
    (line,) = lines(capsys)
    assert line["message"] == "the configuration could not be read, so its copy stays as it is"
    assert "Connect timeout" in line["why"]


@pytest.mark.parametrize(
    "content",
    ["", "limit: 5", "[1]", '"text"', "null", '{"limit": NaN}', '{"limit": 1e999}', "[" * 100_000, '{"limit": 5'],
)
def test_what_is_no_json_object_is_never_copied(world: World, capsys: pytest.CaptureFixture[str], content: str) -> None:
    """Somebody deploys by hand what no client can read: the copy stays good, and grows old."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.appconfig.deploy(content)
    world.later(5)
    assert world.run() == {"outcome": "kept", "version": "1"}
    assert world.copy["content"] == {"limit": 5}
    assert ages(capsys) == [0, 5]


def test_bytes_that_are_no_text_are_never_copied(world: World) -> None:
    """AppConfig stores anything."""
    world.appconfig.deploy("{}")
    world.appconfig.versions["prof1", 1] = b"\xff\xfe\x00"
    assert world.run()["outcome"] == "kept"
    assert world.s3.objects == {}


@pytest.mark.parametrize("version", ["v2.2.0", "-1", ""])
def test_a_version_of_another_store_is_never_copied(world: World, version: str) -> None:
    """A profile may be pointed at Parameter Store, whose versions are none of AppConfig's own."""
    world.appconfig.deploy("{}")
    world.appconfig.deployments[0]["ConfigurationVersion"] = version
    assert world.run()["outcome"] == "kept"


def test_a_version_that_was_deleted_leaves_the_copy(world: World) -> None:
    """The deployment is in force still, and the copy is of the version before; it grows old until somebody looks."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.appconfig.deploy('{"limit": 6}')
    del world.appconfig.versions["prof1", 2]
    world.later(5)
    assert world.run() == {"outcome": "kept", "version": "1"}


def test_two_runs_at_once_write_once(world: World) -> None:
    """The run that asked AppConfig earlier ends later, and cannot write over what the other has found."""
    world.appconfig.deploy('{"limit": 5}')
    ran: list[dict[str, str]] = []

    def second(operation: str, _params: object) -> None:
        if operation == "s3.PutObject" and not ran:
            ran.append({})
            world.appconfig.deploy('{"limit": 6}')
            world.later(1)
            ran.append(world.run())

    world.aws.before = second
    assert world.run() == {"outcome": "overtaken", "version": "2"}
    assert ran[1] == {"outcome": "written", "version": "2"}
    assert world.copy == {"version": "2", "confirmed_at": "2026-04-01T10:01:00+00:00", "content": {"limit": 6}}


def test_a_run_that_was_slow_to_read_the_copy_does_not_write_over_it(world: World) -> None:
    """The copy is read before AppConfig is asked, so what is found is never older than what another run wrote."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    under_way = world.appconfig.deploy('{"limit": 6}', state="BAKING")
    ran: list[dict[str, str]] = []

    def second(operation: str, _params: object) -> None:
        if operation == "s3.GetObject" and not ran:
            ran.append({})
            world.later(5)
            world.appconfig.becomes(under_way, "COMPLETE")
            ran.append(world.run())

    world.aws.before = second
    assert world.run() == {"outcome": "confirmed", "version": "2"}
    assert ran[1] == {"outcome": "written", "version": "2"}
    times = [json.loads(one)["confirmed_at"] for one in world.s3.writes]
    assert times == sorted(times)


def test_a_run_that_is_overtaken_later_cannot_go_back_either(world: World) -> None:
    """The same where a copy is there already, and for a run that hangs while it reads AppConfig."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    ran: list[dict[str, str]] = []

    def second(operation: str, _params: object) -> None:
        if operation == "s3.PutObject" and not ran:
            ran.append({})
            world.appconfig.becomes(1, "REVERTED")
            world.appconfig.deploy('{"limit": 6}')
            world.later(5)
            ran.append(world.run())

    world.later(5)
    world.aws.before = second
    assert world.run() == {"outcome": "overtaken", "version": "2"}
    assert ran[1]["outcome"] == "written"
    assert [json.loads(one)["version"] for one in world.s3.writes] == ["1", "2"]


@pytest.mark.parametrize("code", [("PreconditionFailed", 412), ("ConditionalRequestConflict", 409), ("NoSuchKey", 404)])
def test_each_answer_of_a_lost_race_is_known(
    world: World, capsys: pytest.CaptureFixture[str], code: tuple[str, int]
) -> None:
    """S3 has three of them; the age is then that of the copy which is there."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.s3.failing["PutObject"] = code
    world.later(5)
    assert world.run() == {"outcome": "overtaken", "version": "1"}
    assert ages(capsys) == [0, 5]


def test_a_copy_that_cannot_be_written_grows_old(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """S3 refuses: the copy stays, its age is known, and the log says why."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.s3.failing["PutObject"] = ("AccessDenied", 403)
    world.later(5)
    assert world.run() == {"outcome": "kept", "version": "1"}
    first, refused, second = lines(capsys)
    assert refused["message"] == "the copy could not be written, so it stays as it is"
    assert (first["CopyAgeMinutes"], second["CopyAgeMinutes"]) == (0, 5)


def test_a_copy_that_cannot_be_read_is_not_written_over(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its tag nobody knows whether it is newer; no age is told, and silence is a fault."""
    world.appconfig.deploy('{"limit": 5}')
    world.run()
    world.s3.failing["GetObject"] = ("SlowDown", 503)
    world.later(5)
    assert world.run() == {"outcome": "unknown", "version": "unknown"}
    assert len(world.s3.writes) == 1
    assert ages(capsys) == [0]
    assert world.aws.calls["appconfig.ListDeployments"] == 1


def test_a_role_that_may_not_list_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Without ListBucket S3 says 403 for what is not there: that is no reason to write."""
    world.s3.lists = False
    world.appconfig.deploy('{"limit": 5}')
    assert world.run()["outcome"] == "unknown"
    assert "AccessDenied" in lines(capsys)[0]["why"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"garbage",
        b"[]",
        b'{"version": "1", "content": {}}',
        b'{"version": 1, "confirmed_at": "2026-04-01T09:00:00+00:00", "content": {}}',
        b'{"version": "1", "confirmed_at": "yesterday", "content": {}}',
        b'{"version": "1", "confirmed_at": "2026-04-01T09:00:00", "content": {}}',
        b'{"version": "1", "confirmed_at": "2099-04-01T09:00:00+00:00", "content": {}}',
        b'{"version": "1", "confirmed_at": "2026-04-01T09:00:00+00:00", "content": []}',
    ],
)
def test_a_spoiled_copy_is_written_over(world: World, capsys: pytest.CaptureFixture[str], text: bytes) -> None:
    """One that was written by hand, or is of a time to come and would never grow old, is replaced by a good one."""
    world.s3.objects[PLACE] = text
    world.appconfig.deploy('{"limit": 5}')
    assert world.run() == {"outcome": "written", "version": "1"}
    assert world.copy["content"] == {"limit": 5}
    assert lines(capsys)[0]["message"] == "the copy cannot be read"


def test_a_spoiled_copy_has_no_age(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """While AppConfig is down nobody can put it right, and nobody claims that it is young."""
    world.s3.objects[PLACE] = b"garbage"
    world.appconfig.down = ("InternalServerException", 500)
    assert world.run() == {"outcome": "kept", "version": "none"}
    assert ages(capsys) == []


def test_before_the_first_copy_the_age_counts_from_when_it_was_due(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first deployment was taken back after 4 minutes; it was to be complete after 20, and nothing is since."""
    world.appconfig.deploy('{"limit": 5}', state="ROLLED_BACK", at=world.now)
    world.later(4)
    world.appconfig.deploy('{"limit": 5}', state="BAKING", at=world.now)
    world.later(26)
    assert world.run() == {"outcome": "kept", "version": "none"}
    assert ages(capsys) == [10]
    assert world.s3.objects == {}


def test_a_first_deployment_that_takes_a_day_is_no_fault(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is told of a copy that cannot be there yet; an hour after its time the age is an hour."""
    world.appconfig.deploy('{"limit": 5}', state="DEPLOYING", at=world.now)
    world.appconfig.deployments[0] |= {"DeploymentDurationInMinutes": 1380, "FinalBakeTimeInMinutes": 60}
    for minutes in (60, 1380, 60):
        world.later(minutes)
        world.run()
    assert ages(capsys) == [0, 0, 60]


def test_without_any_deployment_there_is_no_age(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was deployed, so nothing can be old; the alarm takes silence for a fault."""
    assert world.run() == {"outcome": "kept", "version": "none"}
    assert lines(capsys) == []


def test_throttling_is_asked_again(world: World) -> None:
    """A call that AppConfig throttles once is made again within the same run."""
    world.appconfig.deploy('{"limit": 5}')
    world.appconfig.down = ("ThrottlingException", 429)

    def once(_operation: str, _params: object) -> None:
        if world.aws.calls["appconfig.ListDeployments"] > 1:
            world.appconfig.down = None

    world.aws.before = once
    assert world.run()["outcome"] == "written"


def test_a_fault_of_ours_is_raised(world: World) -> None:
    """What is no failure of AWS's must be seen as an error of the function."""
    world.appconfig.deploy("{}")
    del world.appconfig.deployments[0]["DeploymentNumber"]
    with pytest.raises(KeyError):
        world.run()


def test_the_settings_are_read_from_the_environment() -> None:
    """As the construct writes them."""
    text = json.dumps({name: getattr(SETTINGS, name) for name in SETTINGS.__slots__})
    assert CopySettings.from_environment({VARIABLE: text}) == SETTINGS
    with pytest.raises(KeyError):
        CopySettings.from_environment({})
    with pytest.raises(TypeError):
        CopySettings.from_environment({VARIABLE: '{"application": "shop"}'})


def test_no_call_outlasts_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four calls, three tries each, 13 seconds a try, and the pauses of botocore: less than 180 seconds."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    made: Any = connect()
    for client in (made.appconfig, made.s3):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, 10)
        assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert 4 * (3 * 13 + 1 + 2) < 180
