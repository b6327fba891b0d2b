// Choosing, refusing, stopping and retrying files.
import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { firstRecipe, TEXTS } from "@/features/jobs/recipe";
import { UploadForm } from "@/features/jobs/upload-form";
import { backend, problem } from "../../fake-backend";
import { renderPart } from "../../render-app";
import { config, makeFile, makeJob } from "../../samples";

const onJob = vi.fn();

beforeEach(() => {
  onJob.mockClear();
  backend.on("POST /api/uploads", () => ({
    status: 201,
    body: { upload_id: "u1", method: "PUT", url: "/storage/u1", headers: {}, expires_at: "" },
  }));
  backend.on("PUT /storage/u1", () => ({ status: 200 }));
  backend.on("POST /api/jobs", () => ({ status: 202, body: makeJob() }));
  renderPart(<UploadForm onJob={onJob} />);
});

const picker = () => screen.getByLabelText(new RegExp(TEXTS.chooseFiles));

test("chosen files become jobs with the form's recipe and their rows disappear", async () => {
  await userEvent.upload(picker(), [makeFile("one.jpg"), makeFile("two.jpg")]);

  await waitFor(() => expect(onJob).toHaveBeenCalledTimes(2));
  expect(screen.queryByRole("list", { name: "Uploads" })).toBeNull();
  const requests = backend.requests("POST /api/jobs");
  const recipe = firstRecipe(config.recipe);
  expect(requests.map(({ body }) => JSON.parse(body).recipe)).toEqual([recipe, recipe]);
  const keys = requests.map(({ headers }) => headers["idempotency-key"]);
  expect(new Set(keys).size).toBe(2);
});

test("files can be dropped and pasted anywhere on the page", async () => {
  fireEvent.drop(document.body, { dataTransfer: { files: [makeFile("dropped.jpg")] } });
  fireEvent.paste(document.body, {
    clipboardData: { files: [makeFile("pasted.png", "image/png")] },
  });

  await waitFor(() => expect(onJob).toHaveBeenCalledTimes(2));
  const names = backend.requests("POST /api/uploads").map(({ body }) => JSON.parse(body).filename);
  expect(names.sort()).toEqual(["dropped.jpg", "pasted.png"]);
});

test("a file of a wrong type is refused without a request", async () => {
  fireEvent.drop(document.body, { dataTransfer: { files: [makeFile("notes.txt", "text/plain")] } });

  expect((await screen.findByRole("alert")).textContent).toContain("Choose JPEG, PNG or TIFF.");
  expect(screen.queryByRole("button", { name: /Try again/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Dismiss notes.txt" }));
  expect(screen.queryByText("notes.txt")).toBeNull();
  expect(backend.requests("POST /api/uploads")).toHaveLength(0);
});

test("a retry after a failed POST sends the same key and does not upload again", async () => {
  backend.on("POST /api/jobs", () => problem(503, "unavailable", "Try again later."));
  await userEvent.upload(picker(), makeFile());
  expect((await screen.findByRole("alert")).textContent).toContain("Try again later.");

  backend.on("POST /api/jobs", () => ({ status: 202, body: makeJob() }));
  await userEvent.click(screen.getByRole("button", { name: "Try again with mug.jpg" }));

  await waitFor(() => expect(onJob).toHaveBeenCalledOnce());
  const keys = backend.requests("POST /api/jobs").map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
  expect(backend.requests("PUT /storage/u1")).toHaveLength(1);
});

test("a running upload can be stopped", async () => {
  backend.on("PUT /storage/u1", () => new Promise(() => {}));
  await userEvent.upload(picker(), makeFile());
  await screen.findByRole("progressbar", { name: "Upload of mug.jpg" });

  await waitFor(() => expect(backend.requests("PUT /storage/u1")).toHaveLength(1));
  const abort = vi.spyOn(XMLHttpRequest.prototype, "abort");

  await userEvent.click(screen.getByRole("button", { name: "Stop mug.jpg" }));

  expect(abort).toHaveBeenCalledOnce();
  expect(screen.queryByText("mug.jpg")).toBeNull();
  expect(onJob).not.toHaveBeenCalled();
});

test("at most three files are uploaded at the same time", async () => {
  backend.on("PUT /storage/u1", () => new Promise(() => {}));
  await userEvent.upload(
    picker(),
    [1, 2, 3, 4, 5].map((n) => makeFile(`${n}.jpg`)),
  );

  await waitFor(() => expect(backend.requests("PUT /storage/u1")).toHaveLength(3));
  expect(screen.getAllByText(/^Waiting/)).toHaveLength(2);
});
