// Announces finished jobs to screen readers, but not their progress.
import { useEffect, useRef, useState } from "react";
import type { Job, JobStatus } from "@/api/types";

const ENDINGS: Partial<Record<JobStatus, string>> = {
  completed: "is done",
  failed: "has failed",
  cancelled: "is cancelled",
};

export function JobAnnouncer({ jobs }: { jobs: Job[] }) {
  const known = useRef(new Map<string, JobStatus>());
  const [message, setMessage] = useState("");

  useEffect(() => {
    const messages = jobs.flatMap(({ id, status, original }) => {
      const before = known.current.get(id);
      known.current.set(id, status);
      const ending = ENDINGS[status];
      return before && before !== status && ending ? [`${original.filename} ${ending}.`] : [];
    });
    if (messages.length > 0) setMessage(messages.join(" "));
  }, [jobs]);

  return (
    <p className="visually-hidden" role="status">
      {message}
    </p>
  );
}
