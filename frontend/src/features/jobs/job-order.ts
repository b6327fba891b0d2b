// Decides which of two states of the same job is newer, in whatever order they arrived.
import type { Job } from "@/api/types";

export function newerJob(known: Job, arrived: Job): Job {
  const difference =
    arrived.attempts - known.attempts ||
    stage(arrived) - stage(known) ||
    arrived.progress - known.progress;
  return difference < 0 ? known : arrived;
}

// The order within one attempt. The backend counts an attempt when work starts, so a job that waits again
// after a failure or a lost worker is newer than the failure, under the same number.
function stage({ status, started_at }: Job): number {
  if (status === "completed") return 4;
  // A retry clears started_at. Waiting and cancelled may alternate from here on; the last to arrive wins.
  if (started_at === null) return 3;
  if (status === "processing") return 0;
  return status === "cancelled" ? 2 : 1;
}
