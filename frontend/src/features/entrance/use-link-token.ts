// The secret of a mailed link; it leaves the address bar at once, so that nobody copies or photographs it with the page.
import { useEffect, useState } from "react";
import { useHref, useLocation } from "react-router";

export function useLinkToken(): string {
  const { pathname, hash } = useLocation();
  const address = useHref(pathname);
  const [token] = useState(() => new URLSearchParams(hash.slice(1)).get("token") ?? "");

  useEffect(() => {
    window.history.replaceState(window.history.state, "", address);
  }, [address]);

  return token;
}
