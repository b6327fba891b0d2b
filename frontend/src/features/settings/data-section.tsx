// Exports of the account's data, to download.
import type { Export } from "@/api/types";
import { describeDay, describeMoment, describeSize } from "@/components/describe";
import { DownloadLink } from "@/components/download-link";
import { ProblemNote } from "@/components/problem-note";
import { AccountSection } from "./account-section";
import { hasPending, useExports, useRequestExport } from "./use-exports";

const MESSAGES: Record<Export["status"], string> = {
  queued: "Your export is being created. You can leave this page.",
  ready: "Your export is ready.",
  failed: "Your export failed. Please try again.",
};

export function DataSection() {
  const exports = useExports();
  const request = useRequestExport();
  const [newest] = exports.data ?? [];
  const isBusy = request.isPending || hasPending(exports.data);
  const error = request.error ?? exports.error;

  return (
    <AccountSection title="Your data">
      <p>One file with your account, jobs and original files.</p>
      <button
        type="button"
        className="button"
        aria-disabled={isBusy}
        onClick={() => isBusy || request.mutate()}
      >
        Export data
      </button>
      <p role="status">{newest && describe(newest)}</p>
      {error && <ProblemNote error={error} />}
      <ul className="rows">
        {exports.data?.map((item) => (
          <li key={item.id} className="row">
            <ExportRow item={item} />
          </li>
        ))}
      </ul>
    </AccountSection>
  );
}

function describe({ status, url }: Export): string | null {
  return status === "ready" && !url ? null : MESSAGES[status];
}

function ExportRow({ item }: { item: Export }) {
  const moment = describeMoment(item.created_at);
  return (
    <>
      <div className="row-text">
        <strong>Export of {moment}</strong>
        <small>
          {[
            item.size !== null && describeSize(item.size),
            item.expires_at && `kept until ${describeDay(item.expires_at)}`,
          ]
            .filter(Boolean)
            .join(" · ")}
        </small>
      </div>
      <ExportState item={item} moment={moment} />
    </>
  );
}

function ExportState({ item, moment }: { item: Export; moment: string }) {
  if (item.status === "ready" && item.url) {
    return (
      <DownloadLink className="button button-small" path={item.url}>
        Download<span className="visually-hidden"> the export of {moment}</span>
      </DownloadLink>
    );
  }
  switch (item.status) {
    case "queued":
      return <span className="badge badge-processing">Processing</span>;
    case "ready":
      return <span className="badge">Expired</span>;
    case "failed":
      return <span className="badge badge-failed">Failed</span>;
  }
}
