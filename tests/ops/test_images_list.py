"""``moorings images list`` against an account that is not there."""

from __future__ import annotations

import inspect
from argparse import ArgumentTypeError
from contextlib import nullcontext
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.retention_guard import RetentionGuard
from constructs_lib.ops.uses import RELEASES_KEPT, REVISIONS_KEPT, parameter_name
from tests.fake_aws.core import ACCOUNT, REGION, Fault
from tests.ops.support import NOW, SHIELD, Done, Terminal, newest, policy, run
from tests.ops.world import HOST, NAME, RELEASE, SIZE, World


def listing(world: World, *options: object) -> Done:
    return run("images", "list", NAME, *options, connect=world.connect)


def images(done: Done) -> dict[str, Any]:
    """The images of the JSON by their first tag."""
    return {one["tags"][0]: one for one in done.json["images"] if one["tags"]}


def row(done: Done, digest: str) -> str:
    """The line of the table that begins with the digest."""
    (line,) = [line for line in done.out.splitlines() if line.startswith(digest.removeprefix("sha256:")[:12])]
    return line


def test_json_has_exactly_this_shape(world: World) -> None:
    """Two builds, of which the older runs and is pinned, under 'keep 1' after a shield."""
    world.ecr.policies[NAME] = policy(SHIELD, newest(1))
    old, new = world.builds(2)
    world.ecr.tag(NAME, "pin-use-web-0", old)
    definition = world.runs(old)
    done = listing(world, "--format", "json")
    told = done.json
    uses = told["images"][1].pop("uses")
    assert told == {
        "repository": NAME,
        "registry": ACCOUNT,
        "region": REGION,
        "at": "2026-04-01T12:00:00+00:00",
        "lifecycle_policy": "present",
        "images": [
            {
                "digest": new,
                "tags": ["b-2"],
                "pins": [],
                "pushed_at": "2026-04-01T12:00:00+00:00",
                "size_bytes": SIZE,
                "status": "ACTIVE",
                "verdict": {
                    "action": "keep",
                    "rule": 2,
                    "reason": "rule 2 selects it and keeps it, so no later rule can act on it",
                },
                "uses": [],
                "marks": [],
            },
            {
                "digest": old,
                "tags": ["b-1"],
                "pins": ["pin-use-web-0"],
                "pushed_at": "2026-03-31T12:00:00+00:00",
                "size_bytes": SIZE,
                "status": "ACTIVE",
                "verdict": {
                    "action": "keep",
                    "rule": 1,
                    "reason": "rule 1 selects it and keeps it, so no later rule can act on it",
                },
                "marks": [],
            },
        ],
        "missing": [],
        "gaps": [],
    }
    assert {use["source"] for use in uses} == {"task", "deployment", "service revision", "task definition"}
    assert {"owner": "web", "source": "task definition", "name": definition, "starts": False} in uses
    assert all(set(use) == {"owner", "source", "name", "starts"} for use in uses)
    assert (done.code, done.err) == (0, "")


def test_incident_q2_is_marked(world: World) -> None:
    """'Keep the last 10', eleven builds, the first runs: it is in use, not pinned, and about to go."""
    world.ecr.policies[NAME] = policy(newest(10))
    first, *_ = world.builds(11)
    world.runs(first)
    done = listing(world, "--format", "json")
    marked = {tag: one["marks"] for tag, one in images(done).items() if one["marks"]}
    assert marked == {"b-1": ["not pinned", "policy takes it"]}
    assert done.code == 1
    text = listing(world)
    assert "expire (rule 1)" in row(text, first)
    assert "! not pinned" in row(text, first)
    assert "! policy takes it" in text.out


def test_the_table_tells_what_a_person_asks(world: World) -> None:
    """Tags, age, size, status, verdict, users and pins of an image are in its row."""
    old, _ = world.builds(2)
    world.ecr.tag(NAME, "pin-use-web-0", old)
    world.runs(old)
    done = listing(world)
    assert done.code == 0
    assert done.out.startswith(
        f"{NAME} in {ACCOUNT}, {REGION}: 2 images; it has no lifecycle policy, so nothing expires.\n"
    )
    for cell in ("b-1", "1 d", "52.4 MB", "ACTIVE", "keep", "web: ", "task definition", "pin-use-web-0"):
        assert cell in row(done, old), cell


