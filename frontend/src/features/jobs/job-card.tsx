// One job: thumbnail, status, results and actions.
import "./job-card.css";
import { memo, useId, useRef } from "react";
import type { Job } from "@/api/types";
import { describeDay, describeMoment, describeSize } from "@/components/describe";
import { JobActions } from "./job-actions";
import { JobResults } from "./job-results";
import { describeDuration, STATUS_NAMES } from "./job-text";
import { JobThumbnail } from "./job-thumbnail";
import { describeFacts, describeRecipe } from "./recipe";

interface JobCardProps {
  job: Job;
  onDeleted: () => void;
}

// Every progress event renders the list. memo renders only the card whose job changed.
export const JobCard = memo(function JobCard({ job, onDeleted }: JobCardProps) {
  const card = useRef<HTMLElement>(null);
  const titleId = useId();
  const { filename } = job.original;

  return (
    <article ref={card} className="job" aria-labelledby={titleId} tabIndex={-1}>
      <JobThumbnail job={job} />
      <header className="job-header">
        <h3 id={titleId} title={filename}>
          {filename}
        </h3>
        <span className={`badge badge-${job.status}`}>{STATUS_NAMES[job.status]}</span>
        <p className="job-facts">{describeJob(job)}</p>
      </header>
      <div className="job-body">
        <JobState job={job} />
      </div>
      <footer className="job-footer">
        <JobMoments job={job} />
        <JobActions job={job} onChanged={() => card.current?.focus()} onDeleted={onDeleted} />
      </footer>
    </article>
  );
});

function JobState({ job }: { job: Job }) {
  switch (job.status) {
    case "queued":
      return <progress value={0} max={100} aria-label={`Progress of ${job.original.filename}`} />;
    case "processing":
      return (
        <progress
          value={job.progress}
          max={100}
          aria-label={`Progress of ${job.original.filename}`}
        />
      );
    case "completed":
      return <JobResults results={job.results} />;
    case "failed":
      return <p className="job-failure">{job.failure?.message ?? "This job failed."}</p>;
    case "cancelled":
      return null;
  }
}

function JobMoments({ job }: { job: Job }) {
  const duration = describeDuration(job);
  return (
    <p className="job-moments">
      <time dateTime={job.created_at}>{describeMoment(job.created_at)}</time>
      {job.status === "completed" && duration && <> · took {duration}</>}
      {job.status === "completed" && job.expires_at && (
        <>
          {" · "}kept until <time dateTime={job.expires_at}>{describeDay(job.expires_at)}</time>
        </>
      )}
    </p>
  );
}

function describeJob({ original, recipe }: Job): string {
  return [describeRecipe(recipe), describeFacts(original.facts), describeSize(original.size)]
    .filter(Boolean)
    .join(" · ");
}
