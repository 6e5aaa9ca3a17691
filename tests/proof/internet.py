"""The servers of front.py, running on the private machine, and what was asked of them."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

from .machine import DOCKER_HUB, REGISTRY, ROOT, Machine, ProofError

REGISTRY_PASSWORD = "AWS:ministack-auth-token"
"""What the local cloud's GetAuthorizationToken gives."""

HUB_USER, HUB_PASSWORD = "reader", "Hub-Pa55word-of-the-proof"


class Internet:
    """Start with ``with Internet(machine) as internet``."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = machine.certificate.parent

    def __enter__(self) -> Internet:
        self.folder.mkdir()
        names = ",".join(f"DNS:{name}" for name in DOCKER_HUB)
        self.machine.run(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=proof", "-addext", f"subjectAltName={names}"),
            *("-keyout", str(self.folder / "key.pem"), "-out", str(self.machine.certificate)),
        )
        self.reset()
        command = (sys.executable, "-m", "tests.proof.front", str(self.folder), REGISTRY)
        self.process = self.machine.start(*command, cwd=ROOT)
        assert self.process.stdout is not None
        if (line := self.process.stdout.readline()) != "ready\n":
            raise ProofError(f"the servers did not start: {line}{self.process.stdout.read()}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.process.communicate("", timeout=10)  # its input ends
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def reset(self) -> None:
        """Everything passes, the right passwords are right, and nothing has been asked."""
        self.mode("pass")
        (self.folder / "registry").write_text(REGISTRY_PASSWORD)
        (self.folder / "hub").write_text(f"{HUB_USER}:{HUB_PASSWORD}")
        (self.folder / "asked").write_text("")

    def mode(self, mode: str) -> None:
        """What the front of the registry does with a request, in the words of front.py."""
        fresh = self.folder / "mode.new"
        fresh.write_text(mode)
        fresh.replace(self.folder / "mode")

    def password(self, server: str, password: str) -> None:
        """Makes another ``user:password`` the right one of ``registry`` or ``hub``."""
        (self.folder / server).write_text(password)

    def asked(self, server: str) -> list[str]:
        """What was asked of ``registry``, ``hub`` or ``name``; what the front holds is ``held``."""
        lines = (self.folder / "asked").read_text().splitlines()
        return [line.removeprefix(f"{server} ") for line in lines if line.startswith(f"{server} ")]
