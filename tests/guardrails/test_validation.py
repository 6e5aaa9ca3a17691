"""Our rules while CDK synthesizes, and one acknowledgement at every door."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from aws_cdk import Acknowledgment, App, CfnParameter, NestedStack, Stack, Stage, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2

from constructs_lib.guardrails.cdk_rows import Row, rows
from constructs_lib.guardrails.check import check
from constructs_lib.guardrails.pack import MooringsChecks
from constructs_lib.guardrails.rule import Finding, Severity, Status
from constructs_lib.guardrails.templates.errors import UnusableInput
from constructs_lib.guardrails.validation import GuardrailChecks, acknowledge
from tests.guardrails.cdk_apps import JUDGED, Synthesis, synthesized, task_definition

TODAY = date(2027, 1, 31)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An empty app with a folder of its own."""
    return App(outdir=str(tmp_path / "cdk.out"))


def test_an_error_stops_the_synthesis(app: App) -> None:
    """The message says what and why, the report where; ``CDK_VALIDATION=false`` stops only the checks of CDK itself."""
    task_definition(Stack(app, "Web"))
    done = synthesized(app, GuardrailChecks())
    assert done.plugin.conclusion == "failure"
    assert done.plugin.stands == [("MOOR-W2b", "Web/Task")]
    assert "MOOR-W2b" in done.error
    assert "WebORCA" in done.error
    violation = next(one for one in done.plugin.raw["violations"] if one["ruleName"] == "MOOR-W2b")
    assert "non-blocking" in violation["suggestedFix"]
    (where,) = violation["violatingConstructs"]
    assert where["cloudFormationResource"] == {
        "templatePath": "Web.template.json",
        "logicalId": "Task",
        "propertyPaths": ["Properties.ContainerDefinitions.0.LogConfiguration.Options.mode"],
    }


def test_a_warning_is_reported_and_stops_nothing(app: App) -> None:
    """A buffer of 2 MiB is small, and no reason to hold a deployment back."""
    task_definition(Stack(app, "Web"), mode="non-blocking", buffer="2m")
    done = synthesized(app, GuardrailChecks())
    assert (done.error, done.plugin.conclusion) == ("", "success")
    assert done.plugin.severities == {"MOOR-W2d": "warning"}


def test_what_is_unknown_is_reported_and_stops_nothing(app: App) -> None:
    """It is neither passed nor failed."""
    stack = Stack(app, "Web")
    task_definition(stack, mode=CfnParameter(stack, "Mode").value_as_string)
    done = synthesized(app, GuardrailChecks())
    assert (done.error, done.plugin.conclusion) == ("", "success")
    assert done.plugin.severities["MOOR-W2b"] == "info"


def test_what_an_override_changes_is_seen(app: App) -> None:
    """The templates are judged as they are deployed, whatever wrote them."""
    stack = Stack(app, "Web")
    mode = "ContainerDefinitions.0.LogConfiguration.Options.mode"
    task_definition(stack, "Better").add_property_override(mode, "non-blocking")
    task_definition(stack, "Worse", mode="non-blocking").add_property_override(mode, "blocking")
    task_definition(stack, "Gone", mode="non-blocking").add_property_deletion_override(mode)
    assert synthesized(app, GuardrailChecks()).plugin.stands == [("MOOR-W2b", "Web/Gone"), ("MOOR-W2b", "Web/Worse")]


def test_nested_stacks_and_stages_are_judged(app: App) -> None:
    """CDK names the templates of top-level stacks only; the others are found."""
    stack = Stack(app, "Web")
    task_definition(NestedStack(NestedStack(stack, "Inner"), "Innermost"))
    task_definition(NestedStack(Stack(Stage(Stage(app, "Live"), "Eu"), "Web"), "Inner"))
    assert synthesized(app, GuardrailChecks()).plugin.stands == [
        ("MOOR-W2b", "Live/Eu/Web/Inner/Task"),
        ("MOOR-W2b", "Web/Inner/Innermost/Task"),
    ]


