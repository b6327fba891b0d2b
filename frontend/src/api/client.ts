// The typed API client that every feature uses.
import createClient from "openapi-fetch";
import { apiOrigin } from "./origin";
import { problemFromBody, toApiError } from "./problem";
import { fetchWithSession } from "./renew-session";
import type { paths } from "./schema";

export const client = createClient<paths>({
  baseUrl: apiOrigin,
  credentials: "include",
  fetch: fetchWithSession,
});

interface ApiResponse<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

// Returns the data of a response. Throws an ApiError on every failure.
export async function unwrap<T>(call: Promise<ApiResponse<T>>): Promise<T> {
  const result = await call.catch((error: unknown) => {
    throw toApiError(error);
  });
  const { ok, status, headers } = result.response;
  if (!ok) throw problemFromBody(status, result.error, headers.get("retry-after"));
  return result.data as T;
}
