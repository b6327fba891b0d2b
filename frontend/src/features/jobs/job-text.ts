// Texts for the status and the duration of a job.
import type { Job, JobStatus } from "@/api/types";

export const STATUS_NAMES: Record<JobStatus, string> = {
  queued: "Waiting",
  processing: "Processing",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function describeDuration({ started_at, finished_at }: Job): string | null {
  if (!started_at || !finished_at) return null;
  const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1_000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
