"""``moorings check``: what it takes, what it ends with, and that its output keeps to its format whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest

from constructs_lib.guardrails.catalog import RULES
from constructs_lib.guardrails.command import FORMATS, wanted_format
from tests.guardrails.sarif import complaints
from tests.ops.support import Done, Terminal, run

ROOT = Path(__file__).resolve().parents[2]

GOOD = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
BAD = """\
Parameters:
  Mode: {Type: String, Default: blocking}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: web@sha256:0000000000000000000000000000000000000000000000000000000000000000
          HealthCheck: {Command: [CMD, "true"]}
          LogConfiguration:
            LogDriver: awslogs
            Options: {mode: !Ref Mode, max-buffer-size: 25m}
"""
"""Its one fault is MOOR-W2b, an error; what other rules say of it are no errors."""

UNKNOWN = BAD.replace(", Default: blocking", "")
MODEST = BAD.replace("blocking", "non-blocking").replace("25m", "5m")
"""Its fault is MOOR-W2d, a warning."""


def file(folder: Path, name: str, text: str) -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def check(*arguments: object) -> Done:
    """The command as ``moorings check``."""
    return run("check", *arguments)


def sound(form: str, text: str) -> None:
    """Fails unless the output is valid."""
    if form == "json":
        assert set(json.loads(text)) == {"findings", "errors"}
    elif form == "sarif":
        assert complaints(text) == []
    elif form == "junit":
        assert ElementTree.fromstring(text).tag == "testsuites"  # noqa: S314  (our own)
    elif form == "github":
        assert all(line.startswith("::") for line in text.splitlines())


def rules_of(done: Done) -> set[tuple[str, str]]:
    """The rules that a JSON output names, with their statuses."""
    return {(one["rule"], one["status"]) for one in done.json["findings"]}


@pytest.mark.parametrize(
    ("text", "options", "rule", "code"),
    [
        (GOOD, (), None, 0),
        (BAD, (), ("MOOR-W2b", "fail"), 1),
        (MODEST, (), ("MOOR-W2d", "fail"), 0),
        (UNKNOWN, (), ("MOOR-W2b", "unknown"), 0),
        (UNKNOWN, ("--parameter", "Mode=blocking"), ("MOOR-W2b", "fail"), 1),
        (BAD, ("--parameter", "Mode=non-blocking"), None, 0),
        ("Resources: []", (), None, 2),
    ],
    ids=["clean", "error", "warning", "unknown", "given", "given and fine", "no template"],
)
def test_the_exit_code_tells(
    text: str, options: tuple[str, ...], rule: tuple[str, str] | None, code: int, tmp_path: Path
) -> None:
    """0 without a certain error, be there warnings or unknown ones; 1 with one; 2 where nothing could be judged."""
    path = file(tmp_path, "template.yaml", text)
    done = check(path, "--format", "json", *options)
    assert done.code == code
    logs = {one for one in rules_of(done) if one[0].startswith("MOOR-W2b") or one[0].startswith("MOOR-W2d")}
    if rule is not None:
        assert rule in logs
    elif code == 0:
        assert logs == set()
    for form in FORMATS:
        assert check(path, "--format", form, *options).code == code


def test_an_unknown_error_is_told_in_the_sum(tmp_path: Path) -> None:
    """It ends with 0, and nobody who reads can take it for sound."""
    done = check(file(tmp_path, "template.yaml", UNKNOWN))
    assert done.code == 0
    assert "unknown before it is deployed (1 possible error)" in done.out.splitlines()[-2]


@pytest.mark.parametrize("form", FORMATS)
def test_findings_of_the_others_are_kept_beside_a_broken_file(form: str, tmp_path: Path) -> None:
    """One file that cannot be read makes the exit code 2, is one sentence on stderr, and hides nothing."""
    bad, broken = file(tmp_path, "bad.yaml", BAD), file(tmp_path, "broken.json", "{")
    done = check(broken, bad, tmp_path / "none.yaml", "--format", form)
    assert done.code == 2
    sound(form, done.out)
    assert "MOOR-W2b" in done.out
    assert f"moorings: {broken} is not valid JSON" in done.err
    assert f"moorings: {tmp_path / 'none.yaml'} cannot be read: No such file or directory\n" in done.err
    assert done.err.count("\n") == 2


WRONG: tuple[tuple[str, ...], ...] = (
    ("--nonsense",),
    ("--baseline",),
    ("--baseline", "none.json"),
    ("--baseline", "a", "--write-baseline", "b"),
    ("--parameter", "x"),
    ("--parameter", "Nobody=has-it"),
    ("--explain", "MOOR-W2b"),
    ("--explain", "W99"),
    ("--list-rules", "--nonsense"),
    ("none.yaml",),
    ("--write-baseline", "none/baseline.json"),
)


@pytest.mark.parametrize("form", FORMATS[1:])
@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_the_output_keeps_its_format_with_wrong_arguments(
    words: tuple[str, ...], form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that reads the output can, before and after the wrong argument; stderr has the sentence for people."""
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "good.yaml", GOOD)
    for arguments in (("good.yaml", "--format", form, *words), ("good.yaml", f"--form={form}", *words)):
        done = check(*arguments)
        assert done.code == 2
        sound(form, done.out)
        assert done.err.startswith("moorings: ")
        assert done.err.count("\n") == 1
        if form == "json":
            assert [f"moorings: {error}" for error in done.json["errors"]] == [done.err.rstrip("\n")]