def test_many_tasks_are_counted(world: World) -> None:
    """Twenty tasks of one service are one entry with a number."""
    digest = world.push(["b-1"])
    definition = world.runs(digest)
    for _ in range(19):
        world.ecs.task(world.ecs.clusters[0], definition)
    assert "task (20)" in listing(world).out.replace("\n", " ")


def test_an_empty_repository_is_fine(world: World) -> None:
    """Without images there is no table and nothing to mark."""
    done = listing(world)
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert ": 0 images;" in done.out


def test_a_missing_image_is_told(world: World) -> None:
    """A service whose image has gone makes the exit code 1, though no row can be marked."""
    gone = world.push(["b-1"])
    world.push(["b-2"])
    world.runs(gone)
    world.ecr.delete(NAME, gone)
    done = listing(world, "--format", "json")
    assert {entry["reference"] for entry in done.json["missing"]} == {f"{NAME}@{gone}"}
    assert all(set(entry) == {"reference", "owner", "source", "name", "starts"} for entry in done.json["missing"])
    assert done.code == 1
    (line,) = [line for line in listing(world).out.splitlines() if line.startswith("MISSING")]
    users = "web: deployment, service revision"
    assert line == f"MISSING {NAME}@{gone}: 2 uses refer to it, and no image is there; {users}"


def test_images_of_other_repositories_are_no_concern(world: World) -> None:
    """A service that runs an image from elsewhere makes nothing here missing or in use."""
    world.push(["v1"])
    world.ecr.repository("shop/production/worker")
    definition = world.ecs.task_definition("worker", f"{HOST}/shop/production/worker:v1")
    world.ecs.service(world.ecs.cluster(), "worker", definition)
    done = listing(world, "--format", "json")
    assert (done.json["missing"], images(done)["v1"]["uses"], done.code) == ([], [], 0)


def test_an_archived_image_in_use_is_marked(world: World) -> None:
    """It is listed, and it cannot be pulled."""
    digest = world.push(["b-1", "pin-use-web-0"])
    world.runs(digest)
    world.ecr.archive(NAME, digest)
    done = listing(world, "--format", "json")
    assert (images(done)["b-1"]["status"], images(done)["b-1"]["marks"]) == ("ARCHIVED", ["cannot be pulled"])
    assert done.code == 1


def test_an_archived_image_is_judged_by_rules_on_the_archive(world: World) -> None:
    """A rule that counts images of the standard class neither counts nor takes it."""
    world.ecr.policies[NAME] = policy(newest(1))
    old, _ = world.builds(2)
    world.ecr.archive(NAME, old)
    verdict = images(listing(world, "--format", "json"))["b-1"]["verdict"]
    assert (verdict["action"], verdict["rule"]) == ("keep", None)


def test_a_child_of_an_index_in_use_is_in_use(world: World) -> None:
    """The guard's own decision is asked, so relatives count."""
    child = world.push()
    index = world.push(["b-1", "pin-use-web-0"], index_of=[child])
    world.runs(index)
    done = listing(world, "--format", "json")
    marks = {one["digest"]: one["marks"] for one in done.json["images"]}
    assert marks == {index: [], child: ["not pinned"]}


def test_what_cannot_be_read_is_shown(world: World) -> None:
    """A call that is refused is a gap, and the exit code is 1 though nothing is marked."""
    world.builds(1)

    def refuse(operation: str, _params: Any) -> None:
        if operation == "scheduler.ListSchedules":
            raise Fault("AccessDeniedException", "no", 403)

    world.aws.before = refuse
    done = listing(world, "--format", "json")
    (gap,) = done.json["gaps"]
    assert "scheduler:ListSchedules" in gap
    assert done.code == 1
    text = listing(world).out
    assert "NOT READ scheduler:ListSchedules" in text
    assert "What was not read may use any image here." in text


