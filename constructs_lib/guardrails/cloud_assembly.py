"""What CDK writes beside its templates: which construct became which resource, and what was acknowledged there. Pure.

A folder with a ``manifest.json`` is one *cloud assembly*: the app's own, or that of a ``Stage``. Its templates are
deployed to one environment, so they are judged together and apart from those of other folders.

CDK writes what was acknowledged at a stack or below it. What was acknowledged above, at a ``Stage`` or the app, is only
in its validation report, if a plugin had such a finding.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from constructs_lib.guardrails.acknowledgements import (
    NAMESPACE,
    Acknowledgement,
    from_templates,
    read_entry,
    rule_of,
)
from constructs_lib.guardrails.templates.assembly import Template
from constructs_lib.guardrails.templates.values import mapping

ACKNOWLEDGED: Final = "aws:cdk:acknowledged-rules"
"""CDK's metadata of a construct with its acknowledged rules, as reasons by id."""

MANIFEST: Final = "manifest.json"
REPORT: Final = "validation-report.json"

_LOGICAL_ID: Final = "aws:cdk:logicalId"
_TEMPLATE: Final = "aws:cdk:templateFile"
_PATH: Final = "aws:cdk:path"
_STACK: Final = "aws:cloudformation:stack"
_STAGE: Final = "cdk:cloud-assembly"
_OURS: Final = (f"{NAMESPACE}::", "Annotation::MOOR-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An acknowledgement as CDK records it (lesson Q8).

    Args:
        construct: the path of the construct; empty for the app.
        name: the rule's id with its namespace.
        reason: the text that was given.
    """

    construct: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAssembly:
    """One folder that CDK wrote (lesson Q8).

    Args:
        folder: the folder.
        stacks: the template of each stack, nested ones too, by the path of its construct.
        resources: the path of the construct that each resource came from, by template and logical id.
        said: what was acknowledged at stacks and below them.
    """

    folder: Path
    stacks: Mapping[str, Path]
    resources: Mapping[tuple[Path, str], str]
    said: Sequence[Said]


def is_cloud_assembly(folder: Path) -> bool:
    """Whether CDK wrote a folder. Other things have a ``manifest.json``, too."""
    return "artifacts" in _json(folder / MANIFEST)


def read_cloud_assembly(folder: Path) -> CloudAssembly | None:
    """What CDK wrote into a folder; None when CDK wrote nothing there, or it cannot be read."""
    artifacts = mapping(_json(folder / MANIFEST).get("artifacts"))
    if not artifacts:
        return None
    stacks: dict[str, Path] = {}
    entries: list[tuple[str, str, object]] = []
    for name, artifact in ((name, mapping(value)) for name, value in artifacts.items()):
        properties = mapping(artifact.get("properties"))
        if artifact.get("type") != _STACK or not isinstance(properties.get("templateFile"), str):
            continue
        found = list(_metadata(folder, artifact))
        entries += found
        stacks |= {path: folder / str(data) for path, kind, data in found if kind == _TEMPLATE}
        stacks.setdefault(str(artifact.get("displayName") or name), folder / str(properties["templateFile"]))
    resources = {
        (stacks[stack], str(data)): path
        for path, kind, data in entries
        if kind == _LOGICAL_ID and (stack := stack_of(path, stacks)) is not None
    }
    said = [
        Said(construct=path, name=str(name), reason=reason if isinstance(reason, str) else "")
        for path, kind, data in entries
        if kind == ACKNOWLEDGED
        for name, reason in mapping(data).items()
    ]
    return CloudAssembly(folder=folder, stacks=stacks, resources=resources, said=said)


def top_of(folder: Path) -> Path:
    """The folder that CDK wrote for the app, from that of a stage."""
    while folder.parent != folder and is_cloud_assembly(folder.parent):
        folder = folder.parent
    return folder


def folders_below(folder: Path) -> Iterator[Path]:
    """A folder that CDK wrote, and those of the stages in it, as far as they have stacks."""
    artifacts = [mapping(artifact) for artifact in mapping(_json(folder / MANIFEST).get("artifacts")).values()]
    if any(artifact.get("type") == _STACK for artifact in artifacts):
        yield folder
    for artifact in artifacts:
        name = mapping(artifact.get("properties")).get("directoryName")
        if artifact.get("type") == _STAGE and isinstance(name, str):
            yield from folders_below(folder / name)


def said_above(folder: Path) -> list[Said]:
    """What was acknowledged at stages and the app, as far as CDK's last report tells."""
    top = top_of(folder)
    report, manifest = top / REPORT, top / MANIFEST
    try:
        # A report that is older is of another synthesis: CDK writes none when no plugin is there.
        if report.stat().st_mtime < manifest.stat().st_mtime:
            return []
    except OSError:
        return []
    found: list[tuple[object, object, object]] = [
        (suppressed.get("acknowledgedAt", ""), suppressed.get("acknowledgedId"), suppressed.get("reason"))
        for plugin in _list(_json(report).get("pluginReports"))
        for suppressed in map(mapping, _list(mapping(plugin).get("suppressedViolations")))
    ]
    said = [Said(construct=str(at), name=str(name), reason=str(why or "")) for at, name, why in found]
    return list(dict.fromkeys(said))


def acknowledged(
    templates: Sequence[Template], rules: Collection[str], *, above: Sequence[Said] | None = None
) -> list[Acknowledgement]:
    """All that is acknowledged of some templates: in themselves, and in CDK if it wrote them.

    Args:
        templates: all that are judged.
        rules: the ids that can be acknowledged.
        above: all that was acknowledged at stages and the app; what CDK's last report tells by default.
    """
    found = from_templates(templates, rules)
    folders: dict[Path, list[Template]] = {}
    for template in templates:
        folders.setdefault(Path(template.file).parent.resolve(), []).append(template)
    for folder, there in folders.items():
        assembly = read_cloud_assembly(folder)
        if assembly is not None:
            upper = said_above(folder) if above is None else above
            found += _of_assembly(assembly, there, rules, upper, complete=above is not None)
    return found


def nested_templates(assembly: CloudAssembly, stack: str) -> list[Path]:
    """The templates of all stacks that are nested in one.

    Args:
        assembly: the folder.
        stack: the path of the construct of the stack.
    """
    return [path for construct, path in assembly.stacks.items() if construct != stack and below(construct, stack)]


def below(path: str, ancestor: str) -> bool:
    """Whether a construct is another or in it, by their paths."""
    return not ancestor or path == ancestor or path.startswith(f"{ancestor}/")


def constructs(assembly: CloudAssembly, templates: Iterable[Template]) -> Mapping[tuple[str, str], str]:
    """The path of the construct of each resource, by file and logical id.

    Args:
        assembly: the folder of the templates.
        templates: those that are wanted.
    """
    found: dict[tuple[str, str], str] = {}
    for template in templates:
        path = assembly.folder / Path(template.file).name
        for resource in template.resources.values():
            there = mapping(resource.body.get("Metadata")).get(_PATH)
            place = assembly.resources.get((path, resource.logical_id), there)
            if isinstance(place, str):
                found[template.file, resource.logical_id] = place
    return found


def _of_assembly(
    assembly: CloudAssembly,
    templates: Sequence[Template],
    rules: Collection[str],
    above: Iterable[Said],
    *,
    complete: bool,
) -> Iterator[Acknowledgement]:
    files = {assembly.folder / Path(template.file).name: template.file for template in templates}
    by_file = {template.file: template for template in templates}
    where = constructs(assembly, templates)
    upper = [said for said in above if stack_of(said.construct, assembly.stacks) is None]
    for said in (*assembly.said, *upper):
        stacks = [path for stack, path in assembly.stacks.items() if below(stack, said.construct)]
        whole = [files[path] for path in stacks if path in files]
        within = [key for key, construct in where.items() if below(construct, said.construct)]
        home = stack_of(said.construct, assembly.stacks)
        file = files.get(assembly.stacks[home]) if home is not None else next(iter(whole), None)
        if file is None or not said.name.startswith(_OURS):
            continue  # of a template that is not judged, or of another tool
        rule = rule_of(said.name)
        reason, until, fault = read_entry(rule, said.reason, None, rules)
        only = within[0] if len(within) == 1 and not stacks else (file, "")
        yield Acknowledgement(
            rule=rule,
            reason=reason,
            until=until,
            fault=fault,
            file=only[0],
            logical_id=only[1],
            construct=said.construct,
            line=_line(by_file[only[0]], only[1]),
            templates=frozenset(whole),
            resources=frozenset(within),
            countable=(complete or home is not None) and bool(where) and len(whole) == len(stacks),
        )


def _line(template: Template, logical_id: str) -> int:
    place = template.resources[logical_id].place if logical_id else ()
    return template.document.lines([place])[place]


def stack_of(path: str, stacks: Mapping[str, Path]) -> str | None:
    """The nearest stack that a construct is in."""
    while path not in stacks:
        if "/" not in path:
            return None
        path = path.rpartition("/")[0]
    return path


def _metadata(folder: Path, artifact: Mapping[str, object]) -> Iterable[tuple[str, str, object]]:
    """Each entry of a stack's metadata: the path of its construct, its type and its data."""
    name = artifact.get("additionalMetadataFile")
    beside = _json(folder / name) if isinstance(name, str) else {}
    for path, entries in (*mapping(artifact.get("metadata")).items(), *beside.items()):
        for entry in map(mapping, _list(entries)):
            yield str(path).removeprefix("/"), str(entry.get("type")), entry.get("data")


def _json(path: Path) -> Mapping[str, object]:
    """A file's content; empty when it is not there or is no JSON: what nobody can read acknowledges nothing."""
    try:
        return mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