@pytest.mark.parametrize(
    ("words", "form"),
    [
        ([], "text"),
        (["--format", "json"], "json"),
        (["--format=sarif"], "sarif"),
        (["--fo", "junit"], "junit"),
        (["--f=github", "--x"], "github"),
        (["--format", "json", "--format", "sarif"], "sarif"),
        (["--format", "json", "--format", "xml"], "text"),
        (["--format"], "text"),
        (["a", "--", "--format", "json"], "text"),
        (["--formats", "json"], "text"),
        (["--", "--format=json"], "text"),
    ],
)
def test_the_wanted_format_is_found_leniently(words: list[str], form: str) -> None:
    """As argparse would read it, abbreviated too, in arguments that argparse refuses."""
    assert wanted_format(words) == form


def test_wrong_arguments_without_a_format_leave_stdout_alone() -> None:
    """Text is for people: the sentence is on stderr, and there is nothing else to read."""
    done = check("--nonsense")
    assert (done.code, done.out) == (2, "")
    assert done.err == "moorings: unrecognized arguments: --nonsense; see `moorings check --help`\n"


def test_a_format_that_there_is_not_names_those_that_there_are(tmp_path: Path) -> None:
    """The sentence names all."""
    done = check(file(tmp_path, "good.yaml", GOOD), "--format", "xml")
    assert (done.code, done.out) == (2, "")
    for form in FORMATS:
        assert form in done.err


def test_options_may_stand_between_files(tmp_path: Path) -> None:
    """All files are judged wherever the options stand."""
    one, other = file(tmp_path, "one.yaml", BAD), file(tmp_path, "other.yaml", BAD)
    done = check(one, "--format", "json", other)
    assert {one["file"] for one in done.json["findings"]} == {str(one), str(other)}


