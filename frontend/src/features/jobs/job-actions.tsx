// The actions of a job: cancel, try again, delete.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, unwrap } from "@/api/client";
import { problemOf } from "@/api/problem";
import type { Job } from "@/api/types";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNote } from "@/components/problem-note";
import { saveDeletion, saveJob } from "./live-jobs";

interface JobActionsProps {
  job: Job;
  // The pressed button no longer exists afterwards, so the caller moves the focus.
  onChanged: () => void;
  onDeleted: () => void;
}

export function JobActions({ job, onChanged, onDeleted }: JobActionsProps) {
  const queryClient = useQueryClient();
  const [isConfirming, setConfirming] = useState(false);
  const params = { path: { job_id: job.id } };
  const save = (changed: Job) => {
    saveJob(queryClient, changed);
    onChanged();
  };

  const cancel = useMutation({
    mutationFn: () => unwrap(client.POST("/api/jobs/{job_id}/cancel", { params })),
    onSuccess: save,
  });
  const retry = useMutation({
    mutationFn: () => unwrap(client.POST("/api/jobs/{job_id}/retry", { params })),
    onSuccess: save,
  });
  const remove = useMutation({
    mutationFn: () => deleteJob(job.id),
    onSuccess: () => {
      saveDeletion(queryClient, job.id);
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
          <Action name="Cancel" of={filename} disabled={isBusy} run={() => cancel.mutate()} />
        )}
        {canRetry && (
          <Action name="Try again" of={filename} disabled={isBusy} run={() => retry.mutate()} />
        )}
        <Action name="Delete" of={filename} disabled={isBusy} run={() => setConfirming(true)} />
      </div>
      {error && <ProblemNote error={error} />}
      {isConfirming && (
        <ConfirmDialog
          title="Delete this file?"
          confirmLabel="Delete"
          onClose={(confirmed) => {
            setConfirming(false);
            if (confirmed) remove.mutate();
          }}
        >
          {filename} and all its results will be deleted.
        </ConfirmDialog>
      )}
    </>
  );
}

interface ActionProps {
  name: string;
  of: string;
  disabled: boolean;
  run: () => void;
}

function Action({ name, of, disabled, run }: ActionProps) {
  return (
    <button type="button" className="button button-small" disabled={disabled} onClick={run}>
      {name}
      <span className="visually-hidden"> {of}</span>
    </button>
  );
}

async function deleteJob(id: string): Promise<void> {
  try {
    await unwrap(client.DELETE("/api/jobs/{job_id}", { params: { path: { job_id: id } } }));
  } catch (error) {
    // Already deleted in another tab: the result is the same.
    if (problemOf(error).status !== 404) throw error;
  }
}