def test_the_stacks_of_a_stage_are_judged_together_and_apart_from_other_stages(app: App) -> None:
    """An alarm in another stack of production watches production, and nothing of staging."""
    live, trial = Stage(app, "Live"), Stage(app, "Trial")
    gateway = ec2.CfnNatGateway(Stack(live, "Network"), "Gateway", subnet_id="subnet-1", allocation_id="eipalloc-1")
    cloudwatch.CfnAlarm(
        Stack(live, "Alarms"),
        "Alarm",
        namespace="AWS/NATGateway",
        metric_name="ErrorPortAllocation",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        threshold=0,
        period=60,
        statistic="Sum",
        dimensions=[{"name": "NatGatewayId", "value": gateway.ref}],
        alarm_actions=["arn:aws:sns:eu-central-1:123456789012:on-call"],
    )
    ec2.CfnNatGateway(Stack(trial, "Network"), "Gateway", subnet_id="subnet-1", allocation_id="eipalloc-1")
    done = synthesized(app, GuardrailChecks(), rules=("MOOR-W1a",))
    assert done.plugin.stands == [("MOOR-W1a", "Trial/Network/Gateway")]


def test_a_plugin_at_one_stage_judges_that_stage(app: App) -> None:
    """What another stage acknowledges, or the app for another stage, is not its business."""
    live, trial = Stage(app, "Live"), Stage(app, "Trial")
    for stage in (live, trial):
        task_definition(Stack(stage, "Web"))
    acknowledge(app, "MOOR-W2a", reason="for another stage, as far as this one knows")
    done = synthesized(app, GuardrailChecks(today=TODAY), at=live)
    assert done.plugin.stands == [("MOOR-W2b", "Live/Web/Task")]


# -- one acknowledgement, every door ---------------------------------------------------------------------------------


def at_the_resource(web: Stack) -> None:
    """In CDK, at the resource itself."""
    acknowledge(web.node.find_child("Task"), "MOOR-W2b", reason="on trial", until=TODAY)


def at_the_stack(web: Stack) -> None:
    """In CDK, at its stack."""
    acknowledge(web, "MOOR-W2b", reason="on trial", until=TODAY)


def at_the_parent(web: Stack) -> None:
    """In CDK, at the stack that the nested stack is in."""
    acknowledge(web.nested_stack_parent or web, "MOOR-W2b", reason="on trial", until=TODAY)


def at_the_stage(web: Stack) -> None:
    """In CDK, at the stage."""
    stage = Stage.of(web)
    assert stage is not None
    acknowledge(stage, "MOOR-W2b", reason="on trial", until=TODAY)


def in_the_metadata(web: Stack) -> None:
    """In the template, as one would without CDK."""
    entry = {"id": "MOOR-W2b", "reason": "on trial", "until": TODAY.isoformat()}
    web.node.find_child("Task").add_metadata("Moorings", {"acknowledge": [entry]})  # type: ignore[attr-defined]


def in_the_template(web: Stack) -> None:
    """In the template, for all its resources."""
    entry = {"id": "MOOR-W2b", "reason": "on trial (until 2027-01-31)"}
    web.template_options.metadata = {"Moorings": {"acknowledge": [entry]}}


def three_doors(app: App, today: date) -> tuple[list[tuple[str, str]], ...]:
    """What stands, as rule and template: at the plugin, at the pack, and for who judges ``cdk.out``."""
    done = synthesized(app, GuardrailChecks(today=today), MooringsChecks(app, today=today))
    report = check([done.folder], today=today)
    found = [
        [
            (one["ruleName"].partition("[")[0], Path(at["cloudFormationResource"]["templatePath"]).name)
            for one in plugin.raw["violations"]
            if one["ruleName"].startswith("MOOR-W2")
            for at in one["violatingConstructs"]
        ]
        for plugin in done.plugins
    ]
    of_files = [(one.rule, Path(one.file).name) for one in report.findings if one.rule.startswith("MOOR-W2")]
    return (*map(sorted, found), sorted(of_files))


