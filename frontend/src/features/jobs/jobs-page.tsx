// The jobs page: the upload form and the list of jobs.
import "./jobs.css";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback } from "react";
import type { Job } from "@/api/types";
import { PageTitle } from "@/components/page-title";
import { JobList } from "./job-list";
import { saveJob } from "./live-jobs";
import { TEXTS } from "./recipe";
import { UploadForm } from "./upload-form";
import { useJobEvents } from "./use-job-events";

export function JobsPage({ notice }: { notice: ReactNode }) {
  const queryClient = useQueryClient();
  const { isStreamLost } = useJobEvents();
  const onJob = useCallback((job: Job) => saveJob(queryClient, job), [queryClient]);

  return (
    <div className="jobs-page">
      <PageTitle title="Your files">{TEXTS.title}</PageTitle>
      {notice}
      <UploadForm onJob={onJob} />
      <JobList isStreamLost={isStreamLost} />
    </div>
  );
}
