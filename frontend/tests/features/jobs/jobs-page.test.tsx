// The jobs page: the list, live events, and lost connections.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { Job } from "@/api/types";
import { backend } from "../../fake-backend";
import { FakeEventSource } from "../../fake-event-source";
import { openApp, press, signedIn } from "../../render-app";
import { completed, makeJob, processing } from "../../samples";

afterEach(() => {
  vi.useRealTimers();
});

async function openJobs(items: Job[] = []) {
  signedIn();
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items, next_cursor: null } }));
  openApp("/jobs");
  await screen.findByRole("heading", { name: "Your files" });
}

const send = (name: string, data: unknown) => act(() => FakeEventSource.last.send(name, data));
const card = () => screen.findByRole("article", { name: "mug.jpg" });

test("a user without jobs sees a hint", async () => {
  await openJobs();
  expect(await screen.findByText("No files yet")).toBeTruthy();
});

test("a card shows the live progress of its job until the results", async () => {
  await openJobs([makeJob()]);
  expect(within(await card()).getByText("Waiting")).toBeTruthy();

  send("job", processing(60));
  expect(
    within(await card())
      .getByRole("progressbar")
      .getAttribute("value"),
  ).toBe("60");

  send("job", completed());
  expect(within(await card()).getByRole("link", { name: /Download/ })).toBeTruthy();
  await screen.findByText("mug.jpg is done.");
});

test("a job created elsewhere appears and one deleted elsewhere disappears", async () => {
  await openJobs();
  send("job", makeJob());
  await card();
  send("job-deleted", { id: makeJob().id });
  await waitFor(() => expect(screen.queryByRole("article")).toBeNull());
});

test("a late list response does not overwrite a newer event", async () => {
  signedIn();
  let respond = () => {};
  const late = new Promise<void>((resolve) => {
    respond = resolve;
  });
  backend.on("GET /api/jobs", async () => {
    await late;
    return { status: 200, body: { items: [makeJob()], next_cursor: null } };
  });
  openApp("/jobs");
  await screen.findByRole("heading", { name: "Your files" });

  send("job", processing(80));
  respond();

  await waitFor(() => expect(screen.queryByText("Loading your files …")).toBeNull());
  expect(within(await card()).getByText("Processing")).toBeTruthy();
});

test("older jobs are loaded on request", async () => {
  await openJobs();
  await screen.findByText("No files yet");
  backend.on("GET /api/jobs", ({ path }) => {
    const isSecond = path.includes("cursor=c2");
    const job = makeJob({
      id: isSecond ? "1" : "2",
      original: { ...makeJob().original, filename: isSecond ? "old.jpg" : "new.jpg" },
    });
    return { status: 200, body: { items: [job], next_cursor: isSecond ? null : "c2" } };
  });
  act(() => FakeEventSource.last.interrupt());
  act(() => FakeEventSource.last.open());

  await userEvent.click(await screen.findByRole("button", { name: "Load more" }));

  await screen.findByRole("article", { name: "old.jpg" });
  expect(screen.getAllByRole("article")).toHaveLength(2);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

test("a notice is shown after a longer connection loss, until the stream reopens", async () => {
  await openJobs();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

  act(() => FakeEventSource.last.interrupt());
  act(() => vi.advanceTimersByTime(5_900));
  expect(screen.queryByText(/live connection is lost/)).toBeNull();
  act(() => vi.advanceTimersByTime(100));
  expect(screen.getByText(/live connection is lost/)).toBeTruthy();

  act(() => FakeEventSource.last.open());
  expect(screen.queryByText(/live connection is lost/)).toBeNull();
});

test("after an interruption the list is reloaded without deleted jobs", async () => {
  await openJobs([makeJob()]);
  await card();
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items: [], next_cursor: null } }));

  act(() => FakeEventSource.last.interrupt());
  act(() => FakeEventSource.last.open());

  await waitFor(() => expect(screen.queryByRole("article")).toBeNull());
});

test("a notice shows an unconfirmed email and can resend its link", async () => {
  signedIn({ email_verified: false });
  backend.on("POST /api/accounts/verify/resend", () => ({ status: 202 }));
  openApp("/jobs");

  const notice = await screen.findByRole("region", { name: "Your email" });
  expect(notice.textContent).toContain("ada@example.com");
  await press("Resend link");

  await within(notice).findByText(/^Sent\./);
  expect(backend.requests("POST /api/accounts/verify/resend")).toHaveLength(1);
});

test("no notice is shown for a confirmed email", async () => {
  await openJobs();
  expect(screen.queryByRole("button", { name: "Resend link" })).toBeNull();
});
