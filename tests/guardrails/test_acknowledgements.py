"""What is acknowledged, by whom it is said, and what comes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from constructs_lib.guardrails.accepting import Outcome, apply
from constructs_lib.guardrails.acknowledgements import Acknowledgement, from_templates
from constructs_lib.guardrails.cloud_assembly import Said, acknowledged
from constructs_lib.guardrails.rule import Finding, Status
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.documents import read

RULES = ("MOOR-W2b", "MOOR-Q3c")
TODAY = date(2027, 1, 31)

REPOSITORY = """
Resources:
  Repository:
    Type: AWS::ECR::Repository
    Metadata:
      Moorings:
        acknowledge:
          - {entry}
  Other:
    Type: AWS::ECR::Repository
"""


def found(
    rule: str = "MOOR-Q3c", logical_id: str = "Repository", file: str = "t.yaml", status: Status = "fail"
) -> Finding:
    """A finding as a rule would give it."""
    return Finding(
        rule=rule,
        lesson=rule[5:7],
        severity="warning",
        status=status,
        file=file,
        line=2,
        logical_id=logical_id,
        path="Properties",
        message="m",
        fix="f",
    )


def read_from(text: str) -> list[Acknowledgement]:
    """What one template says."""
    return from_templates(Assembly({"t.yaml": template_document(text, "t.yaml")}).templates, RULES)


def outcome(text: str, *findings: Finding, today: date = TODAY) -> Outcome:
    """What a template's own acknowledgements make of findings."""
    return apply(findings, read_from(text), today=today)


def told(outcome: Outcome) -> list[str]:
    """The rules that acknowledgements themselves break."""
    return [finding.rule for finding, _ in outcome.told]


def test_an_acknowledged_finding_is_gone_and_all_others_stay() -> None:
    """It silences one rule at one resource, and no more."""
    entry = "{id: MOOR-Q3c, reason: nothing starts these by tag}"
    mine, other, else_ = found(), found(logical_id="Other"), found("MOOR-W2b")
    got = outcome(REPOSITORY.format(entry=entry), mine, other, else_)
    assert got.kept == (other, else_)
    assert [(finding, item.reason) for finding, item in got.accepted] == [(mine, "nothing starts these by tag")]
    assert got.told == ()


def test_what_is_unknown_can_be_acknowledged() -> None:
    """Nobody must guess about a value for ever."""
    entry = "{id: MOOR-Q3c, reason: the parameter is set by hand}"
    assert outcome(REPOSITORY.format(entry=entry), found(status="unknown")).findings == []


def test_a_template_can_speak_for_all_its_resources() -> None:
    """Its top-level Metadata covers the whole file, and no other file."""
    text = """
Metadata: {Moorings: {acknowledge: [{id: MOOR-Q3c, reason: a sandbox}]}}
Resources: {Other: {Type: AWS::ECR::Repository}}
"""
    elsewhere = found(file="u.yaml")
    got = outcome(text, found(logical_id="Other"), found(logical_id=""), elsewhere)
    assert got.kept == (elsewhere,)


