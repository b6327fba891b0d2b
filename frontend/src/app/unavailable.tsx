// Shown instead of a page when the server does not give what every page needs.
import { ProblemNote } from "@/components/problem-note";

interface UnavailableProps {
  error: unknown;
  onRetry: () => unknown;
}

export function Unavailable({ error, onRetry }: UnavailableProps) {
  return (
    <div className="centred">
      <title>Unavailable</title>
      <h1>This page can't be opened right now</h1>
      <ProblemNote error={error} />
      <button type="button" className="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
