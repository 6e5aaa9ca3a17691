"""From paths to assemblies: which files are templates, and which of them belong together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from constructs_lib.guardrails.cloud_assembly import MANIFEST
from constructs_lib.guardrails.templates.assembly import Assembly, template_document
from constructs_lib.guardrails.templates.documents import Document
from constructs_lib.guardrails.templates.errors import UnusableInput

_SYNTHESIZED: Final = ".template.json"
_ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
_ELSEWHERE: Final = ("node_modules", "cdk.out")
_LOOKS_SO: Final = re.compile(r"(?:^|[{,])\s*[\"']?Resources[\"']?\s*:", re.MULTILINE)


def assemblies(
    paths: Sequence[Path], given: Mapping[str, str] | None = None
) -> tuple[list[Assembly], list[UnusableInput]]:
    """The templates that paths name, as assemblies, and what could not be used.

    Files that are named together are one assembly, except that each folder that CDK wrote for a stage is one of its
    own: production's alarms watch nothing of staging. Of a folder with ``*.template.json`` files those are taken, of
    another one each file that looks like a template.

    Args:
        paths: files and folders.
        given: values of parameters that take the place of defaults.
    """
    groups: dict[Path | None, dict[str, Document]] = {}
    problems: list[UnusableInput] = []
    seen: set[Path] = set()
    for path in paths:
        try:
            for file in _files(path):
                if file.resolve() not in seen:
                    seen.add(file.resolve())
                    _add(groups, problems, file, searched=path.is_dir())
        except UnusableInput as error:
            problems.append(error)
        except OSError as error:
            problems.append(UnusableInput(f"{path} cannot be read: {error.strerror or error}"))
    found = [Assembly(documents, given) for documents in groups.values()]
    problems += [problem for assembly in found for problem in assembly.problems]
    return found, problems


def _add(
    groups: dict[Path | None, dict[str, Document]], problems: list[UnusableInput], file: Path, *, searched: bool
) -> None:
    try:
        text = _text(file)
        if searched and not file.name.endswith(_SYNTHESIZED) and not _looks_like_a_template(text):
            return
        document = template_document(text, str(file))
    except UnusableInput as error:
        problems.append(error)
        return
    home = file.parent.resolve() if (file.parent / MANIFEST).is_file() else None
    groups.setdefault(home, {})[str(file)] = document


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    synthesized = sorted(file for file in path.rglob(f"*{_SYNTHESIZED}") if not _is_in_an_asset(file, path))
    found = synthesized or sorted(_looked_for(path))
    if not found:
        raise UnusableInput(f"{path} must hold CloudFormation templates, got none; synthesize first, or name a file")
    yield from found


def _is_in_an_asset(file: Path, top: Path) -> bool:
    """CDK copies a Lambda function's files into such folders."""
    return any(part.startswith("asset.") for part in file.relative_to(top).parts[:-1])


def _looked_for(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _ELSEWHERE]
        yield from (Path(folder, name) for name in names if name.endswith(_ENDINGS))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{file} cannot be read: it is not UTF-8") from error
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise UnusableInput(f"{file} cannot be read: {reason}") from error


def _looks_like_a_template(text: str) -> bool:
    return "AWS::" in text and _LOOKS_SO.search(text) is not None
