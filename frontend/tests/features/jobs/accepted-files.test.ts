// The check of files against the limits of the server.
import { expect, test } from "vitest";
import {
  acceptAttribute,
  contentTypeOf,
  describeLimits,
  refusalOf,
} from "@/features/jobs/accepted-files";
import { config, makeFile } from "../../samples";

const limits = config.uploads;

test("the file picker offers the accepted types and extensions", () => {
  expect(acceptAttribute(limits)).toBe(
    "image/jpeg,.jpg,.jpeg,image/png,.png,image/tiff,.tif,.tiff",
  );
  expect(describeLimits(limits)).toBe("JPEG, PNG or TIFF, up to 50 MB each.");
});

test.each([
  ["mug.jpg", "image/jpeg", "image/jpeg"],
  ["a name without an extension", "image/png", "image/png"],
  ["scan.TIF", "", "image/tiff"],
  ["scan.tiff", "application/octet-stream", "image/tiff"],
  ["notes.txt", "text/plain", undefined],
  ["jpg", "", undefined],
])("%s of type %j is sent as %s", (name, type, contentType) => {
  expect(contentTypeOf(makeFile(name, type), limits)).toBe(contentType);
});

test("a file of a wrong type or size and an empty file are refused", () => {
  expect(refusalOf(makeFile("notes.txt", "text/plain"), limits)).toBe(
    "Files of this type are not accepted. Choose JPEG, PNG or TIFF.",
  );
  expect(refusalOf(makeFile(), { ...limits, max_bytes: 18 })).toMatch(/larger than/);
  expect(refusalOf(makeFile(), { ...limits, max_bytes: 19 })).toBeNull();
  expect(refusalOf(new File([], "mug.jpg", { type: "image/jpeg" }), limits)).toMatch(/empty/);
});

test("the maximum size comes from the server", () => {
  const large = { ...limits, max_bytes: 200_000_000 };
  expect(describeLimits(large)).toContain("up to 200 MB");
});
