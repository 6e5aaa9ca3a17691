"""Whether the images beside the application's can be pulled: a task starts with all of them or not at all (Q4)."""

from __future__ import annotations

from constructs_lib.checks import is_digest
from constructs_lib.delivery.operations.clients import Clients
from constructs_lib.delivery.operations.errors import code, failures, why
from constructs_lib.delivery.operations.facts import Service
from constructs_lib.delivery.readiness import Check, short
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.private_images import PrivateRepository, private_repository

_GONE = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


def check_of(clients: Clients, settings: DeliverySettings, service: Service | None) -> tuple[Check, ...]:
    """Nothing when no sidecar's image is in a private repository of ECR: others are not ours to look at."""
    private = [
        (repository, digest)
        for image in (service.sidecar_images if service else ())
        if (repository := private_repository(image)) and is_digest(digest := image.partition("@")[2])
    ]
    if not private:
        return ()
    wrong, unread = [], []
    for repository, digest in private:
        status = _status(clients, settings, repository, digest)
        if status not in ("ACTIVE", "missing", "ARCHIVED", "ACTIVATING"):
            unread.append(f"{repository.name}: {status}")
        elif status != "ACTIVE":
            wrong.append(f"{short(digest)} in {repository.name} is {status}")
    if wrong:
        fix = "push or restore it first: a task with an image that cannot be pulled does not start"
        return (Check(name="sidecars", result="NG", seen=", ".join(wrong), fix=fix),)
    if unread:
        return (Check(name="sidecars", result="SKIP", seen=f"they cannot be read, {'; '.join(unread)}"),)
    return (Check(name="sidecars", result="OK", seen=f"{len(private)} in private repositories can be pulled"),)


def _status(clients: Clients, settings: DeliverySettings, repository: PrivateRepository, digest: str) -> str:
    """ECR's status of the image, or why it is not known."""
    if repository.region != settings.region:
        return f"it is in {repository.region}"
    try:
        answer = clients.ecr.describe_images(
            registryId=repository.account, repositoryName=repository.name, imageIds=[{"imageDigest": digest}]
        )
    except failures() as error:
        return "missing" if code(error) in _GONE else why(error)
    return answer["imageDetails"][0].get("imageStatus", "ACTIVE")
