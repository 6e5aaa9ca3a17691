"""What the alarms of an assembly do, in a form in which two apps can be compared."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_TYPES: Final = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_WORDS: Final = ("AlarmDescription", "Tags")


def alarms(assembly: Path) -> Counter[str]:
    """Each alarm as a line of text: its name, what it watches, when it is red, whom it tells, how many it waits for.

    Left out are descriptions and tags, and logical ids, which each app chooses: what is left of a reference is the type
    and the attribute.
    """
    found: Counter[str] = Counter()
    for path in sorted(assembly.rglob("*.template.json")):
        resources = json.loads(path.read_text())["Resources"]
        types = {name: resource["Type"] for name, resource in resources.items()}
        for resource in resources.values():
            if resource["Type"] in _TYPES:
                does = {key: value for key, value in resource["Properties"].items() if key not in _WORDS}
                does["waits for"] = sorted(types[name] for name in resource.get("DependsOn", []))
                found[json.dumps(_without_ids(does, types), sort_keys=True)] += 1
    return found


def _without_ids(value: Json, types: dict[str, str]) -> Json:
    if isinstance(value, list):
        return [_without_ids(one, types) for one in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(id)}:
            return types.get(id, "a parameter") + _topic(id, types)
        case {"Fn::GetAtt": [str(id), attribute]}:
            return f"{types[id]} {attribute}"
        case {"Fn::GetStackOutput": {"OutputName": str(name)}}:
            return f"{'page' if 'Page' in name else 'notice' if 'Notice' in name else 'other'} of another stack"
        case {"Fn::If": [str(), first, second]}:
            return ["if", _without_ids(first, types), _without_ids(second, types)]
        case {"Name": str(), "Value": _}:
            return f"{value['Name']} {json.dumps(_without_ids(value['Value'], types))}"
    made: dict[str, Json] = {}
    for key, one in value.items():
        inner = _without_ids(one, types)
        made[key] = sorted(inner, key=str) if key == "Dimensions" and isinstance(inner, list) else inner
    return made


def _topic(id: str, types: dict[str, str]) -> str:
    return "" if types.get(id) != "AWS::SNS::Topic" else " page" if "Page" in id else " notice"
