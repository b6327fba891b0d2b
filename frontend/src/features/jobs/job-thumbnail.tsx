// A small view of what a job made, when one of its results is a picture small enough to show.
import { useState } from "react";
import { apiUrl } from "@/api/origin";
import type { Job } from "@/api/types";
import { Placeholder } from "./recipe";

const LARGEST_PREVIEW = 600_000;

export function JobThumbnail({ job }: { job: Job }) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const preview = job.results
    .filter(({ content_type }) => content_type.startsWith("image/"))
    .filter(({ size }) => size <= LARGEST_PREVIEW)
    .sort((a, b) => a.size - b.size)[0];

  if (!preview || preview.url === brokenUrl) {
    return (
      <div className="thumbnail thumbnail-empty">
        <Placeholder />
      </div>
    );
  }
  return (
    <img
      className="thumbnail"
      src={apiUrl(preview.url)}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => setBrokenUrl(preview.url)}
    />
  );
}
