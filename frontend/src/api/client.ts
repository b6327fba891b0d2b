// The typed client every feature calls the API with.
import createClient from "openapi-fetch";
import { apiOrigin } from "./origin";
import { problemFromBody, toApiError } from "./problem";
import type { paths } from "./schema";
import { fetchWithSession } from "./session";

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
  if (!answer.response.ok) throw problemFromBody(answer.response.status, answer.error);
  return answer.data as T;
}
