"""Errors of requests about uploads and jobs."""

import math
from datetime import timedelta

from backend.errors import AppError, Conflict, InvalidInput, NotFound, Unavailable


class JobNotFound(NotFound):
    """The job does not exist or belongs to another user. The response does not say which."""

    code = "job_not_found"
    detail = "This job does not exist. Reload the list of your jobs."


class ResultNotFound(NotFound):
    code = "result_not_found"
    detail = "This job has no result of this name. Reload the job to see its results."


class UploadUsed(Conflict):
    code = "upload_used"
    detail = "This upload already has a job. Upload the file again for a new job."


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used with another request. Use a new key for a new job."


class JobNotCancellable(Conflict):
    code = "job_finished"
    detail = "Only a queued or processing job can be cancelled. This job has finished; you can delete it."


class JobNotRetryable(Conflict):
    code = "job_not_retryable"
    detail = "Only a failed or cancelled job can be retried. Reload the job to see its status."


class UnsupportedType(InvalidInput):
    code = "unsupported_type"


class FileTooLarge(InvalidInput):
    code = "file_too_large"


class UploadNotFound(NotFound):
    code = "upload_not_found"
    detail = "This upload does not exist or has expired. Create a new one."


class UploadIncomplete(InvalidInput):
    code = "upload_incomplete"
    detail = "The file is not in storage. Send it to the upload's URL first."


class UploadMismatch(InvalidInput):
    code = "upload_size_mismatch"


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    detail = "The file storage is unavailable. Try again in a moment."


class TooManyJobsRunning(AppError):
    status = 429
    code = "quota_jobs_running"
    retry_after = 30


class TooManyJobsToday(AppError):
    status = 429
    code = "quota_jobs_per_day"

    def __init__(self, quota: int, wait: timedelta) -> None:
        super().__init__(f"You can create at most {quota} jobs in 24 hours. Try again later.")
        self.retry_after = math.ceil(wait.total_seconds())


class TooManyBytes(Conflict):
    """The file exceeds the account's storage quota. Waiting does not help, deleting jobs does."""

    code = "quota_bytes"
