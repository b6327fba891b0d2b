// How the client handles 401 responses.
import { expect, test, vi } from "vitest";
import { client, unwrap } from "@/api/client";
import { onSessionEnd } from "@/api/renew-session";
import { eventually } from "../eventually";
import { backend, problem } from "../fake-backend";
import { ada } from "../samples";

const REFRESH = "POST /api/session/refresh";
const ME = "GET /api/accounts/me";
const unauthorized = problem(401, "not_authenticated", "Log in first.");

test("parallel requests with an expired session renew it once and are repeated", async () => {
  let isFresh = false;
  backend.on(ME, () => (isFresh ? { status: 200, body: ada } : unauthorized));
  backend.on(REFRESH, () => {
    isFresh = true;
    return { status: 204 };
  });

  const calls = [1, 2, 3, 4, 5].map(() => unwrap(client.GET("/api/accounts/me")));

  expect(await Promise.all(calls)).toEqual([ada, ada, ada, ada, ada]);
  expect(backend.requests(REFRESH)).toHaveLength(1);
});

test("a 401 that arrives after another request's renewal does not renew again", async () => {
  let isFresh = false;
  let respondLate = () => {};
  const late = new Promise<void>((resolve) => {
    respondLate = resolve;
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
  await eventually(() => expect(backend.requests("GET /api/version")).toHaveLength(1));
  await unwrap(client.GET("/api/accounts/me"));
  respondLate();

  expect(await slow).toEqual({ version: "1", git_sha: "abc" });
  expect(backend.requests(REFRESH)).toHaveLength(1);
});

test("a repeated request sends its body again", async () => {
  let isFresh = false;
  backend.on("POST /api/uploads", () => (isFresh ? { status: 201, body: {} } : unauthorized));
  backend.on(REFRESH, () => {
    isFresh = true;
    return { status: 204 };
  });
  const body = { filename: "mug.jpg", content_type: "image/jpeg", size: 10 };

  await unwrap(client.POST("/api/uploads", { body }));

  const bodies = backend.bodies("POST /api/uploads");
  expect(bodies).toEqual([body, body]);
});

test("a refused renewal ends the session and the request fails with its 401", async () => {
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

test("a failed renewal with status 503 does not end the session", async () => {
  const onEnd = vi.fn();
  const stop = onSessionEnd(onEnd);
  backend.on(ME, () => unauthorized);
  backend.on(REFRESH, () => problem(503, "unavailable", "Try again later."));

  await expect(unwrap(client.GET("/api/accounts/me"))).rejects.toMatchObject({
    problem: { status: 503, detail: "Try again later." },
  });
  expect(onEnd).not.toHaveBeenCalled();
  stop();
});

test("wrong credentials do not renew the session", async () => {
  backend.on("POST /api/session", () => problem(401, "wrong_credentials", "Wrong."));

  const call = unwrap(client.POST("/api/session", { body: { email: "a@b.c", password: "nope" } }));

  await expect(call).rejects.toMatchObject({ problem: { code: "wrong_credentials" } });
  expect(backend.requests(REFRESH)).toHaveLength(0);
});