@pytest.mark.parametrize(
    "say", [at_the_resource, at_the_stack, at_the_parent, at_the_stage, in_the_metadata, in_the_template]
)
@pytest.mark.parametrize("kind", ["stack", "nested"])
@pytest.mark.parametrize("context", [{}, {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}])
def test_one_acknowledgement_works_at_every_door(
    tmp_path: Path, say: Callable[[Stack], None], kind: str, context: dict[str, object]
) -> None:
    """Until its last day the finding is gone at all three; from then on it stands at all three."""
    for number, (today, standing) in enumerate(((TODAY, 0), (date(2027, 2, 1), 1))):
        app = App(outdir=str(tmp_path / str(number)), context=context)
        web: Stack = Stack(Stage(app, "Live"), "Web")
        if kind == "nested":
            web = NestedStack(web, "Inner")
        task_definition(web)
        task_definition(Stack(Stage(app, "Trial"), "Web"))
        say(web)
        doors = three_doors(app, today)
        assert doors[0] == doors[1] == doors[2]
        assert [len([one for one in door if one[1].startswith("Live")]) for door in doors] == [standing] * 3
        assert [len([one for one in door if one[1].startswith("Trial")]) for door in doors] == [1] * 3


def test_the_report_keeps_what_was_accepted_and_why(app: App) -> None:
    """Who audits the app finds each accepted finding with its reason, and the synthesis goes on."""
    stack = Stack(app, "Web")
    task_definition(stack)
    acknowledge(stack, "MOOR-W2b", reason="on trial", until=TODAY)
    done = synthesized(app, GuardrailChecks(today=TODAY))
    assert (done.error, done.plugin.conclusion) == ("", "success")
    assert done.plugin.stands == []
    assert done.plugin.left_out == [("MOOR-W2b", "Web/Task", "on trial (until 2027-01-31)")]


def test_an_id_without_our_name_is_honoured(app: App) -> None:
    """As cdk-nag honours its own; CDK takes it for another tool's and would not."""
    stack = Stack(app, "Web")
    task_definition(stack)
    Validations.of(stack).acknowledge(Acknowledgment(id="MOOR-W2b", reason="on trial"))
    assert synthesized(app, GuardrailChecks(today=TODAY)).plugins == []


def fix_of(done: Synthesis, name: str) -> str:
    """What CDK's report says to do about a rule."""
    (fix,) = {one["suggestedFix"] for one in done.plugin.raw["violations"] if one["ruleName"] == name}
    assert isinstance(fix, str)
    return fix


def test_an_expired_acknowledgement_hides_nothing(app: App) -> None:
    """CDK leaves out what is acknowledged, whatever the reason says; it must not leave out this one."""
    stack = Stack(app, "Web")
    task_definition(stack)
    acknowledge(stack, "MOOR-W2b", reason="on trial", until=TODAY)
    done = synthesized(app, GuardrailChecks(today=date(2027, 2, 1)))
    assert done.plugin.conclusion == "failure"
    assert done.plugin.stands == [("MOOR-Q8b", "Web"), ("MOOR-W2b[not-honoured]", "Web/Task")]
    assert done.plugin.severities["MOOR-Q8b"] == "warning"
    assert "2027-01-31 was its last day" in done.error
    assert fix_of(done, "MOOR-W2b[not-honoured]").startswith(
        "Mend the acknowledgement (it ended on 2027-01-31); do not acknowledge this id. Set the log option"
    )
    assert fix_of(done, "MOOR-Q8b").endswith("Findings about acknowledgements cannot be accepted.")


def test_one_that_holds_accepts_what_a_nearer_one_no_longer_does(app: App) -> None:
    """The expired one is told; the synthesis goes on."""
    stack = Stack(app, "Web")
    acknowledge(task_definition(stack), "MOOR-W2b", reason="on trial", until=date(2020, 1, 1))
    acknowledge(stack, "MOOR-W2b", reason="a sandbox")
    done = synthesized(app, GuardrailChecks(today=TODAY))
    assert (done.error, done.plugin.stands) == ("", [("MOOR-Q8b", "Web/Task")])


