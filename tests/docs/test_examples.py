"""The examples by our own rules: what is left is no error, and is argued for in ``docs/examples/README.md``."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import aws_cdk
import pytest

from constructs_lib.guardrails.check import Report, check

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Report]:
    """An example's file name, and what `moorings check` says of what it synthesizes."""
    folder = tmp_path_factory.mktemp("example") / "cdk.out"
    app = aws_cdk.App
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_cdk, "App", lambda: app(outdir=str(folder)))
        runpy.run_path(str(request.param), run_name="__main__")
    return request.param.name, check([folder])


def test_no_example_has_an_error_or_an_unsound_acknowledgement(judged: tuple[str, Report]) -> None:
    """Who copies one starts without a certain error, and with nothing accepted in vain (Q8)."""
    _, report = judged
    assert report.files != ()
    assert report.problems == ()
    told = [one for one in report.findings if one.rule.startswith("MOOR-Q8")]
    assert told == []
    assert [one for one in report.findings if one.severity == "error" and one.status == "fail"] == []


def test_what_is_left_of_an_example_is_argued_for(judged: tuple[str, Report]) -> None:
    """The table names each rule that still finds something, and no other."""
    name, report = judged
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| \S.* \|$", (FOLDER / "README.md").read_text(), flags=re.MULTILINE)
    assert {(name, one.rule) for one in report.findings} == {row for row in rows if row[0] == name}


def test_the_table_names_examples_that_exist() -> None:
    """A row of an example that has gone argues for nothing."""
    rows = re.findall(r"^\| `(.+?)` \|", (FOLDER / "README.md").read_text(), flags=re.MULTILINE)
    assert len(rows) >= 1
    assert set(rows) <= {path.name for path in EXAMPLES}
