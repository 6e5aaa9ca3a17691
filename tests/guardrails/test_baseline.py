"""The baseline: what is known is left out, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.command_line import CouldNotRun
from constructs_lib.guardrails.baseline import Baseline, Parts, of, read, write
from constructs_lib.guardrails.rule import Finding
from tests.guardrails.answers import EVERY_KIND, FAIL, HOSTILE, NOTICE, UNKNOWN, WARNING


def new(known: Baseline, *findings: Finding) -> list[Finding]:
    """What the baseline does not know of some findings."""
    return list(part(known, findings).new)


def part(known: Baseline, findings: Iterable[Finding]) -> Parts:
    """What a baseline makes of findings, where all files that it knows were judged."""
    return known.part(findings, [str(known.folder / key[0]) for key in known.counts])


def test_what_is_known_is_left_out_when_lines_and_words_change() -> None:
    """Line, message, fix and severity are no part of what a finding is."""
    known = of([FAIL], Path())
    assert new(known, replace(FAIL, line=99, message="Other.", fix="Other.", severity="warning")) == []


@pytest.mark.parametrize(
    "other",
    [
        replace(FAIL, rule="MOOR-W2c"),
        replace(FAIL, file="stacks/other.yaml"),
        replace(FAIL, logical_id="Other"),
        replace(FAIL, path="Properties"),
        replace(FAIL, status="unknown"),
    ],
    ids=["rule", "file", "resource", "path", "status"],
)
def test_what_differs_is_new(other: Finding) -> None:
    """Each part of a finding's place makes it another one, and so does certainty."""
    assert new(of([FAIL], Path()), other) == [other]
    assert new(of([replace(FAIL, status="unknown")], Path()), FAIL) == [FAIL]


def test_equal_findings_are_counted() -> None:
    """Of three where two are known, the last one is new."""
    first, second, third = (replace(FAIL, line=line) for line in (1, 2, 3))
    parts = part(of([first, second], Path()), [first, second, third])
    assert parts == Parts(new=(third,), known=2, gone=0, elsewhere=0)


def test_what_is_no_longer_found_is_counted() -> None:
    """So that the file can be written anew: a finding that is mended must not come back unseen."""
    parts = part(of([FAIL, FAIL, UNKNOWN], Path()), [FAIL, NOTICE])
    assert parts == Parts(new=(NOTICE,), known=1, gone=2, elsewhere=0)


@pytest.mark.parametrize(
    ("judged", "there", "gone"), [(True, True, 1), (True, False, 1), (False, False, 1), (False, True, 0)]
)
def test_what_was_not_looked_for_is_not_gone(judged: bool, there: bool, gone: int, tmp_path: Path) -> None:
    """A finding of a file that was not judged may still be there, unless the file is not."""
    file = tmp_path / "web.yaml"
    if there:
        file.touch()
    known = of([replace(FAIL, file=str(file))], tmp_path)
    parts = known.part([], [str(file)] if judged else [str(tmp_path / "other.yaml")])
    assert parts == Parts(new=(), known=0, gone=gone, elsewhere=1 - gone)


def test_what_is_known_of_other_files_is_kept(tmp_path: Path) -> None:
    """Written from a part of the files, the baseline forgets nothing of the others, but for those that are no more."""
    for name in ("judged.yaml", "other.yaml"):
        (tmp_path / name).touch()
    judged, other, gone = (replace(FAIL, file=str(tmp_path / f"{name}.yaml")) for name in ("judged", "other", "gone"))
    before = of([judged, other, other, gone], tmp_path)
    after = of([replace(judged, path="new")], tmp_path, before.elsewhere([judged.file]))
    assert {(key[0], key[3]): count for key, count in after.counts.items()} == {
        ("judged.yaml", "new"): 1,
        ("other.yaml", FAIL.path): 2,
    }


