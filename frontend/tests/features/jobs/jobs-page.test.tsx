// The home page: the list, its live events, and what is said when they stop.
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

test("nobody's first visit meets an empty page", async () => {
  await openJobs();
  expect(await screen.findByText("Nothing here yet")).toBeTruthy();
});

test("a job runs from waiting to its files before the viewer's eyes", async () => {
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

test("a job made elsewhere appears, and one deleted elsewhere disappears", async () => {
  await openJobs();
  send("job", makeJob());
  await card();
  send("job-deleted", { id: makeJob().id });
  await waitFor(() => expect(screen.queryByRole("article")).toBeNull());
});

test("a list that answers late does not take back what an event has told", async () => {
  signedIn();
  let answer = () => {};
  const late = new Promise<void>((resolve) => {
    answer = resolve;
  });
  backend.on("GET /api/jobs", async () => {
    await late;
    return { status: 200, body: { items: [makeJob()], next_cursor: null } };
  });
  openApp("/jobs");
  await screen.findByRole("heading", { name: "Your files" });

  send("job", processing(80));
  answer();

  await waitFor(() => expect(screen.queryByText("Loading your files …")).toBeNull());
  expect(within(await card()).getByText("Processing")).toBeTruthy();
});

test("older jobs are loaded on request", async () => {
  await openJobs();
  await screen.findByText("Nothing here yet");
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

test("a connection lost for longer is said, and said no more once it is back", async () => {
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

test("after an interruption the list is asked for again, for what was deleted meanwhile", async () => {
  await openJobs([makeJob()]);
  await card();
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items: [], next_cursor: null } }));

  act(() => FakeEventSource.last.interrupt());
  act(() => FakeEventSource.last.open());

  await waitFor(() => expect(screen.queryByRole("article")).toBeNull());
});

test("an address that is not confirmed is mentioned, and the mail can be sent again", async () => {
  signedIn({ email_verified: false });
  backend.on("POST /api/accounts/verify/resend", () => ({ status: 202 }));
  openApp("/jobs");

  const notice = await screen.findByRole("region", { name: "Your email address" });
  expect(notice.textContent).toContain("ada@example.com");
  await press("Send it again");

  await within(notice).findByText(/^Sent\./);
  expect(backend.asked("POST /api/accounts/verify/resend")).toHaveLength(1);
});

test("nothing is said of an address that is confirmed", async () => {
  await openJobs();
  expect(screen.queryByRole("button", { name: "Send it again" })).toBeNull();
});