def test_one_without_a_reason_hides_nothing(app: App) -> None:
    """CDK takes an empty reason."""
    stack = Stack(app, "Web")
    task_definition(stack)
    Validations.of(stack).acknowledge(Acknowledgment(id="Moorings::MOOR-W2b", reason=""))
    done = synthesized(app, GuardrailChecks(today=TODAY))
    assert done.plugin.conclusion == "failure"
    assert done.plugin.stands == [("MOOR-Q8a", "Web"), ("MOOR-W2b[not-honoured]", "Web/Task")]
    assert fix_of(done, "MOOR-W2b[not-honoured]").startswith(
        "Mend the acknowledgement (it has no reason); do not acknowledge this id. "
    )


@pytest.mark.parametrize(
    "names",
    [
        ("MOOR-W2b[not-honoured]",),
        ("MOOR-W2b[not-honoured]", "MOOR-W2b[not-honoured][not-honoured]"),
        ("MOOR-Q8a",),
        ("MOOR-Q8b",),
    ],
)
def test_what_stands_cannot_be_hidden_by_its_new_name(app: App, names: tuple[str, ...]) -> None:
    """To acknowledge what CDK prints beside it, or what is said of acknowledgements, is an error of its own."""
    stack = Stack(app, "Web")
    task_definition(stack)
    acknowledge(stack, "MOOR-W2b", reason="on trial", until=date(2020, 1, 1))
    for name in names:
        Validations.of(stack).acknowledge(Acknowledgment(id=f"Moorings::{name}", reason="quiet"))
    done = synthesized(app, GuardrailChecks(today=TODAY))
    rules = [rule.partition("[")[0] for rule, _ in done.plugin.stands]
    assert rules == [*["MOOR-Q8a"] * len(names), "MOOR-Q8b", "MOOR-W2b"]
    assert done.plugin.left_out == []
    assert done.plugin.conclusion == "failure"


def test_an_acknowledgement_of_no_use_is_told(app: App) -> None:
    """At the construct that has it, and without stopping anything."""
    stack = Stack(app, "Web")
    task_definition(stack, mode="non-blocking")
    acknowledge(stack, "MOOR-W2b", reason="on trial")
    done = synthesized(app, GuardrailChecks(today=TODAY))
    assert (done.error, done.plugin.stands) == ("", [("MOOR-Q8c", "Web")])
    assert [(one.rule, one.file) for one in check([done.folder]).findings if one.rule.startswith(JUDGED)] == [
        ("MOOR-Q8c", str(done.folder / "Web.template.json"))
    ]


def test_what_a_template_says_in_vain_is_told_at_its_stack(app: App) -> None:
    """The report leads to a construct even where the template names none."""
    stack = NestedStack(Stack(app, "Web"), "Inner")
    task_definition(stack, mode="non-blocking")
    stack.template_options.metadata = {"Moorings": {"acknowledge": [{"id": "MOOR-W2b", "reason": "on trial"}]}}
    assert synthesized(app, GuardrailChecks(today=TODAY)).plugin.stands == [("MOOR-Q8c", "Web/Inner")]


@pytest.mark.parametrize(
    ("modes", "expected"), [(("blocking", "non-blocking"), []), (("non-blocking",) * 2, ["MOOR-Q8c"])]
)
def test_one_at_the_app_is_of_no_use_when_no_stage_needs_it(
    app: App, modes: tuple[str, str], expected: list[str]
) -> None:
    """It is told once, however many stages there are, and not at all if it serves one of them."""
    for name, mode in zip(("Live", "Trial"), modes, strict=True):
        task_definition(Stack(Stage(app, name), "Web"), mode=mode)
    acknowledge(app, "MOOR-W2b", reason="on trial")
    done = synthesized(app, GuardrailChecks(today=TODAY))
    assert [rule for rule, _ in done.plugin.stands] == expected


def test_what_is_wrong_with_one_at_the_app_is_told_once(app: App) -> None:
    """Two stages' findings stand; the acknowledgement is one."""
    for name in ("Live", "Trial"):
        task_definition(Stack(Stage(app, name), "Web"))
    acknowledge(app, "MOOR-W2b", reason="on trial", until=date(2020, 1, 1))
    assert [rule for rule, _ in synthesized(app, GuardrailChecks(today=TODAY)).plugin.stands] == [
        "MOOR-Q8b",
        *["MOOR-W2b[not-honoured]"] * 2,
    ]


