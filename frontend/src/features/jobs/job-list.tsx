// The user's jobs, newest first, or a hint when there are none.
import { useCallback, useRef } from "react";
import { Loading } from "@/components/loading";
import { ProblemNote } from "@/components/problem-note";
import { JobAnnouncer } from "./job-announcer";
import { JobCard } from "./job-card";
import { TEXTS } from "./recipe";
import { useJobs } from "./use-jobs";

export function JobList({ isStreamLost }: { isStreamLost: boolean }) {
  const { jobs, list } = useJobs(isStreamLost);
  const heading = useRef<HTMLHeadingElement>(null);
  const focusHeading = useCallback(() => heading.current?.focus(), []);

  return (
    <section className="jobs" aria-labelledby="jobs-heading">
      <h2 id="jobs-heading" ref={heading} tabIndex={-1}>
        Your files
      </h2>
      <JobAnnouncer jobs={jobs} />
      {isStreamLost && (
        <p className="note note-wait" role="status">
          The live connection is lost. Until it is back, the list updates every few seconds.
        </p>
      )}
      {list.error && <ProblemNote error={list.error} />}
      {list.isPending && jobs.length === 0 && <Loading label="Loading your files …" />}
      {list.isSuccess && jobs.length === 0 && <EmptyList />}
      <ul className="job-list">
        {jobs.map((job) => (
          <li key={job.id}>
            <JobCard job={job} onDeleted={focusHeading} />
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <button
          type="button"
          className="button"
          disabled={list.isFetchingNextPage}
          onClick={() => list.fetchNextPage()}
        >
          {list.isFetchingNextPage ? "Loading …" : "Load more"}
        </button>
      )}
    </section>
  );
}

function EmptyList() {
  return (
    <div className="empty">
      <p className="empty-title">No files yet</p>
      <p>{TEXTS.noJobsYet}</p>
    </div>
  );
}
