"""Objects of one bucket, written only where they are still what was read.

S3 is atomic for one key and strongly consistent, and has nothing across keys
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel). So each write names the tag of
what it replaces (``If-Match``), or that there is nothing (``If-None-Match: *``). S3 answers 412 when the object is
another by now, 409 when a write is under way, and 404 when the object that was read is gone
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html): all three mean read again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .aws import S3Client, code, failures

TRIES: Final = 12
"""How often somebody who is overtaken reads and writes again. Each time one of the others has got through, so as many
writers at once all do."""

_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_ABSENT: Final = ("NoSuchKey", "404", "NotFound")
_OVERTAKEN: Final = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404")


class OvertakenError(Exception):
    """Somebody else has written in between (lesson T5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object that is there (lesson T5).

    Args:
        etag: S3's tag of it; it says nothing but which one it is.
        body: its bytes; empty where only the head was asked for.
        metadata: what its writer said of it.
    """

    etag: str
    body: bytes = b""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """The bucket of a status page (lesson T5).

    Args:
        s3: the client, of the bucket's region.
        bucket: its name.
        account: who must own it: a bucket's name alone is no proof of whose it is.
        sleep: waits for some seconds.
        chance: a number from 0 to 1, so that writers who met do not meet again.
    """

    s3: S3Client
    bucket: str
    account: str
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def read(self, key: str) -> Found | None:
        """An object; None when there is none."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self.account)
        except failures() as error:
            if code(error) in _ABSENT:
                return None
            raise
        return Found(etag=answer["ETag"], body=answer["Body"].read(), metadata=answer.get("Metadata", {}))

    def head(self, key: str) -> Found | None:
        """An object without its bytes; None when there is none."""
        try:
            answer = self.s3.head_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self.account)
        except failures() as error:
            if code(error) in _ABSENT:
                return None
            raise
        return Found(etag=answer["ETag"], metadata=answer.get("Metadata", {}))

    def write(
        self,
        key: str,
        body: bytes,
        *,
        instead_of: Found | None,
        content_type: str,
        cache: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Writes an object in the place of the one that was read, or where none was.

        Raises:
            OvertakenError: it is another one by now.
        """
        condition = {"IfNoneMatch": "*"} if instead_of is None else {"IfMatch": instead_of.etag}
        try:
            self.s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                CacheControl=cache,
                Metadata=dict(metadata or {}),
                ExpectedBucketOwner=self.account,
                **condition,
            )
        except failures() as error:
            if code(error) in _OVERTAKEN:
                raise OvertakenError(f"{key} was written by somebody else in between") from error
            raise

    def tries(self) -> Iterator[int]:
        """Tries, with pauses between them that grow and vary."""
        for number in range(TRIES):
            if number:
                self.sleep(self.chance() * min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2**number))
            yield number
