// What happens to the session when calls answer 401.
import { expect, test, vi } from "vitest";
import { client, unwrap } from "@/api/client";
import { onSessionEnd } from "@/api/renew-session";
import { eventually } from "../eventually";
import { backend, problem } from "../fake-backend";
import { ada } from "../samples";

const REFRESH = "POST /api/session/refresh";
const ME = "GET /api/accounts/me";
const unauthorized = problem(401, "not_authenticated", "Sign in first.");

test("calls that find the session expired at the same time renew it once and are repeated", async () => {
  let isFresh = false;
  backend.on(ME, () => (isFresh ? { status: 200, body: ada } : unauthorized));
  backend.on(REFRESH, () => {
    isFresh = true;
    return { status: 204 };
  });

  const calls = [1, 2, 3, 4, 5].map(() => unwrap(client.GET("/api/accounts/me")));

  expect(await Promise.all(calls)).toEqual([ada, ada, ada, ada, ada]);
  expect(backend.asked(REFRESH)).toHaveLength(1);
});

test("a call whose refusal arrives after another call's renewal is repeated without a second one", async () => {
  let isFresh = false;
  let answerLate = () => {};
  const late = new Promise<void>((resolve) => {
    answerLate = resolve;
  });
  backend.on(ME, () => (isFresh ? { status: 200, body: ada } : unauthorized));
  backend.on("GET /api/version", async () => {
    if (isFresh) return { status: 200, body: { version: "1", git_sha: "abc" } };
    await late;
    return unauthorized;
  });
  backend.on(REFRESH, () => {
    isFresh = true;
    return { status: 204 };
  });

  const slow = unwrap(client.GET("/api/version"));
  await eventually(() => expect(backend.asked("GET /api/version")).toHaveLength(1));
  await unwrap(client.GET("/api/accounts/me"));
  answerLate();

  expect(await slow).toEqual({ version: "1", git_sha: "abc" });
  expect(backend.asked(REFRESH)).toHaveLength(1);
});

test("the body is sent again when a call is repeated", async () => {
  let isFresh = false;
  backend.on("POST /api/uploads", () => (isFresh ? { status: 201, body: {} } : unauthorized));
  backend.on(REFRESH, () => {
    isFresh = true;
    return { status: 204 };
  });
  const body = { filename: "mug.jpg", content_type: "image/jpeg", size: 10 };

  await unwrap(client.POST("/api/uploads", { body }));

  const bodies = backend.asked("POST /api/uploads").map((asked) => JSON.parse(asked.body));
  expect(bodies).toEqual([body, body]);
});

test("a refused renewal ends the session and leaves the call with its 401", async () => {
  const onEnd = vi.fn();
  const stop = onSessionEnd(onEnd);
  backend.on(ME, () => unauthorized);
  backend.on(REFRESH, () => problem(401, "session_expired", "Log in again."));

  await expect(unwrap(client.GET("/api/accounts/me"))).rejects.toMatchObject({
    problem: { status: 401, code: "not_authenticated" },
  });
  expect(onEnd).toHaveBeenCalledOnce();
  stop();
});

test("a server that can't renew right now does not end the session", async () => {
  const onEnd = vi.fn();
  const stop = onSessionEnd(onEnd);
  backend.on(ME, () => unauthorized);
  backend.on(REFRESH, () => problem(503, "unavailable", "Back in a moment."));

  await expect(unwrap(client.GET("/api/accounts/me"))).rejects.toMatchObject({
    problem: { status: 503, detail: "Back in a moment." },
  });
  expect(onEnd).not.toHaveBeenCalled();
  stop();
});

test("wrong credentials are an answer, not an expired session", async () => {
  backend.on("POST /api/session", () => problem(401, "wrong_credentials", "Wrong."));

  const call = unwrap(client.POST("/api/session", { body: { email: "a@b.c", password: "nope" } }));

  await expect(call).rejects.toMatchObject({ problem: { code: "wrong_credentials" } });
  expect(backend.asked(REFRESH)).toHaveLength(0);
});
