// A link that downloads a private file.
import type { ComponentProps, MouseEvent } from "react";
import { client } from "@/api/client";
import { apiUrl } from "@/api/origin";

type DownloadLinkProps = Omit<ComponentProps<"a">, "href" | "onClick"> & { path: string };

export function DownloadLink({ path, children, ...rest }: DownloadLinkProps) {
  return (
    <a {...rest} href={apiUrl(path)} download onClick={renewAndDownload}>
      {children}
    </a>
  );
}

// A link can't renew an expired session and would save the error as the file. So an API request renews it first.
async function renewAndDownload(event: MouseEvent<HTMLAnchorElement>) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  const account = await client.GET("/api/accounts/me").catch(() => null);
  if (account?.response.status === 401) return;
  // Clicks a download link instead of changing the location, so that an error does not replace the page.
  Object.assign(document.createElement("a"), { href, download: "" }).click();
}
