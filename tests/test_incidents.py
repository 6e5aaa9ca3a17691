"""The table of lessons names nothing that is not there, and leaves no lesson out."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from constructs_lib.incidents import INCIDENTS, LESSONS, Lesson, table

ROOT = Path(__file__).resolve().parent.parent


def test_every_lesson_is_there_once_and_in_order() -> None:
    """Six lessons of WebORCA, five of Twilio, eight of the web application."""
    expected = [
        f"{letter}{number}" for letter, count in (("W", 6), ("T", 5), ("Q", 8)) for number in range(1, count + 1)
    ]
    assert [lesson.id for lesson in LESSONS] == expected
    assert {lesson.id[0] for lesson in LESSONS} == set(INCIDENTS)


def test_the_public_reports_are_on_the_page_of_the_incidents() -> None:
    """Each whose address is known, and no other."""
    page = (ROOT / "docs" / "incidents.md").read_text()
    urls = [incident.url for incident in INCIDENTS.values() if incident.url]
    assert re.findall(r"\]\((https:[^)]*)\)", page) == urls
    assert urls


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_what_serves_a_lesson_exists(lesson: Lesson) -> None:
    """Each construct can be imported."""
    for name in lesson.served_by:
        module, attribute = name.rsplit(".", 1)
        assert hasattr(import_module(module), attribute), name


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_what_shows_a_lesson_exists(lesson: Lesson) -> None:
    """Each test is in its file, and a lesson that is served has one."""
    assert bool(lesson.served_by) == bool(lesson.tests)
    for test in lesson.tests:
        path, _, name = test.partition("::")
        functions = {
            node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)
        }
        assert name in functions, test


def test_a_lesson_that_is_not_served_says_so() -> None:
    """The table does not claim what is not built."""
    for lesson, row in zip(LESSONS, table().splitlines()[2:], strict=True):
        assert ("not yet served" in row) == (not lesson.served_by)
        assert lesson.missing in row
