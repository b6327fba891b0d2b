// Converts every failed request into an ApiError with a message for the user.

export interface Problem {
  status: number;
  code: string;
  detail: string;
  requestId: string | null;
  fields: Record<string, string>;
}

export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Partial<Problem>) {
    super(problem.detail);
    this.name = "ApiError";
    this.problem = {
      status: 0,
      code: "unknown",
      detail: UNKNOWN,
      requestId: null,
      fields: {},
      ...problem,
    };
  }
}

const UNKNOWN = "Something went wrong. Please try again.";
const UNREACHABLE = "The server can't be reached. Please check your connection and try again.";

export function problemOf(error: unknown): Problem {
  return toApiError(error).problem;
}

// True when a retry can succeed: no response, rate limited, or a server error.
export function isTemporary(error: unknown): boolean {
  const { status } = problemOf(error);
  return status === 0 || status === 429 || status >= 500;
}

// fetch reports a lost connection as a TypeError and nothing else.
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) return new ApiError({ code: "unreachable", detail: UNREACHABLE });
  return new ApiError({});
}

// The body need not be a problem document: a proxy may respond with its own error page.
export function problemFromBody(
  status: number,
  body: unknown,
  retryAfter?: string | null,
): ApiError {
  const document = isRecord(body) ? body : {};
  if (document.code === "rate_limited" && retryAfter) document.detail = tooManyAttempts(retryAfter);
  return new ApiError({
    status,
    code: text(document.code) ?? "unknown",
    detail:
      text(document.detail) ?? text(document.title) ?? (status >= 502 ? UNREACHABLE : UNKNOWN),
    requestId: text(document.request_id) ?? null,
    fields: fieldMessages(document.errors),
  });
}

function tooManyAttempts(seconds: string): string {
  return `Too many attempts. Wait ${seconds} ${seconds === "1" ? "second" : "seconds"}.`;
}

function fieldMessages(errors: unknown): Record<string, string> {
  const messages: Record<string, string> = {};
  for (const error of Array.isArray(errors) ? errors : []) {
    const field = isRecord(error) ? text(error.field) : undefined;
    const message = isRecord(error) ? text(error.message) : undefined;
    if (field && message) messages[field] ??= message;
  }
  return messages;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
