// How whatever goes wrong becomes a sentence.
import { expect, test } from "vitest";
import { mayPass, problemFromBody, problemOf } from "@/api/problem";

test("a problem document gives its sentence, its request id and the first message of each field", () => {
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
  "a body that is no problem document (%j) still gives a sentence",
  (body) => {
    expect(problemFromBody(502, body).problem.detail).toMatch(/can't be reached/);
    expect(problemFromBody(500, body).problem.detail).toMatch(/went wrong/);
  },
);

test("a lost connection is told from a bug", () => {
  expect(problemOf(new TypeError("Failed to fetch")).code).toBe("unreachable");
  expect(problemOf(new RangeError("bug")).code).toBe("unknown");
});

test("trouble may pass, a refusal does not", () => {
  const verdicts = [0, 429, 500, 503, 400, 403, 422].map((status) =>
    mayPass(problemFromBody(status, null)),
  );
  expect(verdicts).toEqual([true, true, true, true, false, false, false]);
});

test.each([
  ["42", "Too many tries. Wait 42 seconds."],
  ["1", "Too many tries. Wait 1 second."],
  [null, "Too many requests."],
])("too many tries with Retry-After %j say how long to wait", (retryAfter, sentence) => {
  const body = { code: "rate_limited", detail: "Too many requests." };
  expect(problemFromBody(429, body, retryAfter).problem).toMatchObject({
    code: "rate_limited",
    detail: sentence,
  });
});
