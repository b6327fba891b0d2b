// The merge of listed pages and live updates.
import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import {
  type ListedPage,
  liveJobsQuery,
  mergeJobs,
  saveDeletion,
  saveJob,
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

test("an event that arrives before the POST response is not overwritten by it", () => {
  saveJob(queryClient, processing(30));
  saveJob(queryClient, makeJob());
  expect(statuses()).toEqual(["processing"]);
});

test("a list requested before an event does not overwrite it", () => {
  clock = 10;
  saveJob(queryClient, completed());
  expect(statuses(page([processing(50)], 5))).toEqual(["completed"]);
});

test("a list requested after an event is newer than it", () => {
  clock = 10;
  saveJob(queryClient, makeJob({ status: "cancelled" }));
  expect(statuses(page([makeJob()], 20))).toEqual(["queued"]);
});

test("a deleted job is not restored by a late list or a late event", () => {
  saveDeletion(queryClient, makeJob().id);
  saveJob(queryClient, processing(50));
  expect(ids(page([makeJob()], -1))).toEqual([]);
});

test("a job created after the list request is shown above the list", () => {
  clock = 10;
  saveJob(queryClient, makeJob({ id: "3" }));
  expect(ids(page([makeJob({ id: "2" }), makeJob({ id: "1" })], 5))).toEqual(["3", "2", "1"]);
});

test("a job that is missing in a later list is removed", () => {
  clock = 10;
  saveJob(queryClient, makeJob({ id: "3" }));
  expect(ids(page([makeJob({ id: "2" })], 20))).toEqual(["2"]);
});

test("an update of a job on a page not loaded yet does not show that job", () => {
  saveJob(queryClient, processing(50, { id: "1" }));
  expect(ids(page([makeJob({ id: "3" }), makeJob({ id: "2" })], -1, "2"))).toEqual(["3", "2"]);
});

test("a job that moved to the next page during loading is shown once", () => {
  const first = page([makeJob({ id: "2" }), makeJob({ id: "1" })], 1, "1");
  expect(ids(first, page([makeJob({ id: "1" })], 2))).toEqual(["2", "1"]);
});
