// What events and responses said about jobs since the page opened, and how it is merged with the listed pages.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Job, JobPage } from "@/api/types";
import { newerJob } from "./job-order";

// job is null once the job is deleted: a late response must not bring it back.
export type LiveJobs = Record<string, { job: Job | null; learnedAt: number }>;
export type ListedPage = JobPage & { requestedAt: number };

export const liveJobsQuery = queryOptions<LiveJobs>({
  queryKey: ["jobs", "live"],
  // Nothing is fetched: this entry is only written to.
  queryFn: () => ({}),
  enabled: false,
  initialData: {},
});

export function learnJob(queryClient: QueryClient, job: Job): void {
  change(queryClient, job.id, (known) => (known ? newerJob(known, job) : job));
}

export function learnDeletion(queryClient: QueryClient, id: string): void {
  change(queryClient, id, () => null);
}

function change(queryClient: QueryClient, id: string, next: (known?: Job) => Job | null): void {
  queryClient.setQueryData(liveJobsQuery.queryKey, (live: LiveJobs = {}) => {
    const entry = live[id];
    if (entry?.job === null) return live;
    return { ...live, [id]: { job: next(entry?.job), learnedAt: performance.now() } };
  });
}

// Newest first; ids are UUIDv7, so their order is the order of creation.
export function mergeJobs(pages: ListedPage[], live: LiveJobs): Job[] {
  const jobs = new Map<string, Job>();
  for (const page of pages) {
    for (const listed of page.items) {
      const learned = live[listed.id];
      if (!learned) jobs.set(listed.id, listed);
      // A list that was requested later was also read later on the server.
      else if (learned.learnedAt < page.requestedAt && learned.job) jobs.set(listed.id, listed);
      else if (learned.job) jobs.set(listed.id, newerJob(listed, learned.job));
    }
  }
  for (const { job, learnedAt } of Object.values(live)) {
    if (job && !jobs.has(job.id) && belongs(job, learnedAt, pages)) jobs.set(job.id, job);
  }
  return [...jobs.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}

// A learned job that is not listed is newer than the list, or on a page that is not loaded yet, or deleted.
function belongs(job: Job, learnedAt: number, pages: ListedPage[]): boolean {
  const last = pages.at(-1);
  const oldestListed = last?.next_cursor ? last.items.at(-1)?.id : undefined;
  if (oldestListed && job.id < oldestListed) return false;
  return learnedAt >= (pages[0]?.requestedAt ?? 0);
}
