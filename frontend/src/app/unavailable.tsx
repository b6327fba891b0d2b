// Shown instead of a page when the configuration or the session can't be loaded.
import { ProblemNote } from "@/components/problem-note";

interface UnavailableProps {
  error: unknown;
  onRetry: () => unknown;
}

export function Unavailable({ error, onRetry }: UnavailableProps) {
  return (
    <div className="centred">
      <title>Unavailable</title>
      <h1>This page is unavailable right now</h1>
      <ProblemNote error={error} />
      <button type="button" className="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
