"""``moorings images check``: policies and templates, offline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.images.policy import RetentionPolicy
from tests.ops.support import SHIELD, newest, policy, run

ROOT = Path(__file__).resolve().parents[2]
ONE_LINER = policy(newest(10))
SAFE = policy(SHIELD, newest(10))


def file(folder: Path, name: str, text: object) -> Path:
    """A file with this text, or with this value as JSON."""
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def repository(text: object) -> dict[str, Any]:
    """A repository with this policy text."""
    return {"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"LifecyclePolicyText": text}}}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def test_the_one_liner_is_a_hazard_with_its_smallest_example(tmp_path: Path) -> None:
    """Incident Q2's rule is found, with rule, reason and an example in words; the exit code is 1."""
    done = run("images", "check", file(tmp_path, "policy.json", ONE_LINER))
    assert done.code == 1
    assert "policy.json: HAZARD, 1 rule can take an image in use" in done.out
    assert "rule 1 keeps the 10 newest" in done.out
    assert "expires: an image in use tagged pin-0, then 10 newer ones" in done.out
    assert done.err == ""


def test_our_own_policy_is_safe(tmp_path: Path) -> None:
    """The policy of our repositories passes, with exit code 0."""
    done = run("images", "check", file(tmp_path, "policy.json", RetentionPolicy().text()))
    assert (done.code, done.err) == (0, "")
    proved = "no rule can ever take an image tagged pin-*"
    assumed = "images are taken to be single manifests (else give --multi-arch)"
    assert done.out.endswith(f"policy.json: safe: {proved}; {assumed}\n")


@pytest.mark.parametrize(
    ("options", "words", "pinned", "multi_arch"),
    [
        (("--pinned", "keep-*", "--multi-arch"), "safe: no rule can ever take an image tagged keep-*", "keep-*", True),
        (("--no-pins", "--multi-arch"), "safe: no rule can ever take an image whatever its tags", None, True),
        (
            ("--no-pins",),
            "safe: no rule can ever take an image whatever its tags; "
            "images are taken to be single manifests (else give --multi-arch)",
            None,
            False,
        ),
    ],
    ids=["pinned, multi-arch", "no pins, multi-arch", "no pins"],
)
def test_safe_says_what_is_proved_and_no_more(
    options: tuple[str, ...], words: str, pinned: str | None, multi_arch: bool, tmp_path: Path
) -> None:
    """The tags of which it holds are named, and so is what is taken for granted; the JSON has both as fields."""
    text = policy(newest(1, tagStatus="tagged", tagPatternList=["one-tag-is-on-one-image"]))
    path = file(tmp_path, "stack.json", template(Images=repository(text)))
    done = run("images", "check", path, *options)
    assert done.out == f"{path}: Images: {words}\n"
    told = run("images", "check", path, *options, "--format", "json").json
    assert (told["pinned"], told["multi_arch"]) == (pinned, multi_arch)


