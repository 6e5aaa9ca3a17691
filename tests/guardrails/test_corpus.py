"""The rules find in sample templates what a careful reviewer listed beforehand; see ``corpus/README.md``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.check import check

CORPUS = Path(__file__).parent / "corpus"
FOLDERS = sorted(path for path in CORPUS.iterdir() if path.is_dir())

Key: TypeAlias = tuple[str, str, str, str]
"""File, rule, logical id and status."""


def expected(folder: Path) -> Counter[Key]:
    """What the reviewer listed."""
    content = yaml.safe_load((folder / "expected.yaml").read_text())
    return Counter((one["file"], one["rule"], one["logical_id"], one["status"]) for one in content["findings"])


def found(folder: Path) -> Counter[Key]:
    """What the rules find."""
    report = check(sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "expected.yaml"))
    assert report.problems == ()
    return Counter(
        (Path(one.file).relative_to(folder).as_posix(), one.rule, one.logical_id, one.status) for one in report.findings
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_rules_find_what_the_reviewer_listed(folder: Path) -> None:
    """Nothing more and nothing less, in certain findings and in unknown ones."""
    missed = expected(folder) - found(folder)
    extra = found(folder) - expected(folder)
    assert (sorted(missed), sorted(extra)) == ([], [])


def test_every_rule_occurs_in_the_corpus() -> None:
    """A rule that no sample gives reason to is not measured by it; the ones that are left out are known."""
    listed = {rule for folder in FOLDERS for _, rule, _, _ in expected(folder)}
    assert {rule.id for rule in RULES} - listed == {"MOOR-T2c", "MOOR-T3c", "MOOR-W1d"}
