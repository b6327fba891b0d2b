// A small view of what the studio made, once there is something small enough to show.
import { useState } from "react";
import { apiUrl } from "@/api/origin";
import type { Job } from "@/api/types";
import { Icon } from "@/components/icons";

const LARGEST_PREVIEW = 600_000;

export function JobThumbnail({ job }: { job: Job }) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const preview = job.results
    .filter((result) => result.size <= LARGEST_PREVIEW)
    .sort((a, b) => a.size - b.size)[0];

  if (!preview || preview.url === brokenUrl) {
    return (
      <div className="thumbnail thumbnail-empty">
        <Icon name="photo" />
      </div>
    );
  }
  return (
    <img
      className="thumbnail"
      src={apiUrl(preview.url)}
      width={preview.width}
      height={preview.height}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => setBrokenUrl(preview.url)}
    />
  );
}
