"""What the registry refuses to a build, and what the build says then."""

from __future__ import annotations

from pathlib import Path

import pytest

from .internet import Internet
from .machine import PATH, Docker
from .shop import DOCKERFILE, FRONT_URI, REPOSITORY, Shop, commit

pytestmark = pytest.mark.proof

FRONT = {"REPOSITORY_URI": FRONT_URI}
HOST = FRONT_URI.split("/")[0]


def with_program(folder: Path, name: str, text: str) -> dict[str, str]:
    """A PATH on which a program of this name comes first."""
    folder.mkdir()
    program = folder / name
    program.write_text(f"#!/bin/bash\n{text}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{PATH}"}


def faults(said: str) -> list[str]:
    """What the script itself says that went wrong."""
    return [line for line in said.splitlines() if line.startswith("moorings: ")]


def test_what_may_be_pushed_goes_through_the_front(shop: Shop, builder: Docker, outside: Internet) -> None:
    """BEFORE any refusal: the same build with the right token is pushed, by way of the server that can refuse."""
    done = shop.build(commit("front"), builder, variables=FRONT)
    assert done.code == 0, done.said
    assert f"PUT /v2/{REPOSITORY}/manifests/{done.tag}" in outside.asked("registry")


def test_a_wrong_token_is_refused_before_anything_is_built(shop: Shop, builder: Docker, outside: Internet) -> None:
    """Docker asks the registry at the login, so the build ends there."""
    outside.password("registry", "AWS:another-token")
    done = shop.build(commit("wrong token"), builder, variables=FRONT)
    (fault,) = faults(done.said)
    assert (done.code, done.digest) == (1, "")
    assert f"no login to {HOST}: it refused the token" in fault
    assert "Step 1" not in done.said
    assert set(outside.asked("registry")) == {"GET /v2/"}


def test_without_a_token_there_is_no_login(shop: Shop, builder: Docker, outside: Internet) -> None:
    """A role that may not ask for a token is told which action it lacks."""
    refused = 'if [[ "$2" == get-login-password ]]; then echo AccessDeniedException >&2; exit 254; fi; exec -a aws '
    real = shop.machine.run("which", "aws").stdout.strip()
    path = with_program(shop.machine.work / "no-token", "aws", f'{refused} {real} "$@"')
    done = shop.build(commit("no token"), builder, variables={**FRONT, **path})
    (fault,) = faults(done.said)
    assert (done.code, done.digest) == (1, "")
    assert f"no login to {HOST}: the role needs ecr:GetAuthorizationToken" in fault
    assert outside.asked("registry") == []


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ("refuse 403 DENIED ^(POST|PUT|PATCH)", "the registry refuses this role; it may push to its own only"),
        ("refuse 401 UNAUTHORIZED ^(POST|PUT|PATCH)", "the login is missing or over; start the build again"),
        ("refuse 404 NAME_UNKNOWN ^(POST|PUT|PATCH)", f"there is no repository {REPOSITORY} in {HOST}"),
    ],
)
def test_a_push_that_is_refused_leaves_no_image(
    shop: Shop, builder: Docker, outside: Internet, refusal: str, message: str
) -> None:
    """The build ends at the push, and says what the registry's answer means."""
    before = shop.images()
    outside.mode(refusal)
    done = shop.build(commit(refusal), builder, variables=FRONT)
    (fault,) = faults(done.said)
    assert (done.code, done.tag, done.digest) == (1, "", "")
    assert message in fault
    assert shop.images() == before


def test_a_program_for_another_processor_is_named(shop: Shop, builder: Docker) -> None:
    """The kernel refuses it while the image is built; the script says which setting must fit."""
    # Bytes 18 and 19 of an ELF file say for which processor it is; 243 is RISC-V.
    shop.machine.work.joinpath("source").mkdir(exist_ok=True)
    other = f'{DOCKERFILE}COPY --chown=0:0 riscv /bin/riscv\nUSER 0:0\nRUN ["/bin/riscv", "true"]\n'
    program = bytearray(Path(shop.machine.run("which", "busybox").stdout.strip()).read_bytes())
    program[18:20] = (243).to_bytes(2, "little")
    riscv = shop.machine.work / "source" / "riscv"
    riscv.write_bytes(program)
    riscv.chmod(0o755)
    done = shop.build(commit("riscv"), builder, dockerfile=other)
    (fault,) = faults(done.said)
    assert (done.code, done.digest) == (1, "")
    assert "something in the image is for another processor than linux/" in fault
