"""ECS, as far as it can be asked what is in use: its lists, its batches, its failures.

The builder methods make the world (``cluster``, ``task_definition``, ``service``, ``deploy``, ``task``, ``stop`` …) and
return ARNs. There is no clock and no scheduler: a service starts no task by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.fake_aws.core import ACCOUNT, REGION, Fault, Params, page

PLACE = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
PAGE = 100
TASKS_A_CALL = 100
SERVICES_A_CALL = 10
REVISIONS_A_CALL = 20
DEPLOYMENTS_A_CALL = 20
_BRIEF = ("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt", "status")

Images = str | Sequence[str] | Mapping[str, str]
"""The images of a task definition: of one container ``app``, of ``app``, ``sidecar-1`` …, or by container name."""


def by_digest(image: str) -> str | None:
    """The digest that an image is named by; tags are not resolved."""
    return image.partition("@")[2] or None


class FakeEcs:
    """The ECS of one account and region.

    Attributes:
        resolve: gives the digest of an image reference when a task or a service revision is made; None when it cannot
            be resolved. A test that has a registry sets it.
        clusters, tasks, services, revisions, deployments, task_definitions: what there is, by ARN, in AWS's field
            names. Tests may change the entries.
        aged_out: tasks that are still listed and that ``DescribeTasks`` reports as MISSING.
    """

    name = "ecs"

    def __init__(self, resolve: Callable[[str], str | None] = by_digest) -> None:
        self.resolve = resolve
        self.clusters: list[str] = []
        self.task_definitions: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.aged_out: set[str] = set()
        self._number = 0

    # ------------------------------------------------------------ the world

    def cluster(self, name: str = "main") -> str:
        """A new cluster."""
        arn = f"{PLACE}:cluster/{name}"
        self.clusters.append(arn)
        return arn

    def task_definition(self, family: str, images: Images) -> str:
        """A new ACTIVE revision of a family."""
        named = {"app": images} if isinstance(images, str) else images
        if not isinstance(named, Mapping):
            named = {"app" if number == 0 else f"sidecar-{number}": image for number, image in enumerate(named)}
        revision = 1 + max((t["revision"] for t in self.task_definitions.values() if t["family"] == family), default=0)
        arn = f"{PLACE}:task-definition/{family}:{revision}"
        self.task_definitions[arn] = {
            "taskDefinitionArn": arn,
            "family": family,
            "revision": revision,
            "status": "ACTIVE",
            "containerDefinitions": [{"name": name, "image": image} for name, image in named.items()],
        }
        return arn

    def deregister(self, task_definition: str) -> None:
        """Makes a revision INACTIVE; it can still be described."""
        self.task_definitions[task_definition]["status"] = "INACTIVE"

    def delete(self, task_definition: str) -> None:
        """Takes a revision away."""
        del self.task_definitions[task_definition]

    def service(
        self,
        cluster: str,
        name: str,
        task_definition: str,
        *,
        desired: int = 1,
        digests: Mapping[str, str] | None = None,
        described: bool = True,
    ) -> str:
        """A service whose first deployment has succeeded.

        Args:
            cluster: its cluster.
            name: its name.
            task_definition: what it runs.
            desired: how many tasks.
            digests: what ECS resolved each container's image to; by default what ``resolve`` says.
            described: whether its revision can be described; not if it is from before October 25, 2024.
        """
        arn = f"{PLACE}:service/{cluster.rpartition('/')[2]}/{name}"
        self.services[arn] = {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": cluster,
            "status": "ACTIVE",
            "desiredCount": desired,
            "taskDefinition": task_definition,
            "deployments": [],
            "deploymentController": {"type": "ECS"},
        }
        self.deploy(arn, task_definition, digests=digests, described=described)
        self.succeed(arn)
        return arn

    def external_service(
        self, cluster: str, name: str, task_sets: Iterable[str], *, controller: str = "EXTERNAL"
    ) -> str:
        """A service under CodeDeploy or an external controller: task sets, and no revisions."""
        arn = f"{PLACE}:service/{cluster.rpartition('/')[2]}/{name}"
        self.services[arn] = {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": cluster,
            "status": "ACTIVE",
            "desiredCount": 1,
            "deployments": [],
            "taskSets": [
                {"id": f"ecs-svc/{number}", "status": "ACTIVE", "taskDefinition": definition}
                for number, definition in enumerate(task_sets)
            ],
            "deploymentController": {"type": controller},
        }
        return arn

    def deploy(
        self,
        service: str,
        task_definition: str,
        *,
        digests: Mapping[str, str] | None = None,
        described: bool = True,
    ) -> str:
        """Begins a deployment, and returns the new service revision. :meth:`succeed` or :meth:`roll_back` ends it."""
        entry = self.services[service]
        revision = self._revision(entry, task_definition, digests)
        if described:
            self.revisions[revision["serviceRevisionArn"]] = revision
        self._number += 1
        deployment = {
            "serviceDeploymentArn": service.replace(":service/", ":service-deployment/") + f"/{self._number}",
            "serviceArn": service,
            "clusterArn": entry["clusterArn"],
            "status": "IN_PROGRESS",
            "sourceServiceRevisions": [dict(each) for each in entry.get("currentServiceRevisions", [])],
            "targetServiceRevision": {"arn": revision["serviceRevisionArn"]},
        }
        self.deployments[deployment["serviceDeploymentArn"]] = deployment
        entry["currentServiceDeployment"] = deployment["serviceDeploymentArn"]
        entry["currentServiceRevisions"] = [
            {"arn": revision["serviceRevisionArn"]},
            *entry.get("currentServiceRevisions", []),
        ]
        entry["taskDefinition"] = task_definition
        former = [{**each, "status": "ACTIVE"} for each in entry["deployments"]]
        entry["deployments"] = [{"id": "primary", "status": "PRIMARY", "taskDefinition": task_definition}, *former]
        return str(revision["serviceRevisionArn"])

    def succeed(self, service: str) -> None:
        """Ends the deployment: only its target is left."""
        entry = self.services[service]
        self.deployments[entry["currentServiceDeployment"]]["status"] = "SUCCESSFUL"
        entry["currentServiceRevisions"] = entry["currentServiceRevisions"][:1]
        entry["deployments"] = entry["deployments"][:1]

    def roll_back(self, service: str) -> None:
        """Ends the deployment by going back to the revision that it came from."""
        entry = self.services[service]
        deployment = self.deployments[entry["currentServiceDeployment"]]
        back = deployment["sourceServiceRevisions"][0]["arn"]
        deployment |= {"status": "ROLLBACK_SUCCESSFUL", "rollback": {"serviceRevisionArn": back}}
        entry["currentServiceRevisions"] = entry["currentServiceRevisions"][1:]
        entry["deployments"] = [{**entry["deployments"][1], "status": "PRIMARY"}]
        entry["taskDefinition"] = entry["deployments"][0]["taskDefinition"]

    def end(self, service: str, status: str, *, current: Iterable[str]) -> None:
        """Ends the deployment in another way, and the service has these revisions then."""
        entry = self.services[service]
        self.deployments[entry["currentServiceDeployment"]]["status"] = status
        entry["currentServiceRevisions"] = [{"arn": revision} for revision in current]

    def task(
        self,
        cluster: str,
        task_definition: str,
        *,
        digests: Mapping[str, str] | None = None,
        status: str = "RUNNING",
        service: str | None = None,
    ) -> str:
        """A task.

        Args:
            cluster: where it runs.
            task_definition: what it runs.
            digests: what each container pulled; by default what ``resolve`` says, none while PENDING.
            status: its last status.
            service: the name of the service that it belongs to; by default it was run by itself.
        """
        self._number += 1
        arn = f"{PLACE}:task/{cluster.rpartition('/')[2]}/{self._number:032x}"
        containers = []
        for definition in self.task_definitions[task_definition]["containerDefinitions"]:
            container = {"name": definition["name"], "image": definition["image"], "lastStatus": status}
            digest = digests.get(definition["name"]) if digests is not None else self.resolve(definition["image"])
            if digest and status != "PENDING":
                container["imageDigest"] = digest
            containers.append(container)
        self.tasks[arn] = {
            "taskArn": arn,
            "clusterArn": cluster,
            "taskDefinitionArn": task_definition,
            "group": f"service:{service}" if service else f"family:{self.task_definitions[task_definition]['family']}",
            "desiredStatus": "RUNNING",
            "lastStatus": status,
            "containers": containers,
        }
        return arn

    def stop(self, task: str) -> None:
        """Stops a task; it is still listed and described."""
        self.tasks[task] |= {"desiredStatus": "STOPPED", "lastStatus": "STOPPED"}

    def age_out(self, task: str) -> None:
        """A stopped task that is still in the list, and can no more be described."""
        self.aged_out.add(task)

    def forget(self, task: str) -> None:
        """Takes a task away."""
        del self.tasks[task]
        self.aged_out.discard(task)

    def _revision(self, service: Params, task_definition: str, digests: Mapping[str, str] | None) -> dict[str, Any]:
        self._number += 1
        images = []
        for definition in self.task_definitions[task_definition]["containerDefinitions"]:
            image = {"containerName": definition["name"], "image": definition["image"]}
            digest = digests.get(definition["name"]) if digests is not None else self.resolve(definition["image"])
            images.append({**image, "imageDigest": digest} if digest else image)
        place = service["serviceArn"].replace(":service/", ":service-revision/")
        return {
            "serviceRevisionArn": f"{place}/{self._number}",
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "taskDefinition": task_definition,
            "containerImages": images,
        }

    # ------------------------------------------------------------ the API

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        operations: dict[str, Callable[[Params], dict[str, Any]]] = {
            "ListClusters": lambda params: _listed("clusterArns", self.clusters, params),
            "ListTasks": self._list_tasks,
            "DescribeTasks": self._describe_tasks,
            "ListServices": self._list_services,
            "DescribeServices": self._describe_services,
            "ListServiceDeployments": self._list_deployments,
            "DescribeServiceDeployments": self._describe_deployments,
            "DescribeServiceRevisions": self._describe_revisions,
            "ListTaskDefinitionFamilies": self._list_families,
            "ListTaskDefinitions": self._list_task_definitions,
            "DescribeTaskDefinition": self._describe_task_definition,
        }
        return operations[operation](params)

    def _in_cluster(self, params: Params) -> str:
        named = params.get("cluster", "default")
        for arn in self.clusters:
            if named in (arn, arn.rpartition("/")[2]):
                return arn
        raise Fault("ClusterNotFoundException", "Cluster not found.")

    def _list_tasks(self, params: Params) -> dict[str, Any]:
        cluster, status = self._in_cluster(params), params.get("desiredStatus", "RUNNING")
        arns = [a for a, t in self.tasks.items() if t["clusterArn"] == cluster and t["desiredStatus"] == status]
        if "serviceName" in params:
            arns = [one for one in arns if self.tasks[one]["group"] == f"service:{params['serviceName']}"]
        return _listed("taskArns", arns, params)

    def _describe_tasks(self, params: Params) -> dict[str, Any]:
        cluster = self._in_cluster(params)
        there = {a: t for a, t in self.tasks.items() if t["clusterArn"] == cluster and a not in self.aged_out}
        return _described("tasks", there, params["tasks"], TASKS_A_CALL)

    def _list_services(self, params: Params) -> dict[str, Any]:
        cluster = self._in_cluster(params)
        arns = [a for a, s in self.services.items() if s["clusterArn"] == cluster and s["status"] == "ACTIVE"]
        return _listed("serviceArns", arns, params, default=10)

    def _describe_services(self, params: Params) -> dict[str, Any]:
        cluster = self._in_cluster(params)
        there = {arn: service for arn, service in self.services.items() if service["clusterArn"] == cluster}
        return _described("services", there, params["services"], SERVICES_A_CALL)

    def _list_deployments(self, params: Params) -> dict[str, Any]:
        """In the order in which they were made here; AWS promises none. A test sets the times of an entry."""
        cluster, named = self._in_cluster(params), params["service"]
        if not any(named in (arn, one["serviceName"]) for arn, one in self.services.items()):
            raise Fault("ServiceNotFoundException", "Service not found.")
        after, wanted = params.get("createdAt", {}).get("after", 0), params.get("status")
        found = [
            {
                **{key: value for key, value in one.items() if key in _BRIEF},
                "targetServiceRevisionArn": one["targetServiceRevision"]["arn"],
            }
            for one in self.deployments.values()
            if one["clusterArn"] == cluster
            and named in (one["serviceArn"], one["serviceArn"].rpartition("/")[2])
            and one.get("createdAt", 0) >= after
            and (wanted is None or one["status"] in wanted)
        ]
        size = params.get("maxResults", 20)
        if not 1 <= size <= PAGE:
            raise Fault("InvalidParameterException", f"maxResults must be from 1 to {PAGE}, got {size}")
        shown, rest = page(found, params, size=size)
        return {"serviceDeployments": shown, **rest}

    def _describe_deployments(self, params: Params) -> dict[str, Any]:
        """A deployment that names a revision from before October 25, 2024 fails, with the revision's ARN."""
        answer = _described("serviceDeployments", self.deployments, params["serviceDeploymentArns"], DEPLOYMENTS_A_CALL)
        fine = []
        for deployment in answer["serviceDeployments"]:
            named = [deployment["targetServiceRevision"], *deployment["sourceServiceRevisions"]]
            too_old = [each["arn"] for each in named if each["arn"] not in self.revisions]
            answer["failures"] += [{"arn": arn, "reason": "MISSING"} for arn in too_old]
            fine += [] if too_old else [deployment]
        return {**answer, "serviceDeployments": fine}

    def _describe_revisions(self, params: Params) -> dict[str, Any]:
        return _described("serviceRevisions", self.revisions, params["serviceRevisionArns"], REVISIONS_A_CALL)

    def _list_families(self, params: Params) -> dict[str, Any]:
        wanted = params.get("status", "ALL")
        active = {t["family"] for t in self.task_definitions.values() if t["status"] == "ACTIVE"}
        every = {t["family"] for t in self.task_definitions.values()}
        families = {"ACTIVE": active, "INACTIVE": every - active, "ALL": every}[wanted]
        prefix = params.get("familyPrefix", "")
        return _listed("families", sorted(f for f in families if f.startswith(prefix)), params)

    def _list_task_definitions(self, params: Params) -> dict[str, Any]:
        """``familyPrefix`` is the full name of a family here, as the documentation says, and no prefix."""
        family, status = params.get("familyPrefix"), params.get("status", "ACTIVE")
        there = [
            (t["family"], t["revision"], arn)
            for arn, t in self.task_definitions.items()
            if t["status"] == status and family in (None, t["family"])
        ]
        there.sort(reverse=params.get("sort", "ASC") == "DESC")
        return _listed("taskDefinitionArns", [arn for _, _, arn in there], params)

    def _describe_task_definition(self, params: Params) -> dict[str, Any]:
        named = params["taskDefinition"].removeprefix(f"{PLACE}:task-definition/")
        if ":" in named:
            found = self.task_definitions.get(f"{PLACE}:task-definition/{named}")
        else:
            of_family = [t for t in self.task_definitions.values() if t["family"] == named and t["status"] == "ACTIVE"]
            found = max(of_family, key=lambda t: int(t["revision"]), default=None)
        if found is None:
            raise Fault("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": found}


def _listed(key: str, items: list[str], params: Params, *, default: int = PAGE) -> dict[str, Any]:
    size = params.get("maxResults", default)
    if not 1 <= size <= PAGE:
        raise Fault("InvalidParameterException", f"maxResults must be from 1 to {PAGE}, got {size}")
    found, rest = page(items, params, size=size)
    return {key: found, **rest}


def _described(key: str, there: Mapping[str, Any], arns: Sequence[str], most: int) -> dict[str, Any]:
    if not 1 <= len(arns) <= most:
        raise Fault("InvalidParameterException", f"{key} must be from 1 to {most}, got {len(arns)}")
    return {
        key: [there[arn] for arn in arns if arn in there],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in there],
    }
