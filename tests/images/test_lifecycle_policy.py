"""Which lifecycle policies ECR refuses, and what we say of them (lesson Q2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from constructs_lib.images.lifecycle import InvalidLifecyclePolicy, endangers, evaluate
from constructs_lib.images.policy import RetentionPolicy
from tests.images.test_lifecycle import ARCHIVE, NOW, policy, rule

COUNT, PUSHED, PULLED, MOVED = "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"
OK = rule(1, COUNT, 5)


def without(of: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A rule that lacks something."""
    selection = {key: value for key, value in of["selection"].items() if key not in keys}
    return {key: value for key, value in {**of, "selection": selection}.items() if key not in keys}


REFUSED: list[tuple[str, Any, str]] = [
    ("no JSON", '{"rules": [' + " " * 100, "not valid JSON"),
    ("nested without end", "[" * 30_000, "not valid JSON"),
    ("no object", json.dumps(["x" * 100]), "must be a JSON object"),
    ("what JSON lacks", {"rules": [{"rulePriority": {1, 2}}]}, "set is no JSON value"),
    ("too short", {"rules": []}, "100 to 30,720 characters"),
    ("too long", policy({**OK, "description": "x" * 30_720}), "100 to 30,720 characters"),
    ("no rules", {"rules": [], "x": "y" * 100}, "'x' is no property"),
    ("rules are no list", {"rules": {"a": "x" * 100}}, "1 to 50 rules"),
    ("51 rules", policy(*(rule(n, COUNT, 5, tagPrefixList=[f"v{n}"]) for n in range(1, 52))), "1 to 50 rules"),
    ("no object as a rule", {"rules": ["x" * 100]}, "a rule: it must be a JSON object"),
    ("no priority", policy(without(OK, "rulePriority")), "rulePriority must be"),
    ("priority 0", policy({**OK, "rulePriority": 0}), "rulePriority must be"),
    ("priority true", policy({**OK, "rulePriority": True}), "rulePriority must be"),
    ("same priority", policy(rule(1, COUNT, 5, tagPrefixList=["a"]), OK), "used once"),
    ("description", policy({**OK, "description": 5}), "description must be a text"),
    ("unknown property", policy({**OK, "enabled": True}), "'enabled' is no property"),
    ("unknown selection", policy(rule(1, COUNT, 5, tagRegex="a")), "'tagRegex' is no property"),
    ("no selection", policy({**without(OK, "selection"), "description": "x" * 60}), "rule 1's selection: it must be"),
    ("tag status", policy(rule(1, COUNT, 5, tagStatus="ANY")), "tagStatus must be"),
    ("tagged, no list", policy(rule(1, COUNT, 5, tagStatus="tagged")), "needs one of"),
    ("tagged, both lists", policy(rule(1, COUNT, 5, tagPrefixList=["a"], tagPatternList=["b"])), "needs one of"),
    ("any with a list", policy(rule(1, COUNT, 5, tagStatus="any", tagPrefixList=["a"])), "only with tagStatus"),
    ("untagged, empty list", policy(rule(1, COUNT, 5, tagStatus="untagged", tagPrefixList=[])), "only with tagStatus"),
    ("empty list", policy(rule(1, COUNT, 5, tagPatternList=[])), "tagPatternList must be"),
    ("empty pattern", policy(rule(1, COUNT, 5, tagPatternList=[""])), "tagPatternList must be"),
    ("a text, no list", policy(rule(1, COUNT, 5, tagPatternList="pin-*")), "tagPatternList must be"),
    ("five stars", policy(rule(1, COUNT, 5, tagPatternList=["*1*2*3*4*"])), "at most 4 wildcards"),
    ("count type", policy(rule(1, "sinceImageUsed", 5)), "countType must be"),
    ("count 0", policy(rule(1, COUNT, 0)), "countNumber must be"),
    ("count as text", policy({**OK, "selection": {**OK["selection"], "countNumber": "5"}}), "countNumber must be"),
    ("no count", policy(without({**OK, "description": "x" * 20}, "countNumber")), "countNumber must be"),
    ("unit with a count", policy(rule(1, COUNT, 5, countUnit="days")), "countUnit goes only with an age"),
    ("age without unit", policy(without(rule(1, PUSHED, 5), "countUnit")), "countUnit must be 'days'"),
    ("hours", policy(rule(1, PUSHED, 5, countUnit="hours")), "countUnit must be 'days'"),
    ("no action", policy(without({**OK, "description": "x" * 20}, "action")), "rule 1's action: it must be"),
    ("delete", policy({**OK, "action": {"type": "delete"}}), "action type must be"),
    ("expire to archive", policy({**OK, "action": {**ARCHIVE, "type": "expire"}}), "only with a transition"),
    ("transition to nowhere", policy({**OK, "action": {"type": "transition"}}), "targetStorageClass must be"),
    ("storage class", policy(rule(1, COUNT, 5, storageClass="GLACIER")), "storageClass must be"),
    ("count in the archive", policy(rule(1, COUNT, 5, storageClass="archive")), "does not go with"),
    ("transitioned in standard", policy(rule(1, MOVED, 90)), "does not go with"),
    ("expire by pull", policy(rule(1, PULLED, 5)), "cannot expire"),
    ("archive the archive", policy(rule(1, MOVED, 90, storageClass="archive", action=ARCHIVE)), "can only expire"),
    ("89 days", policy(rule(1, MOVED, 89, storageClass="archive")), "at least 90 days"),
    ("any before others", policy(OK, rule(2, COUNT, 5, tagPrefixList=["a"])), "must have the highest rulePriority"),
    ("any twice", policy(OK, rule(2, COUNT, 9)), "must have the highest rulePriority"),
    (
        "untagged twice",
        policy(rule(1, COUNT, 5, tagStatus="untagged"), rule(2, PUSHED, 5, tagStatus="untagged")),
        "only one rule can select untagged",
    ),
    (
        "same set of tags",
        policy(rule(1, COUNT, 5, tagPatternList=["a*", "b*"]), rule(2, PUSHED, 5, tagPatternList=["b*", "a*"])),
        "rule 1 selects the same set of tags",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_ecr_refuses_is_refused_in_one_sentence(wrong: Any, says: str) -> None:
    """Both functions refuse what ECR refuses, naming the policy or the rule, in one line."""
    for ask in (lambda: evaluate(wrong, [], now=NOW), lambda: endangers(wrong)):
        with pytest.raises(InvalidLifecyclePolicy) as caught:
            ask()
        message = str(caught.value)
        assert says in message
        assert message.startswith(("the policy", "a rule", "rule "))
        assert "\n" not in message


@pytest.mark.parametrize(
    "valid",
    [
        policy({**OK, "description": "x"}),
        policy(rule(5, COUNT, 5, tagPrefixList=["a"]), rule(3, COUNT, 5, tagPatternList=["a*"]), rule(99, COUNT, 5)),
        policy(rule(1, COUNT, 5, tagPatternList=["*test*1*2*3", "test*1*2*3*"])),
        policy(rule(1, PULLED, 5, action=ARCHIVE), rule(2, MOVED, 365, storageClass="archive")),
        policy(
            rule(1, PUSHED, 30, tagPatternList=["*-sha-*"], action=ARCHIVE),
            rule(2, MOVED, 90, tagPatternList=["*-sha-*"], storageClass="archive"),
            rule(3, PUSHED, 7, tagStatus="untagged"),
            rule(4, MOVED, 90, tagStatus="untagged", storageClass="archive"),
        ),
        policy(*(rule(n, COUNT, 5, tagPrefixList=[f"v{n}"]) for n in range(1, 51))),
        RetentionPolicy().text(),
    ],
    ids=["description", "any order", "four stars", "archive then expire", "per storage class", "50 rules", "ours"],
)
def test_what_ecr_takes_is_taken(valid: Any) -> None:
    """Policies as the user guide and public templates have them are valid."""
    assert evaluate(valid, [], now=NOW) == {}
