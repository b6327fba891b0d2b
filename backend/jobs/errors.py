"""What can be wrong with a request about uploads and jobs."""

import math
from datetime import timedelta

from backend.errors import AppError, Conflict, InvalidInput, NotFound, Unavailable


class JobNotFound(NotFound):
    """The job does not exist, or is somebody else's, which is not told apart."""

    code = "job_not_found"
    detail = "There is no such job."


class ResultNotFound(NotFound):
    """The job has no result of this name."""

    code = "result_not_found"
    detail = "This job has no such result."


class UploadUsed(Conflict):
    """One upload makes one job."""

    code = "upload_used"
    detail = "A job was made of this upload already."


class IdempotencyKeyReused(Conflict):
    """The key was seen with another request."""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key belongs to another request. Use a new one for a new job."


class JobNotCancellable(Conflict):
    """The job has ended."""

    code = "job_finished"
    detail = "Only a job that waits or runs can be cancelled."


class JobNotRetryable(Conflict):
    """The job is not failed or cancelled."""

    code = "job_not_retryable"
    detail = "Only a failed or cancelled job can be tried again."


class UnsupportedType(InvalidInput):
    """The pipeline reads no files of this type."""

    code = "unsupported_type"


class FileTooLarge(InvalidInput):
    """The file is over MAX_UPLOAD_BYTES."""

    code = "file_too_large"


class UploadNotFound(NotFound):
    """The upload id is unknown, another user's, or past its time."""

    code = "upload_not_found"
    detail = "There is no such upload, or its time is over. Ask for a new one."


class UploadIncomplete(InvalidInput):
    """A job was asked for before its file was sent."""

    code = "upload_incomplete"
    detail = "The file has not arrived in storage. Send it to the upload's URL first."


class UploadMismatch(InvalidInput):
    """The file in storage is not as long as the one that was announced."""

    code = "upload_size_mismatch"


class StorageUnavailable(Unavailable):
    """Object storage did not answer."""

    code = "storage_unavailable"
    detail = "The file storage does not answer. Try again in a moment."


class TooManyJobsRunning(AppError):
    """The account has as many unfinished jobs as it may; one that ends makes room."""

    status = 429
    code = "quota_jobs_running"
    retry_after = 30


class TooManyJobsToday(AppError):
    """The account made as many jobs as it may in 24 hours."""

    status = 429
    code = "quota_jobs_per_day"

    def __init__(self, quota: int, wait: timedelta) -> None:
        super().__init__(f"At most {quota} jobs may be made in 24 hours. Come back later.")
        self.retry_after = math.ceil(wait.total_seconds())


class TooManyBytes(Conflict):
    """The file does not fit beside what the account stores; waiting does not help, deleting does."""

    code = "quota_bytes"
