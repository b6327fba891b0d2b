// Failed requests become an ApiError with a message.
import { expect, test } from "vitest";
import { isTemporary, problemFromBody, problemOf } from "@/api/problem";

test("a problem document becomes its detail, its request id and the first message of each field", () => {
  const { problem } = problemFromBody(422, {
    code: "invalid_input",
    title: "Invalid input",
    detail: "The request has errors.",
    request_id: "req-1",
    errors: [
      { field: "email", message: "Not an address." },
      { field: "email", message: "Too long." },
    ],
  });

  expect(problem).toEqual({
    status: 422,
    code: "invalid_input",
    detail: "The request has errors.",
    requestId: "req-1",
    fields: { email: "Not an address." },
  });
});

test.each([null, "<html>Bad Gateway</html>", { unexpected: true }, [], 7])(
  "a body that is not a problem document (%j) still gets a message",
  (body) => {
    expect(problemFromBody(502, body).problem.detail).toMatch(/can't be reached/);
    expect(problemFromBody(500, body).problem.detail).toMatch(/went wrong/);
  },
);

test("a lost connection is not reported as an unknown error", () => {
  expect(problemOf(new TypeError("Failed to fetch")).code).toBe("unreachable");
  expect(problemOf(new RangeError("bug")).code).toBe("unknown");
});

test.each([0, 429, 500, 503])("an error with status %d is temporary", (status) => {
  expect(isTemporary(problemFromBody(status, null))).toBe(true);
});

test.each([400, 403, 422])("an error with status %d is not temporary", (status) => {
  expect(isTemporary(problemFromBody(status, null))).toBe(false);
});

test.each([
  ["42", "Too many attempts. Wait 42 seconds."],
  ["1", "Too many attempts. Wait 1 second."],
  [null, "Too many requests."],
])("a rate limit with Retry-After %j reads %j", (retryAfter, detail) => {
  const body = { code: "rate_limited", detail: "Too many requests." };
  expect(problemFromBody(429, body, retryAfter).problem).toMatchObject({
    code: "rate_limited",
    detail,
  });
});
