// Which of two states of a job is the newer one.
import { expect, test } from "vitest";
import type { Job } from "@/api/types";
import { newerJob } from "@/features/jobs/job-order";
import { completed, makeJob, processing } from "../../samples";

const started_at = "2025-11-20T09:00:01Z";

// The longest story a job can have, state by state.
const story: [string, Job][] = [
  ["is queued", makeJob()],
  ["is taken by a worker", processing(0)],
  ["makes progress", processing(40)],
  ["loses its worker", makeJob({ attempts: 1, started_at })],
  ["is taken again", processing(0, { attempts: 2 })],
  ["makes progress again", processing(70, { attempts: 2 })],
  ["fails", processing(70, { attempts: 2, status: "failed" })],
  ["is tried again", makeJob({ attempts: 2 })],
  ["is taken a third time", processing(0, { attempts: 3 })],
  ["is cancelled while in work", processing(10, { attempts: 3, status: "cancelled" })],
  ["is tried again after that", makeJob({ attempts: 3 })],
  ["is taken a fourth time", processing(0, { attempts: 4 })],
  ["is completed", completed({ attempts: 4 })],
];

test.each(story.map(([name], index) => [name, index] as const))(
  "when it %s, no earlier state may replace that",
  (_, index) => {
    const [, now] = story[index] ?? [];
    for (const [, earlier] of story.slice(0, index)) {
      expect(newerJob(now as Job, earlier)).toBe(now);
      expect(newerJob(earlier, now as Job)).toBe(now);
    }
  },
);

test("a job cancelled before any work may wait again: the last state to arrive is shown", () => {
  const cancelled = makeJob({ status: "cancelled" });
  const waiting = makeJob();
  expect(newerJob(waiting, cancelled)).toBe(cancelled);
  expect(newerJob(cancelled, waiting)).toBe(waiting);
});

test("of two equal states the one that arrived last is kept", () => {
  const twin = processing(40);
  expect(newerJob(processing(40), twin)).toBe(twin);
});
