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

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

export function describeSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1_000))} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function describeMoment(iso: string): string {
  const moment = new Date(iso);
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? clock.format(moment) : `${day.format(moment)}, ${clock.format(moment)}`;
}

export function describeDay(iso: string): string {
  return day.format(new Date(iso));
}

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
