"""What a lifecycle policy does to images, after ECR's user guide (lesson Q2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from constructs_lib.images.lifecycle import Image, InvalidLifecyclePolicy, Verdict, evaluate
from constructs_lib.images.policy import RetentionPolicy

NOW = datetime(2026, 4, 1, tzinfo=UTC)
EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def rule(priority: int, count_type: str, number: int, *, action: Any = EXPIRE, **selection: Any) -> dict[str, Any]:
    """One rule; ``tagStatus`` is guessed from the selection."""
    status = "tagged" if selection.keys() & {"tagPatternList", "tagPrefixList"} else "any"
    unit = {} if count_type == "imageCountMoreThan" else {"countUnit": "days"}
    selection = {"tagStatus": status, **unit, **selection, "countType": count_type, "countNumber": number}
    return {"rulePriority": priority, "selection": selection, "action": action}


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    """A policy of these rules."""
    return {"rules": list(rules)}


def image(digest: str, age: float, *tags: str, **more: Any) -> Image:
    """An image that was pushed so many days ago."""
    return Image(digest=digest, tags=tags, pushed_at=NOW - timedelta(days=age), **more)


def ago(days: float) -> datetime:
    """A moment so many days before now."""
    return NOW - timedelta(days=days)


def taken(of: dict[str, Any] | str, *images: Image, **more: Any) -> dict[str, str]:
    """The images that a policy does not keep, and what it does to them."""
    verdicts = evaluate(of, images, now=NOW, **more)
    return {digest: verdict.action for digest, verdict in verdicts.items() if verdict.action != "keep"}


A, B, C = image("A", 10, "beta-1", "prod-1"), image("B", 9, "beta-2", "prod-2"), image("C", 8, "beta-3")


@pytest.mark.parametrize("key", ["tagPrefixList", "tagPatternList"])
@pytest.mark.parametrize(("order", "gone"), [(("prod", "beta"), "A"), (("beta", "prod"), "AB")])
def test_the_user_guides_worked_examples(key: str, order: tuple[str, str], gone: str) -> None:
    """Keeping one of each prefix gives what the user guide says, in both orders and with either list."""
    star = "*" if key == "tagPatternList" else ""
    rules = [rule(n, "imageCountMoreThan", 1, **{key: [text + star]}) for n, text in enumerate(order, 1)]
    assert taken(policy(*rules), A, B, C) == dict.fromkeys(gone, "expire")


def test_the_shield_keeps_what_it_selects_from_all_later_rules() -> None:
    """A pinned image is the oldest of any, and stays, for the first rule that selects it keeps it."""
    shield = rule(1, "imageCountMoreThan", 9999, tagPatternList=["pin-*"])
    images = [image("old", 99, "pin-a", "v1"), image("mid", 50, "v2"), image("new", 1, "v3")]
    of = policy(shield, rule(2, "imageCountMoreThan", 1))
    assert taken(of, *images) == {"mid": "expire"}
    assert evaluate(of, images, now=NOW)["old"].rule_priority == 1


def test_an_image_that_an_earlier_rule_takes_still_counts_for_a_later_one() -> None:
    """The rule on any counts three images, two of which the first rule takes, so its own oldest goes."""
    of = policy(rule(1, "sinceImagePushed", 3, tagPrefixList=["tmp"]), rule(2, "imageCountMoreThan", 2))
    images = [image("old", 9, "v1"), image("tmp1", 5, "tmp1"), image("tmp2", 4, "tmp2")]
    assert taken(of, *images) == dict.fromkeys(["old", "tmp1", "tmp2"], "expire")


def test_a_list_that_nothing_is_tagged_with_protects_nothing() -> None:
    """Rule 1 would keep `sha256.*`, but tags look otherwise, so rule 2 takes what was meant to be kept."""
    of = policy(
        rule(1, "imageCountMoreThan", 9999, tagPatternList=["sha256.*"]),
        rule(2, "imageCountMoreThan", 1),
    )
    assert taken(of, image("running", 5, "sha256-abc"), image("new", 1, "v2")) == {"running": "expire"}


def test_a_late_promotion_does_not_refresh_the_push_time() -> None:
    """An image that gets its prod tag last is still the oldest of prod-*, so it goes (containers-roadmap #2746)."""
    of = policy(rule(1, "imageCountMoreThan", 2, tagPatternList=["prod-*"]))
    images = [image("promoted today", 30, "prod-9"), image("b", 20, "prod-7"), image("c", 10, "prod-8")]
    assert taken(of, *images) == {"promoted today": "expire"}


@pytest.mark.parametrize("key", ["tagPrefixList", "tagPatternList"])
def test_several_entries_are_anded_over_the_images_tags(key: str) -> None:
    """A list of two entries selects only images with a tag for each, so it does not shield `prod` alone."""
    entries = ["prod*", "staging*"] if key == "tagPatternList" else ["prod", "staging"]
    of = policy(rule(1, "imageCountMoreThan", 9999, **{key: entries}), rule(2, "sinceImagePushed", 1))
    images = [image("both", 9, "prod-1", "staging-1"), image("prod", 9, "prod-2"), image("staging", 9, "staging-2")]
    assert taken(of, *images) == {"prod": "expire", "staging": "expire"}


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("prod", "prod", "prod1"),
        ("prod*", "prod", "aprod"),
        ("*prod*", "repo-production", "pro-d"),
        ("a*b*a", "aba", "aa"),
        ("ab*ba", "abba", "aba"),
        ("*a*a*", "aa", "a"),
        ("v?.*", "v?.1", "v1.1"),
    ],
)
def test_a_star_is_any_text_and_all_else_is_literal(pattern: str, matching: str, other: str) -> None:
    """Patterns match whole tags, their texts do not overlap, and nothing but the star is special."""
    of = policy(rule(1, "sinceImagePushed", 1, tagPatternList=[pattern]))
    assert taken(of, image("yes", 9, matching), image("no", 9, other)) == {"yes": "expire"}


