// The current uploads, one row each.
import { describeSize } from "@/components/describe";
import { ProblemNote } from "@/components/problem-note";
import type { Upload } from "./upload-queue";

interface UploadRowsProps {
  uploads: Upload[];
  onStop: (id: string) => void;
  onRetry: (id: string) => void;
}

const PHASES: Record<Upload["phase"], string> = {
  waiting: "Waiting",
  sending: "Uploading",
  starting: "Starting",
  failed: "Upload failed",
  refused: "Not accepted",
};

export function UploadRows({ uploads, onStop, onRetry }: UploadRowsProps) {
  if (uploads.length === 0) return null;
  return (
    <ul className="uploads" aria-label="Uploads">
      {uploads.map((upload) => (
        <li key={upload.id} className="upload">
          <UploadRow
            upload={upload}
            onStop={() => onStop(upload.id)}
            onRetry={() => onRetry(upload.id)}
          />
        </li>
      ))}
    </ul>
  );
}

interface UploadRowProps {
  upload: Upload;
  onStop: () => void;
  onRetry: () => void;
}

function UploadRow({ upload, onStop, onRetry }: UploadRowProps) {
  const { file, phase, sent, error } = upload;
  const hasFailed = phase === "failed" || phase === "refused";
  return (
    <>
      <p className="upload-name" title={file.name}>
        {file.name}
      </p>
      <p className="upload-phase">
        {PHASES[phase]} · {describeSize(file.size)}
      </p>
      {hasFailed ? (
        <ProblemNote error={error} />
      ) : (
        <progress value={sent} max={1} aria-label={`Upload of ${file.name}`} />
      )}
      <div className="upload-actions">
        {phase === "failed" && (
          <button type="button" className="button button-small" onClick={onRetry}>
            Try again<span className="visually-hidden"> with {file.name}</span>
          </button>
        )}
        {phase !== "starting" && (
          <button type="button" className="button button-small" onClick={onStop}>
            {hasFailed ? "Dismiss" : "Stop"}
            <span className="visually-hidden"> {file.name}</span>
          </button>
        )}
      </div>
    </>
  );
}
