"""Our memory: what we know of the platform's jobs and of the people who watch them."""

from jobs.models.activity import Activity, Verb
from jobs.models.api_token import ApiToken
from jobs.models.catalog import CatalogEntry, EntryKind
from jobs.models.connection import Connection, Label
from jobs.models.failure import FailureSignature, JobError
from jobs.models.job import ExportJob, IdentifierKind, JobIdentifier
from jobs.models.launch import Launch, LaunchState
from jobs.models.membership import Membership, Role
from jobs.models.record import JobRecord
from jobs.models.sandbox import Sandbox
from jobs.models.sealed import Sealed, SealedError
from jobs.models.snapshot import JobSnapshot
from jobs.models.tally import JobTally, OutcomeTally

__all__ = [
    "Activity",
    "ApiToken",
    "CatalogEntry",
    "Connection",
    "EntryKind",
    "ExportJob",
    "FailureSignature",
    "IdentifierKind",
    "JobError",
    "JobIdentifier",
    "JobRecord",
    "JobSnapshot",
    "JobTally",
    "Label",
    "Launch",
    "LaunchState",
    "Membership",
    "OutcomeTally",
    "Role",
    "Sandbox",
    "Sealed",
    "SealedError",
    "Verb",
]
