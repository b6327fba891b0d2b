// Uploads one file: requests an upload URL, sends the file, and starts the job.
import { client, unwrap } from "@/api/client";
import { apiOrigin } from "@/api/origin";
import { ApiError, problemFromBody } from "@/api/problem";
import type { Job, Recipe } from "@/api/types";

interface Target {
  method: string;
  url: string;
  headers: Record<string, string>;
}

export async function sendFile(
  file: File,
  contentType: string,
  signal: AbortSignal,
  onSent: (share: number) => void,
): Promise<string> {
  const body = { filename: file.name, content_type: contentType, size: file.size };
  const target = await unwrap(client.POST("/api/uploads", { body }));
  signal.throwIfAborted();
  await put(target, file, signal, onSent);
  return target.upload_id;
}

// A retry sends the same key, so that one file never creates two jobs.
export function startJob(uploadId: string, recipe: Recipe, key: string): Promise<Job> {
  return unwrap(
    client.POST("/api/jobs", {
      body: { upload_id: uploadId, recipe },
      params: { header: { "idempotency-key": key } },
    }),
  );
}

// Uses XMLHttpRequest, because fetch does not report upload progress.
function put(
  target: Target,
  file: File,
  signal: AbortSignal,
  onSent: (share: number) => void,
): Promise<void> {
  const request = new XMLHttpRequest();
  request.open(target.method, new URL(target.url, apiOrigin));
  for (const [name, value] of Object.entries(target.headers)) request.setRequestHeader(name, value);
  signal.addEventListener("abort", () => request.abort(), { once: true });

  return new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => onSent(event.loaded / file.size);
    request.onload = () => (request.status < 300 ? resolve() : reject(uploadError(request)));
    request.onerror = () => reject(new TypeError("the upload was interrupted"));
    request.onabort = () => reject(signal.reason);
    request.send(file);
  });
}

// S3 returns errors as XML for developers. The development storage returns a problem document.
function uploadError(request: XMLHttpRequest): ApiError {
  try {
    return problemFromBody(request.status, JSON.parse(request.responseText));
  } catch {
    return new ApiError({
      code: "upload_failed",
      detail: "The file could not be stored. Please try again.",
    });
  }
}