def test_a_file_is_the_same_from_wherever_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the baseline's folder, so the current folder and whole paths do not matter."""
    (tmp_path / "stacks").mkdir()
    path = tmp_path / "baseline.json"
    monkeypatch.chdir(tmp_path)
    write(path, of([FAIL], tmp_path))
    assert '"file": "stacks/web.yaml"' in path.read_text()
    assert new(read(Path("baseline.json")), replace(FAIL, file=str(tmp_path / "stacks" / "web.yaml"))) == []
    monkeypatch.chdir(tmp_path / "stacks")
    assert new(read(Path("../baseline.json")), replace(FAIL, file="web.yaml")) == []
    assert new(read(Path("../baseline.json")), replace(FAIL, file="stacks/web.yaml")) != []


def test_the_file_is_sorted_stable_and_has_a_line_for_each(tmp_path: Path) -> None:
    """The order of the findings does not show, equal ones share a line, and writing what was read changes nothing."""
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write(one, of([WARNING, *EVERY_KIND.findings], tmp_path))
    write(other, of([*reversed(EVERY_KIND.findings), WARNING], tmp_path))
    assert one.read_bytes() == other.read_bytes()
    assert len([line for line in one.read_text().splitlines() if "MOOR-" in line]) == 5
    assert '"path": "Properties/ContainerDefinitions/0/LogConfiguration/Options/mode"' in one.read_text()
    again = read(one)
    write(one, again)
    assert one.read_bytes() == other.read_bytes()
    assert sorted(again.counts.values()) == [1, 1, 1, 1, 2]


def test_an_empty_baseline_can_be_read(tmp_path: Path) -> None:
    """A project without findings has one, too."""
    path = tmp_path / "baseline.json"
    write(path, of([], tmp_path))
    assert json.loads(path.read_text()) == {"version": 1, "findings": []}
    assert new(read(path), FAIL) == [FAIL]


def test_an_entry_that_a_merge_left_twice_counts_once(tmp_path: Path) -> None:
    """Two branches that both knew a finding do not make room for another one."""
    path = tmp_path / "baseline.json"
    write(path, of([FAIL], tmp_path))
    content = json.loads(path.read_text())
    content["findings"] *= 2
    path.write_text(json.dumps(content))
    assert list(read(path).counts.values()) == [1]


@given(st.lists(st.builds(replace, st.just(FAIL), logical_id=st.sampled_from(HOSTILE), path=st.sampled_from(HOSTILE))))
def test_any_name_comes_back_as_it_was(findings: list[Finding]) -> None:
    """Whatever the names hold, the file that is written knows just these findings."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.json"
        write(path, of(findings, path.parent))
        assert part(read(path), findings) == Parts(new=(), known=len(findings), gone=0, elsewhere=0)


ENTRY = {"file": "a", "rule": "b", "logical_id": "c", "path": "d", "status": "fail", "count": 1}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"findings": []}',
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": {}}',
        "[" * 100_000,
        *(
            json.dumps({"version": 1, "findings": [entry]})
            for entry in (None, {}, {**ENTRY, "rule": 1}, {**ENTRY, "count": 0}, {**ENTRY, "count": True})
        ),
        "<<<<<<< ours\n",
        b"\xff\xfe\x00",
    ],
)
def test_a_broken_baseline_is_one_sentence(content: str | bytes, tmp_path: Path) -> None:
    """Nothing is left out by guess: the sentence says what is wrong and how to mend it."""
    path = tmp_path / "baseline.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CouldNotRun) as error:
        read(path)
    assert str(error.value).startswith(f"--baseline {path} ")
    assert str(error.value).endswith("; delete it, and write it with --write-baseline")
    assert "\n" not in str(error.value)


def test_a_baseline_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """It says how to make one; and one that cannot be written says why."""
    with pytest.raises(CouldNotRun, match="cannot be read: No such file or directory; --write-baseline makes it"):
        read(tmp_path / "none.json")
    with pytest.raises(CouldNotRun, match="cannot be written: No such file or directory; name another file"):
        write(tmp_path / "none" / "x.json", of([], tmp_path))
