"""Rows for tests, made the way the product makes them: records go through `jobs.sync`."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import Connection, ExportJob, Membership, Role, Sandbox, Sealed
from jobs.sync import record
from tests.remote import Remote

PASSWORD = "correct horse battery"
_ids = itertools.count(1000)


def user(name: str = "ana", **fields: Any) -> User:
    return User.objects.create_user(username=name, password=PASSWORD, **fields)


def superuser(name: str = "root") -> User:
    return User.objects.create_superuser(username=name, password=PASSWORD)


def connection(name: str = "acme", **fields: Any) -> Connection:
    given = {
        "org_id": "ORG@AdobeOrg",
        "client_id": "client",
        "client_secret": Sealed.seal("s3cret"),
        "platform_url": "http://127.0.0.1:9",
        "token_url": "http://127.0.0.1:9/ims/token/v3",
        "requests_per_second": 1000,
        "created_at": timezone.now(),
    }
    return Connection.objects.create(name=name, **(given | fields))


def sandbox(of: Connection | None = None, name: str = "prod", **fields: Any) -> Sandbox:
    return Sandbox.objects.create(connection=of or connection(), name=name, **fields)


def member(person: User, of: Connection, role: Role = Role.VIEWER) -> Membership:
    return Membership.objects.create(user=person, connection=of, role=role)


def raw(**fields: Any) -> dict[str, Any]:
    """A record as the platform would send it (platform.md §2.3); keywords replace top-level members."""
    number = next(_ids)
    created = int(timezone.now().timestamp() * 1000) - 60_000
    given: dict[str, Any] = {
        "id": number,
        "jobType": "BATCH",
        "status": "PROCESSING",
        "profileInstanceId": "ups",
        "imsOrgId": "ORG@AdobeOrg",
        "schema": {"name": "_xdm.context.profile"},
        "mergePolicy": {"id": "MP1", "version": 1},
        "fields": "identityMap,person.name",
        "filter": {"segments": [{"segmentId": "SEG1", "segmentNs": "ups", "status": ["realized"]}]},
        "destination": {"datasetId": "DS1", "segmentPerBatch": False, "batchId": f"BATCH{number}"},
        "computeGatewayJobId": {"exportJob": f"compute-{number}"},
        "metrics": {"totalTime": {"startTimeInMs": created}},
        "creationTime": created,
        "updateTime": created + 5_000,
        "requestId": f"request-{number}",
    }
    return given | fields


def failed(**fields: Any) -> dict[str, Any]:
    """A failed record with the two entries of the guides' job 722."""
    errors = [
        {
            "code": "0090000009",
            "msg": "Error writing profiles to output path 'adl://store/snapshot/722'",
            "callStack": "a.b.Logger",
        },
        {
            "code": "unknown",
            "msg": "Job aborted.",
            "callStack": "org.apache.spark.SparkException: Job aborted.",
        },
    ]
    return raw(**({"status": "FAILED", "errors": errors} | fields))


def job(place: Sandbox, *, as_of: datetime | None = None, **fields: Any) -> ExportJob:
    """A job stored from a record, as it was at `as_of`."""
    sent = raw(**fields)
    record(place, [read_job(sent)], as_of=as_of or timezone.now())
    return place.jobs.get(remote_id=str(sent["id"]))


def kept(place: Sandbox, sent: dict[str, Any]) -> ExportJob:
    """The job of a record that a platform really sent."""
    record(place, [read_job(sent)], as_of=timezone.now())
    return place.jobs.get(remote_id=str(sent["id"]))


def failed_job(place: Sandbox, *, as_of: datetime | None = None, **fields: Any) -> ExportJob:
    return job(place, as_of=as_of, **failed(**fields))


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def connected(remote: Remote, name: str = "demo", **fields: Any) -> Sandbox:
    """The sandbox of an emulator's credentials, ready to be watched."""
    known = remote.credentials
    given = {
        "org_id": known["org_id"],
        "client_id": known["client_id"],
        "client_secret": Sealed.seal(known["client_secret"]),
        "platform_url": known["platform_url"],
        "token_url": known["token_url"],
    }
    now = timezone.now()
    place = connection(name, **(given | fields))
    return sandbox(place, known["sandbox"], next_discovery_at=now, next_catalog_at=now)
