// The allowed redirects after log-in.
import { expect, test } from "vitest";
import { loginPath, nextPath } from "@/session/next-path";

test.each([
  "https://elsewhere.example/",
  "//elsewhere.example",
  "/\\elsewhere.example",
  "\\\\elsewhere.example",
  "/\t/elsewhere.example",
  "/.//elsewhere.example",
  "/jobs/..//elsewhere.example",
  "javascript:alert(1)",
  "jobs",
  "",
  "/login?next=/login",
  "/signup",
])("%j redirects to the home page", (requested) => {
  expect(nextPath(`?next=${encodeURIComponent(requested)}`)).toBe("/jobs");
});

test("a path of this site keeps its query and its hash", () => {
  expect(nextPath("?next=%2Fjobs%3Fa%3D1%23b")).toBe("/jobs?a=1#b");
  expect(nextPath("")).toBe("/jobs");
});

test("the log-in path contains the page the user came from", () => {
  expect(loginPath("/jobs")).toBe("/login");
  expect(nextPath(new URL(loginPath("/jobs?a=1"), "http://x").search)).toBe("/jobs?a=1");
});
