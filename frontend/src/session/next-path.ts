// The page to open after log-in. The path comes from the URL, so it is checked.

export const HOME = "/jobs";
const LOGGED_OUT_PAGES = ["/login", "/signup"];

export function loginPath(from: string): string {
  return `/login${nextQuery(from)}`;
}

export function nextQuery(next: string): string {
  return next === HOME ? "" : `?next=${encodeURIComponent(next)}`;
}

// Accepts only paths of this site. Anything else could redirect a logged-in user to another site.
export function nextPath(search: string): string {
  const requested = new URLSearchParams(search).get("next") ?? HOME;
  if (!requested.startsWith("/") || !URL.canParse(requested, window.location.origin)) return HOME;
  const { origin, pathname, search: query, hash } = new URL(requested, window.location.origin);
  // "/.//elsewhere.example" has this origin, but its path "//elsewhere.example" is a URL of another origin.
  const isOurs = origin === window.location.origin && !pathname.startsWith("//");
  return isOurs && !LOGGED_OUT_PAGES.includes(pathname) ? pathname + query + hash : HOME;
}
