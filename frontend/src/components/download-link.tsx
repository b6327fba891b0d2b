// A link to a file that only its owner may have.
import type { ComponentProps, MouseEvent } from "react";
import { client } from "@/api/client";
import { apiUrl } from "@/api/origin";

type DownloadLinkProps = Omit<ComponentProps<"a">, "href" | "onClick"> & { path: string };

export function DownloadLink({ path, children, ...rest }: DownloadLinkProps) {
  return (
    <a {...rest} href={apiUrl(path)} download onClick={downloadSignedIn}>
      {children}
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
