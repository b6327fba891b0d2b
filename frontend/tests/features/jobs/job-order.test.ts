// Which of two snapshots of a job is newer.
import { expect, test } from "vitest";
import type { Job } from "@/api/types";
import { newerJob } from "@/features/jobs/job-order";
import { completed, makeJob, processing } from "../../samples";

const started_at = "2025-11-20T09:00:01Z";

// All snapshots of a job with every kind of transition, in order.
const history: [string, Job][] = [
  ["is queued", makeJob()],
  ["is started by a worker", processing(0)],
  ["makes progress", processing(40)],
  ["loses its worker", makeJob({ attempts: 1, started_at })],
  ["is started again", processing(0, { attempts: 2 })],
  ["makes progress again", processing(70, { attempts: 2 })],
  ["fails", processing(70, { attempts: 2, status: "failed" })],
  ["is retried", makeJob({ attempts: 2 })],
  ["is started a third time", processing(0, { attempts: 3 })],
  ["is cancelled while processing", processing(10, { attempts: 3, status: "cancelled" })],
  ["is retried after that", makeJob({ attempts: 3 })],
  ["is started a fourth time", processing(0, { attempts: 4 })],
  ["is completed", completed({ attempts: 4 })],
];

test.each(history.map(([name], index) => [name, index] as const))(
  "when it %s, no earlier snapshot replaces it",
  (_, index) => {
    const [, now] = history[index] ?? [];
    for (const [, earlier] of history.slice(0, index)) {
      expect(newerJob(now as Job, earlier)).toBe(now);
      expect(newerJob(earlier, now as Job)).toBe(now);
    }
  },
);

test("a job cancelled before processing may wait again, so the last snapshot is used", () => {
  const cancelled = makeJob({ status: "cancelled" });
  const waiting = makeJob();
  expect(newerJob(waiting, cancelled)).toBe(cancelled);
  expect(newerJob(cancelled, waiting)).toBe(waiting);
});

test("of two equal snapshots the last one is kept", () => {
  const equal = processing(40);
  expect(newerJob(processing(40), equal)).toBe(equal);
});
