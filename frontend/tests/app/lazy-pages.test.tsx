// What happens when a part that is loaded later can't be: a lost connection, or a deploy that replaced it.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { openApp, signedIn } from "../render-app";

vi.mock("@/features/settings/account-page", () => Promise.reject(new TypeError("not loaded")));
vi.mock("@/features/settings/unverified-note", () => Promise.reject(new TypeError("not loaded")));

test("a page that can't be loaded says so and leaves the way to the others open", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  signedIn();
  openApp("/account");

  await screen.findByRole("heading", { name: "This page broke" });
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeTruthy();
  await userEvent.click(screen.getByRole("link", { name: "Slipway" }));

  await screen.findByRole("heading", { name: "Your photos" });
});

test("a notice that can't be loaded is left out", async () => {
  signedIn({ email_verified: false });
  openApp("/jobs");
  await screen.findByText("Nothing on the slipway yet");
  expect(screen.queryByRole("heading", { name: "This page broke" })).toBeNull();
});
