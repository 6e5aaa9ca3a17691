"""Which files are judged, and which of them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from constructs_lib.guardrails.sources import assemblies

TEMPLATE = "Resources:\n  T: {Type: AWS::SNS::Topic}\n"


def write(folder: Path, *names: str, text: str = TEMPLATE) -> None:
    """Files with the same text."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def grouped(*paths: Path) -> list[list[str]]:
    """The templates of each assembly."""
    found, problems = assemblies(list(paths))
    assert problems == []
    return [[Path(template.file).name for template in assembly.templates] for assembly in found]


def test_files_that_are_named_together_are_one_assembly(tmp_path: Path) -> None:
    """Whatever their ending, and each once."""
    write(tmp_path, "a.yaml", "b.txt")
    assert grouped(tmp_path / "b.txt", tmp_path / "a.yaml", tmp_path / "." / "b.txt") == [["b.txt", "a.yaml"]]


def test_each_folder_of_a_cloud_assembly_is_one_of_its_own(tmp_path: Path) -> None:
    """Production's alarms watch nothing of staging; a Lambda function's own files are none."""
    write(tmp_path, "manifest.json", "assembly-p/manifest.json", "assembly-s/manifest.json", text="{}")
    json = '{"Resources": {}}'
    write(tmp_path, "assembly-p/A.template.json", "assembly-p/B.template.json", text=json)
    write(tmp_path, "assembly-s/A.template.json", "asset.1/x.template.json", "assembly-s/tree.json", text=json)
    assert grouped(tmp_path) == [["A.template.json", "B.template.json"], ["A.template.json"]]


def test_of_any_other_folder_the_templates_are_found(tmp_path: Path) -> None:
    """By what they hold; other YAML files, hidden folders and other people's packages are passed by."""
    write(tmp_path, "a.yaml", "deep/b.yml", "c.template", ".git/d.yaml", "node_modules/e.yaml", "notes.md")
    write(tmp_path, "values.yaml", "chart.yaml", text="a: {{ .Values.b }}\n")
    write(tmp_path, "d.json", text='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}')
    assert grouped(tmp_path) == [["a.yaml", "c.template", "d.json", "b.yml"]]


def test_a_broken_template_in_a_folder_is_told(tmp_path: Path) -> None:
    """It looks like a template, so nobody may think that it was judged."""
    write(tmp_path, "a.yaml")
    write(tmp_path, "b.yaml", text=f"{TEMPLATE}  U: [")
    found, problems = assemblies([tmp_path])
    assert [len(assembly.templates) for assembly in found] == [1]
    assert [str(problem).startswith(f"{tmp_path / 'b.yaml'} is neither JSON nor YAML") for problem in problems] == [
        True
    ]


@pytest.mark.parametrize("make", [True, False], ids=["empty folder", "nothing there"])
def test_a_path_without_templates_is_told(make: bool, tmp_path: Path) -> None:
    """Nothing found is not nothing wrong."""
    path = tmp_path / "there"
    if make:
        path.mkdir()
    found, problems = assemblies([path])
    assert found == []
    words = "must hold CloudFormation templates, got none" if make else "cannot be read: No such file or directory"
    assert [words in str(problem) for problem in problems] == [True]


def test_one_unusable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """They are judged, and it is told."""
    write(tmp_path, "good.yaml")
    write(tmp_path, "bad.yaml", text="Statement: []")
    found, problems = assemblies([tmp_path / "bad.yaml", tmp_path / "good.yaml"])
    assert [template.file for assembly in found for template in assembly.templates] == [str(tmp_path / "good.yaml")]
    assert [str(problem) for problem in problems] == [
        f"{tmp_path / 'bad.yaml'} must be a CloudFormation template with 'Resources', got Statement"
    ]


def test_a_template_that_asks_for_too_much_does_not_stop_the_others(tmp_path: Path) -> None:
    """One that cannot be written out is a problem of its own."""
    items = ", ".join(f"i{number}" for number in range(200))
    loop = f"Resources:\n  Fn::ForEach::A: [I, [{items}], {{Fn::ForEach::B: [J, [{items}], {{R: {{Type: A}}}}]}}]"
    write(tmp_path, "bad.yaml", text=loop)
    write(tmp_path, "good.yaml")
    found, problems = assemblies([tmp_path / "bad.yaml", tmp_path / "good.yaml"])
    assert ["must make at most" in str(problem) for problem in problems] == [True]
    assert [len(assembly.templates) for assembly in found] == [1]
