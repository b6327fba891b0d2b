// The upload queue: its state and its reducer.
import type { Recipe } from "@/api/types";

export interface Upload {
  // Also the Idempotency-Key of the request that creates the job.
  id: string;
  file: File;
  contentType: string;
  recipe: Recipe;
  phase: "waiting" | "sending" | "starting" | "failed" | "refused";
  sent: number;
  uploadId: string | null;
  error: unknown;
}

type Change =
  | { do: "add"; uploads: Upload[] }
  | { do: "update"; id: string; with: Partial<Upload> }
  | { do: "remove"; id: string };

const MAX_PARALLEL = 3;

export function changeUploads(uploads: Upload[], change: Change): Upload[] {
  switch (change.do) {
    case "add":
      return [...uploads, ...change.uploads];
    case "update":
      return uploads.map((it) => (it.id === change.id ? { ...it, ...change.with } : it));
    case "remove":
      return uploads.filter((it) => it.id !== change.id);
  }
}

export function nextUploads(uploads: Upload[]): Upload[] {
  const busy = uploads.filter((it) => it.phase === "sending" || it.phase === "starting").length;
  return uploads.filter((it) => it.phase === "waiting").slice(0, Math.max(0, MAX_PARALLEL - busy));
}
