"""The findings that are known already, in a file beside the templates: only what is new is told.

A finding is known by its rule, file, resource, path and status. It stays known when lines move or its words change, and
comes back when what was unknown fails. Equal findings are counted: of those beyond the count the last are new.
What is known of a file that was not judged stays known, for a hook and a folder see a part of all files.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from constructs_lib.command_line import CouldNotRun
from constructs_lib.guardrails.rule import Finding

VERSION: Final = 1

Key: TypeAlias = tuple[str, ...]

_PARTS: Final = ("file", "rule", "logical_id", "path", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a baseline makes of findings (lesson Q8).

    Args:
        new: those that it does not know.
        known: how many it knows.
        gone: how many it knows that are there no longer.
        elsewhere: how many it knows in files that are there and were not judged.
    """

    new: tuple[Finding, ...]
    known: int
    gone: int
    elsewhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Findings that are known (lesson Q8).

    Args:
        folder: what the files of its findings are relative to.
        counts: how many equal ones there are.
    """

    folder: Path
    counts: Mapping[Key, int] = field(default_factory=dict)

    def part(self, findings: Iterable[Finding], judged: Iterable[str]) -> Parts:
        """Parts findings into those that are known and those that are new.

        Args:
            findings: all that stand.
            judged: the files that they were looked for in. Of what is in other files, nothing is known now.
        """
        left = Counter(self.counts)
        new = []
        for finding in findings:
            key = key_of(finding, self.folder)
            if left[key] > 0:
                left[key] -= 1
            else:
                new.append(finding)
        elsewhere = Counter(self.elsewhere(judged))
        return Parts(
            new=tuple(new),
            known=sum(self.counts.values()) - left.total(),
            gone=(left - elsewhere).total(),
            elsewhere=elsewhere.total(),
        )

    def elsewhere(self, judged: Iterable[str]) -> dict[Key, int]:
        """What is known of files that are there and were not judged."""
        here = {_relative(file, self.folder) for file in judged}
        others = {key[0] for key in self.counts} - here
        there = {file for file in others if os.path.exists(self.folder / file)}  # noqa: PTH110  (it takes any name)
        return {key: count for key, count in self.counts.items() if key[0] in there}


def of(findings: Iterable[Finding], folder: Path, kept: Mapping[Key, int] | None = None) -> Baseline:
    """The baseline that knows just these findings.

    Args:
        findings: all that stand.
        folder: where it is going to be.
        kept: what it knows besides, of files that were not judged.
    """
    return Baseline(folder=folder, counts={**(kept or {}), **Counter(key_of(finding, folder) for finding in findings)})


def key_of(finding: Finding, folder: Path) -> Key:
    """What makes a finding the same one, with its file relative to a folder."""
    return (_relative(finding.file, folder), finding.rule, finding.logical_id, finding.path, finding.status)


def read(path: Path) -> Baseline:
    """A baseline from its file. An entry that a merge has left there twice counts once, with the higher count.

    Raises:
        CouldNotRun: it cannot be read, or is no baseline.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CouldNotRun(f"--baseline {path} cannot be read: {error.strerror}; --write-baseline makes it") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"is no JSON: {error}") from error
    if not isinstance(value, dict) or value.get("version") != VERSION or not isinstance(value.get("findings"), list):
        raise _broken(path, f"must have 'version': {VERSION} and a list of 'findings'")
    counts: dict[Key, int] = {}
    for number, entry in enumerate(value["findings"]):
        key, count = _entry(path, number, entry)
        counts[key] = max(count, counts.get(key, 0))
    return Baseline(folder=path.parent, counts=counts)


def write(path: Path, baseline: Baseline) -> None:
    """Writes the file, sorted and a line for each entry, so that two of them can be compared and merged.

    Raises:
        CouldNotRun: it cannot be written.
    """
    entries = [
        json.dumps({**dict(zip(_PARTS, key, strict=True)), "count": count}, ensure_ascii=True)
        for key, count in sorted(baseline.counts.items())
    ]
    text = ",\n    ".join(entries)
    findings = f"[\n    {text}\n  ]" if entries else "[]"
    try:
        path.write_text(f'{{\n  "version": {VERSION},\n  "findings": {findings}\n}}\n', encoding="ascii", newline="\n")
    except (OSError, ValueError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else error
        raise CouldNotRun(f"--write-baseline {path} cannot be written: {reason}; name another file") from error


def _entry(path: Path, number: int, entry: object) -> tuple[Key, int]:
    parts: Sequence[object] = [entry.get(part) for part in _PARTS] if isinstance(entry, dict) else [None]
    key = tuple(part for part in parts if isinstance(part, str))
    count = entry.get("count", 1) if isinstance(entry, dict) else None
    if len(key) != len(_PARTS) or not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise _broken(path, f"must have {', '.join(_PARTS)} and a count of 1 or more in findings/{number}")
    return key, count


def _broken(path: Path, why: str) -> CouldNotRun:
    return CouldNotRun(f"--baseline {path} {why}; delete it, and write it with --write-baseline")


def _relative(file: str, folder: Path) -> str:
    """A path that is the same wherever the command was run from."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive
        return Path(file).as_posix()