def test_cdk_out_is_judged_when_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that CDK wrote is found; without one the sentence says what to do."""
    monkeypatch.chdir(tmp_path)
    done = check()
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("no folder cdk.out here; name files or folders, or synthesize first\n")
    (tmp_path / "cdk.out").mkdir()
    template = {"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition"}}}
    file(tmp_path / "cdk.out", "Web.template.json", json.dumps(template))
    assert "\n1 template: " in f"\n{check().out}"


def test_a_parameter_that_no_template_has_is_an_error(tmp_path: Path) -> None:
    """A slip in its name would judge the default; the findings are there all the same."""
    done = check(file(tmp_path, "bad.yaml", BAD), "--parameter", "Mdoe=non-blocking")
    assert done.code == 2
    assert done.err == "moorings: --parameter must name a parameter of a template, got 'Mdoe'; look at its name\n"
    assert "MOOR-W2b" in done.out


@pytest.mark.parametrize("form", FORMATS)
def test_a_hook_may_name_what_is_no_template(form: str, tmp_path: Path) -> None:
    """With ``--only-templates`` it is passed over; what looks like a template and is broken is still told."""
    bad, other = file(tmp_path, "bad.yaml", BAD), file(tmp_path, "params.json", '{"Env": "x"}')
    done = check(bad, other, "--only-templates", "--format", form)
    assert (done.code, done.err) == (1, "")
    sound(form, done.out)
    assert check(bad, other, "--format", form).code == 2
    assert check(other, "--only-templates", "--format", form).code == 0
    broken = file(tmp_path, "broken.yaml", BAD + "  U: [")
    assert check(bad, broken, "--only-templates", "--format", form).code == 2


def test_a_hook_may_give_a_parameter_that_its_files_have_not(tmp_path: Path) -> None:
    """The template that has it may not be in this commit: a note on stderr, and no error."""
    done = check(file(tmp_path, "bad.yaml", BAD), "--only-templates", "--parameter", "Size=1", "--format", "json")
    assert (done.code, done.json["errors"]) == (1, [])
    assert done.err == "moorings: --parameter Size is of no use here: no template that was judged has it\n"


@pytest.mark.parametrize(
    ("declared", "value", "known"),
    [
        ("{Type: String, AllowedValues: [dev, prod]}", "x", "dev, prod"),
        ("{Type: String, AllowedValues: [dev, prod]}", "prod", ""),
        ("{Type: String, AllowedValues: [dev, prod]}", "Prod", "dev, prod"),
        ("{Type: String, AllowedValues: [true, 2]}", "false", "true, 2"),
        ("{Type: String, AllowedValues: [true, 2]}", "2", ""),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b, c]}", "a,x", "a, b, c"),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b, c]}", "a, c", ""),
        ("{Type: 'AWS::SSM::Parameter::Value<String>', AllowedValues: [a]}", "/name", ""),
        ("{Type: String}", "x", ""),
        ("{Type: String, AllowedValues: []}", "x", ""),
    ],
)
def test_a_value_that_cloudformation_would_refuse_is_an_error(
    declared: str, value: str, known: str, tmp_path: Path
) -> None:
    """One sentence with what is allowed: what is judged with it could not be deployed."""
    path = file(tmp_path, "web.yaml", f"Parameters:\n  Env: {declared}\n{GOOD}")
    done = check(path, "--parameter", f"Env={value}")
    wrong = value.split(",")[-1]
    sentence = f"moorings: --parameter Env must be one of {known} for {path}, got {wrong!r}; choose one of them\n"
    assert (done.code, done.err) == ((2, sentence) if known else (0, ""))


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "with 'Resources', got an empty file"),
        ("hello", "with 'Resources', got a text"),
        ("- a", "with 'Resources', got a list"),
        ("4", "with 'Resources', got a number"),
        ("yes", "with 'Resources', got true or false"),
        ("{}", "with 'Resources', got an empty mapping"),
        ("Statement: []", "with 'Resources', got Statement"),
        ("Resources: []", "with a mapping of 'Resources', got a list"),
        ("Resources:", "with a mapping of 'Resources', got nothing"),
    ],
)
def test_an_error_says_what_the_file_is(text: str, got: str, tmp_path: Path) -> None:
    """In words of people, and with the file's name."""
    path = file(tmp_path, "web.yaml", text)
    assert check(path).err == f"moorings: {path} must be a CloudFormation template {got}\n"


def test_an_error_in_yaml_names_the_line(tmp_path: Path) -> None:
    """And nothing of how it is read."""
    path = file(tmp_path, "web.yaml", "Resources:\n  A: [\n")
    error = check(path).err
    assert error.startswith(f"moorings: {path} is neither JSON nor YAML: ")
    assert "at line 3, column 1" in error
    assert "<unicode" not in error


