// The token of a mailed link. It is removed from the address bar at once, so that nobody copies it with the address.
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
