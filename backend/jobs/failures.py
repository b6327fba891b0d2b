"""Why jobs fail: the codes of failures that the application finds, and the sentence a user reads for each.

For a file it can't use, the pipeline gives a code and a sentence of its own (`BadInput`), which are stored in the row.
"""

from enum import StrEnum

UNKNOWN_FAILURE = "Something went wrong while this file was processed."


class Failure(StrEnum):
    """Failures that the application finds."""

    WORKER_LOST = "worker_lost"
    TIMED_OUT = "timed_out"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    ORIGINAL_MISSING = "original_missing"
    ORIGINAL_CHANGED = "original_changed"
    INTERNAL = "internal_error"


MESSAGES: dict[str, str] = {
    Failure.WORKER_LOST: "The process that worked on this file stopped several times. You can try again.",
    Failure.TIMED_OUT: "This file took too long to process.",
    Failure.STORAGE_UNAVAILABLE: "The file storage was unavailable for too long. You can try again.",
    Failure.ORIGINAL_MISSING: "The file is no longer in storage. Please upload it again.",
    Failure.ORIGINAL_CHANGED: "The file in storage is not the one that was announced. Please upload it again.",
    Failure.INTERNAL: UNKNOWN_FAILURE,
}
