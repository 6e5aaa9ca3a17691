"""What the synthesis prints of the time from a fault to its page (lesson W3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from constructs_lib.observability.detection.table import rows
from scripts.alarms import every_alarm
from stacks.config import EnvironmentConfig
from stacks.environments import ENVIRONMENTS
from tests.support import refused, run_without_cdk


def information(assembly: Path) -> list[str]:
    """Every message of information that the stacks of an assembly carry."""
    return [
        str(entry["data"])
        for manifest in sorted(assembly.rglob("manifest.json"))
        for artifact in json.loads(manifest.read_text())["artifacts"].values()
        for entries in _metadata(manifest.parent, artifact).values()
        for entry in entries
        if entry["type"] == "aws:cdk:info"
    ]


def _metadata(folder: Path, artifact: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """CDK keeps it beside the manifest, or in it."""
    file = artifact.get("additionalMetadataFile")
    found: dict[str, list[dict[str, Any]]] = (
        json.loads((folder / file).read_text()) if file else artifact.get("metadata", {})
    )
    return found


def test_the_synthesis_prints_one_table_an_environment(assembly: Path) -> None:
    """Seconds usually and at worst, and what stands in: a screen, not a line for each zone and gateway."""
    tables = [text for text in information(assembly) if "seconds from a fault to its page" in text]
    assert [text.split(":")[0] for text in tables] == ["production", "staging"]
    for text in tables:
        lines = text.splitlines()
        assert len(lines) <= 20
        assert [line.split()[:3] for line in lines].count(["unhealthy-targets", "255", "345"]) == 1
        assert ["load-balancer-errors", "100", "190"] in [line.split()[:3] for line in lines]
        assert "  notices, which wake nobody, in minutes at worst: " in text
        assert max(len(line) for line in lines[:-1]) <= 160


def test_no_alarm_of_awss_own_metrics_is_certain_within_two_minutes() -> None:
    """The truth of every page that we have; what one minute decides usually comes within them."""
    pages = [row for row in rows(every_alarm()) if row.severity == "page"]
    assert min(row.worst_seconds for row in pages) == 185
    assert {row.alarm for row in pages if row.usual_seconds <= 120} == {
        *("nat-ports", "application-errors", "load-balancer-errors", "rejected-connections"),
        "called-service-answers-errors",
    }
    assert all(row.stands_in for row in pages)


def test_an_address_of_runbooks_that_is_none_is_refused() -> None:
    """Before CDK starts, in one sentence."""
    make: Callable[[str], EnvironmentConfig] = lambda base: replace(ENVIRONMENTS[0], runbooks=base)  # noqa: E731
    refused(lambda: make("https://example.com/runbooks"), "runbooks", "https://example.com/runbooks", "slash")
    assert make("https://example.com/").runbooks == "https://example.com/"
    printed = run_without_cdk(
        "from dataclasses import replace\n"
        "from stacks.environments import ENVIRONMENTS\n"
        "replace(ENVIRONMENTS[0], runbooks='http://example.com/')"
    )
    assert printed.startswith("runbooks must be an https address")