def test_a_policy_that_cannot_be_judged_is_a_gap(world: World) -> None:
    """A policy that our model refuses gives no verdict, and never 'keep'."""
    world.ecr.policies[NAME] = policy(newest(10), newest(20, tagStatus="untagged"))
    world.builds(1)
    done = listing(world, "--format", "json")
    assert (done.json["lifecycle_policy"], images(done)["b-1"]["verdict"], done.code) == ("invalid", None, 1)
    assert "tagStatus 'any' must have the highest rulePriority" in done.json["gaps"][0]
    assert "unknown" in listing(world).out


def test_releases_are_found_by_the_repositorys_name(world: World) -> None:
    """The parameter that our stacks make for shop/production/web is read without being named."""
    digest = world.push(["b-1"])
    world.ssm.put(RELEASE, "none", digest)
    (use,) = images(listing(world, "--format", "json"))["b-1"]["uses"]
    assert (use["source"], use["name"]) == ("release", RELEASE)


def test_releases_can_be_named(world: World) -> None:
    """--release takes the place of the name by convention, and may be repeated."""
    one, two, other = world.builds(3)
    world.ssm.put("/mine/digest", one)
    world.ssm.put("/yours/digest", two)
    world.ssm.put(RELEASE, other)
    done = listing(world, "--release", "/mine/digest", "--release", "/yours/digest", "--format", "json")
    assert {tag: len(found["uses"]) for tag, found in images(done).items()} == {"b-1": 1, "b-2": 1, "b-3": 0}


def test_a_release_parameter_that_is_not_there_is_refused(world: World) -> None:
    """A mistyped name would make images in use look unused."""
    done = listing(world, "--release", "/mime/digest")
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == "moorings: --release must be a parameter in SSM, got '/mime/digest'; look at its name and region\n"
    )


def test_a_repository_that_is_not_there_is_refused(world: World) -> None:
    """The sentence names the repository, the account and the region."""
    done = run("images", "list", "shop/staging/web", connect=world.connect)
    assert (done.code, done.out) == (2, "")
    here = f"moorings: REPOSITORY must be in this account and region ({ACCOUNT}, {REGION}), got "
    assert done.err == f"{here}'shop/staging/web'; look at its name, --profile and --region\n"


def arn(account: str, region: str, name: str = NAME) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


@pytest.mark.parametrize("text", [arn(ACCOUNT, REGION), f"{HOST}/{NAME}"], ids=["ARN", "URI"])
def test_a_repository_has_an_arn_and_a_uri(world: World, text: str) -> None:
    """Both name it, and the region too."""
    done = run("images", "list", text, "--format", "json", connect=world.connect)
    assert (done.code, done.json["repository"]) == (0, NAME)
    assert world.asked == [(REGION, None)]


@pytest.mark.parametrize("name", [NAME, "shop/staging/web"], ids=["there is one here too", "there is none here"])
def test_a_repository_of_another_account_is_refused(world: World, name: str) -> None:
    """Who uses its images is not seen from here; the sentence shows both accounts and regions."""
    done = run("images", "list", arn("222222222222", "eu-west-3", name), connect=world.connect)
    assert (done.code, done.out) == (2, "")
    assert f"({ACCOUNT}, {REGION}), got '{name}' in 222222222222, eu-west-3; look at" in done.err


def test_two_regions_are_refused_before_aws_is_asked() -> None:
    """An ARN of one region and --region of another."""
    done = run("images", "list", arn(ACCOUNT, REGION), "--region", "eu-west-3")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"moorings: --region must be REPOSITORY's own, {REGION}, got 'eu-west-3'; leave it out, for it is known\n"
    )


