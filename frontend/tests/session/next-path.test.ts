// Where people may be sent after logging in.
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
])("%j leads home and nowhere else", (wish) => {
  expect(nextPath(`?next=${encodeURIComponent(wish)}`)).toBe("/jobs");
});

test("a path of this site is kept with its query and its anchor", () => {
  expect(nextPath("?next=%2Fjobs%3Fa%3D1%23b")).toBe("/jobs?a=1#b");
  expect(nextPath("")).toBe("/jobs");
});

test("the way to log in remembers where somebody came from", () => {
  expect(loginPath("/jobs")).toBe("/login");
  expect(nextPath(new URL(loginPath("/jobs?a=1"), "http://x").search)).toBe("/jobs?a=1");
});
