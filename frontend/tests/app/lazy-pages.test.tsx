// A page that can't be loaded, after a lost connection or a deployment.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { openApp, signedIn } from "../render-app";

vi.mock("@/features/settings/account-page", () => Promise.reject(new TypeError("not loaded")));

test("a page that can't be loaded shows an error and other pages still work", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  signedIn();
  openApp("/account");

  await screen.findByRole("heading", { name: "This page failed" });
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeTruthy();
  await userEvent.click(screen.getByRole("link", { name: "Test Yard" }));

  await screen.findByRole("heading", { name: "Your files" });
});
