// What a card shows and offers in each state of its job.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Job } from "@/api/types";
import { JobCard } from "@/features/jobs/job-card";
import { liveJobsQuery } from "@/features/jobs/live-jobs";
import { backend, problem } from "../../fake-backend";
import { completed, makeJob, makeResult, processing } from "../../samples";

function show(job: Job) {
  const queryClient = new QueryClient();
  const onDeleted = vi.fn();
  const { container } = render(
    <QueryClientProvider client={queryClient}>
      <JobCard job={job} onDeleted={onDeleted} />
    </QueryClientProvider>,
  );
  const learned = () => queryClient.getQueryData(liveJobsQuery.queryKey)?.[job.id]?.job;
  return { container, learned, onDeleted };
}

const actions = () => screen.getAllByRole("button").map((button) => button.textContent);

test("a waiting job can be cancelled", async () => {
  const { learned } = show(makeJob());
  backend.on(`POST /api/jobs/${makeJob().id}/cancel`, () => ({
    status: 200,
    body: makeJob({ status: "cancelled" }),
  }));

  expect(screen.getByText("Waiting")).toBeTruthy();
  expect(actions()).toEqual(["Cancel mug.jpg", "Delete mug.jpg"]);
  await userEvent.click(screen.getByRole("button", { name: "Cancel mug.jpg" }));

  await waitFor(() => expect(learned()).toMatchObject({ status: "cancelled" }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("article")));
});

test("a job in work shows its progress", () => {
  show(processing(40));
  const bar = screen.getByRole<HTMLProgressElement>("progressbar", { name: "Progress of mug.jpg" });
  expect(bar.value).toBe(40);
  expect(actions()).toEqual(["Cancel mug.jpg", "Delete mug.jpg"]);
});

test("a finished job offers every file with its format, dimensions and size", () => {
  const avif = makeResult({
    name: "web-1600.avif",
    format: "avif",
    width: 1600,
    height: 1067,
    size: 1_250_000,
    url: "/api/jobs/x/results/web-1600.avif",
  });
  const { container } = show(completed({ results: [makeResult(), avif] }));

  const links = screen.getAllByRole<HTMLAnchorElement>("link");
  expect(links.map((link) => link.textContent)).toEqual([
    "Download WEBP320 × 2139 kB",
    "Download AVIF1600 × 10671.3 MB",
  ]);
  expect(links.map((link) => new URL(link.href).pathname)).toEqual([makeResult().url, avif.url]);
  expect(container.querySelector("img")?.src).toContain(makeResult().url);
  expect(screen.getByText(/made in 2\.5 s/)).toBeTruthy();
  expect(actions()).toEqual(["Delete mug.jpg"]);
});

test("files too large for a preview are not loaded as one", () => {
  const { container } = show(completed({ results: [makeResult({ size: 4_000_000 })] }));
  expect(container.querySelector("img")).toBeNull();
});

test("a failed job says why and can be tried again", async () => {
  const failure = { code: "not_an_image", message: "This file is not a photo we can read." };
  const { learned } = show(processing(10, { status: "failed", failure }));
  backend.on(`POST /api/jobs/${makeJob().id}/retry`, () => ({
    status: 202,
    body: makeJob({ attempts: 1 }),
  }));

  expect(screen.getByText(failure.message)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Try again mug.jpg" }));

  await waitFor(() => expect(learned()).toMatchObject({ status: "queued" }));
});

test("a cancelled job can be tried again", () => {
  show(makeJob({ status: "cancelled" }));
  expect(actions()).toEqual(["Try again mug.jpg", "Delete mug.jpg"]);
});

test("a job is deleted only after a second thought", async () => {
  const { learned, onDeleted } = show(completed());
  backend.on(`DELETE /api/jobs/${makeJob().id}`, () => ({ status: 204 }));

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Keep it" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(backend.asked(`DELETE /api/jobs/${makeJob().id}`)).toHaveLength(0);

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(onDeleted).toHaveBeenCalledOnce());
  expect(learned()).toBeNull();
});

test("a job that was deleted elsewhere already is simply gone", async () => {
  const { onDeleted } = show(completed());
  backend.on(`DELETE /api/jobs/${makeJob().id}`, () =>
    problem(404, "job_not_found", "No such job."),
  );

  await userEvent.click(screen.getByRole("button", { name: "Delete mug.jpg" }));
  await userEvent.click(screen.getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(onDeleted).toHaveBeenCalledOnce());
});

test("an action that is refused says so on the card", async () => {
  show(makeJob());
  backend.on(`POST /api/jobs/${makeJob().id}/cancel`, () =>
    problem(409, "job_finished", "Only a job that waits or runs can be cancelled."),
  );

  await userEvent.click(screen.getByRole("button", { name: "Cancel mug.jpg" }));

  expect((await screen.findByRole("alert")).textContent).toContain("Only a job that waits or runs");
});
