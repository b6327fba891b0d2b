// Where the API lives: on the origin of this page, unless the build names another.

export const apiOrigin: string = import.meta.env.VITE_API_ORIGIN || window.location.origin;

export function apiUrl(path: string): string {
  return new URL(path, apiOrigin).href;
}
