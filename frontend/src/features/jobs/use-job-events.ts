// Writes the live events of the user's jobs into the query cache; nothing else does.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { openJobStream } from "./job-stream";
import { learnDeletion, learnJob } from "./live-jobs";
import { JOB_LIST_KEY } from "./use-jobs";

// The server ends every stream after some minutes. A reconnect within this time is not shown.
const GRACE = 6_000;

export function useJobEvents(): { isStreamLost: boolean } {
  const queryClient = useQueryClient();
  const [isStreamLost, setStreamLost] = useState(false);

  useEffect(() => {
    let notice: ReturnType<typeof setTimeout> | undefined;
    let wasInterrupted = false;

    const close = openJobStream({
      onEvent: (name, data) => {
        if (name === "job") learnJob(queryClient, JSON.parse(data));
        else learnDeletion(queryClient, JSON.parse(data).id);
      },
      onOpen: () => {
        clearTimeout(notice);
        notice = undefined;
        setStreamLost(false);
        // The stream starts with the recent jobs, but does not say what was deleted in between.
        if (wasInterrupted) queryClient.invalidateQueries({ queryKey: JOB_LIST_KEY });
        wasInterrupted = false;
      },
      onLost: () => {
        wasInterrupted = true;
        notice ??= setTimeout(() => setStreamLost(true), GRACE);
      },
    });
    return () => {
      clearTimeout(notice);
      close();
    };
  }, [queryClient]);

  return { isStreamLost };
}
