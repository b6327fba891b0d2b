// The upload of one file over real HTTP.
import { expect, test, vi } from "vitest";
import { firstRecipe } from "@/features/jobs/recipe";
import { sendFile, startJob } from "@/features/jobs/upload";
import { eventually } from "../../eventually";
import { backend, problem } from "../../fake-backend";
import { config, makeFile, makeJob } from "../../samples";

function storageAt(url: string) {
  backend.on("POST /api/uploads", () => ({
    status: 201,
    body: {
      upload_id: "u1",
      method: "PUT",
      url,
      headers: { "content-type": "image/jpeg", "x-amz-meta-check": "signed" },
      expires_at: "2025-11-20T10:00:00Z",
    },
  }));
}

const never = new AbortController().signal;

test("the file is sent to the signed URL with the signed headers", async () => {
  storageAt("/storage/originals/u1?signature=abc");
  backend.on("PUT /storage/originals/u1", () => ({ status: 200 }));
  const onSent = vi.fn();

  expect(await sendFile(makeFile(), "image/jpeg", never, onSent)).toBe("u1");

  const [put] = backend.requests("PUT /storage/originals/u1?signature=abc");
  expect(put?.body).toBe("the bytes of a file");
  expect(put?.headers).toMatchObject({
    "content-type": "image/jpeg",
    "x-amz-meta-check": "signed",
  });
  expect(onSent).toHaveBeenCalled();
});

test("the upload is requested with the file's name, type and size", async () => {
  storageAt("/storage/u1");
  backend.on("PUT /storage/u1", () => ({ status: 200 }));

  await sendFile(makeFile("scan.TIF", ""), "image/tiff", never, () => {});

  expect(backend.bodies("POST /api/uploads")).toEqual([
    { filename: "scan.TIF", content_type: "image/tiff", size: 19 },
  ]);
});

test("an error of the server keeps its message", async () => {
  backend.on("POST /api/uploads", () =>
    problem(422, "file_too_large", "The file is larger than 50 MB."),
  );
  await expect(sendFile(makeFile(), "image/jpeg", never, () => {})).rejects.toThrow(
    "The file is larger than 50 MB.",
  );
});

test("a storage error without a problem document gets a message", async () => {
  storageAt("/storage/u1");
  backend.on("PUT /storage/u1", () => ({ status: 403 }));
  await expect(sendFile(makeFile(), "image/jpeg", never, () => {})).rejects.toMatchObject({
    problem: { code: "upload_failed", detail: "The file could not be stored. Please try again." },
  });
});

test("an aborted upload rejects with the abort reason", async () => {
  storageAt("/storage/u1");
  backend.on("PUT /storage/u1", () => new Promise(() => {}));
  const stop = new AbortController();

  const sending = sendFile(makeFile(), "image/jpeg", stop.signal, () => {});
  await eventually(() => expect(backend.requests("PUT /storage/u1")).toHaveLength(1));
  stop.abort();

  await expect(sending).rejects.toBe(stop.signal.reason);
});

test("a job is requested with its idempotency key", async () => {
  backend.on("POST /api/jobs", () => ({ status: 202, body: makeJob() }));
  const recipe = firstRecipe(config.recipe);

  await startJob("u1", recipe, "key-1");

  const [request] = backend.requests("POST /api/jobs");
  expect(request?.headers["idempotency-key"]).toBe("key-1");
  expect(JSON.parse(request?.body ?? "")).toEqual({ upload_id: "u1", recipe });
});
