"""Two repositories of one registry, of which the second gets images from the first."""

from __future__ import annotations

from collections import Counter
from typing import Any

from constructs_lib.delivery.operations.copy import Copied, copy_image
from constructs_lib.delivery.operations.registry import RepositoryAccess
from tests.fake_aws.core import ACCOUNT, FakeAws, Params
from tests.fake_aws.ecr import INDEX, MANIFEST
from tests.fake_aws.ecr_layers import FakeEcrWithLayers, digest_of

SOURCE, TARGET = "shop/staging/web", "shop/production/web"
TAG = "staging-20260105T000000Z-0123456789ab"
READS = {"DescribeImages", "BatchGetImage", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer"}


class Killed(BaseException):
    """The process is ended here; nothing after this runs."""


class Repositories:
    """The two, and what was called.

    Attributes:
        said: all lines of progress.
        slept: all pauses.
    """

    def __init__(self, aws: FakeAws, client: Any, mutability: str = "IMMUTABLE_WITH_EXCLUSION") -> None:
        self.aws, self.ecr = aws, FakeEcrWithLayers()
        aws.services = {"ecr": self.ecr}
        aws.before = lambda _operation, _params: None
        aws.calls.clear()
        self.client = client
        self.ecr.repository(SOURCE, mutability=mutability)
        self.ecr.repository(TARGET, mutability=mutability)
        self.source = RepositoryAccess(ecr=client, registry=ACCOUNT, name=SOURCE)
        self.target = RepositoryAccess(ecr=client, registry=ACCOUNT, name=TARGET)
        self.said: list[str] = []
        self.slept: list[float] = []

    def copy(self, digest: str, *tags: str) -> Copied:
        """Copies from the first to the second."""
        return copy_image(
            self.source,
            self.target,
            digest=digest,
            tags=tags or (TAG,),
            say=self.said.append,
            sleep=self.slept.append,
            open_address=self.ecr.open_address,
        )

    def index(self, *parts: list[bytes]) -> str:
        """An index of images with these layers, in the first repository; the images have no tags."""
        children = [self.ecr.build(SOURCE, layers) for layers in parts]
        return self.ecr.push(SOURCE, [TAG], index_of=children)

    def kill_at(self, number: int) -> None:
        """Ends the process before the call of this number is answered; the first is 1."""
        left = number

        def before(_operation: str, _params: Params) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        self.aws.before = before

    def calls(self) -> dict[str, int]:
        """How often each operation was called since the last time."""
        found = {name.partition(".")[2]: count for name, count in self.aws.calls.items()}
        self.aws.calls.clear()
        return found

    def writes(self) -> Counter[str]:
        """The same, without those that only read."""
        return Counter({name: count for name, count in self.calls().items() if name not in READS})

    def assert_copied(self, digest: str, *tags: str) -> None:
        """The second repository has the image byte for byte, with these tags, and all that it needs."""
        here, there = self.ecr.repositories[SOURCE], self.ecr.repositories[TARGET]
        image = there.images[digest]
        assert image.manifest == here.images[digest].manifest
        assert digest_of(image.manifest) == digest
        assert sorted(image.tags) == sorted(tags or (TAG,))
        for child in image.children:
            assert there.images[child].manifest == here.images[child].manifest
        layers = self.ecr.layers.get(TARGET, {})
        for content_digest, content in layers.items():
            assert digest_of(content) == content_digest
        if not image.children:
            assert set(layers) >= {digest for digest in self.ecr.layers[SOURCE] if digest in image.manifest}


__all__ = ["INDEX", "MANIFEST", "SOURCE", "TAG", "TARGET", "Killed", "Repositories"]
