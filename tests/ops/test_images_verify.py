"""``moorings images verify`` against an account that is not there: what it writes, sees, and leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params
from tests.ops.support import SHIELD, Done, newest, policy, run
from tests.ops.world import NAME, World

CANARY = "pin-verify-canary"
NAMES = (
    "settings let pins move",
    "an image can be pinned",
    "ECR keeps a pinned image from a later rule",
    "a pin moves, and the image that had it stays",
    "a build tag does not move",
    "ECR's preview of the repository's policy agrees with ours",
)


def verify(world: World, *options: object) -> Done:
    return run("images", "verify", NAME, *options, connect=world.connect)


def results(world: World) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and result and sight of each check."""
    done = verify(world, "--yes", "--format", "json")
    return done.code, {check["check"]: (check["result"], check["seen"]) for check in done.json["checks"]}


def said(world: World) -> str:
    """The results of all checks, in order, as letters."""
    return " ".join(result for result, _ in results(world)[1].values())


@pytest.fixture
def three(world: World) -> list[str]:
    """Three builds under the shield and 'keep 2'."""
    world.ecr.policies[NAME] = policy(SHIELD, newest(2))
    return world.builds(3)


def test_all_is_well_where_ecr_does_as_we_assume(world: World, three: list[str]) -> None:
    """Six checks are OK, the canary ends on the newest image, and nothing else has changed."""
    _, older, newest_one = three
    code, seen = results(world)
    assert tuple(seen) == NAMES
    assert [result for result, _ in seen.values()] == ["OK"] * 6
    assert code == 0
    assert world.tags() == {three[0]: ["b-1"], older: ["b-2"], newest_one: ["b-3", CANARY]}
    assert [(one.tag, one.digest) for one in world.ecr.taggings] == [(CANARY, older), (CANARY, newest_one)]
    assert seen[NAMES[0]][1] == "IMMUTABLE_WITH_EXCLUSION, except pin-*"
    assert seen[NAMES[3]][1] == f"{CANARY} is on {newest_one}; {older} is ACTIVE with b-2"


def test_nothing_is_deleted_and_no_policy_is_set(world: World, three: list[str]) -> None:
    """Every call is a reading, a preview, or PutImage."""
    assert verify(world, "--yes").code == 0
    assert len(three) == 3
    assert {call.removeprefix("ecr.") for call in world.aws.calls} == {
        "DescribeRepositories",
        "DescribeImages",
        "BatchGetImage",
        "PutImage",
        "GetLifecyclePolicy",
        "StartLifecyclePolicyPreview",
        "GetLifecyclePolicyPreview",
    }


def test_the_text_is_one_line_a_check(world: World, three: list[str]) -> None:
    """OK, the check and what was seen; and where the canary stays."""
    lines = verify(world, "--yes").out.splitlines()
    assert lines[0] == f"{NAME} in {ACCOUNT}, {REGION}"
    assert [line.split(":")[0] for line in lines[1:7]] == [f"OK   {name}" for name in NAMES]
    assert lines[7:] == [f"{CANARY} stays where it is and keeps that image; the next run moves it."]
    assert len(three) == 3


def test_without_yes_it_says_what_it_would_do(world: World, three: list[str]) -> None:
    """Nothing is written, nothing is verified, and the exit code says so."""
    done = verify(world)
    assert done.code == 2
    assert done.err == "moorings: nothing was verified; run it again with --yes\n"
    assert done.out.splitlines()[1:] == [
        f"would put {CANARY} on {three[1]}",
        "would ask ECR for a preview of a policy of two rules, the shield and 'keep 1 of any', which is not set",
        f"would move {CANARY} to {three[2]}",
        f"would try to move b-3 to {three[1]}, which ECR must refuse, and put it back if ECR does not",
        "would ask ECR for a preview of the repository's lifecycle policy",
    ]
    assert world.ecr.taggings == []
    assert not [call for call in world.aws.calls if "Preview" in call]


def test_without_yes_it_says_from_where_to_where(world: World, three: list[str]) -> None:
    """A canary on an image that is not one of the two newest would be moved from there."""
    world.ecr.tag(NAME, CANARY, three[0])
    assert f"would move {CANARY} from {three[0]} to {three[1]}" in verify(world).out.splitlines()


def test_json_without_yes_has_exactly_this_shape(world: World) -> None:
    """An empty repository: no canary, and why."""
    why = "it needs two images that can be pulled and have a tag of their own, got 0"
    assert verify(world, "--format", "json").json == {
        "repository": NAME,
        "registry": ACCOUNT,
        "region": REGION,
        "proves_aws": True,
        "would": [f"put no canary: {why}", "ask ECR for a preview of the repository's lifecycle policy"],
        "checks": [],
    }


def test_a_second_run_moves_the_canary_on(world: World, three: list[str]) -> None:
    """After another build the canary goes from where it was over the older to the newest."""
    assert said(world) == "OK OK OK OK OK OK"
    latest = world.push(["b-4"], days=-1)
    assert said(world) == "OK OK OK OK OK OK"
    assert world.tags()[three[2]] == ["b-3"]
    assert world.tags()[latest] == ["b-4", CANARY]