def test_the_text_is_as_wide_as_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 100 columns, which a file and a program have."""
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "bad.yaml", BAD)
    monkeypatch.setenv("COLUMNS", "60")
    for out, narrow in ((Terminal(), True), (None, False)):
        lines = run("check", "bad.yaml", out=out).out.splitlines()
        sentences = [line for line in lines if line.startswith("    ") and " " in line.strip() and ": Prop" not in line]
        assert (max(map(len, sentences)) <= 60) is narrow


def test_a_parameter_of_a_broken_template_is_not_blamed(tmp_path: Path) -> None:
    """The template that could not be read may have it."""
    done = check(file(tmp_path, "broken.json", "{"), "--parameter", "Mode=non-blocking", "--format", "json")
    assert done.code == 2
    (error,) = done.json["errors"]
    assert "is not valid JSON" in error


def test_an_error_is_one_line_whatever_the_file_is_called(tmp_path: Path) -> None:
    """A name with a line end makes no second line, and no colour."""
    done = check(tmp_path / "a\n\x1b[31mb.yaml")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.endswith("a\\n\\x1b[31mb.yaml cannot be read: No such file or directory\n")


def test_a_baseline_leaves_out_what_is_old(tmp_path: Path) -> None:
    """Written once with 0, it hides the old findings in every format, and shows a new one."""
    path, known = file(tmp_path, "bad.yaml", BAD), tmp_path / "known.json"
    written = check(path, "--write-baseline", known)
    assert (written.code, written.err) == (0, "")
    assert written.out.startswith("1 template: nothing new; ")
    for form in FORMATS:
        done = check(path, "--baseline", known, "--format", form)
        assert (done.code, done.err) == (0, "")
        assert "MOOR-W2b Task" not in done.out
        sound(form, done.out)
    file(tmp_path, "bad.yaml", "# moved\n" + BAD + BAD.split("Resources:\n")[1].replace("Task:", "Another:"))
    done = check(path, "--baseline", known, "--format", "json")
    assert done.code == 1
    assert {one["logical_id"] for one in done.json["findings"]} == {"Another"}


def test_a_baseline_of_all_files_serves_a_check_of_some(tmp_path: Path) -> None:
    """A hook calls nothing gone that it did not look for, and what it writes keeps what is known of the others."""
    one, other, known = file(tmp_path, "one.yaml", BAD), file(tmp_path, "other.yaml", BAD), tmp_path / "known.json"
    check(one, other, "--write-baseline", known)
    before = known.read_bytes()
    done = check(one, "--baseline", known)
    assert (done.code, done.err) == (0, "")
    assert "no longer found" not in done.out
    assert check(one, "--write-baseline", known).code == 0
    assert known.read_bytes() == before
    file(tmp_path, "one.yaml", GOOD)
    assert "no longer found." in check(one, "--baseline", known).out
    assert "no longer found, so write it anew." in check(one, other, "--baseline", known).out
    assert check(one, "--write-baseline", known).code == 0
    assert '"one.yaml"' not in known.read_text()
    other.unlink()
    assert "no longer found, so write it anew." in check(one, "--baseline", known).out
    assert check(one, "--write-baseline", known).code == 0
    assert json.loads(known.read_text())["findings"] == []


@pytest.mark.parametrize("content", ["<<<<<<< ours\n", BAD], ids=["a merge", "a template"])
def test_what_is_no_baseline_is_not_written_over(content: str, tmp_path: Path) -> None:
    """A name that was mistaken must not cost a template; a baseline that a merge has broken is deleted first."""
    path, known = file(tmp_path, "bad.yaml", BAD), file(tmp_path, "known.json", content)
    done = check(path, "--write-baseline", known)
    assert done.code == 2
    assert "must name a baseline or a new file" in done.err
    assert known.read_text() == content
    known.unlink()
    assert check(path, "--write-baseline", known).code == 0
    assert check(path, "--baseline", known).code == 0


def test_a_baseline_is_not_written_from_half_of_the_templates(tmp_path: Path) -> None:
    """What was not judged would come back as new later, or stay hidden."""
    known = tmp_path / "known.json"
    done = check(file(tmp_path, "bad.yaml", BAD), file(tmp_path, "broken.json", "{"), "--write-baseline", known)
    assert done.code == 2
    assert done.err.endswith("known.json was not written: not everything could be judged\n")
    assert not known.exists()


@pytest.mark.parametrize("name", ["MOOR-W2b", "moor-w2b", "W2b", "w2B"])
def test_a_rule_is_explained(name: str) -> None:
    """By its id, as people type it."""
    done = check("--explain", name)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("# MOOR-W2b: no container waits for its logs to be delivered\n")


def test_all_rules_are_listed() -> None:
    """One line each with severity and title, those about acknowledgements too."""
    done = check("--list-rules")
    assert done.code == 0
    listed = {line.split()[0]: line.split()[1] for line in done.out.splitlines()}
    assert listed == {rule.id: rule.severity for rule in RULES} | {
        "MOOR-Q8a": "error",
        "MOOR-Q8b": "warning",
        "MOOR-Q8c": "warning",
    }


def test_acknowledgements_expire_by_the_clock(tmp_path: Path) -> None:
    """The day is the console's, which tests can set: NOW is in April 2026."""
    said = (
        "    Metadata:\n      Moorings:\n        acknowledge:\n          - {{id: MOOR-W2b, reason: test, until: {}}}\n"
    )
    for until, code in (("2026-04-01", 0), ("2026-03-31", 1)):
        text = BAD.replace("    Properties:\n", said.format(until) + "    Properties:\n", 1)
        assert check(file(tmp_path, "bad.yaml", text)).code == code


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ZeroDivisionError("x"), "the check failed on this input with ZeroDivisionError in "),
        (RecursionError("deep"), "the check failed on this input with RecursionError in "),
        (KeyboardInterrupt(), "interrupted before it was done"),
    ],
)
def test_a_defect_is_no_finding(error: BaseException, sentence: str, form: str, tmp_path: Path) -> None:
    """What goes wrong in us ends with 2 and a sentence, never with a traceback and the exit code of a finding."""
    path = file(tmp_path, "good.yaml", GOOD)
    with patch("constructs_lib.guardrails.check.check", side_effect=error):
        done = check(path, "--format", form)
    assert done.code == 2
    assert done.err.startswith(f"moorings: {sentence}")
    assert done.err.count("\n") == 1
    sound(form, done.out)


