"""Which file a nested stack's template is, as far as the template that has it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from constructs_lib.guardrails.templates.values import mapping

STACKS: Final = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
"""Types that stand for another template, and the property that tells which."""

_NAME: Final = re.compile(r"(?:^|/)([^/{}$]+\.(?:json|ya?ml|template|txt))$")


def nested_file(file: str, kind: str, body: object, given: Collection[Path]) -> Path | None:
    """The file of a nested stack; None when it is none that is here.

    A path is a file beside the template, which CDK's own metadata may name. Of a URL, only the name at its end tells
    something: CDK's, by the asset's hash; another, if one of the templates that were given has it.

    Args:
        file: the path of the template that has the stack.
        kind: the resource's type.
        body: the resource.
        given: the files of all templates that were given.
    """
    if kind not in STACKS:
        return None
    folder = Path(file).parent
    asset = mapping(mapping(body).get("Metadata")).get("aws:asset:path")
    url = mapping(mapping(body).get("Properties")).get(STACKS[kind])
    path = asset if isinstance(asset, str) else url
    if isinstance(path, str) and path and "://" not in path:
        return _resolved(folder, path)
    names = set(_names(url))
    if len(names) != 1:
        return None
    (name,) = names
    by_hash = _cdk_asset(Path(file), name.removesuffix(".json"))
    if by_hash is not None:
        return _resolved(folder, by_hash)
    fitting = [one for one in given if one.name == name]
    return fitting[0] if len(fitting) == 1 else None


def _names(url: object) -> Iterator[str]:
    """The file names at the end of a URL's parts; a part that ends in no file name tells nothing."""
    left = [url]
    while left:
        value = left.pop()
        if isinstance(value, str):
            found = _NAME.search(value)
            if found is not None:
                yield found[1]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()


def _cdk_asset(template: Path, digest: str) -> str | None:
    """The file beside a template of CDK whose asset has a hash."""
    manifest = template.with_name(template.name.removesuffix(".template.json") + ".assets.json")
    try:
        files = mapping(json.loads(manifest.read_text(encoding="utf-8"))).get("files")
    except (OSError, ValueError, RecursionError):  # it is not there, or none of CDK's
        return None
    path = mapping(mapping(mapping(files).get(digest)).get("source")).get("path")
    return path if isinstance(path, str) else None


def _resolved(folder: Path, name: str) -> Path | None:
    try:
        return (folder / name).resolve()
    except (OSError, ValueError, RuntimeError):  # a name that no file can have
        return None