@pytest.mark.parametrize(
    "words",
    [[""], ["w"], [f"{HOST}/{NAME}:v1"], ["arn:aws:s3:::web"], [NAME, "--release", ""], [NAME, "--release", "x"]],
    ids=str,
)
def test_names_that_can_be_none_are_refused_before_aws_is_asked(words: list[str]) -> None:
    """One sentence says what is allowed; ``no_aws`` would fail if clients were made."""
    done = run("images", "list", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("moorings: argument ")
    assert f", got {words[-1]!r}; see " in done.err


@pytest.mark.parametrize(
    ("name", "taken"),
    [("/a/b", True), (f"/a/{'b' * 1008}", True), (f"/a/{'b' * 1009}", False), ("/a", False), ("a/b", False)],
)
def test_release_parameters_are_what_the_guard_takes(name: str, taken: bool) -> None:
    """The command and the construct take the same names."""
    repository = ecr.Repository.from_repository_name(Stack(), "Images", NAME)
    for take in (parameter_name, lambda text: GuardedRepository(repository=repository, release_parameters=(text,))):
        with nullcontext() if taken else pytest.raises((ArgumentTypeError, ValueError)):
            take(name)


def test_what_aws_refuses_is_one_sentence(world: World) -> None:
    """Without the permission to list images there is nothing to show: exit code 2."""

    def refuse(operation: str, _params: Any) -> None:
        if operation == "ecr.DescribeImages":
            raise Fault("AccessDeniedException", "not you", 403)

    world.aws.before = refuse
    done = listing(world)
    assert (done.code, done.out) == (2, "")
    assert done.err == "moorings: AWS did not answer as needed: AccessDeniedException: not you\n"


def test_region_and_profile_reach_boto3(world: World) -> None:
    """Both options are passed on; without them boto3 decides."""
    listing(world, "--region", "eu-west-3", "--profile", "shop")
    listing(world)
    assert world.asked == [("eu-west-3", "shop"), (None, None)]


def test_many_services_that_miss_an_image_are_one_line(world: World) -> None:
    """A reference is told once, with how many refer to it; the JSON still has an entry for each."""
    gone = world.push(["b-1"])
    for family in ("web", "worker", "cron"):
        world.runs(gone, family)
    world.ecr.delete(NAME, gone)
    text = listing(world).out
    assert text.count("MISSING") == 1
    assert "6 uses refer to it" in text
    assert "; cron: deployment, service revision; web: deployment, service revision; worker: " in text
    assert len(listing(world, "--format", "json").json["missing"]) == 6


def test_a_narrow_terminal_gets_a_block_for_each_image(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 120 columns each image has lines of its own, without its empty cells; from there on there is a table."""
    monkeypatch.setenv("COLUMNS", "119")
    old, new = world.builds(2)
    world.ecr.tag(NAME, "pin-use-web-0", old)
    world.runs(old)
    done = run("images", "list", NAME, connect=world.connect, out=Terminal())
    _, *lines = done.out.splitlines()
    assert lines == [
        new.removeprefix("sha256:")[:12],
        "  Tags        b-2",
        "  Age         0 s",
        "  Size        52.4 MB",
        "  Status      ACTIVE",
        "  Policy now  keep",
        old.removeprefix("sha256:")[:12],
        "  Tags        b-1",
        "  Age         1 d",
        "  Size        52.4 MB",
        "  Status      ACTIVE",
        "  Policy now  keep",
        "  Used by     web: deployment, service revision, task, task definition",
        "  Pins        pin-use-web-0",
    ]
    monkeypatch.setenv("COLUMNS", "120")
    wide = run("images", "list", NAME, connect=world.connect, out=Terminal())
    assert "Used by" in wide.out.splitlines()[1]


def test_what_counts_as_in_use_is_the_guards_own_default() -> None:
    """The command and the construct keep the same numbers of revisions and releases."""
    parameters = inspect.signature(RetentionGuard.__init__).parameters
    assert parameters["revisions_kept"].default == REVISIONS_KEPT
    assert parameters["releases_kept"].default == RELEASES_KEPT


def test_images_are_newest_first(world: World) -> None:
    """Whatever order ECR lists them in."""
    world.push(["b-2"], days=2)
    world.push(["b-3"], days=1)
    world.push(["b-1"], days=3)
    assert list(images(listing(world, "--format", "json"))) == ["b-3", "b-2", "b-1"]
    assert NOW.day == 1, "the clock that ages are counted from"