def program(*arguments: Any, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``python -m constructs_lib.guardrails`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "constructs_lib.guardrails", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_break_no_format(form: str, encoding: str, tmp_path: Path) -> None:
    """Names with line ends, colours, half characters and other alphabets, of files and resources, in any encoding."""
    folder = os.fsencode(tmp_path)
    path = os.path.join(folder, b"a\nb\r::error::\x1b[31m \xff,%0A\xe6\x97\xa5 <&>'\".json")  # noqa: PTH118  (bytes)
    container = {"Name": "a\n\ud800\x00日", "LogConfiguration": {"LogDriver": "awslogs"}}
    resource = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}
    template = {"Resources": {"T\nask::\x07\udc80日😀": resource}}
    with open(path, "w") as opened:  # noqa: PTH123  (the name is bytes)
        json.dump(template, opened)
    done = program(path, "--format", form, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode(encoding)
    sound(form, text)
    assert "MOOR-W2b" in text
    if form in ("text", "github"):
        assert text.replace("\n", "").isprintable()


def test_both_ways_to_start_it_say_the_same(tmp_path: Path) -> None:
    """``python -m constructs_lib.guardrails`` is ``moorings check``."""
    path = file(tmp_path, "bad.yaml", BAD)
    done = program(path)
    assert (done.returncode, done.stdout.decode()) == (1, check(path).out)


def test_a_reader_who_has_read_enough_hears_nothing(tmp_path: Path) -> None:
    """Into a pipe that is closed nothing is said; into a full disk one sentence, in every format."""
    path = file(tmp_path, "bad.yaml", BAD)
    for form in FORMATS:
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-m", "constructs_lib.guardrails", str(path), "--format", form]
        done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writing)
        assert (done.returncode, done.stderr) == (2, "")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.stderr == "moorings: the output cannot be written: No space left on device\n"
        assert done.returncode == 2


def test_it_is_listed_and_has_a_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``moorings --help`` names it, and its own help names the formats."""
    assert run("--help").code == 0
    assert "check do templates repeat" in " ".join(capsys.readouterr().out.split())
    assert check("--help").code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: moorings check ")
    for form in FORMATS:
        assert form in shown


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"yaml", "constructs_lib.guardrails.catalog", "constructs_lib.images.lifecycle"}),
        (["JSON"], {"yaml", "importlib.resources", "xml", "aws_cdk", "jsii", "boto3", "concurrent.futures"}),
    ],
)
def test_start_up_loads_what_is_needed(arguments: list[str], absent: set[str], tmp_path: Path) -> None:
    """Help loads no rules, and a JSON template neither PyYAML nor what other commands need."""
    path = file(tmp_path, "good.json", json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}))
    words = ["check", *(str(path) if word == "JSON" else word for word in arguments)]
    code = f"import sys, constructs_lib.ops.cli as c; c.main({words!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert absent & set(done.stderr.split()) == set()
