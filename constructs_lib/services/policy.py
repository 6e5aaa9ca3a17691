"""What a service runs as, in values that refuse what Fargate would refuse later. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.architecture import Architecture, check_architecture
from constructs_lib.checks import concrete, digest, invalid, is_digest, tuple_of

_GIB: Final = 1024
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
_MEMORY_MIB: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSize:
    """CPU, memory and processor of one Fargate task (lesson T1).

    Args:
        cpu: CPU units, 1024 for one vCPU; 512 by default.
        memory_mib: memory in MiB; 1024 by default.
        architecture: ``arm64`` (the default, about 20 % cheaper) or ``x86_64``; images must be built for it.

    Raises:
        ValueError: Fargate has no such pair of CPU and memory.
    """

    cpu: int = 512
    memory_mib: int = 1024
    architecture: Architecture = "arm64"

    def __post_init__(self) -> None:
        if not isinstance(self.cpu, int) or self.cpu not in _MEMORY_MIB:
            raise invalid("cpu", self.cpu, f"one of {', '.join(map(str, _MEMORY_MIB))}", "1024 units are one vCPU")
        allowed = _MEMORY_MIB[self.cpu]
        if self.memory_mib not in allowed:
            raise invalid(
                "memory_mib",
                self.memory_mib,
                f"one of {', '.join(map(str, allowed))} with {self.cpu} CPU units",
                "Fargate has no other pairs",
            )
        check_architecture(self.architecture)


@dataclass(frozen=True, slots=True)
class FixedDigest:
    """An image digest that is written down in code; a release is then a code change.

    Raises:
        ValueError: ``digest`` is no digest: a tag can move (lesson Q3).
    """

    digest: str

    def __post_init__(self) -> None:
        digest("digest", self.digest)


@dataclass(frozen=True, slots=True)
class ReleasedDigest:
    """The digest that an SSM parameter holds; a release writes it and updates the stack (lessons Q3, W4).

    The parameter must exist before the service's stack is deployed
    (:class:`constructs_lib.delivery.release_parameter.ReleaseParameters`); its value is ``none`` before the first
    release. See ``docs/decisions/0001-where-the-digest-lives.md``.

    Raises:
        ValueError: ``parameter_name`` is no parameter path.
    """

    parameter_name: str

    def __post_init__(self) -> None:
        concrete("parameter_name", self.parameter_name, "take it from constructs_lib.naming.release_parameter_name")
        if not re.fullmatch(r"(/[A-Za-z0-9_.-]+){1,15}", self.parameter_name):
            raise invalid(
                "parameter_name",
                self.parameter_name,
                "a parameter path such as '/moorings/shop/staging/web/digest'",
                "take it from constructs_lib.naming.release_parameter_name",
            )


def check_image(image: FixedDigest | ReleasedDigest) -> None:
    """Refuses what is no digest, such as a text with a tag."""
    if not isinstance(image, FixedDigest | ReleasedDigest):
        raise invalid("image", image, "a FixedDigest or a ReleasedDigest", "a tag can move (lesson Q3)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WritablePath:
    """A directory that the container may write to; everything else is read-only.

    It is empty in each new task, dies with it, and belongs to root at first: an image that runs as another user needs
    the directory in its image, with that owner and a ``VOLUME`` line
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html).

    Args:
        path: an absolute directory, such as ``/tmp``.

    Raises:
        ValueError: ``path`` is not absolute, or is the root.
    """

    path: str

    def __post_init__(self) -> None:
        concrete("path", self.path)
        if not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9_.-]+)+", self.path):
            raise invalid("path", self.path, "an absolute directory below the root", "name one such as '/tmp'")

    @property
    def volume_name(self) -> str:
        """The volume's name in the task definition."""
        return re.sub(r"[^A-Za-z0-9_-]", "-", self.path.strip("/"))


def pinned_image(what: str, value: str) -> str:
    """An image reference of a sidecar, refused unless it names a digest (lesson Q3)."""
    name, _, its_digest = value.partition("@")
    if not name or not is_digest(its_digest):
        raise invalid(
            what,
            value,
            "an image by digest, such as 'public.ecr.aws/docker/library/busybox@sha256:…'",
            "a tag can move to another image",
        )
    return value


def command_words(what: str, value: Sequence[str]) -> list[str]:
    """A command as ECS takes it: a list of words. A text would become a list of its letters."""
    if isinstance(value, str) or not value or not all(isinstance(word, str) and word for word in value):
        raise invalid(what, value, "a list with a program and its arguments", "pass such as ['sleep', '5']")
    if value[0] in ("CMD", "CMD-SHELL", "NONE"):
        raise invalid(what, value, "without ECS's own first word", "start with the program; CMD is put before it")
    return list(value)


def check_volumes(paths: tuple[WritablePath, ...]) -> None:
    """Refuses paths that would share a volume's name."""
    tuple_of("writable_paths", paths, WritablePath, "(WritablePath(path='/tmp'),)")
    names = [path.volume_name for path in paths]
    for path in paths:
        if names.count(path.volume_name) > 1:
            raise invalid(
                "writable_paths", path.path, "distinct directories", "two of them would be one volume; rename one"
            )
