"""Why jobs fail: the failure codes of the application, and the message for each.

For a file that it can't process, the pipeline has its own code and message (`BadInput`), stored in the job's row.
"""

from enum import StrEnum

UNKNOWN_FAILURE = "An error occurred while this file was processed. You can try again."


class Failure(StrEnum):
    WORKER_LOST = "worker_lost"
    TIMED_OUT = "timed_out"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    ORIGINAL_MISSING = "original_missing"
    ORIGINAL_CHANGED = "original_changed"
    INTERNAL = "internal_error"


MESSAGES: dict[str, str] = {
    Failure.WORKER_LOST: "Processing of this file stopped several times. You can try again.",
    Failure.TIMED_OUT: "This file took too long to process. Try a smaller file.",
    Failure.STORAGE_UNAVAILABLE: "The file storage was unavailable for too long. You can try again.",
    Failure.ORIGINAL_MISSING: "The file is no longer in storage. Please upload it again.",
    Failure.ORIGINAL_CHANGED: "The file in storage has changed since its upload. Please upload it again.",
    Failure.INTERNAL: UNKNOWN_FAILURE,
}
