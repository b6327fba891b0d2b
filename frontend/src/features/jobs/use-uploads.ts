// Runs the upload queue: a few files at a time, each with progress, stop and retry.
import { useCallback, useEffect, useReducer, useRef } from "react";
import { ApiError, isTemporary } from "@/api/problem";
import type { Config, Job, Recipe } from "@/api/types";
import { contentTypeOf, refusalOf } from "./accepted-files";
import { sendFile, startJob } from "./upload";
import { changeUploads, nextUploads, type Upload } from "./upload-queue";

export function useUploads(limits: Config["uploads"], onJob: (job: Job) => void) {
  const [uploads, change] = useReducer(changeUploads, []);
  const aborts = useRef(new Map<string, AbortController>());

  const run = useCallback(
    async ({ id, file, contentType, recipe, uploadId }: Upload) => {
      const abort = new AbortController();
      aborts.current.set(id, abort);
      change({ do: "update", id, with: { phase: "sending", sent: 0, error: null } });
      try {
        const stored =
          uploadId ??
          (await sendFile(file, contentType, abort.signal, (sent) =>
            change({ do: "update", id, with: { sent } }),
          ));
        change({ do: "update", id, with: { phase: "starting", uploadId: stored } });
        onJob(await startJob(stored, recipe, id));
        change({ do: "remove", id });
      } catch (error) {
        const phase = isTemporary(error) ? "failed" : "refused";
        if (!abort.signal.aborted) change({ do: "update", id, with: { phase, error } });
      } finally {
        aborts.current.delete(id);
      }
    },
    [onJob],
  );

  useEffect(() => {
    for (const upload of nextUploads(uploads)) run(upload);
  }, [uploads, run]);

  useAbortOnLeave(aborts.current, uploads.some(isActive));

  return {
    uploads,
    add: (files: File[], recipe: Recipe) =>
      change({ do: "add", uploads: files.map((file) => toUpload(file, recipe, limits)) }),
    stop: (id: string) => {
      aborts.current.get(id)?.abort();
      change({ do: "remove", id });
    },
    retry: (id: string) => change({ do: "update", id, with: { phase: "waiting", error: null } }),
  };
}

function useAbortOnLeave(aborts: Map<string, AbortController>, isBusy: boolean) {
  useEffect(() => {
    return () => {
      for (const abort of aborts.values()) abort.abort();
    };
  }, [aborts]);

  useEffect(() => {
    if (!isBusy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isBusy]);
}

function isActive({ phase }: Upload): boolean {
  return phase !== "failed" && phase !== "refused";
}

function toUpload(file: File, recipe: Recipe, limits: Config["uploads"]): Upload {
  const refusal = refusalOf(file, limits);
  return {
    id: crypto.randomUUID(),
    file,
    contentType: contentTypeOf(file, limits) ?? "",
    recipe,
    phase: refusal ? "refused" : "waiting",
    sent: 0,
    uploadId: null,
    error: refusal ? new ApiError({ code: "refused", detail: refusal }) : null,
  };
}
