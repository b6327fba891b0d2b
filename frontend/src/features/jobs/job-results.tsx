// The results of a job, each with a download link.
import type { Result } from "@/api/types";
import { describeSize } from "@/components/describe";
import { DownloadLink } from "@/components/download-link";
import { Icon } from "@/components/icons";
import { describeFacts } from "./recipe";

export function JobResults({ results }: { results: Result[] }) {
  return (
    <ul className="results" aria-label="Files">
      {results.map((result) => (
        <li key={result.name}>
          <ResultRow result={result} />
        </li>
      ))}
    </ul>
  );
}

function ResultRow({ result }: { result: Result }) {
  return (
    <DownloadLink className="result" path={result.url}>
      <span className="visually-hidden">Download </span>
      <span className="result-label">{result.label}</span>
      <span className="result-facts">{describeFacts(result.facts)}</span>
      <span className="result-size">{describeSize(result.size)}</span>
      <Icon name="download" />
    </DownloadLink>
  );
}
