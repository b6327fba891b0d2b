// Sizes as text.
import { expect, test } from "vitest";
import { describeSize } from "@/components/describe";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [9_400, "9 kB"],
  [1_250_000, "1.3 MB"],
])("%d bytes are shown as %s", (bytes, text) => {
  expect(describeSize(bytes)).toBe(text);
});
