// Exports: a copy of everything in the account, to download.
import type { Export } from "@/api/types";
import { describeDay, describeMoment, describeSize } from "@/components/describe";
import { DownloadLink } from "@/components/download-link";
import { ProblemNote } from "@/components/problem-note";
import { AccountSection } from "./account-section";
import { isUnderWay, useExports, useRequestExport } from "./use-exports";

const SENTENCES: Record<Export["status"], string> = {
  queued: "Your copy is being made. You can leave this page meanwhile.",
  ready: "Your copy is ready.",
  failed: "Your copy could not be made. Please try again.",
};

export function DataSection() {
  const exports = useExports();
  const request = useRequestExport();
  const [newest] = exports.data ?? [];
  const isBusy = request.isPending || isUnderWay(exports.data);
  const error = request.error ?? exports.error;

  return (
    <AccountSection title="Your data">
      <p>One file with your account, your files and everything made of them.</p>
      <button
        type="button"
        className="button"
        aria-disabled={isBusy}
        onClick={() => isBusy || request.mutate()}
      >
        Make a copy
      </button>
      <p role="status">{newest && describe(newest)}</p>
      {error && <ProblemNote error={error} />}
      <ul className="rows">
        {exports.data?.map((copy) => (
          <li key={copy.id} className="row">
            <ExportRow copy={copy} />
          </li>
        ))}
      </ul>
    </AccountSection>
  );
}

function describe({ status, url }: Export): string | null {
  return status === "ready" && !url ? null : SENTENCES[status];
}

function ExportRow({ copy }: { copy: Export }) {
  const moment = describeMoment(copy.created_at);
  return (
    <>
      <div className="row-text">
        <strong>Copy of {moment}</strong>
        <small>
          {[
            copy.size !== null && describeSize(copy.size),
            copy.expires_at && `kept until ${describeDay(copy.expires_at)}`,
          ]
            .filter(Boolean)
            .join(" · ")}
        </small>
      </div>
      <ExportState copy={copy} moment={moment} />
    </>
  );
}

function ExportState({ copy, moment }: { copy: Export; moment: string }) {
  if (copy.status === "ready" && copy.url) {
    return (
      <DownloadLink className="button button-small" path={copy.url}>
        Download<span className="visually-hidden"> the copy of {moment}</span>
      </DownloadLink>
    );
  }
  switch (copy.status) {
    case "queued":
      return <span className="badge badge-processing">Processing</span>;
    case "ready":
      return <span className="badge">No longer kept</span>;
    case "failed":
      return <span className="badge badge-failed">Failed</span>;
  }
}