def test_fewer_than_two_images_verify_nothing(world: World) -> None:
    """One image, or images that the canary would leave without a tag, are not enough: exit code 2, nothing written."""
    world.push(["b-1"])
    world.push()
    done = verify(world, "--yes")
    assert done.code == 2
    assert "SKIP an image can be pinned: it needs two images" in done.out
    assert done.err == "moorings: the pin was not tried; 5 of 6 checks could not run\n"
    assert world.ecr.taggings == []


def test_an_image_is_never_left_without_a_tag(world: World, three: list[str]) -> None:
    """When the canary is an image's only tag it stays there, for the rule on untagged images would take the image."""
    bare = world.push([CANARY], days=9)
    done = verify(world, "--yes")
    assert done.code == 2
    assert f"{CANARY} is the only tag of {bare}; give that image another tag first" in done.out
    assert world.tags()[bare] == [CANARY]
    assert world.ecr.taggings == []
    assert len(three) == 3


def test_archived_images_are_not_tried(world: World, three: list[str]) -> None:
    """A pin on an archived image would prove nothing, and might restore it."""
    world.ecr.archive(NAME, three[2])
    assert results(world)[0] == 0
    assert [one.digest for one in world.ecr.taggings] == [three[0], three[1]]


def test_an_immutable_repository_is_not_good(world: World) -> None:
    """Where no tag moves, the settings are NG, and nothing is written."""
    world.repository("IMMUTABLE")
    world.builds(3)
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[0]] == ("NG", "IMMUTABLE")
    assert [result for result, _ in list(seen.values())[1:5]] == ["SKIP"] * 4
    assert world.ecr.taggings == []


def test_in_a_mutable_repository_no_build_tag_is_tried(world: World) -> None:
    """There the try itself would move the tag."""
    world.repository("MUTABLE")
    world.builds(2)
    code, seen = results(world)
    assert seen[NAMES[4]] == ("SKIP", "MUTABLE lets the newest image's tags move, so trying would move one")
    assert {one.tag for one in world.ecr.taggings} == {CANARY}
    assert code == 0


def test_a_build_tag_that_moves_is_put_back(world: World, three: list[str]) -> None:
    """If ECR moves a tag that its settings call immutable, that is NG, and the tag is on its image again."""

    def loosen(operation: str, params: Params) -> None:
        if operation == "ecr.PutImage" and params["imageTag"] == "b-3":
            world.ecr.repositories[NAME].mutability = "MUTABLE"

    world.aws.before = loosen
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[4]] == ("NG", f"b-3 moved to {three[1]}, and was put back")
    assert "b-3" in world.tags()[three[2]]


def test_a_pin_that_cannot_be_put_is_not_good(world: World, three: list[str]) -> None:
    """What ECR answers to PutImage is seen, and no later check claims anything."""

    def refuse(operation: str, _params: Params) -> None:
        if operation == "ecr.PutImage":
            raise Fault("AccessDeniedException", "not you", 403)

    world.aws.before = refuse
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[1]] == ("NG", "AccessDeniedException: not you")
    assert [seen[name][0] for name in NAMES[2:5]] == ["SKIP"] * 3
    assert len(three) == 3


def test_an_image_that_goes_with_its_pin_is_not_good(world: World, three: list[str]) -> None:
    """Were a move to delete the former image, it would be seen."""
    moved: list[bool] = []

    def lose(operation: str, params: Params) -> None:
        if operation == "ecr.PutImage" and params["imageDigest"] == three[2] and not moved:
            moved.append(True)
            world.ecr.delete(NAME, three[1])

    world.aws.before = lose
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[3]] == ("NG", f"{three[1]} has gone")


def test_an_image_that_loses_its_own_tag_is_not_good(world: World, three: list[str]) -> None:
    """The former image must keep its other tags."""
    moved: list[bool] = []

    def lose(operation: str, params: Params) -> None:
        if operation == "ecr.PutImage" and params["imageDigest"] == three[2] and not moved:
            moved.append(True)
            world.ecr.tag(NAME, "b-2", three[0])

    world.aws.before = lose
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[3]] == ("NG", f"{three[1]} is ACTIVE with no tag, not ACTIVE with b-2")
    assert seen[NAMES[4]] == ("SKIP", "no canary keeps the image meanwhile")
    assert {one.tag for one in world.ecr.taggings} == {CANARY}, "after a failure no build tag is tried"


def test_a_shield_that_does_not_hold_is_not_good(world: World, three: list[str]) -> None:
    """If ECR's preview takes the image with the canary, the proof's first assumption is wrong, and it is told."""
    preview = world.ecr._preview

    def without_the_shield(params: Params) -> dict[str, Any]:
        found = preview(params)
        action = {"type": "EXPIRE"}
        result = {"imageDigest": three[1], "action": action, "appliedRulePriority": 2}
        return {**found, "previewResults": [*found.get("previewResults", ()), result]}

    world.ecr._preview = without_the_shield  # type: ignore[method-assign]
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[2]] == ("NG", f"1 of 3 images differs: {three[1]}: ECR expire (rule 2), ours keep")


