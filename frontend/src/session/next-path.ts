// Where to go after logging in. The address comes from outside, so it is checked.

export const HOME = "/jobs";
const ENTRANCES = ["/login", "/signup"];

export function loginPath(from: string): string {
  return `/login${nextQuery(from)}`;
}

export function nextQuery(next: string): string {
  return next === HOME ? "" : `?next=${encodeURIComponent(next)}`;
}

// Only paths of this site are accepted. Anything else would redirect a user who just logged in to another site.
export function nextPath(search: string): string {
  const wish = new URLSearchParams(search).get("next") ?? HOME;
  if (!wish.startsWith("/") || !URL.canParse(wish, window.location.origin)) return HOME;
  const { origin, pathname, search: query, hash } = new URL(wish, window.location.origin);
  // "/.//elsewhere.example" is this origin, but its path alone is an address of another one.
  const isOurs = origin === window.location.origin && !pathname.startsWith("//");
  return isOurs && !ENTRANCES.includes(pathname) ? pathname + query + hash : HOME;
}