@pytest.mark.parametrize(
    ("reason", "today", "kept", "rules"),
    [
        ("'on trial', until: 2027-01-31", date(2027, 1, 31), 0, []),
        ("'on trial', until: 2027-01-31", date(2027, 2, 1), 1, ["MOOR-Q8b"]),
        ("'on trial', until: '2027-01-31'", date(2027, 2, 1), 1, ["MOOR-Q8b"]),
        ("on trial (until 2027-01-31)", date(2027, 1, 31), 0, []),
        ("on trial (until 2027-01-31)", date(2027, 2, 1), 1, ["MOOR-Q8b"]),
        ("on trial (UNTIL 2027-01-31).", date(2027, 2, 1), 1, ["MOOR-Q8b"]),
        ("it is on trial until 2027-01-31", date(2027, 2, 1), 1, ["MOOR-Q8b"]),
        ("on trial until the move", date(2099, 1, 1), 0, []),
    ],
)
def test_the_last_day_counts_and_after_it_the_finding_stands(
    reason: str, today: date, kept: int, rules: list[str]
) -> None:
    """A day can be given by itself or in the reason, as CDK has no place for it."""
    got = outcome(REPOSITORY.format(entry=f"{{id: MOOR-Q3c, reason: {reason}}}"), found(), today=today)
    assert len(got.kept) == kept
    assert told(got) == rules


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{id: MOOR-Q3c}", "has no reason"),
        ("{id: MOOR-Q3c, reason: ''}", "has no reason"),
        ("{id: MOOR-Q3c, reason: ' . '}", "has no reason"),
        ("{id: MOOR-Q3c, reason: (until 2027-01-31)}", "has no reason"),
        ("{id: MOOR-Q3c, reason: [a]}", "must have a text as its reason, got a list"),
        ("{id: MOOR-Q3c, reason: a, until: soon}", "'soon'"),
        ("{id: MOOR-Q3c, reason: a, until: 2027-02-30}", "'2027-02-30'"),
        ("{id: MOOR-Q3c, reason: a, until: 20270131}", "'20270131'"),
        ("{id: MOOR-Q3c, reason: a (until later)}", "'later'"),
        ("{id: MOOR-Q3c, reason: a, expires: 2027-01-31}", "got expires"),
    ],
)
def test_one_that_is_not_well_formed_is_told_and_not_honoured(entry: str, says: str) -> None:
    """Without a reason nobody knows later why; with a wrong day it would hold for ever."""
    got = outcome(REPOSITORY.format(entry=entry), found())
    assert [finding.rule for finding in got.findings] == ["MOOR-Q3c", "MOOR-Q8a"]
    assert says in got.told[0][0].message
    assert got.told[0][0].severity == "error"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{reason: a}", "names no rule"),
        ("{id: MOOR-Z9z, reason: a}", "'MOOR-Z9z'"),
        ("{id: [MOOR-Q3c], reason: a}", "names no rule"),
        ("MOOR-Q3c", "must have 'id' and 'reason', as '{id: MOOR-Q3c, reason: why}', got a text"),
        ("[MOOR-Q3c]", "got a list"),
        ("{id: 'Moorings::MOOR-Q3c[not-honoured]', reason: a}", "mend the acknowledgement of MOOR-Q3c instead"),
        ("{id: MOOR-Q8a, reason: a}", "cannot be acknowledged"),
        ("{id: 'Moorings::MOOR-Q8c', reason: a}", "cannot be acknowledged"),
    ],
)
def test_one_that_names_no_rule_is_told(entry: str, says: str) -> None:
    """A slip in an id is found at once, and not when the finding is missed."""
    got = outcome(REPOSITORY.format(entry=entry))
    assert told(got) == ["MOOR-Q8a"]
    assert says in got.told[0][0].message


@pytest.mark.parametrize("content", ["[]", "{}", "{acknowledge: {}}", "{acknowlege: []}", "text", "null"])
def test_a_list_in_the_wrong_place_is_told(content: str) -> None:
    """What is written for us and cannot be read is not passed over."""
    text = f"Resources: {{R: {{Type: AWS::ECR::Repository, Metadata: {{Moorings: {content}}}}}}}"
    assert told(outcome(text)) == ["MOOR-Q8a"]


