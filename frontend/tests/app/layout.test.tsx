// The layout of the pages: name, theme, focus, unknown URLs.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { TEXTS } from "@/features/jobs/recipe";
import { backend, problem } from "../fake-backend";
import { openApp, signedIn, signedOut } from "../render-app";
import { config } from "../samples";

afterEach(() => vi.unstubAllEnvs());

test("an unknown URL shows a not-found page with a link to the files", async () => {
  signedIn();
  openApp("/nowhere");

  await screen.findByRole("heading", { name: "Page not found" });
  expect(document.title).toBe("Page not found · Test Yard");
  await userEvent.click(screen.getByRole("link", { name: "Go to your files" }));

  const heading = await screen.findByRole("heading", { level: 1, name: TEXTS.title });
  await waitFor(() => expect(document.activeElement).toBe(heading));
});

test("the theme changes from auto to light to dark and is stored", async () => {
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

test("pages below a base path are found and their URLs keep it", async () => {
  vi.stubEnv("BASE_URL", "/studio/");
  signedOut();
  openApp("/studio/verify#token=from-an-email");

  await screen.findByRole("button", { name: "Confirm email" });
  expect(window.location.href).toBe(`${window.location.origin}/studio/verify`);
  await userEvent.click(screen.getByRole("link", { name: "Log in" }));
  await screen.findByLabelText("Password");
  expect(window.location.pathname).toBe("/studio/login");
});

test("header, footer and title show the name from the configuration", async () => {
  signedOut();
  backend.on("GET /api/version", () => ({
    status: 200,
    body: { version: "1.2.3", git_sha: "0123456789abcdef" },
  }));
  openApp("/login");

  await screen.findByRole("heading", { name: "Log in" });
  expect(document.title).toBe("Log in · Test Yard");
  expect(screen.getByRole("banner").textContent).toContain("Test Yard");
  await screen.findByText("Test Yard 1.2.3 · 0123456");
});

test("no page is shown until the configuration is loaded", async () => {
  signedOut();
  backend.on("GET /api/config", () => problem(422, "odd", "Not available."));
  openApp("/login");

  await screen.findByRole("heading", { name: "This page is unavailable right now" });
  expect(screen.getByRole("alert").textContent).toContain("Not available.");
  expect(screen.queryByRole("heading", { name: "Log in" })).toBeNull();

  backend.on("GET /api/config", () => ({ status: 200, body: config }));
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("heading", { name: "Log in" });
});
