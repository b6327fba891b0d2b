// The event stream with lost connections and expired sessions.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onSessionEnd } from "@/api/renew-session";
import { openJobStream } from "@/features/jobs/job-stream";
import { eventually } from "../../eventually";
import { backend, problem } from "../../fake-backend";
import { FakeEventSource } from "../../fake-event-source";

const REFRESH = "POST /api/session/refresh";
const handlers = { onEvent: vi.fn(), onOpen: vi.fn(), onLost: vi.fn() };
let close: () => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.clearAllMocks();
  close = openJobStream(handlers);
});
afterEach(() => {
  close();
  vi.useRealTimers();
});

test("a lost connection is left to the browser, which reconnects automatically", async () => {
  FakeEventSource.last.open();
  FakeEventSource.last.interrupt();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(handlers.onLost).toHaveBeenCalledOnce();
  expect(FakeEventSource.all).toHaveLength(1);
  expect(backend.requests(REFRESH)).toHaveLength(0);
});

test("a refused stream is reopened after the session is renewed", async () => {
  backend.on(REFRESH, () => ({ status: 204 }));
  FakeEventSource.last.refuse();
  await vi.advanceTimersByTimeAsync(1_000);

  await eventually(() => expect(FakeEventSource.all).toHaveLength(2));
  expect(backend.requests(REFRESH)).toHaveLength(1);
});

test("no stream is opened after the session has ended", async () => {
  const onEnd = vi.fn();
  const stop = onSessionEnd(onEnd);
  backend.on(REFRESH, () => problem(401, "session_expired", "Log in again."));
  FakeEventSource.last.refuse();
  await vi.advanceTimersByTimeAsync(1_000);

  await eventually(() => expect(onEnd).toHaveBeenCalledOnce());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeEventSource.all).toHaveLength(1);
  stop();
});

test("failed reconnects are retried with increasing delays", async () => {
  backend.on(REFRESH, () => problem(503, "unavailable", "Try again later."));
  for (const [failures, delay] of [1_000, 2_000, 4_000, 8_000].entries()) {
    FakeEventSource.last.refuse();
    await vi.advanceTimersByTimeAsync(delay / 2 - 1);
    expect(backend.requests(REFRESH)).toHaveLength(failures);
    await vi.advanceTimersByTimeAsync(delay / 2 + 1);
    await eventually(() => expect(FakeEventSource.all).toHaveLength(failures + 2));
  }
});

test("a stream that is closed stays closed", async () => {
  backend.on(REFRESH, () => ({ status: 204 }));
  FakeEventSource.last.refuse();
  close();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 50));

  expect(FakeEventSource.all).toHaveLength(1);
  expect(backend.requests(REFRESH)).toHaveLength(0);
});
