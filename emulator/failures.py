"""The error entries of a failed export job: the four documented codes, with stacks one can learn from."""

from __future__ import annotations

from random import Random

from emulator.store.schema import PROFILE_UNION

GENERIC, STORAGE, SPARK, THROTTLED = "0100000003", "0090000009", "unknown", "0080000018"
CODES = (GENERIC, STORAGE, SPARK, THROTTLED)
WEIGHTS = (3, 4, 2, 1)

STACK = "com.emulated.profile.export"


def entries(code: str, *, job_id: int, rng: Random) -> list[dict[str, str]]:
    """What `errors` holds when a job fails with this code (platform.md §6); KeyError for an unknown one."""
    made = {GENERIC: _generic, STORAGE: _storage, SPARK: _spark, THROTTLED: _throttled}
    return made[code](job_id, rng)


def wrong_schema(dataset_id: str, schema_id: str) -> list[dict[str, str]]:
    """The target is not on the union schema: accepted at create, found when the export begins to write."""
    cause = f"dataset {dataset_id} is based on {schema_id}, expected {PROFILE_UNION}"
    frames = ["DatasetSink.validateSchema(DatasetSink.scala:96)", "ExportJob.openSink(ExportJob.scala:158)"]
    return [_entry(GENERIC, "Error in Export Job", _stack(f"UnsupportedSchemaException: {cause}", frames))]


def dataset_missing(dataset_id: str) -> list[dict[str, str]]:
    """The target was there at create and is gone."""
    frames = ["CatalogClient.dataset(CatalogClient.scala:61)", "ExportJob.openSink(ExportJob.scala:151)"]
    return _caused(f"DatasetNotFoundException: dataset {dataset_id} not found in the catalog", frames)


def never_evaluated(segment_id: str, name: str) -> list[dict[str, str]]:
    """There are no members to export: no segment job has run over this definition."""
    cause = (
        f"SegmentNotEvaluatedException: segment {segment_id} ({name}) has no evaluation; "
        "run a segment job first or set evaluationInfo.segmentation"
    )
    frames = [
        "SegmentMembershipReader.load(SegmentMembershipReader.scala:88)",
        "ProfileScan.prepare(ProfileScan.scala:207)",
        "ExportJob.run(ExportJob.scala:143)",
    ]
    return _caused(cause, frames)


def not_permitted(permission: str) -> list[dict[str, str]]:
    """The credential lost a permission after the create (platform.md §1.4 names it)."""
    frames = ["AccessControl.require(AccessControl.scala:44)", "ExportJob.run(ExportJob.scala:128)"]
    return _caused(f"AccessDeniedException: permission '{permission}' is missing", frames)


def not_written(job_id: int, reason: str) -> list[dict[str, str]]:
    """The storage refused; what it said is the cause."""
    path = f"adl://emulatedprofilesnapshot.azuredatalakestore.net/snapshot/{job_id}"
    frames = [
        "SnapshotWriter.commitPart(SnapshotWriter.scala:214)",
        "SnapshotWriter.write(SnapshotWriter.scala:160)",
    ]
    cause = f"WriteException: {reason}"
    return [
        _entry(STORAGE, f"Error writing profiles to output path '{path}'", _stack(cause, frames)),
        _entry(SPARK, "Job aborted.", _aborted(reason)),
    ]


def aborted(reason: str) -> list[dict[str, str]]:
    """The process that exported ended without a word, or its engine gave up."""
    return [_entry(SPARK, "Job aborted.", _aborted(reason))]


def _aborted(reason: str) -> str:
    return (
        "org.apache.spark.SparkException: Job aborted.\n"
        "\tat org.apache.spark.internal.io.SparkHadoopWriter.write(SparkHadoopWriter.scala:106)\n"
        f"\tat {STACK}.SnapshotWriter.write(SnapshotWriter.scala:160)\n"
        f"Caused by: {reason}\n"
        "\t... 12 more"
    )


def _caused(cause: str, frames: list[str]) -> list[dict[str, str]]:
    return [_entry(GENERIC, "Error in Export Job", _stack(cause, frames))]


def warning() -> list[dict[str, str]]:
    """What a job may carry although it succeeded (platform.md §2.6 item 10)."""
    frames = ["MetricsReporter.push(MetricsReporter.scala:71)", "ExportJob.finish(ExportJob.scala:301)"]
    return [
        _entry(
            GENERIC, "Error in Export Job", _stack("ReportingException: counters arrived late, kept", frames)
        )
    ]


def _generic(job_id: int, rng: Random) -> list[dict[str, str]]:
    frames = [
        f"SegmentMembershipReader.load(SegmentMembershipReader.scala:{rng.choice((88, 131))})",
        "ProfileScan.prepare(ProfileScan.scala:207)",
        "ExportJob.run(ExportJob.scala:143)",
    ]
    cause = f"ScanException: job {job_id}: no reply from the profile store within 300000 ms"
    return [_entry(GENERIC, "Error in Export Job", _stack(cause, frames))]


def _storage(job_id: int, rng: Random) -> list[dict[str, str]]:
    path = f"adl://emulatedprofilesnapshot.azuredatalakestore.net/snapshot/{job_id}"
    frames = [
        "SnapshotWriter.commitPart(SnapshotWriter.scala:214)",
        "SnapshotWriter.write(SnapshotWriter.scala:160)",
        "ExportJob.run(ExportJob.scala:149)",
    ]
    cause = f"WriteException: part-{rng.randrange(200):05d} of {path} was not accepted: 503 server busy"
    message = f"Error writing profiles to output path '{path}'"
    return [_entry(STORAGE, message, _stack(cause, frames)), *_spark(job_id, rng)]


def _spark(job_id: int, rng: Random) -> list[dict[str, str]]:
    stack = (
        "org.apache.spark.SparkException: Job aborted.\n"
        "\tat org.apache.spark.internal.io.SparkHadoopWriter.write(SparkHadoopWriter.scala:106)\n"
        f"\tat {STACK}.SnapshotWriter.write(SnapshotWriter.scala:160)\n"
        f"Caused by: org.apache.spark.SparkException: Task {rng.randrange(400)} in stage "
        f"{rng.randrange(3, 9)}.0 failed 4 times, executor {rng.randrange(1, 40)} lost\n"
        "\t... 12 more"
    )
    return [_entry(SPARK, "Job aborted.", stack)]


def _throttled(job_id: int, rng: Random) -> list[dict[str, str]]:
    frames = ["DocumentStore.query(DocumentStore.java:402)", "ProfileScan.next(ProfileScan.scala:266)"]
    cause = f"DocumentClientException: Request rate is large, activity {rng.getrandbits(64):016x}, status 429"
    return [_entry(THROTTLED, '"Request rate is large"', _stack(cause, frames))]


def _stack(cause: str, frames: list[str]) -> str:
    return "\n".join([f"{STACK}.{cause}", *(f"\tat {STACK}.{frame}" for frame in frames), "\t... 9 more"])


def _entry(code: str, message: str, call_stack: str) -> dict[str, str]:
    return {"code": code, "msg": message, "callStack": call_stack}
