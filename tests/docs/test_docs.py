"""What the documents say is true: their code runs, their commands and links exist, their tables follow from data."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.write_tables import RULES, documents, rules

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "local_cloud" / "README.md",
    *(ROOT / "benchmarks").glob("*.md"),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)?(?:#([^)]*))?\)")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def blocks(language: str) -> list[tuple[str, str]]:
    """Every code block of a language, with the page that it is on."""
    return [
        (str(page.relative_to(ROOT)), code)
        for page in PAGES
        for kind, code in BLOCK.findall(page.read_text())
        if kind == language
    ]


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_in_the_documents_runs(page: str, code: str, tmp_path: Path) -> None:
    """Each Python block is a program that ends without an error."""
    program = tmp_path / "block.py"
    program.write_text(code)
    command = [sys.executable, str(program)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "CDK_VALIDATION": "false", "HOME": str(tmp_path)}
    environment["JSII_NODE"] = str(Path(sys.executable).with_name("node"))
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page}:\n{code}\n{done.stderr}"


def test_the_readme_shows_ten_lines_or_fewer() -> None:
    """The first example fits the first screen."""
    (code,) = [code for page, code in blocks("python") if page == "README.md"]
    assert len([line for line in code.splitlines() if line]) <= 10


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_follow_from_data(path: Path) -> None:
    """A table in a document is what its data says; ``python -m scripts.write_tables`` writes it anew."""
    assert path.read_text() == documents()[path]


def test_no_page_of_a_rule_is_left_over() -> None:
    """Each page belongs to a rule that there is."""
    assert set(RULES.iterdir()) == rules().keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of this repository finds it, and every link to a heading finds the heading."""
    for target, heading in LINK.findall(page.read_text()):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, heading


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    """Every ``make`` command that a page names is in the Makefile."""
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named <= TARGETS
