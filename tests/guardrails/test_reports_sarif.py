"""SARIF: valid by the standard, with what code scanning needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.reports.as_sarif import render
from constructs_lib.incidents import INCIDENTS
from tests.guardrails.answers import EVERY_KIND, FAIL, UNKNOWN, WARNING, answers
from tests.guardrails.sarif import complaints


def run_of(answer: Answer) -> Any:
    """The one run of the log."""
    (run,) = json.loads(render(answer))["runs"]
    return run


def only(answer: Answer) -> Any:
    """Its one result."""
    (result,) = run_of(answer)["results"]
    return result


def test_every_kind_of_finding_is_valid() -> None:
    """A log with each severity, an unknown, an error and a finding without a resource keeps to the standard."""
    assert complaints(render(EVERY_KIND)) == []
    assert complaints(render(Answer())) == []


@given(answers())
def test_no_text_makes_it_invalid(answer: Answer) -> None:
    """Whatever a template's names hold, the log is valid, in ASCII, and has all findings."""
    text = render(answer)
    assert text.isascii()
    assert complaints(text) == []
    assert len(run_of(answer)["results"]) == len(answer.findings)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda log: log["runs"][0]["results"][0].update(level="bad"), "level must not be 'bad'"),
        (lambda log: log["runs"][0]["results"][0].update(locations=[]), "no location"),
        (lambda log: log["runs"][0]["results"][1].update(level="error"), "only what fails"),
        (lambda log: log["runs"][0]["results"][0].update(ruleIndex=0), "another rule"),
        (lambda log: log["runs"][0]["tool"].pop("driver"), "lacks driver"),
        (lambda log: log["runs"][0].update(strange=1), "not in the standard"),
        (lambda log: log.update(version="2.0.0"), "version must not be"),
    ],
)
def test_the_check_of_the_standard_can_fail(change: Any, complaint: str) -> None:
    """What these tests call valid is not everything."""
    log = json.loads(render(EVERY_KIND))
    change(log)
    assert complaint in " ".join(complaints(json.dumps(log)))


def test_levels_follow_severity_and_unknown_is_open() -> None:
    """What is unknown has no level, as the standard says, so that it never passes for an error."""
    found = [(one["ruleId"], one["kind"], one["level"]) for one in run_of(EVERY_KIND)["results"]]
    assert found == [
        ("MOOR-W2b", "fail", "error"),
        ("MOOR-W2b", "open", "none"),
        ("MOOR-W2d", "fail", "warning"),
        ("MOOR-Q8a", "fail", "error"),
        ("MOOR-T3d", "fail", "note"),
    ]


def test_a_result_names_its_place_and_fix() -> None:
    """File, line, resource and property, and what to do."""
    result = only(Answer(findings=(FAIL,)))
    location = result["locations"][0]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/web.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("Task Properties/ContainerDefinitions/0/")
    assert result["message"]["text"] == "Container 'web' waits. It froze. Fix: Do not wait."


def test_every_rule_is_described() -> None:
    """All rules are there with a title, the why and the fix, those about acknowledgements too."""
    described = {rule["id"]: rule for rule in run_of(Answer())["tool"]["driver"]["rules"]}
    assert set(described) == {rule.id for rule in RULES} | {"MOOR-Q8a", "MOOR-Q8b", "MOOR-Q8c"}
    for rule in RULES:
        assert rule.why in described[rule.id]["fullDescription"]["text"]
        assert rule.fix in described[rule.id]["help"]["text"]


def test_a_rule_leads_to_the_public_report() -> None:
    """As far as its address is known."""
    for rule in run_of(Answer())["tool"]["driver"]["rules"]:
        assert rule.get("helpUri", "") == INCIDENTS[rule["id"].removeprefix("MOOR-")[0]].url


def test_fingerprints_outlive_moved_lines_and_other_words() -> None:
    """The same finding has the same fingerprint on another line; another place, file, status or rule has another."""
    first = only(Answer(findings=(FAIL,)))["partialFingerprints"]
    moved = replace(FAIL, line=99, message="Other words.", fix="Another fix.")
    assert only(Answer(findings=(moved,)))["partialFingerprints"] == first
    for other in (
        replace(FAIL, path="Properties"),
        replace(FAIL, file="x.yaml"),
        replace(FAIL, status="unknown"),
        replace(FAIL, logical_id="Other"),
        WARNING,
    ):
        assert only(Answer(findings=(other,)))["partialFingerprints"] != first


def test_equal_findings_are_told_apart() -> None:
    """Two findings that differ only in their lines have two fingerprints."""
    prints = [
        one["partialFingerprints"] for one in run_of(Answer(findings=(UNKNOWN, replace(UNKNOWN, line=2))))["results"]
    ]
    assert prints[0] != prints[1]


def test_paths_are_as_code_scanning_wants_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the checkout is relative to it however it was named; one elsewhere has its whole path."""
    monkeypatch.chdir(tmp_path)

    def uri(file: str) -> str:
        found = only(Answer(findings=(replace(FAIL, file=file),)))["locations"][0]["physicalLocation"]
        text: str = found["artifactLocation"]["uri"]
        return text

    assert uri(str(tmp_path / "a" / "b.yaml")) == "a/b.yaml"
    assert uri("./a//b.yaml") == "a/b.yaml"
    assert uri("a b:c#%\udcff.yaml") == "a%20b%3Ac%23%25%FF.yaml"
    assert uri("/somewhere/else.yaml") == "file:///somewhere/else.yaml"


def test_what_could_not_be_judged_is_a_notification() -> None:
    """An unusable input is told, and the run does not count as successful."""
    (invocation,) = run_of(EVERY_KIND)["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert invocation["toolExecutionNotifications"] == [{"level": "error", "message": {"text": "x.yaml is broken."}}]
    assert run_of(Answer())["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]