def test_an_image_that_ecr_keeps_and_we_do_not_is_not_good(world: World, three: list[str]) -> None:
    """Any difference is told, in either direction."""
    world.ecr.spared = {three[0]}
    code, seen = results(world)
    assert code == 1
    assert seen[NAMES[5]] == ("NG", f"1 of 3 images differs: {three[0]}: ECR keep, ours expire (rule 2)")


def test_a_preview_of_many_pages_is_read_to_its_end(world: World) -> None:
    """ECR answers two at a time here; of seven images all but the newest and the pinned one go."""
    world.builds(7)
    code, seen = results(world)
    assert seen[NAMES[2]] == ("OK", "in ECR's preview of shield and 'keep 1 of any', both take 5 of 7 images")
    assert code == 0


def test_children_that_ecr_keeps_are_told_and_no_failure(world: World) -> None:
    """What no AWS page settles is seen here: the proof holds either way."""
    child = world.push(days=30)
    world.push(["b-1"], days=30, index_of=[child])
    world.push(["b-2"])
    world.ecr.policies[NAME] = policy(
        newest(1, tagStatus="untagged"), newest(2, tagStatus="tagged", tagPatternList=["*"])
    )
    world.push(days=1)
    world.ecr.protects_children = True
    code, seen = results(world)
    assert code == 0
    assert "but for children of an index, which ECR keeps" in seen[NAMES[5]][1]


def test_no_policy_and_no_preview_are_skipped(world: World, three: list[str]) -> None:
    """The local cloud has no previews: that is said, and without ECR's word on the shield it is not fine."""
    world.ecr.previews = False
    code, seen = results(world)
    assert code == 2
    assert verify(world, "--yes").err == "moorings: the shield was not tried; 2 of 6 checks could not run\n"
    assert seen[NAMES[2]] == ("SKIP", "ECR gave no preview: UnknownOperationException: unknown operation")
    assert seen[NAMES[5]][0] == "SKIP"
    del world.ecr.policies[NAME]
    assert results(world)[1][NAMES[5]] == ("SKIP", "it has no lifecycle policy, so nothing expires")
    world.ecr.previews = True
    assert results(world)[0] == 0, "a repository without a policy can be fine"
    assert len(three) == 3


def test_a_preview_that_never_ends_is_skipped(world: World, three: list[str]) -> None:
    """It is asked for sixty times, five seconds apart."""
    world.ecr.polls = 10_000
    waited: list[float] = []
    done = run("images", "verify", NAME, "--yes", connect=world.connect, sleep=waited.append)
    assert "ECR's preview was not complete after 5 minutes" in done.out
    assert waited == [5.0] * 120, "two previews"
    assert len(three) == 3


def test_a_preview_while_images_change_is_skipped(world: World, three: list[str]) -> None:
    """Two readings of different images cannot be compared."""

    def push(operation: str, _params: Params) -> None:
        if operation == "ecr.StartLifecyclePolicyPreview":
            world.push([f"late-{world.aws.calls[operation]}"])

    world.aws.before = push
    code, seen = results(world)
    assert code == 2
    assert seen[NAMES[2]] == ("SKIP", "images came, went or changed meanwhile; run it again")
    assert len(three) == 3


def test_a_preview_of_another_policy_is_not_taken(world: World, three: list[str]) -> None:
    """An earlier preview that is still shown is not the answer."""
    preview = world.ecr._preview
    asked: list[Params] = []

    def stale_first(params: Params) -> dict[str, Any]:
        asked.append(params)
        if len(asked) == 1:
            return {"lifecyclePolicyText": policy(SHIELD), "status": "COMPLETE", "previewResults": []}
        return preview(params)

    world.ecr._preview = stale_first  # type: ignore[method-assign]
    assert said(world) == "OK OK OK OK OK OK"
    assert len(three) == 3


def test_another_endpoint_proves_nothing_about_aws(
    world: World, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AWS_ENDPOINT_URL the output says so before any result, and the JSON has it as a field."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    world.clients = replace(world.clients, ecr=world.aws.client("ecr"))
    text = verify(world, "--yes").out
    told = verify(world, "--yes", "--format", "json").json
    assert text.splitlines()[1] == "http://127.0.0.1:4566 is not AWS: what is seen there proves nothing about AWS."
    assert told["proves_aws"] is False
    assert len(three) == 3


def test_an_interrupt_is_one_sentence(world: World, three: list[str]) -> None:
    """Waiting for a preview can be ended with Ctrl-C; the checks so far have been printed."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    done = run("images", "verify", NAME, "--yes", connect=world.connect, sleep=interrupt)
    assert (done.code, done.err) == (2, "moorings: interrupted before it was done\n")
    assert f"OK   an image can be pinned: {CANARY} is on {three[1]}" in done.out
