// What happens when a page cannot be loaded: a lost connection, or a deployment that replaced it.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { openApp, signedIn } from "../render-app";

vi.mock("@/features/settings/account-page", () => Promise.reject(new TypeError("not loaded")));

test("a page that can't be loaded says so and does not affect the others", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  signedIn();
  openApp("/account");

  await screen.findByRole("heading", { name: "This page broke" });
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeTruthy();
  await userEvent.click(screen.getByRole("link", { name: "Test Yard" }));

  await screen.findByRole("heading", { name: "Your files" });
});
