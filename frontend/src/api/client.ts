// The typed client every feature calls the API with.
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

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

// Gives the answer's data, or throws an ApiError whatever the reason.
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const answer = await call.catch((error: unknown) => {
    throw toApiError(error);
  });
  const { ok, status, headers } = answer.response;
  if (!ok) throw problemFromBody(status, answer.error, headers.get("retry-after"));
  return answer.data as T;
}
