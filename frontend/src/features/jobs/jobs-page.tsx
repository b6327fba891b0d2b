// The home page: photos go in on one side and come out on the other.
import "./jobs.css";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback } from "react";
import type { Job } from "@/api/types";
import { PageTitle } from "@/components/page-title";
import { JobList } from "./job-list";
import { learnJob } from "./live-jobs";
import { UploadForm } from "./upload-form";
import { useJobEvents } from "./use-job-events";

export function JobsPage({ notice }: { notice: ReactNode }) {
  const queryClient = useQueryClient();
  const { isStreamLost } = useJobEvents();
  const onJob = useCallback((job: Job) => learnJob(queryClient, job), [queryClient]);

  return (
    <div className="jobs-page">
      <PageTitle title="Studio">One photo in, every size out</PageTitle>
      {notice}
      <UploadForm onJob={onJob} />
      <JobList isStreamLost={isStreamLost} />
    </div>
  );
}
