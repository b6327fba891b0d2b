// Decides which of two snapshots of a job is newer, in any order of arrival.
import type { Job } from "@/api/types";

export function newerJob(known: Job, arrived: Job): Job {
  const difference =
    arrived.attempts - known.attempts ||
    stage(arrived) - stage(known) ||
    arrived.progress - known.progress;
  return difference < 0 ? known : arrived;
}

// The order within one attempt. The backend counts an attempt when processing starts. So a job queued again
// after a failure or a lost worker has the same number and is newer than the failure.
function stage({ status, started_at }: Job): number {
  if (status === "completed") return 4;
  // A retry clears started_at. The job may then be queued and cancelled repeatedly; the last to arrive wins.
  if (started_at === null) return 3;
  if (status === "processing") return 0;
  return status === "cancelled" ? 2 : 1;
}
