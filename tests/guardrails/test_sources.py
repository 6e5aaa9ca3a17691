"""Which files are judged, and which of them together."""

from __future__ import annotations

import json
import os
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


def manifest(*names: str) -> str:
    """What CDK writes for the stacks of a folder."""
    kind = "aws:cloudformation:stack"
    stacks = {name: {"type": kind, "properties": {"templateFile": f"{name}.template.json"}} for name in names}
    return json.dumps({"artifacts": stacks})


def test_each_folder_of_a_cloud_assembly_is_one_of_its_own(tmp_path: Path) -> None:
    """Production's alarms watch nothing of staging; files of assets and of stacks that are gone are none."""
    write(tmp_path, "manifest.json", text=manifest())
    write(tmp_path, "assembly-p/manifest.json", text=manifest("A", "B"))
    write(tmp_path, "assembly-s/manifest.json", text=manifest("A"))
    written = ["assembly-p/A", "assembly-p/B", "assembly-s/A", "assembly-s/Gone", "Gone", "asset.1/x"]
    write(tmp_path, *(f"{name}.template.json" for name in written), text='{"Resources": {}}')
    assert grouped(tmp_path) == [["A.template.json", "B.template.json"], ["A.template.json"]]


def test_an_empty_stack_of_cdk_is_a_template(tmp_path: Path) -> None:
    """CDK writes it without resources; a file of parameters is none."""
    write(tmp_path, "manifest.json", text=manifest("A", "B"))
    write(tmp_path, "A.template.json", text='{"Parameters": {}, "Rules": {}}')
    write(tmp_path, "B.template.json", text='{"AWSTemplateFormatVersion": "2010-09-09"}')
    assert grouped(tmp_path) == [["A.template.json", "B.template.json"]]
    write(tmp_path, "params.json", text='{"Parameters": {}}')
    assert len(assemblies([tmp_path / "params.json"])[1]) == 1


def test_what_is_found_and_is_no_template_is_passed_by(tmp_path: Path) -> None:
    """Other tools' files of a repository stop nothing: another encoding, another place for resources."""
    write(tmp_path, "a.yaml")
    (tmp_path / "b.json").write_text('{"Resources": {}}', encoding="utf-16")
    write(tmp_path, "serverless.yml", text="resources:\n  Resources:\n    A: {Type: AWS::SNS::Topic}\n")
    write(tmp_path, "other.json", text='{"x": {"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}}')
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere.yaml")
    assert grouped(tmp_path) == [["a.yaml"]]


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


def test_templates_of_cdk_elsewhere_hide_no_others(tmp_path: Path) -> None:
    """Files that CDK wrote, that its package has, or that are named so by hand, change nothing for the rest."""
    text = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    write(tmp_path, "cdk.out/A.template.json", "node_modules/aws-cdk/cdk.template.json", text=text)
    write(tmp_path, "cdk.out/manifest.json", text=manifest("A"))
    write(tmp_path, "web/manifest.json", text='{"name": "a web application"}')
    write(tmp_path, "cfn/web.yaml", "web/page.yaml")
    write(tmp_path, "cfn/topic.template.json", text=text)
    write(tmp_path, "cfn/mail.template.json", text='{"subject": "hello"}')
    assert grouped(tmp_path) == [["topic.template.json", "web.yaml", "page.yaml"]]
    assert grouped(tmp_path / "cdk.out") == [["A.template.json"]]


def test_a_folder_whose_files_are_no_templates_is_told(tmp_path: Path) -> None:
    """A wrong folder must not look clean."""
    write(tmp_path, "values.yaml", text="a: 1\n")
    found, problems = assemblies([tmp_path])
    assert found == []
    assert ["must hold CloudFormation templates, got none" in str(problem) for problem in problems] == [True]


def test_only_templates_passes_over_what_is_named_besides(tmp_path: Path) -> None:
    """A hook names what a commit touches, whatever it is; what looks like a template is judged or told."""
    write(tmp_path, "a.yaml")
    write(tmp_path, "params.json", text='{"a": 1}')
    write(tmp_path, "broken.yaml", text=f"{TEMPLATE}  U: [")
    paths = [tmp_path / name for name in ("a.yaml", "params.json", "broken.yaml")]
    found, problems = assemblies(paths, only_templates=True)
    assert [Path(template.file).name for assembly in found for template in assembly.templates] == ["a.yaml"]
    assert [str(problem).startswith(f"{paths[2]} is neither") for problem in problems] == [True]
    assert len(assemblies(paths)[1]) == 2


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe would never end."""
    write(tmp_path, "a.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert grouped(tmp_path) == [["a.yaml"]]


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
    items = ", ".join(f"i{number}" for number in range(700))
    loop = f"Resources:\n  Fn::ForEach::A: [I, [{items}], {{Fn::ForEach::B: [J, [{items}], {{R: {{Type: A}}}}]}}]"
    write(tmp_path, "bad.yaml", text=loop)
    write(tmp_path, "good.yaml")
    found, problems = assemblies([tmp_path / "bad.yaml", tmp_path / "good.yaml"])
    assert ["must make at most" in str(problem) for problem in problems] == [True]
    assert [len(assembly.templates) for assembly in found] == [1]
