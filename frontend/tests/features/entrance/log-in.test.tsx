// Log in, sign up, log out.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { TEXTS } from "@/features/jobs/recipe";
import { backend, problem } from "../../fake-backend";
import { fill, openApp, press, signedIn, signedOut } from "../../render-app";
import { ada, makeJob } from "../../samples";

test("a logged-out user is redirected to log in and then back to the requested page", async () => {
  signedOut();
  backend.on("POST /api/session", () => {
    signedIn();
    return { status: 200, body: ada };
  });

  openApp("/jobs?from=mail");
  await screen.findByRole("heading", { name: "Log in" });
  expect(window.location.search).toBe("?next=%2Fjobs%3Ffrom%3Dmail");
  await fill("Email address", "ada@example.com");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));

  await screen.findByText("No files yet");
  expect(window.location.pathname + window.location.search).toBe("/jobs?from=mail");
  expect(backend.bodies("POST /api/session")).toEqual([
    { email: "ada@example.com", password: "correct horse" },
  ]);
});

test("wrong credentials show a message and the request id", async () => {
  signedOut();
  backend.on("POST /api/session", () =>
    problem(401, "wrong_credentials", "Wrong email or password."),
  );

  openApp("/login");
  await fill("Email address", "ada@example.com");
  await fill("Password", "wrong");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));

  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Wrong email or password.");
  expect(alert.textContent).toContain("req-123");
});

test("a field error from the server is shown at the field", async () => {
  signedOut();
  backend.on("POST /api/accounts", () =>
    problem(422, "invalid_input", "The request has errors.", [
      { field: "email", message: "This is not an email address." },
    ]),
  );

  openApp("/signup");
  await fill("Your name", "Ada");
  await fill("Email address", "ada@example");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Sign up" }));

  const email = await screen.findByRole("textbox", { name: "Email address" });
  await waitFor(() => expect(email.getAttribute("aria-invalid")).toBe("true"));
  const description = document.getElementById(email.getAttribute("aria-describedby") ?? "");
  expect(description?.textContent).toBe("This is not an email address.");
});

test("a new user is logged in after sign-up", async () => {
  signedOut();
  backend.on("POST /api/accounts", () => ({ status: 201, body: ada }));
  backend.on("POST /api/session", () => {
    signedIn();
    return { status: 200, body: ada };
  });

  openApp("/signup");
  await fill("Your name", "Ada");
  await fill("Email address", "ada@example.com");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Sign up" }));

  await screen.findByRole("heading", { name: TEXTS.title });
});

test("after log-out the next user sees no data of the previous user", async () => {
  signedIn();
  const page = { items: [makeJob()], next_cursor: null };
  backend.on("GET /api/jobs", () => ({ status: 200, body: page }));
  backend.on("DELETE /api/session", () => {
    signedOut();
    return { status: 204 };
  });
  openApp("/jobs");
  await screen.findByRole("article", { name: "mug.jpg" });
  await userEvent.click(await screen.findByRole("button", { name: "Log out" }));
  await screen.findByRole("heading", { name: "Log in" });
  expect(screen.queryByRole("article")).toBeNull();

  backend.on("POST /api/session", () => {
    signedIn();
    backend.on("GET /api/jobs", () => new Promise(() => {}));
    return { status: 200, body: { ...ada, id: "another-user" } };
  });
  await fill("Email address", "bob@example.com");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));

  await screen.findByText("Loading your files …");
  expect(screen.queryByRole("article")).toBeNull();
});

test("a failed session request shows an error instead of the log-in page", async () => {
  backend.on("GET /api/accounts/me", () => problem(422, "odd", "Not available."));

  openApp("/jobs");

  await screen.findByRole("heading", { name: "This page is unavailable right now" });
  expect(screen.getByRole("alert").textContent).toContain("Not available.");
});

test("too many log-in attempts show the time to wait", async () => {
  signedOut();
  const refusal = problem(429, "rate_limited", "Too many requests.");
  backend.on("POST /api/session", () => ({ ...refusal, headers: { "retry-after": "42" } }));

  openApp("/login");
  await fill("Email address", "ada@example.com");
  await fill("Password", "wrong");
  await press("Log in");

  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Too many attempts. Wait 42 seconds.");
});

test("the Google link is shown when enabled and keeps the requested page", async () => {
  signedOut();
  backend.on("GET /api/oauth/providers", () => ({ status: 200, body: { google: true } }));

  openApp("/login?next=%2Faccount");

  const link = await screen.findByRole<HTMLAnchorElement>("link", { name: "Continue with Google" });
  expect(new URL(link.href).pathname).toBe("/api/oauth/google/start");
  expect(new URL(link.href).searchParams.get("next")).toBe("/account");
});

test("after a failed Google log-in both log-in methods keep the requested page", async () => {
  signedOut();
  backend.on("GET /api/oauth/providers", () => ({ status: 200, body: { google: true } }));
  backend.on("POST /api/session", () => {
    signedIn();
    return { status: 200, body: ada };
  });

  openApp("/login?error=google_failed&next=%2Fjobs%3Ffrom%3Dmail");

  const link = await screen.findByRole<HTMLAnchorElement>("link", { name: "Continue with Google" });
  expect(new URL(link.href).searchParams.get("next")).toBe("/jobs?from=mail");
  await fill("Email address", "ada@example.com");
  await fill("Password", "correct horse");
  await press("Log in");
  await screen.findByText("No files yet");
  expect(window.location.pathname + window.location.search).toBe("/jobs?from=mail");
});

test.each([{ google: false }, null])(
  "with the providers %j no Google link is shown",
  async (body) => {
    signedOut();
    backend.on("GET /api/oauth/providers", () => ({ status: body ? 200 : 404, body }));

    openApp("/signup");

    await screen.findByRole("heading", { name: "Sign up" });
    await waitFor(() => expect(backend.requests("GET /api/oauth/providers")).toHaveLength(1));
    expect(screen.queryByRole("link", { name: /Google/ })).toBeNull();
  },
);

test.each([
  ["google_denied", /was cancelled/],
  ["google_failed", /try again/],
  ["google_unverified", /has not confirmed/],
  ["google_conflict", /exists already/],
  ["account_disabled", /is disabled/],
])("the Google error %s shows a message", async (code, message) => {
  signedOut();
  openApp(`/login?error=${code}`);
  expect((await screen.findByRole("alert")).textContent).toMatch(message);
});

test("an unknown error code shows no message and is not passed to the next page", async () => {
  signedOut();
  openApp("/login?error=constructor&next=%2Faccount");

  const other = await screen.findByRole<HTMLAnchorElement>("link", { name: "Sign up" });
  expect(new URL(other.href).search).toBe("?next=%2Faccount");
  expect(screen.queryByRole("alert")).toBeNull();
});
