// The files the studio made of a photo, each with its download.
import type { MouseEvent } from "react";
import { client } from "@/api/client";
import { apiUrl } from "@/api/origin";
import type { Result } from "@/api/types";
import { Icon } from "@/components/icons";
import { describeSize } from "./job-text";

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
    <a className="result" href={apiUrl(result.url)} download onClick={downloadSignedIn}>
      <span className="visually-hidden">Download </span>
      <span className="result-format">{format}</span>
      <span className="result-dimensions">{dimensions}</span>
      <span className="result-size">{describeSize(result.size)}</span>
      <Icon name="download" />
    </a>
  );
}

// A link can't renew the session, and an expired one would save an error page as the file: so a call goes first.
async function downloadSignedIn(event: MouseEvent<HTMLAnchorElement>) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  const answer = await client.GET("/api/accounts/me").catch(() => null);
  if (answer?.response.status === 401) return;
  // A click on a download link and not a change of location, so that an error does not replace the page.
  Object.assign(document.createElement("a"), { href, download: "" }).click();
}
