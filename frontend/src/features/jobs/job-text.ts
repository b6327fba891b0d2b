// The words and numbers a job is described with.
import type { Job, JobStatus, Recipe } from "@/api/types";

export const PRESETS: Record<Recipe["preset"], { name: string; explanation: string }> = {
  web: { name: "Web shop", explanation: "WebP 1600, 800 and 320 wide, and an AVIF of 1600." },
  social: { name: "Social", explanation: "Square, link and story crops that follow the subject." },
  print: { name: "Print", explanation: "A 300 dpi JPEG, long side 3600, colours untouched." },
};

export const STATUS_NAMES: Record<JobStatus, string> = {
  queued: "Waiting",
  processing: "In work",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function describeRecipe({ preset, enhance, watermark }: Recipe): string {
  return [PRESETS[preset].name, enhance && "enhanced", watermark && `“${watermark}”`]
    .filter(Boolean)
    .join(", ");
}

export function describeDuration({ started_at, finished_at }: Job): string | null {
  if (!started_at || !finished_at) return null;
  const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1_000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
