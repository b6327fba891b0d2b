// Shows an error message, with the request id for support.
import type { ReactNode } from "react";
import { problemOf } from "@/api/problem";

export function ProblemNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const { detail, requestId } = problemOf(error);
  return (
    <div className="note note-bad" role="alert">
      <p>{detail}</p>
      {requestId && <p className="note-small">Request {requestId}</p>}
      {children}
    </div>
  );
}
