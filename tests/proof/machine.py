"""A private machine: its own mounts, network and processes, on this kernel. It ends with everything in it.

Real dockerd, docker and AWS command line run in it, against the local cloud on port 80 of its loopback interface.
Nothing of it is seen from outside: ``/run`` and ``/etc`` are its own, and so is every mount and every port.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from local_cloud.control import Endpoint
from local_cloud.environment import client_environment

ROOT = Path(__file__).parents[2]
AWS = ROOT / ".venv-proof" / "bin" / "aws"
ACCOUNT, REGION = "111111111111", "eu-central-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
DOCKER_HUB = ("registry-1.docker.io", "auth.docker.io")
"""Docker Hub's servers, which are front.py's here."""

ARCHITECTURES: dict[str, Literal["x86_64", "arm64"]] = {"x86_64": "x86_64", "aarch64": "arm64"}
# The distribution's own programs: a docker client elsewhere on PATH may lack a builder, or be podman's.
PATH = f"{AWS.parent}:/usr/sbin:/usr/bin:/sbin:/bin"
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
# The first process of the machine. It ends when the tests end, however they end, and the kernel then ends the rest.
FIRST = f"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
cp -a /etc /run/etc
mount --bind /run/etc /etc
printf '127.0.0.1 localhost {REGISTRY}\n127.0.0.2 {" ".join(DOCKER_HUB)}\n' >/etc/hosts
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
busybox ip link set lo up
echo ready
read -r || :
"""
DAEMON = """
ulimit -n "$(ulimit -Hn)"
mkdir -p "$0"
exec dockerd --host "unix://$0/socket" --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/pid" "$@"
"""
T = TypeVar("T")


class ProofError(RuntimeError):
    """Something of the machine itself failed; the message says what."""


def missing() -> str | None:
    """Why this tier cannot run here, in one sentence, or None."""
    if os.geteuid() != 0:
        return "not root: private namespaces and dockerd need it"
    for program in ("dockerd", "docker", "busybox", "unshare", "nsenter", "bash", "openssl"):
        if shutil.which(program, path=PATH) is None:
            return f"{program} is missing: scripts/install_proof_tools.sh installs it on Debian and Ubuntu"
    if not AWS.exists():
        return f"{AWS.relative_to(ROOT)} is missing: `make proof` installs it"
    if platform.machine() not in ARCHITECTURES:
        return f"a {platform.machine()} machine: we build for {' and '.join(ARCHITECTURES)}"
    tried = _call([*UNSHARE, "true"])
    return f"no private namespaces here: {tried.stderr.strip()}" if tried.returncode else None