def test_a_star_in_a_prefix_is_literal() -> None:
    """`tagPrefixList: ["prod*"]`, a common mistake, selects nothing that can be tagged."""
    of = policy(rule(1, "sinceImagePushed", 1, tagPrefixList=["prod*"]))
    assert taken(of, image("a", 9, "prod1")) == {}


def test_untagged_selects_images_without_tags_alone() -> None:
    """The rule on untagged images leaves tagged ones to others."""
    of = policy(rule(1, "sinceImagePushed", 1, tagStatus="untagged"))
    assert taken(of, image("a", 9), image("b", 9, "v1")) == {"a": "expire"}


def test_an_age_is_reached_a_moment_after_its_days() -> None:
    """An image of exactly 14 days stays, and one a second older goes."""
    of = policy(rule(1, "sinceImagePushed", 14))
    assert taken(of, image("a", 14), image("b", 14 + 1 / 86_400)) == {"b": "expire"}


def test_ten_builds_with_cdks_one_liner_delete_what_runs() -> None:
    """`LifecycleRule(max_image_count=10)` is `any, 10`: ten builds later the running image is gone (incident Q)."""
    running = image("running", 40, "prod-1", "pin-production")
    builds = [image(f"build {age}", age, f"staging-{age}") for age in range(1, 11)]
    assert taken(policy(rule(1, "imageCountMoreThan", 10)), running, *builds) == {"running": "expire"}


def test_a_task_that_runs_for_90_days_looks_not_pulled() -> None:
    """Archiving by last pull takes the image of a task that started 91 days ago, and pulls nothing since."""
    of = policy(rule(1, "sinceImagePulled", 90, action=ARCHIVE))
    images = [image("running", 100, last_pulled_at=ago(91)), image("b", 100, last_pulled_at=ago(89))]
    assert taken(of, *images) == {"running": "archive"}


@pytest.mark.parametrize(
    ("pulled", "restored", "gone"),
    [(None, None, True), (None, 5, False), (50, 5, False), (50, 40, True), (5, 50, False), (5, None, False)],
)
def test_a_pull_that_never_was_counts_from_restore_or_push(
    pulled: int | None, restored: int | None, gone: bool
) -> None:
    """Never pulled means the push counts, and never pulled since a restore means the restore counts."""
    of = policy(rule(1, "sinceImagePulled", 30, action=ARCHIVE))
    times = {"last_pulled_at": pulled and ago(pulled), "last_activated_at": restored and ago(restored)}
    assert taken(of, image("a", 100, **times)) == ({"a": "archive"} if gone else {})


def test_a_restored_image_counts_as_new_but_not_for_its_age() -> None:
    """Count rules order by the restore; `sinceImagePushed` means the push, as its own sentence says (unverified)."""
    images = [image("restored", 100, last_activated_at=ago(1)), image("b", 50)]
    assert taken(policy(rule(1, "imageCountMoreThan", 1)), *images) == {"b": "expire"}
    assert taken(policy(rule(1, "sinceImagePushed", 60)), *images) == {"restored": "expire"}


