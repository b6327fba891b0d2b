// Writes the live job events into the query cache.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { openJobStream } from "./job-stream";
import { saveDeletion, saveJob } from "./live-jobs";
import { JOB_LIST_KEY } from "./use-jobs";

// The server closes every stream after a few minutes. Reconnects within this time are not shown.
const NOTICE_DELAY_MS = 6_000;

export function useJobEvents(): { isStreamLost: boolean } {
  const queryClient = useQueryClient();
  const [isStreamLost, setStreamLost] = useState(false);

  useEffect(() => {
    let notice: ReturnType<typeof setTimeout> | undefined;
    let wasInterrupted = false;

    const close = openJobStream({
      onEvent: (name, data) => {
        if (name === "job") saveJob(queryClient, JSON.parse(data));
        else saveDeletion(queryClient, JSON.parse(data).id);
      },
      onOpen: () => {
        clearTimeout(notice);
        notice = undefined;
        setStreamLost(false);
        // The new stream sends recent jobs, but not the deletions during the interruption.
        if (wasInterrupted) queryClient.invalidateQueries({ queryKey: JOB_LIST_KEY });
        wasInterrupted = false;
      },
      onLost: () => {
        wasInterrupted = true;
        notice ??= setTimeout(() => setStreamLost(true), NOTICE_DELAY_MS);
      },
    });
    return () => {
      clearTimeout(notice);
      close();
    };
  }, [queryClient]);

  return { isStreamLost };
}
