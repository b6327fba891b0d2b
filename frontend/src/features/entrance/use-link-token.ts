// Reads the token of an emailed link, and removes it from the address bar so that users do not share it.
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
