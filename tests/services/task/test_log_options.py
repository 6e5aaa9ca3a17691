"""W2: log options that let no container wait, and what no option mends."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_options import SafeLogs, crowded, safe_logs
from tests.guardrails.support import findings

MIB = 1_048_576
MODE, SIZE = "mode", "max-buffer-size"
SAFE = {"mode": "non-blocking", "max-buffer-size": "30m"}
UNBUFFERED = ("awsfirelens", "json-file", "journald", "local", "none")
NO_VALUE = {"Ref": "AWS::NoValue"}
PARAMETER = {"Ref": "Mode"}


def one(driver: Any = "awslogs", options: Any = None, *, absent: bool = False) -> list[Any]:
    """One container with a driver and options."""
    if absent:
        return [{"name": "app", "image": "x"}]
    return [{"name": "app", "image": "x", "logConfiguration": {"logDriver": driver, "options": options}}]


def found(containers: Any, buffer_mib: int = 40) -> SafeLogs:
    """The same containers as they come from CDK, made safe with a buffer that no test uses by itself."""
    return safe_logs(json.loads(json.dumps(containers)), LogDelivery(buffer_mib=buffer_mib))


def listed(made: SafeLogs) -> list[Any]:
    """The containers, when they are known."""
    assert isinstance(made.containers, list)
    return made.containers


@pytest.mark.parametrize("driver", ["awslogs", "splunk", "fluentd", "gelf", "syslog"])
@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (None, {MODE: "non-blocking", SIZE: "40m"}),
        ({}, {MODE: "non-blocking", SIZE: "40m"}),
        (NO_VALUE, {MODE: "non-blocking", SIZE: "40m"}),
        ({"awslogs-group": "/x"}, {MODE: "non-blocking", SIZE: "40m"}),
        ({"mode": "blocking"}, {MODE: "non-blocking", SIZE: "40m"}),
        ({"mode": "blocking", "max-buffer-size": "30m"}, {MODE: "non-blocking"}),
        ({"mode": "Non-Blocking", "max-buffer-size": "30m"}, {MODE: "non-blocking"}),
        ({"mode": NO_VALUE, "max-buffer-size": NO_VALUE}, {MODE: "non-blocking", SIZE: "40m"}),
        ({"mode": "non-blocking"}, {SIZE: "40m"}),
        (SAFE, {}),
        (SAFE | {"max-buffer-size": "25m"}, {}),
        (SAFE | {"max-buffer-size": "26214400b"}, {}),
        (SAFE | {"max-buffer-size": "26214400"}, {}),
        (SAFE | {"max-buffer-size": " 25 MiB "}, {}),
        (SAFE | {"max-buffer-size": "0.5g"}, {}),
        (SAFE | {"max-buffer-size": "1T"}, {}),
        (SAFE | {"max-buffer-size": "25600k"}, {}),
        (SAFE | {"max-buffer-size": "26214399"}, {SIZE: "40m"}),
        (SAFE | {"max-buffer-size": "24.9m"}, {SIZE: "40m"}),
        (SAFE | {"max-buffer-size": "1m"}, {SIZE: "40m"}),
        (SAFE | {"max-buffer-size": "much"}, {SIZE: "40m"}),
        (SAFE | {"max-buffer-size": "-30m"}, {SIZE: "40m"}),
        (SAFE | {"max-buffer-size": 26214400}, {SIZE: "40m"}),
    ],
)
def test_what_must_change_is_written(driver: str, options: Any, settings: dict[str, str]) -> None:
    """A mode that is missing or another one, and a buffer that is missing, unreadable or below 25 MiB."""
    given_containers = one(driver, options)
    before = copy.deepcopy(given_containers)
    made = safe_logs(given_containers, LogDelivery(buffer_mib=40))
    (container,) = listed(made)
    kept = {} if options in (None, NO_VALUE) else options
    assert container["logConfiguration"] == {"logDriver": driver, "options": {**kept, **settings}}
    assert (container["name"], container["image"]) == ("app", "x")
    assert made.refusals == ()
    assert given_containers == before


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, 40 * MIB),
        (SAFE, 30 * MIB),
        (SAFE | {"mode": None}, 30 * MIB),
        (SAFE | {"max-buffer-size": "30000000"}, 30_000_000),
        (SAFE | {"max-buffer-size": "25600k"}, 25 * MIB),
        (SAFE | {"max-buffer-size": "0.5g"}, 512 * MIB),
        (SAFE | {"max-buffer-size": "1T"}, 1024 * 1024 * MIB),
    ],
)
def test_a_buffer_counts_as_it_will_be(options: Any, size: int) -> None:
    """With what is written, because that is what the task gets."""
    assert found(one("awslogs", options)).buffers == (size,)


@pytest.mark.parametrize(
    ("driver", "options"),
    [
        *((driver, {"mode": "blocking"}) for driver in ("json-file", "journald", "local", "none")),
        ("awsfirelens", None),
        ("awsfirelens", {"Name": "cloudwatch"}),
        ("awsfirelens", {"mode": "non-blocking"}),
        ("awsfirelens", {"mode": NO_VALUE}),
    ],
)
def test_drivers_that_do_not_wait_are_left_alone(driver: str, options: Any) -> None:
    """A driver on the host delivers nothing over a network, and the one to FireLens is asynchronous by itself."""
    same = one(driver, options)
    assert found(same) == SafeLogs(containers=same, refusals=(), buffers=())


@pytest.mark.parametrize(
    ("containers", "what", "got", "allowed"),
    [
        (one(absent=True), "the log driver of container 'app'", None, "named"),
        ([{"name": "app", "logConfiguration": None}], "the log driver of container 'app'", None, "named"),
        ([{"name": "app", "logConfiguration": NO_VALUE}], "the log driver of container 'app'", None, "named"),
        ([{"image": "x"}], "the log driver of container number 1", None, "named"),
        ([{"name": PARAMETER}], "the log driver of container number 1", None, "named"),
        ([*one("awslogs", SAFE), {"image": "x"}], "the log driver of container number 2", None, "named"),
        (one("logentries"), "the log driver of container 'app'", "logentries", "one of awslogs, splunk"),
        (
            one(None),
            "the log driver of container 'app'",
            None,
            "one of awslogs, splunk, fluentd, gelf, syslog, awsfirelens, json-file, journald, local, none",
        ),
        (one("awsfirelens", {"mode": "blocking"}), "the log option mode of container 'app'", "blocking", "left out"),
        (one(PARAMETER), "the log driver of container 'app'", "Ref", "known before"),
        (one("awslogs", {"Fn::If": ["A", {}, {}]}), "the log options of container 'app'", "Fn::If", "known before"),
        (one("awslogs", {"mode": PARAMETER}), "the log option mode of container 'app'", "Ref", "known before"),
        (
            one("awslogs", SAFE | {"max-buffer-size": {"Fn::Sub": "${Size}m"}}),
            "the log option max-buffer-size of container 'app'",
            "Fn::Sub",
            "known before",
        ),
        (one("awsfirelens", {"mode": PARAMETER}), "the log option mode of container 'app'", "Ref", "known before"),
        (
            [{"name": "app", "logConfiguration": {"Fn::If": ["A", {}, {}]}}],
            "the log configuration of container 'app'",
            "Fn::If",
            "known before",
        ),
        ([{"Fn::If": ["A", {}, {}]}], "container number 1", "Fn::If", "known before"),
        ({"Fn::If": ["A", [], []]}, "the containers", "Fn::If", "known before"),
        (PARAMETER, "the containers", "Ref", "known before"),
    ],
)
def test_what_no_option_mends_is_refused(containers: Any, what: str, got: Any, allowed: str) -> None:
    """No driver, one that ECS does not name, a value that only CloudFormation knows: a sentence with the fix."""
    made = found(containers)
    (sentence,) = made.refusals
    start, shown, fix = sentence.partition(f", got {got!r}; ")
    assert shown, sentence
    assert start.startswith(f"{what} must be {allowed}"), sentence
    assert len(fix.split()) > 2
    assert sum(made.buffers) in (0, 30 * MIB)  # of another one
    assert made.containers == containers


def test_every_container_is_looked_at() -> None:
    """One that is refused does not hide the next, and paths count as the template does."""
    absent, safe, open_mode = one(absent=True)[0], one("awslogs", SAFE)[0], one("awslogs", {"mode": "non-blocking"})[0]
    made = found([absent, safe, NO_VALUE, open_mode])
    assert len(made.refusals) == 1
    assert listed(made)[:3] == [absent, safe, NO_VALUE]
    assert listed(made)[3]["logConfiguration"]["options"] == {"mode": "non-blocking", "max-buffer-size": "40m"}
    assert made.buffers == (30 * MIB, 40 * MIB)


@pytest.mark.parametrize("containers", [None, [], NO_VALUE])
def test_without_containers_there_is_nothing_to_say(containers: Any) -> None:
    """ECS refuses such a task definition itself."""
    assert found(containers) == SafeLogs(containers=containers, refusals=(), buffers=())


values = st.sampled_from(
    [None, "", "non-blocking", "blocking", "1m", "10m", "24m", "25m", "1g", "x", NO_VALUE, PARAMETER, {"Fn::Sub": "a"}]
)
drivers = st.sampled_from(["awslogs", "splunk", "fluentd", "gelf", "syslog", *UNBUFFERED])
options = st.none() | st.dictionaries(st.sampled_from(["mode", "max-buffer-size", "awslogs-group"]), values)
configurations = st.none() | st.fixed_dictionaries({"logDriver": drivers}, optional={"options": options})
containers = st.lists(st.fixed_dictionaries({"name": st.just("app")}, optional={"logConfiguration": configurations}))


def without_none(value: Any) -> Any:
    """As CDK writes it."""
    if isinstance(value, dict):
        return {key: without_none(inner) for key, inner in value.items() if inner is not None}
    return value


def template(made_of: list[Any]) -> str:
    """The template that CloudFormation gets."""
    made = []
    for container in made_of:
        definition: dict[str, Any] = {"Name": container["name"], "Image": "x"}
        configuration = container.get("logConfiguration")
        if configuration is not None:
            driver, given_options = configuration["logDriver"], configuration.get("options")
            if given_options and driver in UNBUFFERED:
                # The rule W2c looks for a parameter in the size before it asks whether the driver has a buffer.
                given_options = {key: value for key, value in given_options.items() if key != SIZE}
            named = {"LogDriver": driver, "Options": given_options}
            definition["LogConfiguration"] = without_none(named)
        made.append(definition)
    resource = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": made}}
    return json.dumps({"Parameters": {"Mode": {"Type": "String"}}, "Resources": {"Task": resource}})


@given(containers)
def test_what_is_not_refused_satisfies_the_rules(given_list: list[Any]) -> None:
    """Whatever the containers are: our rules W2a to W2d find nothing in what is made of them, or there is a refusal."""
    made = found(given_list)
    if not made.refusals:
        assert findings(template(listed(made)), "MOOR-W2") == []
        assert len(made.buffers) <= len(given_list)
        assert all(size >= 25 * MIB for size in made.buffers)


@given(containers)
def test_what_the_rules_accept_is_not_refused(given_list: list[Any]) -> None:
    """No stricter than the rules, but for buffers below 25 MiB, which are enlarged."""
    if not findings(template(given_list), "MOOR-W2"):
        assert found(given_list).refusals == ()


@given(containers)
def test_what_is_safe_stays_as_it_is(given_list: list[Any]) -> None:
    """Done twice it is what it was when done once, so two of them on one task definition agree."""
    once = found(given_list)
    assert found(once.containers, buffer_mib=50) == once


@pytest.mark.parametrize(
    ("sizes", "memory", "sentence"),
    [
        ([25] * 6, "512", "(25 + 25 + 25 + 25 + 25 + 25 = 150 MiB, a quarter of 512 MiB is 128 MiB), got '150 MiB'"),
        ([257], "1024", "(257 = 257 MiB, a quarter of 1024 MiB is 256 MiB), got '257 MiB'"),
        ([256.5], "1024", "(256.5 = 256.5 MiB, a quarter of 1024 MiB is 256 MiB), got '256.5 MiB'"),
        ([257], " 1GB ", "a quarter of 1024 MiB is 256 MiB"),
        ([513], "2 gb", "a quarter of 2048 MiB is 512 MiB"),
    ],
)
def test_buffers_above_a_quarter_of_the_task_are_refused(sizes: list[float], memory: str, sentence: str) -> None:
    """Whoever chose them: the sentence shows the sum."""
    (said,) = crowded([int(size * MIB) for size in sizes], memory)
    assert said.startswith("the log buffers must be at most a quarter of the task's memory (")
    assert sentence in said


@pytest.mark.parametrize(
    ("sizes", "memory"),
    [([25] * 5, "512"), ([256], "1024"), ([256], "1GB"), ([], "0"), ([999], None), ([999], PARAMETER), ([999], "much")],
)
def test_buffers_of_a_quarter_are_accepted(sizes: list[int], memory: Any) -> None:
    """And those of a task whose memory is not known: on EC2 a task need not have one."""
    assert crowded([size * MIB for size in sizes], memory) == ()
