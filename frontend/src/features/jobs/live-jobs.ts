// Caches job updates from events and responses, and merges them with the listed pages.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Job, JobPage } from "@/api/types";
import { newerJob } from "./job-order";

// job is null after deletion, so that a late response does not show it again.
export type LiveJobs = Record<string, { job: Job | null; receivedAt: number }>;
export type ListedPage = JobPage & { requestedAt: number };

export const liveJobsQuery = queryOptions<LiveJobs>({
  queryKey: ["jobs", "live"],
  // Nothing is fetched. saveJob and saveDeletion write this entry.
  queryFn: () => ({}),
  enabled: false,
  initialData: {},
});

export function saveJob(queryClient: QueryClient, job: Job): void {
  change(queryClient, job.id, (known) => (known ? newerJob(known, job) : job));
}

export function saveDeletion(queryClient: QueryClient, id: string): void {
  change(queryClient, id, () => null);
}

function change(queryClient: QueryClient, id: string, next: (known?: Job) => Job | null): void {
  queryClient.setQueryData(liveJobsQuery.queryKey, (live: LiveJobs = {}) => {
    const entry = live[id];
    if (entry?.job === null) return live;
    return { ...live, [id]: { job: next(entry?.job), receivedAt: performance.now() } };
  });
}

// Newest first. Ids are UUIDv7, so they sort by creation time.
export function mergeJobs(pages: ListedPage[], live: LiveJobs): Job[] {
  const jobs = new Map<string, Job>();
  for (const page of pages) {
    for (const listed of page.items) {
      const update = live[listed.id];
      if (!update) jobs.set(listed.id, listed);
      // The list was requested after the update, so the list is newer.
      else if (update.receivedAt < page.requestedAt && update.job) jobs.set(listed.id, listed);
      else if (update.job) jobs.set(listed.id, newerJob(listed, update.job));
    }
  }
  for (const { job, receivedAt } of Object.values(live)) {
    if (job && !jobs.has(job.id) && shouldList(job, receivedAt, pages)) jobs.set(job.id, job);
  }
  return [...jobs.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}

// An updated job that is not listed is newer than the list, on a page not loaded yet, or deleted.
function shouldList(job: Job, receivedAt: number, pages: ListedPage[]): boolean {
  const last = pages.at(-1);
  const oldestListed = last?.next_cursor ? last.items.at(-1)?.id : undefined;
  if (oldestListed && job.id < oldestListed) return false;
  return receivedAt >= (pages[0]?.requestedAt ?? 0);
}