def until(found: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Ask again and again, for a limited time, until there is an answer."""
    deadline = time.monotonic() + seconds
    while (answer := found()) is None:
        if time.monotonic() > deadline:
            raise ProofError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)  # between two questions
    return answer


@dataclass(frozen=True)
class Docker:
    """One dockerd with a data root of its own: what it knows, it built or pulled."""

    machine: Machine
    folder: str
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/socket"

    def __call__(self, *words: str, check: bool = True) -> str:
        """Run docker, and return all that it says."""
        done = self.machine.run("docker", *words, env={"DOCKER_HOST": self.host}, check=check)
        return done.stdout + done.stderr

    def ready(self) -> bool | None:
        if self.process.poll() is not None:
            raise ProofError(f"dockerd ended while it started:\n{self.machine.log(self)}")
        return "Server:" in self("version", check=False) or None

    def end(self) -> None:
        """Tell this dockerd and its containers to end; dockerd by the id that it wrote down itself."""
        if self.process.poll() is None:
            for container in self("ps", "--quiet").split():
                self("kill", container)
            self.machine.run("sh", "-c", f'kill "$(cat {self.folder}/pid)"')

    def lose(self) -> None:
        """End this dockerd as a lost machine does: at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def stop(self) -> None:
        """End this dockerd and wait until it has."""
        self.end()
        self.process.wait(timeout=30)


class Machine:
    """Start with ``with Machine(folder) as machine``; leaving it ends everything and checks that nothing is left."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.certificate = work / "front" / "certificate.pem"
        self.cgroup = f"moorings-proof-{os.getpid()}"
        self.environment = client_environment(
            Endpoint("http://127.0.0.1:80", 80, 0),
            account=ACCOUNT,
            region=REGION,
            base={"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(work), "TMPDIR": str(work)},
            state_dir=work / "cloud",
        )
        self._daemons: list[Docker] = []

    def __enter__(self) -> Machine:
        self._first = subprocess.Popen(
            [*UNSHARE, "bash", "-c", FIRST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,  # Ctrl-C is for the tests, which then end it in order
        )
        assert self._first.stdout is not None
        if self._first.stdout.readline() != b"ready\n":
            self._first.wait(timeout=10)
            raise ProofError("the private namespaces could not be set up: see the message above")
        space = f"/proc/{self._first.pid}/ns/pid_for_children"
        self._enter = ["nsenter", f"--target={self._first.pid}", "--mount", "--net", f"--pid={space}"]
        self._space = Path(space).readlink()
        try:
            self._cloud("up", "--port", "80")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the machine, with no variable of this process."""
        done = _call(
            [*self._enter, "env", f"--chdir={cwd or self.work}", *command], {**self.environment, **(env or {})}
        )
        if check and done.returncode:
            raise ProofError(f"{' '.join(command[2:6])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def start(
        self, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start a program on the machine as the head of a process group: killing the group kills what it started."""
        return subprocess.Popen(
            [*self._enter, "env", f"--chdir={cwd or self.work}", *command],
            env={**self.environment, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> Iterator[tuple[str, str]]:
        """The arguments and the environment of everything that runs on the machine."""
        for space in Path("/proc").glob("[0-9]*/ns/pid"):
            with contextlib.suppress(OSError):
                if space.readlink() == self._space:
                    process = space.parents[1]
                    yield (process / "cmdline").read_text(), (process / "environ").read_text(errors="replace")

    def aws(self, *words: str) -> Any:
        """What the real AWS command line answers."""
        answer = self.run("aws", *words, "--output", "json").stdout
        return json.loads(answer) if answer.strip() else None

    def docker(self) -> Docker:
        """Start a fresh dockerd, as a build or a task gets one, and wait until it answers."""
        folder = f"/run/moorings/{len(self._daemons)}"
        config = self.work / "daemon.json"
        config.write_text('{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}}}\n')
        options = [
            f"--config-file={config}",
            f"--cgroup-parent=/{self.cgroup}",
            *(f"--insecure-registry={REGISTRY}{port}" for port in ("", ":81")),
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--storage-driver=overlay2",
            *("--iptables=false", "--ip6tables=false", "--bridge=none"),
        ]
        with self._log(folder).open("wb") as log:
            process = subprocess.Popen(
                [*self._enter, "bash", "-c", DAEMON, folder, *options],
                env={**self.environment, "SSL_CERT_FILE": str(self.certificate)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        daemon = Docker(self, folder, process)
        self._daemons.append(daemon)
        until(daemon.ready, "dockerd answers")
        return daemon

    def log(self, daemon: Docker) -> str:
        """The end of what a dockerd wrote."""
        return "\n".join(self._log(daemon.folder).read_text(errors="replace").splitlines()[-15:])

    def close(self) -> None:
        """End all daemons, the cloud and the namespaces; then look for anything that is left."""
        try:
            for daemon in self._daemons:
                daemon.end()
            self._cloud("down")
            for daemon in self._daemons:
                daemon.process.wait(timeout=30)
        finally:
            assert self._first.stdin is not None
            self._first.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._first.wait(timeout=10)
            self._first.kill()  # a no-op when it has ended; --kill-child takes the rest with it
            self._first.wait()
            assert self._first.stdout is not None
            self._first.stdout.close()
            self._remove_cgroups()
        left = list(self._left())
        if left:
            raise ProofError(f"left behind: {'; '.join(left)}")

    def _cloud(self, *words: str) -> None:
        command = (sys.executable, "-m", "local_cloud", "--state-dir", str(self.work / "cloud"), *words)
        self.run(*command, cwd=ROOT)

    def _log(self, folder: str) -> Path:
        return self.work / f"dockerd-{Path(folder).name}.log"

    def _remove_cgroups(self) -> None:
        """dockerd leaves the group that it made its containers' groups in, and a killed one those too; all empty."""
        for group in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}"):
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()

    def _left(self) -> Iterator[str]:
        for space in Path("/proc").glob("[0-9]*/ns/pid"):
            with contextlib.suppress(OSError):
                if space.readlink() == self._space:
                    yield f"process {space.parts[2]}"
        if str(self.work) in Path("/proc/self/mountinfo").read_text():
            yield f"a mount in {self.work}"
        yield from (f"cgroup {group}" for group in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}"))


def _call(command: list[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
    )
