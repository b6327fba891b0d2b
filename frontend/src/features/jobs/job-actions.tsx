// The actions of a job: cancel, try again, delete.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import type { Job } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNote } from "@/components/problem-note";
import { learnDeletion, learnJob } from "./live-jobs";

interface JobActionsProps {
  job: Job;
  // The pressed button no longer exists afterwards, so the caller moves the focus.
  onChanged: () => void;
  onDeleted: () => void;
}

export function JobActions({ job, onChanged, onDeleted }: JobActionsProps) {
  const queryClient = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const params = { path: { job_id: job.id } };
  const learn = (changed: Job) => {
    learnJob(queryClient, changed);
    onChanged();
  };

  const cancel = useMutation({
    mutationFn: () => unwrap(client.POST("/api/jobs/{job_id}/cancel", { params })),
    onSuccess: learn,
  });
  const retry = useMutation({
    mutationFn: () => unwrap(client.POST("/api/jobs/{job_id}/retry", { params })),
    onSuccess: learn,
  });
  const remove = useMutation({
    mutationFn: () => deleteJob(job.id),
    onSuccess: () => {
      learnDeletion(queryClient, job.id);
      onDeleted();
    },
  });

  const isRunning = job.status === "queued" || job.status === "processing";
  const canRetry = job.status === "failed" || job.status === "cancelled";
  const isBusy = cancel.isPending || retry.isPending || remove.isPending;
  const error = cancel.error ?? retry.error ?? remove.error;
  const { filename } = job.original;

  return (
    <>
      <div className="job-actions">
        {isRunning && (
          <Action name="Cancel" of={filename} off={isBusy} run={() => cancel.mutate()} />
        )}
        {canRetry && (
          <Action name="Try again" of={filename} off={isBusy} run={() => retry.mutate()} />
        )}
        <Action name="Delete" of={filename} off={isBusy} run={() => setAsking(true)} />
      </div>
      {error && <ProblemNote error={error} />}
      {isAsking && (
        <ConfirmDialog
          title="Delete this file?"
          confirmLabel="Delete"
          onClose={(confirmed) => {
            setAsking(false);
            if (confirmed) remove.mutate();
          }}
        >
          {filename} and every file made of it will be deleted.
        </ConfirmDialog>
      )}
    </>
  );
}

interface ActionProps {
  name: string;
  of: string;
  off: boolean;
  run: () => void;
}

function Action({ name, of, off, run }: ActionProps) {
  return (
    <button type="button" className="button button-small" disabled={off} onClick={run}>
      {name}
      <span className="visually-hidden"> {of}</span>
    </button>
  );
}

async function deleteJob(id: string): Promise<void> {
  try {
    await unwrap(client.DELETE("/api/jobs/{job_id}", { params: { path: { job_id: id } } }));
  } catch (error) {
    // Deleted in another tab already: the result is the same.
    if (problemOf(error).status !== 404) throw error;
  }
}
