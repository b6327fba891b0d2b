// The origin of the API: the page's origin, unless the build sets another.

export const apiOrigin: string = import.meta.env.VITE_API_ORIGIN || window.location.origin;

export function apiUrl(path: string): string {
  return new URL(path, apiOrigin).href;
}
