// Sample responses of the API: configuration, accounts and jobs.
import { readFileSync } from "node:fs";
import type { Account, Config, Job, Result } from "@/api/types";
import { firstRecipe } from "@/features/jobs/recipe";

const { schemas } = JSON.parse(readFileSync("openapi.json", "utf8")).components;

export const config: Config = {
  app_name: "Test Yard",
  uploads: {
    max_bytes: 50_000_000,
    accepted_types: [
      { content_type: "image/jpeg", name: "JPEG", extensions: [".jpg", ".jpeg"] },
      { content_type: "image/png", name: "PNG", extensions: [".png"] },
      { content_type: "image/tiff", name: "TIFF", extensions: [".tif", ".tiff"] },
    ],
  },
  recipe: schemas.Recipe,
  accounts: {
    password_min_length: 10,
    password_max_length: 128,
    name_max_length: 100,
  },
};

export const ada: Account = {
  id: "0199aaaa-0000-7000-8000-000000000001",
  email: "ada@example.com",
  name: "Ada",
  created_at: "2025-11-20T08:00:00Z",
  email_verified: true,
  has_password: true,
  google: false,
  mail_when_finished: false,
  is_admin: false,
};

export function makeJob(changes: Partial<Job> = {}): Job {
  return {
    id: "0199bbbb-0000-7000-8000-000000000001",
    status: "queued",
    progress: 0,
    recipe: { ...firstRecipe(config.recipe) },
    original: {
      filename: "mug.jpg",
      content_type: "image/jpeg",
      size: 52_000,
      facts: {},
    },
    results: [],
    failure: null,
    attempts: 0,
    created_at: "2025-11-20T09:00:00Z",
    started_at: null,
    finished_at: null,
    expires_at: null,
    ...changes,
  };
}

export function processing(progress: number, changes: Partial<Job> = {}): Job {
  const started_at = "2025-11-20T09:00:01Z";
  return makeJob({ status: "processing", attempts: 1, started_at, progress, ...changes });
}

export function completed(changes: Partial<Job> = {}): Job {
  return processing(100, {
    status: "completed",
    results: [makeResult()],
    finished_at: "2025-11-20T09:00:03.500Z",
    expires_at: "2025-12-20T09:00:03Z",
    ...changes,
  });
}

export function makeResult(changes: Partial<Result> = {}): Result {
  const url = "/api/jobs/0199bbbb-0000-7000-8000-000000000001/results/web-320.webp";
  return {
    name: "web-320.webp",
    label: "Small",
    content_type: "image/webp",
    size: 9_400,
    facts: {},
    url,
    ...changes,
  };
}

export function makeFile(name = "mug.jpg", type = "image/jpeg"): File {
  return new File(["the bytes of a file"], name, { type });
}