def test_archived_images_are_seen_by_archive_rules_alone() -> None:
    """One rule archives and one expires from the archive, both on any; archived images count for no other rule."""
    of = policy(
        rule(1, "imageCountMoreThan", 1, action=ARCHIVE),
        rule(2, "sinceImageTransitioned", 90, storageClass="archive"),
    )
    images = [
        image("young archive", 1, storage_class="archive", archived_at=ago(90)),
        image("old archive", 200, storage_class="archive", archived_at=ago(91)),
        image("a", 50),
        image("b", 49),
    ]
    assert taken(of, *images) == {"old archive": "expire", "a": "archive"}


def test_a_child_of_an_index_can_go_while_the_index_stays() -> None:
    """An untagged rule takes a child of a kept index unless the caller trusts ECR to protect it (unverified)."""
    of = policy(rule(1, "sinceImagePushed", 7, tagStatus="untagged"))
    images = [image("index", 9, "v1", children=("arm", "x86")), image("arm", 9), image("alone", 9)]
    assert taken(of, *images) == {"arm": "expire", "alone": "expire"}
    assert taken(of, *images, children_protected=True) == {"alone": "expire"}
    archived = image("index", 9, "v1", children=("arm",), storage_class="archive", archived_at=ago(1))
    assert taken(of, archived, image("arm", 9), children_protected=True) == {"arm": "expire"}


def test_a_verdict_says_which_rule_and_why() -> None:
    """Each verdict carries its rule and a sentence that a person can check."""
    of = policy(rule(3, "imageCountMoreThan", 1, tagPrefixList=["v"]), rule(7, "sinceImagePushed", 2))
    verdicts = evaluate(of, [image("a", 9, "v1"), image("b", 8, "v2"), image("c", 7)], now=NOW)
    assert verdicts == {
        "a": Verdict(
            action="expire",
            rule_priority=3,
            reason="rule 3 keeps the newest 1 of the images that it selects, and this is number 2",
        ),
        "b": Verdict(
            action="keep", rule_priority=3, reason="rule 3 selects it and keeps it, so no later rule can act on it"
        ),
        "c": Verdict(
            action="expire", rule_priority=7, reason="rule 7 acts 2 days after the push, which was 7 full days ago"
        ),
    }


def test_what_no_rule_selects_is_kept_by_none() -> None:
    """An image that no rule selects has no rule in its verdict."""
    (verdict,) = evaluate(
        policy(rule(1, "sinceImagePushed", 1, tagPrefixList=["v"])), [image("a", 9)], now=NOW
    ).values()
    assert verdict == Verdict(action="keep", rule_priority=None, reason="no rule selects it")


def test_text_and_any_mapping_mean_the_same() -> None:
    """Our own policy evaluates alike as the text that ECR takes and as read-only data."""
    ours = RetentionPolicy(keep_days=14)
    images = [image(f"{age}", age, f"v{age}") for age in range(5, 17)]
    as_data = MappingProxyType({"rules": tuple(MappingProxyType(dict(rule)) for rule in ours.rules())})
    assert evaluate(ours.text(), images, now=NOW) == evaluate(as_data, images, now=NOW)
    assert taken(ours.text(), *images) == {"15": "expire", "16": "expire"}


def test_a_number_of_days_beyond_the_calendar_is_no_error() -> None:
    """Somebody's `countNumber` of ten billion days keeps everything."""
    assert taken(policy(rule(1, "sinceImagePushed", 10**10)), image("a", 9)) == {}


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: image("a", 1, last_pulled_at=datetime(2026, 1, 1)), "last_pulled_at"),
        (lambda: Image(digest="a", pushed_at=datetime(2026, 1, 1)), "pushed_at"),
        (lambda: image("a", 1, storage_class="ARCHIVE"), "storage_class"),
        (lambda: image("a", 1, storage_class="archive"), "archived_at"),
        (lambda: evaluate(policy(rule(1, "sinceImagePushed", 1)), [], now=datetime(2026, 1, 1)), "now"),
        (lambda: evaluate(policy(rule(1, "sinceImagePushed", 1)), [A, A], now=NOW), "images"),
    ],
)
def test_images_that_cannot_be_are_refused(wrong: Any, what: str) -> None:
    """Times without a zone, half-known archives and double digests are refused by name, and not guessed at."""
    with pytest.raises(ValueError, match=f"^{what} must be ") as caught:
        wrong()
    assert not isinstance(caught.value, InvalidLifecyclePolicy)
