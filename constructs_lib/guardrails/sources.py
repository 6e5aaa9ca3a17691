"""From paths to assemblies: which files are templates, and which of them belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from constructs_lib.guardrails.cloud_assembly import is_cloud_assembly, read_cloud_assembly
from constructs_lib.guardrails.templates.assembly import Assembly, check_template, is_template
from constructs_lib.guardrails.templates.documents import Document, parse, text_of
from constructs_lib.guardrails.templates.errors import UnusableInput

_ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
_ELSEWHERE: Final = ("node_modules", "cdk.out")
_LOOKS_SO: Final = re.compile(r"^[\"']?Resources[\"']?[ \t]*:|\"Resources\"[ \t]*:", re.MULTILINE)
"""Of YAML at the beginning of a line, of JSON anywhere."""


def assemblies(
    paths: Sequence[Path], given: Mapping[str, str] | None = None, *, only_templates: bool = False
) -> tuple[list[Assembly], list[UnusableInput]]:
    """The templates that paths name, as assemblies, and what could not be used.

    Files that are named together are one assembly, except that each folder that CDK wrote for a stage is one of its
    own: production's alarms watch nothing of staging. Of a folder that CDK wrote, its ``*.template.json`` files are
    taken; of another one, each file that looks like a template, but for hidden folders, ``node_modules`` and
    ``cdk.out``.

    Args:
        paths: files and folders.
        given: values of parameters that take the place of defaults.
        only_templates: whether files that do not look like templates are passed over, too, when they are named.
    """
    sources = _Sources(only_templates=only_templates)
    for path in paths:
        try:
            sources.add(path)
        except UnusableInput as error:
            sources.problems.append(error)
        except OSError as error:
            sources.problems.append(UnusableInput(f"{path} cannot be read: {error.strerror or error}"))
    found = [Assembly(documents, given) for documents in sources.groups.values()]
    return found, [*sources.problems, *(problem for assembly in found for problem in assembly.problems)]


class _Sources:
    """Gathers templates, each once, by the folder that CDK wrote or together."""

    def __init__(self, *, only_templates: bool) -> None:
        self.groups: dict[Path | None, dict[str, Document]] = {}
        self.problems: list[UnusableInput] = []
        self._only_templates = only_templates
        self._seen: set[Path] = set()
        self._homes: dict[Path, Path | None] = {}

    def add(self, path: Path) -> None:
        """Takes a file, or what a folder holds.

        Raises:
            UnusableInput: it cannot be read, or holds no template.
        """
        if not path.is_dir():
            self._add(path, searched=self._only_templates)
            return
        taken = [self._add(file, searched=not made) for file, made in _in(path)]
        if not any(taken):
            raise UnusableInput(
                f"{path} must hold CloudFormation templates, got none; synthesize first, or name a file"
            )

    def _add(self, file: Path, *, searched: bool) -> bool:
        """Takes a file, and says whether it is a template or at least looks like one."""
        if file.resolve() in self._seen:
            return True
        text = ""
        try:
            text = text_of(file)
            document = parse(text, str(file)) if not searched or _looks_like_a_template(text) else None
            if document is None or (searched and not is_template(document.value)):
                return False
            check_template(str(file), document)
        except UnusableInput as error:
            if searched and not text:  # nothing says that it is a template
                return False
            self.problems.append(error)
            return True
        self._seen.add(file.resolve())
        self.groups.setdefault(self._home(file.parent), {})[str(file)] = document
        return True

    def _home(self, folder: Path) -> Path | None:
        if folder not in self._homes:
            self._homes[folder] = folder.resolve() if is_cloud_assembly(folder) else None
        return self._homes[folder]


def _in(top: Path) -> Iterator[tuple[Path, bool]]:
    """The files of a folder that may be templates, in order, each with whether CDK wrote it."""
    for name, folders, names in os.walk(top):
        folder = Path(name)
        if is_cloud_assembly(folder):
            # What the manifest lists: CDK leaves the files of stacks that are gone, and copies others' into assets.
            written = read_cloud_assembly(folder)
            yield from ((file, True) for file in sorted(written.stacks.values() if written else ()) if file.is_file())
            folders[:] = sorted(inner for inner in folders if is_cloud_assembly(folder / inner))
            continue
        folders[:] = sorted(inner for inner in folders if not inner.startswith(".") and inner not in _ELSEWHERE)
        for inner in sorted(names):
            if inner.endswith(_ENDINGS) and (folder / inner).is_file():
                yield folder / inner, False


def _looks_like_a_template(text: str) -> bool:
    return "AWS::" in text and _LOOKS_SO.search(text) is not None
