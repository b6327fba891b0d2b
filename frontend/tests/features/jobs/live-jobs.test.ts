// How listed pages and live news become one list.
import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import {
  type ListedPage,
  learnDeletion,
  learnJob,
  liveJobsQuery,
  mergeJobs,
} from "@/features/jobs/live-jobs";
import { completed, makeJob, processing } from "../../samples";

let queryClient: QueryClient;
let clock: number;

beforeEach(() => {
  queryClient = new QueryClient();
  clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
});

const live = () => queryClient.getQueryData(liveJobsQuery.queryKey) ?? {};
const statuses = (...pages: ListedPage[]) => mergeJobs(pages, live()).map((job) => job.status);
const ids = (...pages: ListedPage[]) => mergeJobs(pages, live()).map((job) => job.id);

function page(items: ListedPage["items"], requestedAt: number, next_cursor: string | null = null) {
  return { items, next_cursor, requestedAt };
}

test("an event that arrives before the answer to the POST is not undone by it", () => {
  learnJob(queryClient, processing(30));
  learnJob(queryClient, makeJob());
  expect(statuses()).toEqual(["processing"]);
});

test("a list that was asked for before an event does not undo it", () => {
  clock = 10;
  learnJob(queryClient, completed());
  expect(statuses(page([processing(50)], 5))).toEqual(["completed"]);
});

test("a list that was asked for after an event is newer than it", () => {
  clock = 10;
  learnJob(queryClient, makeJob({ status: "cancelled" }));
  expect(statuses(page([makeJob()], 20))).toEqual(["queued"]);
});

test("a deleted job does not come back with a late list or a late event", () => {
  learnDeletion(queryClient, makeJob().id);
  learnJob(queryClient, processing(50));
  expect(ids(page([makeJob()], -1))).toEqual([]);
});

test("a job made after the list was asked for is shown above it", () => {
  clock = 10;
  learnJob(queryClient, makeJob({ id: "3" }));
  expect(ids(page([makeJob({ id: "2" }), makeJob({ id: "1" })], 5))).toEqual(["3", "2", "1"]);
});

test("a job that a later list no longer holds is gone", () => {
  clock = 10;
  learnJob(queryClient, makeJob({ id: "3" }));
  expect(ids(page([makeJob({ id: "2" })], 20))).toEqual(["2"]);
});

test("news of a job on a page that is not loaded yet leave no gap in the list", () => {
  learnJob(queryClient, processing(50, { id: "1" }));
  expect(ids(page([makeJob({ id: "3" }), makeJob({ id: "2" })], -1, "2"))).toEqual(["3", "2"]);
});

test("a job that moved from one page to the next while they were loaded is shown once", () => {
  const first = page([makeJob({ id: "2" }), makeJob({ id: "1" })], 1, "1");
  expect(ids(first, page([makeJob({ id: "1" })], 2))).toEqual(["2", "1"]);
});
