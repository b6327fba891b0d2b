// The thumbnail of a job: its smallest image result, or a placeholder.
import { useState } from "react";
import { apiUrl } from "@/api/origin";
import type { Job } from "@/api/types";
import { Placeholder } from "./recipe";

const MAX_PREVIEW_BYTES = 600_000;

export function JobThumbnail({ job }: { job: Job }) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const preview = job.results
    .filter(({ content_type }) => content_type.startsWith("image/"))
    .filter(({ size }) => size <= MAX_PREVIEW_BYTES)
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
