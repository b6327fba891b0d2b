"""Why jobs fail: stable codes, and the sentence a user reads for each."""

from enum import StrEnum

UNKNOWN_FAILURE = "Something went wrong while this photo was processed."


class Failure(StrEnum):
    """Failures the application itself finds; the pipeline adds its own codes for bad photos."""

    WORKER_LOST = "worker_lost"
    TIMED_OUT = "timed_out"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    ORIGINAL_MISSING = "original_missing"
    ORIGINAL_CHANGED = "original_changed"
    INTERNAL = "internal_error"


MESSAGES: dict[str, str] = {
    Failure.WORKER_LOST: "The machine working on this photo was lost several times. You can try again.",
    Failure.TIMED_OUT: "This photo took too long to process.",
    Failure.STORAGE_UNAVAILABLE: "The file storage did not answer for a long while. You can try again.",
    Failure.ORIGINAL_MISSING: "The photo is no longer in storage. Please upload it again.",
    Failure.ORIGINAL_CHANGED: "The file in storage is not the one that was announced. Please upload it again.",
    Failure.INTERNAL: UNKNOWN_FAILURE,
    "not_an_image": "This file is not a photo we can read.",
    "truncated": "This photo is damaged or incomplete. Please upload it again.",
    "too_many_pixels": "This photo has too many pixels.",
}


def failure_message(code: str) -> str:
    """Return the sentence for a code."""
    return MESSAGES.get(code, UNKNOWN_FAILURE)