def test_json_has_exactly_this_shape(tmp_path: Path) -> None:
    """The JSON of a hazard, a safe policy and a repository without any."""
    hazard = file(tmp_path, "hazard.json", ONE_LINER)
    stack = file(tmp_path, "stack.json", template(Safe=repository(SAFE), Bare={"Type": "AWS::ECR::Repository"}))
    done = run("images", "check", hazard, stack, "--format", "json")
    told = done.json
    (found,) = told["files"][0]["policies"][0]["hazards"]
    assert found.pop("reason").startswith("rule 1 keeps the 10 newest")
    assert found == {"rule": 1, "action": "expire", "example": "an image in use tagged pin-0, then 10 newer ones"}
    assert told == {
        "pinned": "pin-*",
        "multi_arch": False,
        "files": [
            {
                "file": str(hazard),
                "error": None,
                "policies": [
                    {
                        "resource": None,
                        "type": None,
                        "result": "hazard",
                        "reason": None,
                        "defaults": [],
                        "hazards": [found],
                    }
                ],
            },
            {
                "file": str(stack),
                "error": None,
                "policies": [
                    {
                        "resource": "Safe",
                        "type": "AWS::ECR::Repository",
                        "result": "safe",
                        "reason": None,
                        "defaults": [],
                        "hazards": [],
                    },
                    {
                        "resource": "Bare",
                        "type": "AWS::ECR::Repository",
                        "result": "none",
                        "reason": None,
                        "defaults": [],
                        "hazards": [],
                    },
                ],
            },
        ],
    }
    assert done.code == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 0), (("--pinned", "keep-*"), 1), (("--no-pins",), 1), (("--multi-arch",), 1)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_what_marks_an_image_in_use_can_be_said(options: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """A shield of pin-* helps neither other tags, nor images without tags, nor untagged children."""
    assert run("images", "check", file(tmp_path, "policy.json", SAFE), *options).code == code


@pytest.mark.parametrize("words", [["--pinned", ""], ["--pinned", "a", "--no-pins"], ["--format", "xml"], []])
def test_wrong_input_is_one_sentence(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong options cost exit code 2 and one line on stderr; nothing is on stdout."""
    files = [str(file(tmp_path, "policy.json", SAFE))] if words else []
    done = run("images", "check", *words, *files)
    shown = capsys.readouterr()
    assert (done.code, done.out + shown.out) == (2, "")
    assert (done.err + shown.err).count("\n") == 1
    assert (done.err + shown.err).startswith("moorings: ")


def examples() -> list[tuple[str, dict[str, Any], str]]:
    """An age rule of each kind, an index, and the example in words."""
    days = {"countUnit": "days", "countNumber": 90}
    pushed = {"tagStatus": "any", "countType": "sinceImagePushed", **days}
    pulled = {"tagStatus": "any", "countType": "sinceImagePulled", **days}
    archived = {"tagStatus": "any", "countType": "sinceImageTransitioned", "storageClass": "archive", **days}
    archive = {"type": "transition", "targetStorageClass": "archive"}
    return [
        ("expire", {"selection": pushed}, "an image in use tagged pin-0, a little more than 90 days later"),
        (
            "archive",
            {"selection": pulled, "action": archive},
            "an image in use tagged pin-0, a little more than 90 days later",
        ),
        ("expire", {"selection": archived}, "an image in use tagged pin-0, archived, a little more than 90 days later"),
        (
            "expire",
            {"selection": newest(1, tagStatus="tagged", tagPatternList=["*"])},
            "an image in use tagged pin-0, then 1 newer one",
        ),
    ]


@pytest.mark.parametrize(("action", "rule", "words"), examples(), ids=lambda value: str(value)[:40])
def test_an_example_is_told_in_words(action: str, rule: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Ages, archiving and counts each have their words."""
    text = json.dumps({"rules": [{"rulePriority": 1, "action": {"type": "expire"}, **rule}]})
    done = run("images", "check", file(tmp_path, "policy.json", text), "--format", "json")
    (found,) = done.json["files"][0]["policies"][0]["hazards"]
    assert (found["action"], found["example"]) == (action, words)


def test_a_big_example_is_a_number(tmp_path: Path) -> None:
    """A rule that keeps 9,000 gives an example of 9,000 newer images in one line."""
    done = run("images", "check", file(tmp_path, "policy.json", policy(newest(9000))))
    assert done.out.splitlines()[-1] == "  expires: an image in use tagged pin-0, then 9000 newer ones"


def test_an_untagged_child_of_an_index_is_an_example(tmp_path: Path) -> None:
    """With --multi-arch the example names the index; no image is counted twice."""
    text = policy(SHIELD, newest(1, tagStatus="untagged"))
    done = run("images", "check", file(tmp_path, "policy.json", text), "--multi-arch")
    assert "an untagged child of an index in use, then its index, then 1 newer one" in done.out


def test_an_invalid_policy_says_what_ecr_would_say(tmp_path: Path) -> None:
    """A policy that ECR would refuse is exit code 1, with the rule and the reason."""
    text = policy(newest(10), newest(20, tagStatus="untagged"))
    done = run("images", "check", file(tmp_path, "policy.json", text))
    assert done.code == 1
    assert "policy.json: INVALID, rule 1: tagStatus 'any' must have the highest rulePriority" in done.out


@pytest.mark.parametrize(
    "text",
    [
        {"Ref": "Policy"},
        {"Fn::Sub": "${Policy}"},
        {"Fn::Sub": "${AWS::StackName}"},
        {"Fn::Sub": ["${Policy}", {"Policy": {"Ref": "Text"}}]},
        {"Fn::Join": ["", ["{", {"Ref": "Rest"}]]},
        {"Fn::ToJsonString": {"rules": [{"Ref": "Rule"}]}},
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_only_cloudformation_knows_never_passes(text: dict[str, Any], tmp_path: Path) -> None:
    """A text that depends on the deployment is unknown, with exit code 1."""
    done = run("images", "check", file(tmp_path, "stack.json", template(Images=repository(text))), "--format", "json")
    (found,) = done.json["files"][0]["policies"]
    assert (found["result"], done.code) == ("unknown", 1)
    assert "known only when CloudFormation deploys" in found["reason"]


def test_every_branch_of_a_condition_is_judged(tmp_path: Path) -> None:
    """A policy that is safe in production and not in staging is both, and never passes."""
    text = {"Fn::If": ["Production", SAFE, ONE_LINER]}
    done = run("images", "check", file(tmp_path, "stack.json", template(Images=repository(text))), "--format", "json")
    assert [one["result"] for one in done.json["files"][0]["policies"]] == ["safe", "hazard"]
    assert done.code == 1


KEEP = ONE_LINER.replace("10", "${Keep}")


def with_parameter(text: object, **entry: object) -> dict[str, Any]:
    """A template of one repository, whose policy may use the parameter ``Keep``."""
    return {"Parameters": {"Keep": entry}, **template(Images=repository(text))}


@pytest.mark.parametrize(
    "text",
    [{"Fn::Sub": KEEP}, {"Fn::Join": ["", [*KEEP.split("${Keep}")[:1], {"Ref": "Keep"}, KEEP.split("${Keep}")[1]]]}],
    ids=["Sub", "Join and Ref"],
)
def test_a_parameters_default_is_its_value_and_that_is_said(text: dict[str, Any], tmp_path: Path) -> None:
    """Text and JSON name the parameter; what --parameter gives takes the place of the default, and is no default."""
    path = file(tmp_path, "stack.json", with_parameter(text, Type="Number", Default=10))
    done = run("images", "check", path)
    assert "  the default of parameter Keep was taken; --parameter Keep=VALUE takes another value\n" in done.out
    assert "then 10 newer ones" in done.out
    (found,) = run("images", "check", path, "--format", "json").json["files"][0]["policies"]
    assert (found["result"], found["defaults"]) == ("hazard", ["Keep"])
    given = run("images", "check", path, "--parameter", "Keep=7")
    assert "then 7 newer ones" in given.out
    assert "of parameter Keep" not in given.out


@pytest.mark.parametrize(
    "entry",
    [
        {"Type": "String"},
        {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "10"},
        {"Type": "CommaDelimitedList", "Default": "10"},
    ],
    ids=["no default", "a name in SSM", "a list"],
)
def test_a_parameter_without_a_value_of_its_own_is_unknown(entry: dict[str, Any], tmp_path: Path) -> None:
    """A default that names something else, or is a list, is not the text that is deployed."""
    path = file(tmp_path, "stack.json", with_parameter({"Fn::Sub": KEEP}, **entry))
    (found,) = run("images", "check", path, "--format", "json").json["files"][0]["policies"]
    assert (found["result"], found["defaults"]) == ("unknown", [])


def test_an_own_constant_hides_a_parameter(tmp_path: Path) -> None:
    """In Fn::Sub a constant of its own goes before a parameter, and ``${!Other}`` comes to ``${Other}``."""
    text = {"Fn::Sub": [KEEP.replace('"any"', '"tagged", "tagPrefixList": ["${!Other}"]'), {"Keep": "7"}]}
    path = file(tmp_path, "stack.json", with_parameter(text, Type="String", Default="10"))
    (found,) = run("images", "check", path, "--format", "json").json["files"][0]["policies"]
    assert found["defaults"] == []
    assert "${Other}" in found["hazards"][0]["example"]
    assert "7 newer ones" in found["hazards"][0]["example"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("Kepe=1", "--parameter must name a parameter of a template, got 'Kepe'"),
        ("Keep", "must be NAME=VALUE, got 'Keep'"),
    ],
)
def test_wrong_parameters_are_refused(given: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped name would leave the default in place without a word."""
    path = file(tmp_path, "stack.json", with_parameter({"Fn::Sub": KEEP}, Type="Number", Default=10))
    done = run("images", "check", path, "--parameter", given, "--format", "json")
    shown = done.err + capsys.readouterr().err
    assert (done.code, done.out, shown.count("\n")) == (2, "", 1)
    assert why in shown


def test_what_ecr_answers_is_read(tmp_path: Path) -> None:
    """The output of ``aws ecr get-lifecycle-policy`` is judged by the policy that it holds."""
    answer = {"registryId": "111111111111", "repositoryName": "web", "lifecyclePolicyText": ONE_LINER}
    done = run("images", "check", file(tmp_path, "answer.json", answer))
    assert done.code == 1
    assert "answer.json: HAZARD, 1 rule can take an image in use" in done.out


TWICE = SAFE.replace('"rulePriority": 2', '"rulePriority": 2, "rulePriority": 3')


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("policy.json", TWICE, "{path} must have each key once, got 'rulePriority' twice; rename or remove one"),
        (
            "answer.json",
            json.dumps({"lifecyclePolicyText": TWICE}),
            "lifecyclePolicyText in {path} must have each key once, got 'rulePriority' twice; remove one",
        ),
        (
            "stack.yaml",
            "Resources:\n  Repo: {Type: AWS::ECR::Repository}\n  Repo: {Type: AWS::SNS::Topic}\n",
            "{path}, line 3: each key must be there once, got 'Repo' twice; rename or remove one",
        ),
        (
            "policy.yaml",
            "rules: []\n",
            "a lifecycle policy must be JSON, got YAML in {path}; ECR takes nothing else",
        ),
    ],
    ids=["policy", "answer", "template", "policy in YAML"],
)
def test_what_would_be_read_in_part_is_refused(name: str, text: str, why: str, tmp_path: Path) -> None:
    """Of a key that is there twice one would be dropped without a word; a policy in YAML is none for ECR."""
    path = file(tmp_path, name, text)
    done = run("images", "check", path)
    assert (done.code, done.out, done.err) == (2, "", f"moorings: {why.format(path=path)}\n")


def test_a_key_twice_in_a_templates_policy_never_passes(tmp_path: Path) -> None:
    """What ECR makes of it is not known."""
    done = run("images", "check", file(tmp_path, "stack.json", template(Images=repository(TWICE))))
    assert done.code == 1
    assert "Images: UNKNOWN, it has a LifecyclePolicyText with the key 'rulePriority' twice" in done.out


def test_merged_keys_of_yaml_are_no_keys_twice(tmp_path: Path) -> None:
    """``<<`` brings keys that a mapping may have already, wherever the other mapping is used besides."""
    text = """
A: &a {Type: AWS::SNS::Topic, Properties: {}}
Resources:
  One: &b {<<: *a, Type: AWS::ECR::Repository}
  Two: {<<: *b, Properties: {LifecyclePolicy: !Ref AWS::NoValue}}
"""
    done = run("images", "check", file(tmp_path, "stack.yaml", text), "--format", "json")
    assert [one["result"] for one in done.json["files"][0]["policies"]] == ["none", "none"]


def test_a_loop_is_told_in_a_sentence(tmp_path: Path) -> None:
    """What a macro would make is unknown, in words that fit together."""
    done = run("images", "check", file(tmp_path, "stack.json", template(**{"Fn::ForEach::All": []})))
    assert "Fn::ForEach::All: UNKNOWN, it makes resources that are known only when CloudFormation deploys;" in done.out


def test_whole_properties_may_be_unknown(tmp_path: Path) -> None:
    """An intrinsic in place of the policy, the properties or the resources is unknown too; NoValue is no policy."""
    stack = template(
        Policy={"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"Ref": "Nobody"}}},
        All={"Type": "AWS::ECR::Repository", "Properties": {"Fn::Transform": {"Name": "Include"}}},
        Unset={"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"Ref": "AWS::NoValue"}}},
    )
    stack["Resources"]["Fn::ForEach::Loop"] = ["Name", ["a"], {}]
    done = run("images", "check", file(tmp_path, "stack.json", stack), "--format", "json")
    assert {one["resource"]: one["result"] for one in done.json["files"][0]["policies"]} == {
        "Policy": "unknown",
        "All": "unknown",
        "Unset": "none",
        "Fn::ForEach::Loop": "unknown",
    }


@pytest.mark.parametrize(
    "text",
    [
        {"Fn::Sub": ONE_LINER},
        {"Fn::Sub": [ONE_LINER.replace("10", "${Keep}"), {"Keep": 10}]},
        {"Fn::Join": ["", [ONE_LINER[:50], ONE_LINER[50:]]]},
        {"Fn::ToJsonString": json.loads(ONE_LINER)},
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_comes_to_a_plain_text_is_judged(text: dict[str, Any], tmp_path: Path) -> None:
    """An intrinsic that depends on nothing is read as its text."""
    done = run("images", "check", file(tmp_path, "stack.json", template(Images=repository(text))), "--format", "json")
    assert done.json["files"][0]["policies"][0]["result"] == "hazard"


def test_creation_templates_are_judged_and_public_repositories_have_no_policy(tmp_path: Path) -> None:
    """RepositoryCreationTemplate carries its policy directly; other types are left alone."""
    stack = template(
        Made={"Type": "AWS::ECR::RepositoryCreationTemplate", "Properties": {"LifecyclePolicy": ONE_LINER}},
        Public={"Type": "AWS::ECR::PublicRepository", "Properties": {}},
    )
    done = run("images", "check", file(tmp_path, "stack.json", stack))
    assert done.code == 1
    assert "stack.json: Made: HAZARD" in done.out
    assert "Public" not in done.out


def test_a_template_without_repositories_is_fine_and_says_so(tmp_path: Path) -> None:
    """Nothing to judge is exit code 0, with a line for the file."""
    done = run("images", "check", file(tmp_path, "stack.json", template(Topic={"Type": "AWS::SNS::Topic"})))
    assert (done.code, done.out) == (0, f"{tmp_path / 'stack.json'}: no ECR repository in it\n")


def test_the_same_template_in_yaml(tmp_path: Path) -> None:
    """YAML with CloudFormation's short forms is read as its long forms; a block is the policy's text."""
    text = f"""
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Plain:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: !Sub '${{AWS::StackName}}'
      LifecyclePolicy:
        LifecyclePolicyText: |
          {ONE_LINER}
  Tagged:
    Type: AWS::ECR::Repository
    Properties:
      LifecyclePolicy:
        LifecyclePolicyText: !Ref Policy
  Chosen:
    Type: AWS::ECR::Repository
    Properties:
      LifecyclePolicy: !If [Production, {{LifecyclePolicyText: !GetAtt Some.Text}}, !Ref AWS::NoValue]
"""
    for name in ("stack.yaml", "stack.template"):
        done = run("images", "check", file(tmp_path, name, text), "--format", "json")
        results = [(one["resource"], one["result"]) for one in done.json["files"][0]["policies"]]
        assert results == [("Plain", "hazard"), ("Tagged", "unknown"), ("Chosen", "unknown"), ("Chosen", "none")]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("gone.json", None, "cannot be read: No such file or directory"),
        ("broken.json", "{", "is not valid JSON"),
        ("broken.yaml", "a: [", "is neither JSON nor YAML"),
        ("list.json", "[]", "must be a lifecycle policy with 'rules' or a CloudFormation template with 'Resources'"),
        ("other.json", '{"Statement": []}', "must be a lifecycle policy"),
    ],
)
def test_an_unreadable_file_does_not_stop_the_others(name: str, text: str | None, why: str, tmp_path: Path) -> None:
    """Exit code 2, one sentence on stderr, and the other file is judged."""
    unreadable = tmp_path / name if text is None else file(tmp_path, name, text)
    done = run("images", "check", unreadable, file(tmp_path, "policy.json", ONE_LINER))
    assert done.code == 2
    assert done.err.startswith(f"moorings: {unreadable} {why}")
    assert done.err.count("\n") == 1
    assert "policy.json: HAZARD" in done.out


def test_an_unreadable_file_is_in_the_json(tmp_path: Path) -> None:
    """Its error is the sentence on stderr, and stdout is JSON all the same."""
    broken = file(tmp_path, "broken.json", "{")
    done = run("images", "check", broken, "--format", "json")
    (only,) = done.json["files"]
    assert (only["file"], only["policies"], done.code) == (str(broken), [], 2)
    assert done.err == f"moorings: {only['error']}\n"


def test_a_directory_means_all_its_templates(tmp_path: Path) -> None:
    """Nested assemblies are read too; other JSON of cdk.out is not."""
    nested = tmp_path / "assembly-production"
    nested.mkdir()
    file(tmp_path, "manifest.json", {"version": "1"})
    file(tmp_path, "A.template.json", template(Images=repository(SAFE)))
    file(nested, "B.template.json", template(Images=repository(ONE_LINER)))
    done = run("images", "check", tmp_path, "--format", "json")
    results = {Path(one["file"]).name: one["policies"][0]["result"] for one in done.json["files"]}
    assert (results, done.code) == ({"A.template.json": "safe", "B.template.json": "hazard"}, 1)


def test_a_directory_without_templates_checks_nothing(tmp_path: Path) -> None:
    """That is exit code 2, for nothing was shown to be safe."""
    done = run("images", "check", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "must hold *.template.json files, got none" in done.err


def test_our_own_stacks_pass(assembly: Path) -> None:
    """Every template of this app is safe for pinned images."""
    done = run("images", "check", assembly, "--format", "json")
    results = [one["result"] for checked in done.json["files"] for one in checked["policies"]]
    assert (done.code, set(results)) == (0, {"safe"})
    assert len(results) >= 2, "one repository for each environment"


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"boto3", "botocore", "rich", "yaml", "aws_cdk", "constructs", "jsii"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from constructs_lib.ops.cli import main
sys.exit(main(sys.argv[1:]))
"""


def base_install(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a Python that has the standard library and our package, and refuses everything else."""
    command = [sys.executable, "-S", "-c", BLOCKED, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_base_install_suffices_for_json(tmp_path: Path) -> None:
    """Text and JSON of a JSON file need neither boto3, rich, PyYAML nor CDK."""
    path = file(tmp_path, "policy.json", ONE_LINER)
    for form in ("text", "json"):
        done = base_install("images", "check", path, "--format", form)
        assert (done.returncode, done.stderr) == (1, "")
        assert "then 10 newer ones" in done.stdout


def test_without_pyyaml_yaml_names_the_extra(tmp_path: Path) -> None:
    """YAML in the base install is one sentence that says what to install."""
    done = base_install("images", "check", file(tmp_path, "stack.yaml", "Resources: {}"))
    assert done.returncode == 2
    assert done.stderr == f"moorings: {tmp_path / 'stack.yaml'} is not JSON, and YAML needs PyYAML; install PyYAML\n"


@pytest.mark.parametrize("command", [("images", "list"), ("images", "verify"), ("status",), ("release",), ("promote",)])
def test_without_boto3_the_others_name_the_extra(command: tuple[str, ...]) -> None:
    """A command that calls AWS says in one sentence what to install."""
    done = base_install(*command, "shop/production/web")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not installed; install 'moorings[ops]'" in done.stderr
    assert done.stderr.count("\n") == 1
