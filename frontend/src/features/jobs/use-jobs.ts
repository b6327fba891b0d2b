// The jobs to show: the listed pages merged with live updates.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client, unwrap } from "@/api/client";
import { type ListedPage, liveJobsQuery, mergeJobs } from "./live-jobs";

export const JOB_LIST_KEY = ["jobs", "list"];
const PAGE_SIZE = 20;
const POLL_WITHOUT_STREAM_MS = 10_000;

export function useJobs(isStreamLost: boolean) {
  const list = useInfiniteQuery({
    queryKey: JOB_LIST_KEY,
    queryFn: ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: isStreamLost && POLL_WITHOUT_STREAM_MS,
  });
  const { data: live } = useQuery(liveJobsQuery);
  const pages = list.data?.pages;
  const jobs = useMemo(() => mergeJobs(pages ?? [], live), [pages, live]);
  return { list, jobs };
}

async function fetchPage(cursor: string | null): Promise<ListedPage> {
  const requestedAt = performance.now();
  const query = cursor ? { limit: PAGE_SIZE, cursor } : { limit: PAGE_SIZE };
  const page = await unwrap(client.GET("/api/jobs", { params: { query } }));
  return { ...page, requestedAt };
}