def test_a_stack_in_a_stack_is_no_reason_to_tell_twice(app: App) -> None:
    """The outer one is above the inner one's constructs, and writes its own metadata."""
    outer = Stack(app, "Outer")
    for stack in (outer, Stack(outer, "Inner")):
        task_definition(stack)
    acknowledge(outer, "MOOR-W2b", reason="on trial", until=date(2020, 1, 1))
    assert [rule for rule, _ in synthesized(app, GuardrailChecks(today=TODAY)).plugin.stands] == [
        "MOOR-Q8b",
        *["MOOR-W2b[not-honoured]"] * 2,
    ]


@pytest.mark.parametrize(
    ("severity", "status", "accepted", "expected"),
    [
        ("error", "fail", False, ("error", True)),
        ("error", "fail", True, ("error", False)),
        ("error", "unknown", False, ("info", False)),
        ("warning", "fail", False, ("warning", False)),
        ("warning", "unknown", False, ("info", False)),
        ("notice", "fail", False, ("info", False)),
    ],
)
def test_only_errors_that_stand_stop_a_synthesis(
    severity: Severity, status: Status, accepted: bool, expected: tuple[str, bool]
) -> None:
    """CDK knows errors, warnings and infos; a notice is none of the first two."""
    finding = Finding(
        rule="MOOR-W2b", lesson="W2", severity=severity, status=status, file="t", line=1, logical_id="A", path="",
        message="m", fix="f",
    )  # fmt: skip
    row = Row(finding=finding, name="MOOR-W2b", construct="Web/A", accepted=accepted)
    assert (row.severity, row.stops) == expected


def test_only_what_would_be_honoured_can_be_acknowledged(app: App) -> None:
    """A slip is refused where it is written, and not found at the next review."""
    stack = Stack(app, "Web")
    with pytest.raises(ValueError, match="rule must be the id of a rule, got 'W2b'"):
        acknowledge(stack, "W2b", reason="on trial")
    for name in ("MOOR-Q8b", "Moorings::MOOR-Q8b"):
        with pytest.raises(ValueError, match=f"got '{name}'; findings about acknowledgements cannot be accepted"):
            acknowledge(stack, name, reason="on trial")
    for name in ("MOOR-W2b[not-honoured]", "Moorings::MOOR-W2b[not-honoured]"):
        with pytest.raises(ValueError, match="; mend the acknowledgement of MOOR-W2b that is there"):
            acknowledge(stack, name, reason="on trial")
    with pytest.raises(ValueError, match=r"reason must be a text that says why, got ' '.*has no reason"):
        acknowledge(stack, "MOOR-W2b", reason=" ", until=TODAY)
    assert [entry.type for entry in stack.node.metadata] == ["aws:cdk:creationStack"]


def test_a_template_that_cannot_be_judged_fails_the_synthesis(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is not a good one."""

    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    task_definition(Stack(app, "Web"), mode="non-blocking")
    monkeypatch.setattr("constructs_lib.guardrails.cdk_rows.read", broken)
    done = synthesized(app, GuardrailChecks())
    assert done.plugin.conclusion == "failure"
    assert "the disk is gone" in json.dumps(done.plugin.raw)


def test_a_template_that_cannot_be_judged_does_not_pass(tmp_path: Path) -> None:
    """The command line ends with 2 for it; here it stops the synthesis."""
    items = json.dumps([f"i{number}" for number in range(1500)])
    loop = f'["I", {items}, {{"Fn::ForEach::B": ["J", {items}, {{"R${{I}}${{J}}": {{"Type": "A"}}}}]}}]'
    template = tmp_path / "S.template.json"
    template.write_text(f'{{"Resources": {{"Fn::ForEach::A": {loop}}}}}')
    with pytest.raises(UnusableInput, match="must make at most"):
        rows({"S": str(template)}, ())
