"""Shell commands, as far as a text alone tells what they run. No shell is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final

from constructs_lib.guardrails.rules.written import ANY, END, mark

MOST_VALUES: Final = 50
"""Values of one word, when it has variables of loops."""

LONGEST: Final = 10_000
"""Characters of a value; a variable that doubles itself is not followed further."""

_DEEPEST: Final = 10

_INNERMOST: Final = re.compile(r"\$\(([^()`]*)\)|`([^`]*)`")
_TOKEN: Final = re.compile(
    r"""(?P<space>\\\n|[ \t\r\f\v]+)
    |(?P<comment>\#[^\n]*)
    |(?P<redirection>\d*[<>]+&?)
    |(?P<end>[\n;|&()]+)
    |(?P<word>(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s;|&<>()'"\\])+)
    |(?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED: Final = re.compile(r"""\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)\"""", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?[-=]([^{}]*)|[^{}]*)\})")
_WHOLE_MARK: Final = re.compile(f"{ANY}[^{END}]*{END}")
_BEFORE: Final = frozenset(
    ("sudo", "time", "exec", "nohup", "command", "then", "do", "else", "elif", "if", "while", "until", "!", "{", "eval")
)
_DECLARING: Final = ("export", "declare", "local", "readonly", "typeset")
_SHELLS: Final = ("sh", "bash", "/bin/sh", "/bin/bash")


class Shell:
    """Goes through scripts and keeps the values of their variables (lesson Q1).

    A variable has several values when a loop gives it one after another.

    Args:
        variables: what is set before.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in variables.items()}

    def run(self, script: str, depth: int = 0) -> Iterator[Sequence[Sequence[str]]]:
        """Each command, as the values of each of its words."""
        inner: list[str] = []

        def substituted(found: re.Match[str]) -> str:
            inner.append(found[1] or found[2] or "")
            return mark(f"$({inner[-1]})")

        for _ in range(_DEEPEST):
            script, count = _INNERMOST.subn(substituted, script)
            if not count:
                break
        for part in inner if depth < _DEEPEST else ():
            yield from self.run(part, depth + 1)
        for words in _commands(script):
            yield from self._command(words, depth)

    def _command(self, words: Sequence[str], depth: int) -> Iterator[Sequence[Sequence[str]]]:
        rest = list(words)
        assigned: list[tuple[str, str]] = []
        while rest and (rest[0] in _BEFORE or _ASSIGNMENT.fullmatch(rest[0])):
            if found := _ASSIGNMENT.fullmatch(rest.pop(0)):
                assigned.append((found[1], found[2]))
        if rest and rest[0] in _DECLARING:
            assigned += [(found[1], found[2]) for word in rest[1:] if (found := _ASSIGNMENT.fullmatch(word))]
            rest = []
        if not rest:
            for name, value in assigned:
                self.values[name] = self._expanded(value)
        elif rest[0] == "for" and len(rest) > 3 and rest[2] == "in":
            listed = [one for word in rest[3:] for value in self._expanded(_unquoted(word)) for one in _fields(value)]
            self.values[rest[1]] = tuple(listed[:MOST_VALUES])
        elif rest[0] in _SHELLS and "-c" in rest[:-1]:
            script = _unquoted(rest[rest.index("-c") + 1])
            if depth < _DEEPEST:
                yield from self.run(script, depth + 1)
        else:
            yield [self._expanded(word) for word in rest]

    def _expanded(self, word: str) -> tuple[str, ...]:
        """The values of a word."""
        text = _unquoted(word)
        pieces: list[tuple[str, ...]] = []
        end = 0
        for found in _VARIABLE.finditer(text):
            pieces += [(text[end : found.start()],), self._value(found)]
            end = found.end()
        pieces.append((text[end:],))
        values = ("".join(parts) for parts in islice(product(*pieces), MOST_VALUES))
        return tuple(value if len(value) <= LONGEST else mark(word) for value in values)

    def _value(self, found: re.Match[str]) -> tuple[str, ...]:
        name = found[1] or found[2]
        return self.values.get(name, (mark(f"var.{name}") if found[3] is None else found[3],))


def _commands(script: str) -> Iterator[Sequence[str]]:
    """Words as they are written, command by command, without redirections."""
    words: list[str] = []
    redirected = False
    for found in _TOKEN.finditer(script):
        if found.lastgroup == "end":
            if words:
                yield words
            words, redirected = [], False
        elif found.lastgroup == "redirection":
            redirected = True
        elif found.lastgroup == "word":
            if not redirected:
                words.append(found[0])
            redirected = False
    if words:
        yield words


def _unquoted(word: str) -> str:
    return _QUOTED.sub(lambda found: found[1] or found[2] or found[3] or "", word)


def _fields(value: str) -> Sequence[str]:
    """What a loop goes through: of a value that is not known, perhaps several."""
    return [value, f"{value}{mark('another')}"] if _WHOLE_MARK.fullmatch(value) else value.split()
