"""W2: logs that cannot be delivered must not stop the container."""

from __future__ import annotations

import pytest

from tests.guardrails.support import findings, said

CONTAINER = "Properties/ContainerDefinitions/0"
OPTIONS = f"{CONTAINER}/LogConfiguration/Options"

HEAD = """
Parameters:
  Given: {Type: String, Default: blocking}
  Asked: {Type: String}
  Env: {Type: String, Default: dev}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
"""


def container(configuration: str) -> str:
    """A task definition whose only container has a log configuration."""
    return f"{HEAD}          LogConfiguration: {configuration}\n"


def logged(options: str, driver: str = "awslogs") -> str:
    """The same with a driver and options."""
    return container(f"{{LogDriver: {driver}, Options: {{{options}}}}}")


def test_a_container_without_a_log_configuration_fails_at_the_place_where_it_is_missing() -> None:
    """Only W2a speaks: there is no mode or buffer to judge."""
    assert [(one.rule, one.status, one.path) for one in findings(HEAD, "MOOR-W2")] == [
        ("MOOR-W2a", "fail", f"{CONTAINER}/LogConfiguration")
    ]


def test_every_container_is_judged_and_named() -> None:
    """A sidecar without a driver fails beside a container that has one."""
    template = container("{LogDriver: json-file}") + "        - {Name: agent}\n"
    found = findings(template, "MOOR-W2")
    assert [(one.path, "'agent'" in one.message) for one in found] == [
        ("Properties/ContainerDefinitions/1/LogConfiguration", True)
    ]


@pytest.mark.parametrize("driver", ["awslogs", "splunk", "syslog", "gelf", "fluentd"])
@pytest.mark.parametrize("options", ["", "mode: blocking", "mode: !Ref Given", "mode: Non-Blocking"])
def test_every_driver_that_delivers_must_be_non_blocking(driver: str, options: str) -> None:
    """No mode, which leaves it to the account, fails like blocking, for ECS gives the option to all drivers."""
    assert said(logged(options, driver), "MOOR-W2b") == [("fail", "Task", f"{OPTIONS}/mode")]


@pytest.mark.parametrize("driver", ["json-file", "journald"])
def test_logs_that_stay_on_the_host_are_not_judged(driver: str) -> None:
    """Nothing can be out of reach where nothing is sent."""
    assert said(logged("mode: blocking", driver), "MOOR-W2") == []


@pytest.mark.parametrize(("options", "rules"), [("", []), ("mode: blocking", ["MOOR-W2b"]), ("mode: non-blocking", [])])
def test_firelens_is_asynchronous_unless_told_otherwise(options: str, rules: list[str]) -> None:
    """Only an explicit blocking fails, and its buffer is of another kind."""
    assert [one.rule for one in findings(logged(options, "awsfirelens"), "MOOR-W2")] == rules


def test_a_finding_says_what_is_there() -> None:
    """An absent mode is told from a wrong one."""
    absent, wrong = (findings(logged(options), "MOOR-W2b")[0].message for options in ("", "mode: blocking"))
    assert absent.startswith("Container 'web' logs through awslogs with no mode, which leaves it to the account.")
    assert wrong.startswith("Container 'web' logs through awslogs with mode 'blocking'.")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("!Ref Asked", [("unknown", "Task", f"{OPTIONS}/mode")]),
        ("!If [IsProd, non-blocking, blocking]", [("fail", "Task", f"{OPTIONS}/mode/Fn::If/2")]),
        ("!If [IsProd, non-blocking, !Ref AWS::NoValue]", [("fail", "Task", f"{OPTIONS}/mode/Fn::If/2")]),
        ("!Sub '${Given}'", [("fail", "Task", f"{OPTIONS}/mode")]),
        ("!Join ['-', [non, blocking]]", []),
    ],
)
def test_the_mode_is_understood_through_functions(mode: str, expected: list[tuple[str, str, str]]) -> None:
    """A branch that fails is a failure, a default is a value, and a parameter without one is unknown."""
    assert said(logged(f"mode: {mode}, max-buffer-size: 25m"), "MOOR-W2") == expected


@pytest.mark.parametrize(
    ("size", "rule"),
    [
        ("1048575", "MOOR-W2c"),
        ("1023k", "MOOR-W2c"),
        ("0.5m", "MOOR-W2c"),
        ("0", "MOOR-W2c"),
        ("1048576", "MOOR-W2d"),
        ("1m", "MOOR-W2d"),
        ("1MiB", "MOOR-W2d"),
        ("1024 kb", "MOOR-W2d"),
        ("10485759b", "MOOR-W2d"),
        ("9.9M", "MOOR-W2d"),
        ("10239k", "MOOR-W2d"),
        ("10m", None),
        ("10485760b", None),
        ("10MB", None),
        ("1g", None),
        ("1T", None),
    ],
)
def test_the_edges_of_the_buffer(size: str, rule: str | None) -> None:
    """Under 1 MiB is an error, under 10 MiB a warning, in the units that Docker reads, all of them binary."""
    found = findings(logged(f"mode: non-blocking, max-buffer-size: {size}"), "MOOR-W2")
    assert [(one.rule, one.path) for one in found] == ([(rule, f"{OPTIONS}/max-buffer-size")] if rule else [])
    shown = f"{size} bytes" if size.isdigit() else size
    assert all(f"'web' has a log buffer of {shown}, less than" in one.message for one in found)


