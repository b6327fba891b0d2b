// The frame around the pages: theme, focus, addresses that lead nowhere.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { openApp, signedIn, signedOut } from "../render-app";

afterEach(() => vi.unstubAllEnvs());

test("an unknown address says so and leads back", async () => {
  signedIn();
  openApp("/nowhere");

  await screen.findByRole("heading", { name: "This page isn't here" });
  expect(document.title).toBe("This page isn't here · Slipway");
  await userEvent.click(screen.getByRole("link", { name: "Go to your photos" }));

  const heading = await screen.findByRole("heading", { level: 1, name: /One photo in/ });
  await waitFor(() => expect(document.activeElement).toBe(heading));
});

test("the theme goes from auto to light to dark and is remembered", async () => {
  openApp("/nowhere");
  const button = await screen.findByRole("button", { name: "Theme: Auto" });

  await userEvent.click(button);
  expect(document.documentElement.dataset.theme).toBe("light");
  await userEvent.click(button);
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(localStorage.getItem("theme")).toBe("dark");
  await userEvent.click(button);
  expect(document.documentElement.dataset.theme).toBeUndefined();
});

test("under a path of their own, the pages are found and their addresses keep it", async () => {
  vi.stubEnv("BASE_URL", "/studio/");
  signedOut();
  openApp("/studio/verify#token=from-a-mail");

  await screen.findByRole("button", { name: "Confirm address" });
  expect(window.location.href).toBe(`${window.location.origin}/studio/verify`);
  await userEvent.click(screen.getByRole("link", { name: "Log in" }));
  await screen.findByLabelText("Password");
  expect(window.location.pathname).toBe("/studio/login");
});
