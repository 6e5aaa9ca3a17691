"""``moorings images preview`` against an account that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fake_aws.core import ACCOUNT, REGION, Fault
from tests.ops.support import SHIELD, Done, newest, policy, run
from tests.ops.world import NAME, World

WEB = {"Type": "AWS::ECR::Repository", "Properties": {"LifecyclePolicy": {"LifecyclePolicyText": policy(newest(10))}}}


@pytest.fixture
def one_liner(tmp_path: Path) -> Path:
    """'Keep the last 10' in a file."""
    path = tmp_path / "policy.json"
    path.write_text(policy(newest(10)))
    return path


def preview(world: World, path: Path, *options: object) -> Done:
    return run("images", "preview", NAME, "--policy", path, *options, connect=world.connect)


def test_incident_q2_is_foreseen(world: World, one_liner: Path) -> None:
    """Production runs the second of ten builds: nothing goes now, and it goes at the second build from now."""
    second = world.builds(10)[1]
    world.runs(second)
    done = preview(world, one_liner, "--builds", 2, "--format", "json")
    fates = {one["tags"][0]: (one["in_use"], one["after_builds"]) for one in done.json["images"]}
    assert fates["b-1"] == (False, 1)
    assert fates["b-2"] == (True, 2)
    assert {fates[f"b-{number}"] for number in range(3, 11)} == {(False, None)}
    assert done.code == 1
    assert preview(world, one_liner, "--builds", 1).code == 0, "one build earlier, what goes is not in use"


def test_json_has_exactly_this_shape(world: World, one_liner: Path) -> None:
    """One build, one more to come."""
    digest = world.push(["b-1", "pin-use-web-0"])
    done = preview(world, one_liner, "--builds", 1, "--format", "json")
    kept = {
        "action": "keep",
        "rule": 1,
        "reason": "rule 1 selects it and keeps it, so no later rule can act on it",
    }
    assert done.json == {
        "repository": NAME,
        "registry": ACCOUNT,
        "region": REGION,
        "at": "2026-04-01T12:00:00+00:00",
        "builds": {"count": 1, "pace_seconds": 86400.0, "tags_like": ["b-1"]},
        "images": [
            {
                "digest": digest,
                "tags": ["b-1"],
                "pins": ["pin-use-web-0"],
                "in_use": False,
                "now": kept,
                "later": kept,
                "after_builds": None,
            }
        ],
        "gaps": [],
    }
    assert (done.code, done.err) == (0, "")


def test_the_text_says_what_the_model_is(world: World, one_liner: Path) -> None:
    """Pace and tags are said, and so is what ECR is taken to do."""
    first, *_ = world.builds(11)
    world.runs(first)
    done = preview(world, one_liner, "--builds", 3)
    assert "of 11 images this policy would take 1 now and 4 by the end of 3 more builds." in done.out
    assert "Our model: one build every 1 d, tagged like b-11." in done.out
    assert "After each build ECR is taken to have acted" in done.out
    assert "! in use, and would go" in done.out
    assert "expire (rule 1), by build 3" in done.out


def test_one_is_no_plural(world: World, one_liner: Path) -> None:
    """One image and one build are told as such."""
    world.builds(1)
    done = preview(world, one_liner, "--builds", 1)
    assert "of 1 image this policy would take 0 now and 0 by the end of 1 more build." in done.out
    assert "After 1 build " in done.out


def test_what_ecr_answers_is_a_policy(world: World, tmp_path: Path) -> None:
    """The output of ``aws ecr get-lifecycle-policy`` can be given as it is."""
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"registryId": ACCOUNT, "lifecyclePolicyText": policy(newest(1))}))
    world.builds(2)
    done = preview(world, path, "--builds", 0, "--format", "json")
    assert [one["after_builds"] for one in done.json["images"]] == [None, 0]


def test_a_shield_and_a_pin_save_it(world: World, tmp_path: Path) -> None:
    """The same eleven builds with the shield before the count: nothing in use goes in a hundred builds."""
    path = tmp_path / "policy.json"
    path.write_text(policy(SHIELD, newest(10)))
    first, *_ = world.builds(11)
    world.runs(first)
    assert preview(world, path).code == 1, "not pinned yet"
    world.ecr.tag(NAME, "pin-use-web-0", first)
    assert preview(world, path).code == 0


def test_what_cannot_be_read_is_never_unused(world: World, one_liner: Path) -> None:
    """A gap makes the exit code 1 though no image in use is known to go."""
    world.builds(1)

    def refuse(operation: str, _params: Any) -> None:
        if operation == "ecs.ListClusters":
            raise Fault("AccessDeniedException", "no")

    world.aws.before = refuse
    done = preview(world, one_liner)
    assert done.code == 1
    assert "NOT READ ecs:ListClusters" in done.out


def test_an_empty_repository_has_nothing_to_lose(world: World, one_liner: Path) -> None:
    """No build to go on from is said."""
    done = preview(world, one_liner)
    assert (done.code, done.err) == (0, "")
    assert "without tags, for there is none to go on from" in done.out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"Resources": {}}', "--policy must be a lifecycle policy, got a template in "),
        (json.dumps({"Resources": {"Web": WEB}}), "--policy must be a lifecycle policy, got a template in "),
        ('{"rules": []}', "--policy must be one that ECR takes, got "),
        (None, "cannot be read"),
    ],
)
def test_wrong_policies_are_refused(world: World, text: str | None, why: str, tmp_path: Path) -> None:
    """A template, a policy that ECR refuses, and no file at all are exit code 2 and one sentence."""
    path = tmp_path / "file.json"
    if text is not None:
        path.write_text(text)
    done = preview(world, path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert why in done.err


@pytest.mark.parametrize("builds", ["-1", "1001", "many"])
def test_wrong_numbers_of_builds_are_refused(world: World, one_liner: Path, builds: str) -> None:
    """The sentence says what is allowed."""
    done = preview(world, one_liner, f"--builds={builds}")
    assert done.code == 2
    assert f"must be a whole number from 0 to 1000, got '{builds}'" in done.err