def test_non_blocking_without_a_buffer_size_fails() -> None:
    """The size is a decision; only the error speaks, not the warning too."""
    assert [one.rule for one in findings(logged("mode: non-blocking"), "MOOR-W2")] == ["MOOR-W2c"]


def test_a_size_that_is_not_known_is_unknown_once() -> None:
    """Neither passed nor failed; the rule on the larger limit has nothing to add."""
    for size in ("!Ref Asked", "!Sub '${Asked}m'"):
        found = findings(logged(f"mode: non-blocking, max-buffer-size: {size}"), "MOOR-W2")
        assert [(one.rule, one.status) for one in found] == [("MOOR-W2c", "unknown")]


def test_containers_that_are_not_known_are_unknown_to_the_other_rules() -> None:
    """The rule on the larger limit has nothing to add here either."""
    template = (
        "{Parameters: {All: {Type: String}}, Resources: {Task: {Type: AWS::ECS::TaskDefinition,"
        " Properties: {ContainerDefinitions: !Ref All}}}}"
    )
    found = findings(template, "MOOR-W2")
    assert [(one.rule, one.status) for one in found] == [(f"MOOR-W2{letter}", "unknown") for letter in "abc"]


@pytest.mark.parametrize("size", ["lots", "'-1'", "1e3m", "''", "'" + "9" * 5000 + "'"])
def test_a_size_that_is_none_fails(size: str) -> None:
    """It is known, and Docker refuses it."""
    (found,) = findings(logged(f"mode: non-blocking, max-buffer-size: {size}"), "MOOR-W2")
    assert (found.rule, found.status) == ("MOOR-W2c", "fail")
    got = size.strip("'")[:40]
    assert found.message.startswith(f"Max-buffer-size of container 'web' is '{got}', which is no size such as 25m. ")


@pytest.mark.parametrize("size", ["lots", "1k"])
def test_a_bad_size_of_a_driver_that_keeps_it_on_the_host_is_not_judged(size: str) -> None:
    """Nothing is buffered for a network."""
    assert said(logged(f"mode: non-blocking, max-buffer-size: {size}", "json-file"), "MOOR-W2") == []


def test_a_buffer_between_the_limits_in_an_unknown_mode_is_unknown() -> None:
    """The rule on the smaller limit has nothing to say of it."""
    found = findings(logged("mode: !Ref Asked, max-buffer-size: 5m"), "MOOR-W2")
    assert [(one.rule, one.status) for one in found] == [("MOOR-W2b", "unknown"), ("MOOR-W2d", "unknown")]


def test_a_blocking_container_is_not_told_of_its_buffer() -> None:
    """One fault, one finding."""
    assert [one.rule for one in findings(logged("mode: blocking, max-buffer-size: 1k"), "MOOR-W2")] == ["MOOR-W2b"]


def test_a_large_buffer_is_known_to_be_fine_in_an_unknown_mode() -> None:
    """Nothing is asked that the answer does not need."""
    assert [one.rule for one in findings(logged("mode: !Ref Asked, max-buffer-size: 25m"), "MOOR-W2")] == ["MOOR-W2b"]


def test_a_driver_that_is_not_known_leaves_the_mode_unknown() -> None:
    """It may be one that stays on the host."""
    assert said(logged("mode: blocking", "!Ref Asked"), "MOOR-W2b") == [
        ("unknown", "Task", f"{CONTAINER}/LogConfiguration/LogDriver")
    ]


@pytest.mark.parametrize(
    "containers",
    [
        "!GetAtt Made.Containers",
        "[{Name: web, LogConfiguration: !GetAtt Made.Logs}]",
        "[{Name: web, LogConfiguration: {LogDriver: awslogs, Options: !GetAtt Made.Options}}]",
    ],
)
def test_what_a_custom_resource_gives_is_unknown(containers: str) -> None:
    """It may be a list or a mapping; nothing of it is absent for sure."""
    text = (
        "Resources:\n  Made: {Type: Custom::Made}\n"
        f"  Task: {{Type: AWS::ECS::TaskDefinition, Properties: {{ContainerDefinitions: {containers}}}}}"
    )
    found = findings(text, "MOOR-W2")
    assert found
    assert {one.status for one in found} == {"unknown"}
