// The files the studio made of a photo, each with its download.
import type { Result } from "@/api/types";
import { describeSize } from "@/components/describe";
import { DownloadLink } from "@/components/download-link";
import { Icon } from "@/components/icons";

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
  const dimensions = `${result.width} × ${result.height}`;
  const format = result.format.toUpperCase();
  return (
    <DownloadLink className="result" path={result.url}>
      <span className="visually-hidden">Download </span>
      <span className="result-format">{format}</span>
      <span className="result-dimensions">{dimensions}</span>
      <span className="result-size">{describeSize(result.size)}</span>
      <Icon name="download" />
    </DownloadLink>
  );
}
