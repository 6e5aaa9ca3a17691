"""What SARIF 2.1.0 says of the objects that we write, and what GitHub asks beside. Written from the standard.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

URI = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})+")
SEMANTIC = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return (
        isinstance(value, str) and value != "" and value.encode("utf-8", "replace") == value.encode("utf-8", "ignore")
    )


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _uri(value: Any) -> bool:
    first = value.split("/")[0] if isinstance(value, str) else ":"
    return bool(URI.fullmatch(value)) and (":" not in first or value.startswith(("https://", "file:///")))


def one_of(*values: object) -> Check:
    """One of some values."""
    return lambda value: value in values


OBJECTS: dict[str, tuple[set[str], dict[str, str | Check]]] = {
    "log": ({"version", "runs"}, {"$schema": _uri, "version": one_of("2.1.0"), "runs": "[run]"}),
    "run": ({"tool", "results"}, {"tool": "tool", "invocations": "[invocation]", "results": "[result]"}),
    "tool": ({"driver"}, {"driver": "driver"}),
    "driver": (
        {"name"},
        {"name": _text, "semanticVersion": lambda value: bool(SEMANTIC.fullmatch(value)), "rules": "[rule]"},
    ),
    "rule": (
        {"id", "shortDescription", "fullDescription", "help"},
        {
            "id": _text,
            "shortDescription": "described",
            "fullDescription": "described",
            "help": "described",
            "helpUri": _uri,
            "defaultConfiguration": "configuration",
            "properties": "bag",
        },
    ),
    "configuration": (set(), {"level": one_of("none", "note", "warning", "error")}),
    "described": ({"text"}, {"text": _text, "markdown": _text}),
    "invocation": (
        {"executionSuccessful"},
        {
            "executionSuccessful": lambda value: isinstance(value, bool),
            "exitCode": _count,
            "toolExecutionNotifications": "[notification]",
        },
    ),
    "notification": ({"message"}, {"message": "message", "level": one_of("none", "note", "warning", "error")}),
    "result": (
        {"message", "ruleId", "locations"},
        {
            "ruleId": _text,
            "ruleIndex": lambda value: _count(value) and value >= 0,
            "kind": one_of("notApplicable", "pass", "fail", "review", "open", "informational"),
            "level": one_of("none", "note", "warning", "error"),
            "message": "message",
            "locations": "[location]",
            "partialFingerprints": lambda value: bool(value) and all(map(_text, [*value, *value.values()])),
            "properties": "bag",
        },
    ),
    "message": ({"text"}, {"text": _text}),
    "location": ({"physicalLocation"}, {"physicalLocation": "physical", "logicalLocations": "[logical]"}),
    "physical": ({"artifactLocation"}, {"artifactLocation": "artifact", "region": "region"}),
    "artifact": ({"uri"}, {"uri": _uri, "uriBaseId": _text}),
    "region": ({"startLine"}, {"startLine": lambda value: _count(value) and value >= 1}),
    "logical": (set(), {"name": _text, "fullyQualifiedName": _text, "kind": _text}),
    "bag": (set(), {"tags": lambda value: all(map(_text, value)), "status": _text, "severity": _text, "lesson": _text}),
}
"""Of each object: what it must have, and what each property is. Nothing else is allowed."""


def complaints(log: str) -> list[str]:
    """What is wrong with a log; nothing when it is sound."""
    value = json.loads(log)
    found = list(_object(value, "log", "log"))
    if found:
        return found
    return [complaint for run in value["runs"] for complaint in _run(run)]


def _object(value: Any, kind: str, place: str) -> Iterator[str]:
    required, properties = OBJECTS[kind]
    if not isinstance(value, dict):
        yield f"{place} is no {kind}"
        return
    yield from (f"{place} lacks {name}" for name in sorted(required - value.keys()))
    for name, part in value.items():
        at = f"{place}.{name}"
        check = properties.get(name)
        if check is None:
            yield f"{at} is not in the standard, or not checked"
        elif not isinstance(check, str):
            if not check(part):
                yield f"{at} must not be {part!r}"
        elif check.startswith("["):
            for number, item in enumerate(part):
                yield from _object(item, check.strip("[]"), f"{at}[{number}]")
        else:
            yield from _object(part, check, at)


def _run(run: Any) -> Iterator[str]:
    rules = [rule["id"] for rule in run["tool"]["driver"].get("rules", [])]
    if len(set(rules)) != len(rules):
        yield "a rule is there twice"
    for result in run["results"]:
        if result.get("kind", "fail") != "fail" and result.get("level") != "none":
            yield "3.27.10: only what fails has a level"
        if not result["locations"]:
            yield "GitHub refuses a log with a result that has no location"
        if "ruleIndex" in result and rules[result["ruleIndex"]] != result["ruleId"]:
            yield "ruleIndex leads to another rule"
        if "ruleIndex" not in result and result["ruleId"] in rules:
            yield "ruleIndex is missing"
    prints = [json.dumps(result["partialFingerprints"], sort_keys=True) for result in run["results"]]
    if len(set(prints)) != len(prints):
        yield "two results have the same fingerprint"
