// The content and the actions of a card for each job status.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Job } from "@/api/types";
import { JobCard } from "@/features/jobs/job-card";
import { liveJobsQuery } from "@/features/jobs/live-jobs";
import { backend, problem } from "../../fake-backend";
import { renderPart } from "../../render-app";
import { completed, makeJob, makeResult, processing } from "../../samples";

function show(job: Job) {
  const onDeleted = vi.fn();
  const { container, queryClient } = renderPart(<JobCard job={job} onDeleted={onDeleted} />);
  const cachedJob = () => queryClient.getQueryData(liveJobsQuery.queryKey)?.[job.id]?.job;
  return { container, cachedJob, onDeleted };
}

const actions = () => screen.getAllByRole("button").map((button) => button.textContent);

test("a waiting job can be cancelled", async () => {
  const { cachedJob } = show(makeJob());
  backend.on(`POST /api/jobs/${makeJob().id}/cancel`, () => ({
    status: 200,
    body: makeJob({ status: "cancelled" }),
  }));

  expect(screen.getByText("Waiting")).toBeTruthy();
  expect(actions()).toEqual(["Cancel mug.jpg", "Delete mug.jpg"]);
  await userEvent.click(screen.getByRole("button", { name: "Cancel mug.jpg" }));

  await waitFor(() => expect(cachedJob()).toMatchObject({ status: "cancelled" }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("article")));
});

test("a processing job shows its progress", () => {
  show(processing(40));
  const bar = screen.getByRole<HTMLProgressElement>("progressbar", { name: "Progress of mug.jpg" });
  expect(bar.value).toBe(40);
  expect(actions()).toEqual(["Cancel mug.jpg", "Delete mug.jpg"]);
});

test("a completed job links every result with its label and size", () => {
  const report = makeResult({
    name: "report.json",
    label: "Report",
    content_type: "application/json",
    size: 1_250_000,
    url: "/api/jobs/x/results/report.json",
  });
  const { container } = show(completed({ results: [report, makeResult()] }));

  const links = screen.getAllByRole<HTMLAnchorElement>("link");
  expect(links.map((link) => link.textContent)).toEqual([
    "Download Report1.3 MB",
    "Download Small9 kB",
  ]);
  expect(links.map((link) => new URL(link.href).pathname)).toEqual([report.url, makeResult().url]);
  expect(container.querySelector("img")?.src).toContain(makeResult().url);
  expect(screen.getByText(/took 2\.5 s/)).toBeTruthy();
  expect(actions()).toEqual(["Delete mug.jpg"]);
});

test("the smallest image is the thumbnail", () => {
  const small = makeResult({ name: "tiny.webp", url: "/small", size: 300 });
  const text = makeResult({
    name: "report.md",
    url: "/text",
    size: 10,
    content_type: "text/markdown",
  });
  const { container } = show(completed({ results: [makeResult(), text, small] }));
  expect(container.querySelector("img")?.src).toMatch(/\/small$/);
});

test.each([
  ["large images", { size: 4_000_000 }],
  ["other files", { content_type: "text/markdown" }],
])("%s are not used as a thumbnail", (_, changes) => {
  const { container } = show(completed({ results: [makeResult(changes)] }));
  expect(container.querySelector("img")).toBeNull();
});

test("results with extra keys from an earlier release are shown", () => {
  const earlier = { ...makeResult(), format: "webp", width: 320, height: 213 };
  show(completed({ results: [earlier] }));
  expect(screen.getByRole("link").textContent).toBe("Download Small9 kB");
});

test("a failed job shows the reason and can be retried", async () => {
  const failure = { code: "unreadable", message: "Line 7 is not terminated." };
  const { cachedJob } = show(processing(10, { status: "failed", failure }));
  backend.on(`POST /api/jobs/${makeJob().id}/retry`, () => ({
    status: 202,
    body: makeJob({ attempts: 1 }),
  }));

  expect(screen.getByText(failure.message)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Try again mug.jpg" }));

  await waitFor(() => expect(cachedJob()).toMatchObject({ status: "queued" }));
});

test("a cancelled job can be retried", () => {
  show(makeJob({ status: "cancelled" }));
  expect(actions()).toEqual(["Try again mug.jpg", "Delete mug.jpg"]);
});

test("a job is deleted only after confirmation", async () => {
  const { cachedJob, onDeleted } = show(completed());
  backend.on(`DELETE /api/jobs/${makeJob().id}`, () => ({ status: 204 }));

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(backend.requests(`DELETE /api/jobs/${makeJob().id}`)).toHaveLength(0);

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(onDeleted).toHaveBeenCalledOnce());
  expect(cachedJob()).toBeNull();
});

test("a job that was already deleted elsewhere is removed without an error", async () => {
  const { onDeleted } = show(completed());
  backend.on(`DELETE /api/jobs/${makeJob().id}`, () =>
    problem(404, "job_not_found", "There is no such job."),
  );

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(onDeleted).toHaveBeenCalledOnce());
});

test("a refused action shows its error on the card", async () => {
  show(makeJob());
  backend.on(`POST /api/jobs/${makeJob().id}/cancel`, () =>
    problem(
      409,
      "job_finished",
      "Only a queued or processing job can be cancelled. This job has finished; you can delete it.",
    ),
  );

  await userEvent.click(screen.getByRole("button", { name: "Cancel mug.jpg" }));

  expect((await screen.findByRole("alert")).textContent).toContain(
    "Only a queued or processing job",
  );
});