@pytest.mark.parametrize(
    ("key", "content", "says"),
    [
        ("moorings", "{acknowledge: [{id: MOOR-Q3c, reason: a}]}", True),
        ("MOORINGS", "{Acknowledge: [{id: MOOR-Q3c, reason: a}]}", True),
        ("moorings", "{acknowledgements: []}", True),
        ("moorings", "[{id: MOOR-Q3c, reason: a}]", True),
        ("moorings", "[{id: 'Moorings::MOOR-Q3c', reason: a}]", True),
        ("moorings", "{berth: 4}", False),
        ("moorings", "[{id: 4}]", False),
        ("moorings", "north quay", False),
        ("moor", "{acknowledge: []}", False),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_our_name_in_another_case_is_told(key: str, content: str, says: bool, whole: bool) -> None:
    """What is meant for us is not passed over; what only has a like name is somebody else's."""
    metadata = f"Metadata: {{{key}: {content}}}"
    resource = f"{{Type: AWS::ECR::Repository{'' if whole else f', {metadata}'}}}"
    text = f"Resources: {{Repository: {resource}}}\n{metadata if whole else ''}\n"
    got = outcome(text, found())
    assert told(got) == (["MOOR-Q8a"] if says else [])
    assert got.kept == (found(),)
    for finding, _ in got.told:
        assert f"is not honoured: it must be below 'Moorings', got '{key}'" in finding.message
        assert finding.path == f"Metadata/{key}"


def test_none_of_these_findings_offers_to_be_accepted() -> None:
    """CDK prints how to acknowledge each of them; their fix says that it cannot be."""
    entries = ("{id: MOOR-Q3c}", "{id: MOOR-Q3c, reason: a, until: 2020-01-01}", "{id: MOOR-W2b, reason: a}")
    fixes = {}
    for entry in entries:
        ((finding, _),) = outcome(REPOSITORY.format(entry=entry), found()).told
        fixes[finding.rule] = finding.fix
    assert fixes.keys() == {"MOOR-Q8a", "MOOR-Q8b", "MOOR-Q8c"}
    for fix in fixes.values():
        assert fix.endswith(" Findings about acknowledgements cannot be accepted.")


def test_one_of_no_use_is_told() -> None:
    """It would silence a finding that comes later; a day in the past does not matter then."""
    for entry in ("{id: MOOR-Q3c, reason: a}", "{id: MOOR-Q3c, reason: a, until: 2020-01-01}"):
        got = outcome(REPOSITORY.format(entry=entry), found(logical_id="Other"))
        assert told(got) == ["MOOR-Q8c"]


def test_one_that_has_expired_beside_one_that_holds_only_warns() -> None:
    """A finding is accepted when anyone accepts it; what is left over is still told."""
    entry = "{id: MOOR-Q3c, reason: a, until: 2020-01-01}\n          - {id: MOOR-Q3c, reason: b}"
    got = outcome(REPOSITORY.format(entry=entry), found())
    assert (got.kept, told(got)) == ((), ["MOOR-Q8b"])


def test_what_is_wrong_has_its_place() -> None:
    """File, line, resource and path of the entry itself."""
    finding = outcome(REPOSITORY.format(entry="{id: MOOR-Q3c}")).told[0][0]
    assert (finding.file, finding.line, finding.logical_id) == ("t.yaml", 8, "Repository")
    assert finding.path == "Metadata/Moorings/acknowledge/0"
    assert finding.lesson == "Q8"


def test_both_forms_of_an_id_are_read() -> None:
    """What CDK prints can be copied into a template."""
    for name in ("MOOR-Q3c", "'Moorings::MOOR-Q3c'"):
        assert outcome(REPOSITORY.format(entry=f"{{id: {name}, reason: a}}"), found()).findings == []


def test_a_loop_says_it_once() -> None:
    """One finding in one of three copies makes the acknowledgement of all three a used one."""
    text = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Each:
    - Name
    - [A, B, C]
    - Repo${Name}:
        Type: AWS::ECR::Repository
        Metadata: {Moorings: {acknowledge: [{id: MOOR-Q3c, reason: a}]}}
"""
    assert outcome(text, found(logical_id="RepoB")).findings == []
    assert told(outcome(text)) == ["MOOR-Q8c"]


# -- what CDK writes -------------------------------------------------------------------------------------------------

Entries = dict[str, list[dict[str, object]]]


def acknowledgement(**rules: str) -> dict[str, object]:
    """A metadata entry as CDK writes it; ``Q3c="why"``."""
    return {
        "type": "aws:cdk:acknowledged-rules",
        "data": {f"Moorings::MOOR-{rule}": why for rule, why in rules.items()},
    }


def stack_folder(folder: Path, metadata: Entries, *, prefix: str = "", path_metadata: bool = False) -> None:
    """A cloud assembly with one stack, a stack nested in it, and one repository in each."""
    folder.mkdir(parents=True, exist_ok=True)
    top, nested = f"{prefix}S", f"{prefix}S/N"
    entries: Entries = {
        f"/{top}": [{"type": "aws:cdk:templateFile", "data": "S.template.json"}],
        f"/{nested}": [{"type": "aws:cdk:templateFile", "data": "SN.nested.template.json"}],
    }
    for path in (f"/{top}/Repo/Resource", f"/{nested}/Repo/Resource"):
        if not path_metadata:
            entries[path] = [{"type": "aws:cdk:logicalId", "data": "Repo"}]
    for path, more in metadata.items():
        entries.setdefault(path, []).extend(more)
    artifact = {
        "type": "aws:cloudformation:stack",
        "displayName": top,
        "properties": {"templateFile": "S.template.json"},
        "additionalMetadataFile": "S.metadata.json",
    }
    write(folder / "manifest.json", {"artifacts": {"S": artifact, "Tree": {"type": "cdk:tree"}}})
    write(folder / "S.metadata.json", entries)
    for name, path in (("S.template.json", top), ("SN.nested.template.json", nested)):
        resource: dict[str, object] = {"Type": "AWS::ECR::Repository"}
        if path_metadata:
            resource["Metadata"] = {"aws:cdk:path": f"{path}/Repo/Resource"}
        write(folder / name, {"Resources": {"Repo": resource}})


def write(path: Path, content: Mapping[str, object]) -> None:
    """A JSON file."""
    path.write_text(json.dumps(content))


def of_cdk(folder: Path, *names: str, above: list[Said] | None = None) -> Outcome:
    """What CDK's acknowledgements make of one finding in each of a folder's templates."""
    files = [folder / name for name in names or ("S.template.json", "SN.nested.template.json")]
    assembly = Assembly({str(file): read(file) for file in files})
    findings = [found(logical_id="Repo", file=str(file)) for file in files]
    return apply(findings, acknowledged(assembly.templates, RULES, above=above), today=TODAY)


@pytest.mark.parametrize(
    ("construct", "kept"),
    [
        ("/S/Repo/Resource", ["SN.nested.template.json"]),
        ("/S/Repo", ["SN.nested.template.json"]),
        ("/S/N/Repo", ["S.template.json"]),
        ("/S/N", ["S.template.json"]),
        ("/S", []),
        ("/S/Re", ["S.template.json", "SN.nested.template.json"]),
    ],
)
@pytest.mark.parametrize("path_metadata", [False, True])
def test_what_is_said_of_a_construct_covers_all_below_it(
    tmp_path: Path, construct: str, kept: list[str], path_metadata: bool
) -> None:
    """Two templates may have the same logical id; the construct's path tells them apart."""
    stack_folder(tmp_path, {construct: [acknowledgement(Q3c="a")]}, path_metadata=path_metadata)
    got = of_cdk(tmp_path)
    assert [Path(finding.file).name for finding in got.kept] == kept
    assert told(got) == (["MOOR-Q8c"] if len(kept) == 2 else [])


def test_other_tools_acknowledgements_are_not_ours(tmp_path: Path) -> None:
    """cdk-nag's and CDK's own are neither used nor judged."""
    data = {
        "AwsSolutions::AwsSolutions-ECR1": "a",
        "Annotation::@aws-cdk/core:x": "b",
        "CloudFormation-Validate::W1": "",
    }
    stack_folder(tmp_path, {"/S": [{"type": "aws:cdk:acknowledged-rules", "data": data}]})
    got = of_cdk(tmp_path)
    assert (len(got.kept), got.told) == (2, ())


def test_an_id_without_a_prefix_is_honoured(tmp_path: Path) -> None:
    """CDK takes it for one of its own annotations."""
    entry: dict[str, object] = {"type": "aws:cdk:acknowledged-rules", "data": {"Annotation::MOOR-Q3c": "a"}}
    stack_folder(tmp_path, {"/S": [entry]})
    assert of_cdk(tmp_path).findings == []


def test_in_cdk_too_a_reason_and_a_day_are_asked_for(tmp_path: Path) -> None:
    """CDK itself would leave out both findings."""
    said = {"/S/Repo": [acknowledgement(Q3c="")], "/S/N": [acknowledgement(Q3c="on trial (until 2027-01-30)")]}
    stack_folder(tmp_path, said)
    got = of_cdk(tmp_path)
    assert len(got.kept) == 2
    about = {finding.rule: finding for finding, _ in got.told}
    assert about.keys() == {"MOOR-Q8a", "MOOR-Q8b"}
    assert "construct S/Repo" in about["MOOR-Q8a"].message
    assert (Path(about["MOOR-Q8a"].file).name, about["MOOR-Q8a"].logical_id) == ("S.template.json", "Repo")


def test_of_no_use_is_said_only_where_all_is_known(tmp_path: Path) -> None:
    """Whoever checks one template of two cannot know what the other one needs."""
    stack_folder(tmp_path, {"/S": [acknowledgement(W2b="a")], "/S/N": [acknowledgement(W2b="b")]})
    assert told(of_cdk(tmp_path)) == ["MOOR-Q8c", "MOOR-Q8c"]
    assert told(of_cdk(tmp_path, "S.template.json")) == []
    assert told(of_cdk(tmp_path, "SN.nested.template.json")) == ["MOOR-Q8c"]


def test_of_no_use_is_not_said_where_no_construct_is_known(tmp_path: Path) -> None:
    """CDK can be told to write neither logical ids nor paths; then nobody knows what is covered."""
    stack_folder(tmp_path, {"/S/Repo": [acknowledgement(Q3c="a")]})
    metadata = tmp_path / "S.metadata.json"
    entries = {path: said for path, said in json.loads(metadata.read_text()).items() if not path.endswith("/Resource")}
    write(metadata, entries)
    got = of_cdk(tmp_path)
    assert (len(got.kept), told(got)) == (2, [])


def test_what_is_said_above_the_stacks_is_read_from_the_report(tmp_path: Path) -> None:
    """CDK writes what a stage or the app acknowledges nowhere else."""
    stage = tmp_path / "assembly-Stg"
    stack_folder(stage, {}, prefix="Stg/")
    write(tmp_path / "manifest.json", {"artifacts": {}})
    suppressed = [
        {"acknowledgedAt": "Stg", "acknowledgedId": f"Moorings::{rule}", "reason": "a sandbox"}
        for rule in ("MOOR-Q3c", "MOOR-W2b")
    ]
    report = tmp_path / "validation-report.json"
    write(report, {"pluginReports": [{"suppressedViolations": suppressed}]})
    assert of_cdk(stage).findings == [], "the second one served another stage"
    os.utime(report, (1, 1))
    assert len(of_cdk(stage).kept) == 2, "a report of an earlier synthesis says nothing of this one"


def test_a_stage_speaks_for_itself_only(tmp_path: Path) -> None:
    """An acknowledgement of staging is none of production."""
    stack_folder(tmp_path, {}, prefix="Prod/")
    assert len(of_cdk(tmp_path, above=[Said(construct="Stg", name="Moorings::MOOR-Q3c", reason="a")]).kept) == 2
    assert of_cdk(tmp_path, above=[Said(construct="", name="Moorings::MOOR-Q3c", reason="a")]).kept == ()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"artifacts": []}', '{"artifacts": {"S": 1}}', "\ud800"])
@pytest.mark.parametrize("name", ["manifest.json", "S.metadata.json", "validation-report.json"])
def test_what_cannot_be_read_acknowledges_nothing(tmp_path: Path, name: str, content: str) -> None:
    """A broken file of CDK's is no error, and hides no finding."""
    stack_folder(tmp_path, {})
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert len(of_cdk(tmp_path).kept) == 2


@pytest.mark.parametrize(
    "entry", [None, 1, {}, {"type": "aws:cdk:acknowledged-rules"}, {"type": "aws:cdk:acknowledged-rules", "data": [1]}]
)
def test_strange_metadata_is_no_error(tmp_path: Path, entry: object) -> None:
    """Nobody's assembly makes the check fail."""
    stack_folder(tmp_path, {})
    content = json.loads((tmp_path / "S.metadata.json").read_text())
    write(tmp_path / "S.metadata.json", {**content, "/S/Repo": [entry], "/S/X": entry})
    assert len(of_cdk(tmp_path).kept) == 2
