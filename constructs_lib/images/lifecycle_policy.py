"""An ECR lifecycle policy, read and checked as ECR does (lesson Q2). Standard library only.

What is checked stands in the user guide
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html, and "Lifecycle policy
evaluation rules" in .../LifecyclePolicies.html) or in the API's model. Two messages of the service itself say "per
storage class": of ``any``, which must come last, and of ``untagged``, which one rule may select.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias, cast

StorageClass: TypeAlias = Literal["standard", "archive"]
CountType: TypeAlias = Literal["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"]
Action: TypeAlias = Literal["expire", "archive"]
Json: TypeAlias = Mapping[str, object]

SHORTEST_TEXT: Final = 100
LONGEST_TEXT: Final = 30_720
MOST_RULES: Final = 50
MOST_WILDCARDS: Final = 4
SHORTEST_ARCHIVE_DAYS: Final = 90

_COUNT_TYPES: Final = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_RULE_KEYS: Final = ("rulePriority", "description", "selection", "action")
_SELECTION_KEYS: Final = (
    "tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber",
)  # fmt: skip


class InvalidLifecyclePolicy(ValueError):  # noqa: N818  (it names the policy, as ECR's message does)
    """ECR would refuse this lifecycle policy (lesson Q2); the message says which rule, why, and the fix."""


@dataclass(frozen=True, slots=True)
class TagPattern:
    """A pattern over tags, as the literal texts between its wildcards (lesson Q2).

    ``prod*`` is ``("prod", "")``; the prefix ``prod`` is the same; a pattern without ``*`` has one text.
    """

    texts: tuple[str, ...]

    @classmethod
    def glob(cls, text: str) -> TagPattern:
        """An entry of ``tagPatternList``: each ``*`` stands for any text, the empty one too."""
        return cls(tuple(text.split("*")))

    @classmethod
    def prefix(cls, text: str) -> TagPattern:
        """An entry of ``tagPrefixList``, in which ``*`` means nothing special."""
        return cls((text, ""))

    @property
    def literal(self) -> bool:
        """Whether it matches one tag only."""
        return len(self.texts) == 1

    def filled(self, text: str) -> str:
        """The tag that results when each wildcard is replaced by ``text``."""
        return text.join(self.texts)

    def matches(self, tag: str) -> bool:
        """Whether it matches the whole tag."""
        if self.literal:
            return tag == self.texts[0]
        first, *middle, last = self.texts
        if not tag.startswith(first):
            return False
        position = len(first)
        for text in middle:
            found = tag.find(text, position)
            if found < 0:
                return False
            position = found + len(text)
        return tag.endswith(last) and len(tag) - len(last) >= position


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRule:
    """One valid rule of a lifecycle policy (lesson Q2).

    Args:
        priority: ``rulePriority``; the lowest is applied first.
        tag_status: ``tagged``, ``untagged`` or ``any``.
        tag_list: ``tagPatternList`` or ``tagPrefixList``; None unless ``tagged``.
        patterns: the entries of either tag list; an image must match all of them, each with any of its tags.
        storage_class: images of this class alone are selected.
        count_type: what the number counts.
        number: ``countNumber``.
        action: ``expire`` deletes, ``archive`` makes unpullable (``transition`` in the policy).
    """

    priority: int
    tag_status: str
    tag_list: str | None
    patterns: tuple[TagPattern, ...]
    storage_class: StorageClass
    count_type: CountType
    number: int
    action: Action

    def selects(self, tags: Collection[str], storage_class: str) -> bool:
        """Whether an image with these tags in this storage class is selected, due or not."""
        if storage_class != self.storage_class:
            return False
        if self.tag_status != "tagged":
            return self.tag_status == "any" or not tags
        return all(any(pattern.matches(tag) for tag in tags) for pattern in self.patterns)


def parse(policy: Json | str) -> tuple[LifecycleRule, ...]:
    """The rules of a policy by priority.

    Raises:
        InvalidLifecyclePolicy: ECR would refuse the policy.
    """
    document = _document(policy)
    _known("the policy", document, ("rules",))
    items = document.get("rules")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_RULES:
        _refuse("the policy", f"rules must be a list of 1 to {MOST_RULES} rules")
    rules = tuple(sorted((_rule(item) for item in items), key=lambda rule: rule.priority))
    _check_together(rules)
    return rules


def _document(policy: Json | str) -> Json:
    try:
        text = (
            policy
            if isinstance(policy, str)
            else json.dumps(policy, separators=(",", ":"), default=_plain, ensure_ascii=False)
        )
        if not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
            allowed = f"{SHORTEST_TEXT} to {LONGEST_TEXT:,}"
            _refuse("the policy", f"its text must have {allowed} characters, got {len(text):,}")
        document = json.loads(text)
    except InvalidLifecyclePolicy:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidLifecyclePolicy(f"the policy is not valid JSON: {error}") from error
    return _mapping("the policy", document)


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _rule(item: object) -> LifecycleRule:
    rule = _mapping("a rule", item)
    priority = rule.get("rulePriority")
    if not _positive(priority):
        _refuse("a rule", f"rulePriority must be a whole number of at least 1, got {_got(priority)}")
    name = f"rule {priority}"
    _known(name, rule, _RULE_KEYS)
    if not isinstance(rule.get("description", ""), str):
        _refuse(name, f"description must be a text, got {_got(rule['description'])}")
    selection = _mapping(f"{name}'s selection", rule.get("selection"))
    _known(f"{name}'s selection", selection, _SELECTION_KEYS)
    status = _one_of(name, "tagStatus", selection.get("tagStatus"), ("tagged", "untagged", "any"))
    count_type = _one_of(name, "countType", selection.get("countType"), _COUNT_TYPES)
    storage_class = _one_of(name, "storageClass", selection.get("storageClass", "standard"), ("standard", "archive"))
    action = _action(name, rule.get("action"))
    _check_count(name, selection, count_type, storage_class, action)
    return LifecycleRule(
        priority=cast("int", priority),
        tag_status=status,
        tag_list=(tag_list := _tag_list(name, selection, status)),
        patterns=_patterns(name, selection, tag_list),
        storage_class=cast("StorageClass", storage_class),
        count_type=cast("CountType", count_type),
        number=cast("int", selection["countNumber"]),
        action=action,
    )


def _action(name: str, item: object) -> Action:
    action = _mapping(f"{name}'s action", item)
    _known(f"{name}'s action", action, ("type", "targetStorageClass"))
    if _one_of(name, "action type", action.get("type"), ("expire", "transition")) == "expire":
        if "targetStorageClass" in action:
            _refuse(name, "targetStorageClass goes only with a transition; leave it out")
        return "expire"
    _one_of(name, "targetStorageClass", action.get("targetStorageClass"), ("archive",))
    return "archive"


def _check_count(name: str, selection: Json, count_type: str, storage_class: str, action: Action) -> None:
    number = selection.get("countNumber")
    if not _positive(number):
        _refuse(name, f"countNumber must be a whole number of at least 1, got {_got(number)}")
    if count_type == "imageCountMoreThan":
        if "countUnit" in selection:
            _refuse(name, "countUnit goes only with an age; leave it out beside imageCountMoreThan")
    elif selection.get("countUnit") != "days":
        _refuse(name, f"countUnit must be 'days' with {count_type}, got {_got(selection.get('countUnit'))}")
    if (storage_class == "archive") != (count_type == "sinceImageTransitioned"):
        fix = "'archive' goes with sinceImageTransitioned, and nothing else does"
        _refuse(name, f"storageClass {storage_class!r} does not go with {count_type}; {fix}")
    if count_type == "sinceImagePulled" and action != "archive":
        _refuse(name, "sinceImagePulled cannot expire; transition to archive, and expire by sinceImageTransitioned")
    if count_type == "sinceImageTransitioned":
        if action != "expire":
            _refuse(name, "sinceImageTransitioned can only expire, for the image is archived already")
        if cast("int", number) < SHORTEST_ARCHIVE_DAYS:
            _refuse(name, f"countNumber must be at least {SHORTEST_ARCHIVE_DAYS} days in the archive, got {number}")


def _tag_list(name: str, selection: Json, status: str) -> str | None:
    given = [key for key in ("tagPatternList", "tagPrefixList") if key in selection]
    if status != "tagged":
        if given:
            _refuse(name, f"{given[0]} goes only with tagStatus 'tagged', got {status!r}")
        return None
    if len(given) != 1:
        _refuse(
            name, "tagStatus 'tagged' needs one of tagPatternList and tagPrefixList; the pattern '*' means all tags"
        )
    return given[0]


def _patterns(name: str, selection: Json, tag_list: str | None) -> tuple[TagPattern, ...]:
    if tag_list is None:
        return ()
    entries = selection[tag_list]
    if not isinstance(entries, list) or not entries or not all(isinstance(text, str) and text for text in entries):
        _refuse(name, f"{tag_list} must be a list of texts that are not empty, got {entries!r}")
    if tag_list == "tagPrefixList":
        return tuple(TagPattern.prefix(text) for text in entries)
    for text in entries:
        if text.count("*") > MOST_WILDCARDS:
            _refuse(name, f"a pattern may have at most {MOST_WILDCARDS} wildcards, got {text!r}")
    return tuple(TagPattern.glob(text) for text in entries)


def _check_together(rules: tuple[LifecycleRule, ...]) -> None:
    seen: dict[tuple[object, ...], LifecycleRule] = {}
    for rule in rules:
        name = f"rule {rule.priority}"
        if (rule.priority,) in seen:
            _refuse(name, "each rulePriority may be used once")
        seen[rule.priority,] = rule
        ended = seen.get((rule.storage_class, "any"))
        if ended:
            _refuse(
                f"rule {ended.priority}",
                f"tagStatus 'any' must have the highest rulePriority of storage class {rule.storage_class!r}, "
                f"and rule {rule.priority} comes after it",
            )
        same = (rule.storage_class, rule.tag_status, rule.tag_list, frozenset(rule.patterns))
        if same in seen and rule.tag_status == "untagged":
            _refuse(name, f"only one rule can select untagged images of storage class {rule.storage_class!r}")
        if same in seen:
            _refuse(name, f"rule {seen[same].priority} selects the same set of tags in the same storage class")
        seen[same] = rule
        if rule.tag_status == "any":
            seen[rule.storage_class, "any"] = rule


def _mapping(name: str, value: object) -> Json:
    if not isinstance(value, dict):
        _refuse(name, f"it must be a JSON object, got {_got(value)}")
    return value


def _known(name: str, value: Json, keys: tuple[str, ...]) -> None:
    unknown = sorted(set(value) - set(keys))
    if unknown:
        _refuse(name, f"{unknown[0]!r} is no property that ECR knows; allowed are {', '.join(keys)}")


def _one_of(name: str, what: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        _refuse(name, f"{what} must be {' or '.join(map(repr, allowed))}, got {_got(value)}")
    return value


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _got(value: object) -> str:
    return "nothing" if value is None else repr(value)


def _refuse(name: str, reason: str) -> NoReturn:
    raise InvalidLifecyclePolicy(f"{name}: {reason}")
