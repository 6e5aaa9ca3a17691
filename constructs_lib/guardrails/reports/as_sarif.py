"""SARIF 2.1.0, which code scanning services read.

GitHub takes every result for an alert, whatever its ``kind``, so nothing but findings is a result; one that is unknown
has ``kind: open`` and with it, as the standard says, ``level: none``. GitHub also wants a location for each.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from constructs_lib.guardrails.baseline import key_of
from constructs_lib.guardrails.described import Described, described
from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.reports.as_json import whole
from constructs_lib.guardrails.rule import Finding

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

FINGERPRINT: Final = "mooringsFinding/v1"
"""Stays the same when lines move. GitHub's upload adds one of its own, made from the line's text."""

_LEVELS: Final = {"error": "error", "warning": "warning", "notice": "note"}


def render(answer: Answer) -> str:
    """A log of one run, in ASCII, so that it is the same whatever the output's encoding."""
    rules = described()
    index = {rule.id: number for number, rule in enumerate(rules)}
    driver: dict[str, object] = {"name": "Moorings"}
    version = _version()
    if version:
        driver["semanticVersion"] = version
    driver["rules"] = [_rule(rule) for rule in rules]
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(answer)],
        "results": [_result(finding, index, seen) for finding in answer.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Described) -> dict[str, object]:
    report = {"helpUri": rule.incident.url} if rule.incident.url else {}
    return {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title[:1].upper()}{rule.title[1:]}"},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\nFix: {rule.fix}",
            "markdown": f"{rule.why}\n\n**Fix:** {rule.fix}\n\n`moorings check --explain {rule.id}` tells more.",
        },
        **report,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["reliability", f"lesson-{rule.lesson}"]},
    }


def _result(finding: Finding, index: Mapping[str, int], seen: Counter[str]) -> dict[str, object]:
    certain = finding.status == "fail"
    result: dict[str, object] = {"ruleId": finding.rule}
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    place = " ".join(filter(None, (finding.logical_id, finding.path)))
    location: dict[str, object] = {
        "physicalLocation": {"artifactLocation": _artifact(finding.file), "region": {"startLine": finding.line}},
    }
    if place:
        name = whole(finding.logical_id) or whole(finding.path)
        location["logicalLocations"] = [{"name": name, "fullyQualifiedName": whole(place), "kind": "resource"}]
    return {
        **result,
        "kind": "fail" if certain else "open",
        "level": _LEVELS[finding.severity] if certain else "none",
        "message": {"text": whole(f"{finding.message} Fix: {finding.fix}")},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding, seen)},
        "properties": {"status": finding.status, "severity": finding.severity, "lesson": finding.lesson},
    }


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """Findings that are equal but for their lines are told apart by their order."""
    from hashlib import sha256

    key = json.dumps(key_of(finding, Path.cwd()))
    seen[key] += 1
    return sha256(f"{key}{seen[key]}".encode()).hexdigest()[:32]


def _artifact(file: str) -> dict[str, str]:
    """A file below the current folder by its way from there, as GitHub wants it; another one by its whole path."""
    try:
        os.fsencode(file)
    except UnicodeEncodeError:  # a name that no file can have
        file = whole(file)
    path = Path(os.path.abspath(file))  # noqa: PTH100  (a link stays what it is called)
    try:
        below = path.relative_to(Path.cwd())
    except ValueError:
        return {"uri": path.as_uri()}
    # The bytes of the name, for it may be no UTF-8. A colon in its first part would end a scheme.
    return {"uri": quote(os.fsencode(below.as_posix()), safe="/"), "uriBaseId": "%SRCROOT%"}


def _invocation(answer: Answer) -> dict[str, object]:
    invocation: dict[str, object] = {"executionSuccessful": not answer.errors, "exitCode": answer.exit_code}
    if answer.errors:
        invocation["toolExecutionNotifications"] = [
            {"level": "error", "message": {"text": whole(error)}} for error in answer.errors
        ]
    return invocation


def _version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("moorings")
    except PackageNotFoundError:  # run from a checkout
        return None
