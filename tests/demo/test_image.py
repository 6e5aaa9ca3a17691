"""The demo's image is a real manifest with real digests, and the same each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
from pathlib import Path

import pytest

from demo.image import EXAMPLE, Behaviour, assemble, web_commit, web_files, web_image


def test_the_same_text_gives_the_same_digest() -> None:
    """An image that is assembled again is the same image, so a second demo has nothing to push."""
    assert assemble("a") == assemble("a")
    assert assemble("a").digest != assemble("b").digest
    assert assemble("a").digest != assemble("a", architecture="x86_64").digest


@pytest.mark.parametrize("text", ["", "hello\n", "ü" * 3000])
def test_the_manifest_names_exactly_its_blobs(text: str) -> None:
    """Each blob has the digest and size that the manifest gives, and the layer holds the text."""
    image = assemble(text)
    manifest = json.loads(image.manifest)
    named = [manifest["config"], *manifest["layers"]]
    assert [(entry["digest"], entry["size"]) for entry in named] == [
        (f"sha256:{hashlib.sha256(blob).hexdigest()}", len(blob)) for blob in image.blobs
    ]
    config, layer = image.blobs
    archive = gzip.decompress(layer)
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(archive).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("moorings.txt")
        assert file is not None
        assert file.read().decode() == text


def test_the_web_image_is_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files and commit give the same digest, whatever the files' times; another commit gives another one."""
    commit = web_commit()
    assert re.fullmatch("[0-9a-f]{40}", commit)
    first = web_image(commit)
    assert web_image("0" * 40).digest != first.digest
    for name in web_files():
        (tmp_path / name).write_bytes((EXAMPLE / name).read_bytes())
        os.utime(tmp_path / name, (0, 0))
    monkeypatch.setattr("demo.image.EXAMPLE", tmp_path)
    assert (web_image(commit), web_commit()) == (first, commit)
    (tmp_path / "app.py").write_bytes(b"changed")
    assert web_image(commit).digest != first.digest
    assert web_commit() != commit


@pytest.mark.parametrize(("given", "written"), [("arm64", "arm64"), ("x86_64", "amd64")])
def test_the_web_image_is_what_its_dockerfile_says(given: str, written: str) -> None:
    """Files, command, user and port are those of the Dockerfile, and the architecture is as registries write it."""
    image = web_image("0" * 40, architecture=given)
    config, layer = (json.loads(image.blobs[0]), gzip.decompress(image.blobs[1]))
    words = [line.split(maxsplit=1) for line in (EXAMPLE / "Dockerfile").read_text().splitlines() if line.strip()]
    said = dict(words)
    assert (config["architecture"], config["os"]) == (written, "linux")
    assert config["config"]["Cmd"] == json.loads(said["CMD"])
    assert config["config"]["User"] == said["USER"]
    assert config["config"]["WorkingDir"] == said["WORKDIR"]
    assert list(config["config"]["ExposedPorts"]) == [f"{said['EXPOSE']}/tcp"]
    copied = said["COPY"].split()[:-1]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert tar.getnames() == sorted(f"app/{name}" for name in copied)
        for name in copied:
            file = tar.extractfile(f"app/{name}")
            assert file is not None
            assert file.read() == (EXAMPLE / name).read_bytes() == web_files()[name]


@pytest.mark.parametrize("behaviour", ["exits", "unhealthy"])
def test_a_bad_image_says_so(behaviour: Behaviour) -> None:
    """Its label tells the local cloud how to behave; a good image has no such label."""
    bad, good = (json.loads(web_image("0" * 40, behaviour=word).blobs[0]) for word in (behaviour, ""))
    assert bad["config"]["Labels"]["dev.moorings.local-cloud.behaviour"] == behaviour
    assert "dev.moorings.local-cloud.behaviour" not in good["config"]["Labels"]
