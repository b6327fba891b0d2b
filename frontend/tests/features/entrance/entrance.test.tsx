// Logging in, signing up, logging out.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { TEXTS } from "@/features/jobs/recipe";
import { backend, problem } from "../../fake-backend";
import { fill, openApp, press, signedIn, signedOut } from "../../render-app";
import { ada, makeJob } from "../../samples";

test("whoever is not signed in is sent to log in, and back to where they wanted to go", async () => {
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

  await screen.findByText("Nothing here yet");
  expect(window.location.pathname + window.location.search).toBe("/jobs?from=mail");
  expect(JSON.parse(backend.asked("POST /api/session")[0]?.body ?? "")).toEqual({
    email: "ada@example.com",
    password: "correct horse",
  });
});

test("wrong credentials are answered with a sentence and the request id", async () => {
  signedOut();
  backend.on("POST /api/session", () => problem(401, "wrong_credentials", "That is not right."));

  openApp("/login");
  await fill("Email address", "ada@example.com");
  await fill("Password", "wrong");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));

  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("That is not right.");
  expect(alert.textContent).toContain("req-123");
});

test("a field the server refuses says so beside the field", async () => {
  signedOut();
  backend.on("POST /api/accounts", () =>
    problem(422, "invalid_input", "The request has errors.", [
      { field: "email", message: "This is not an address." },
    ]),
  );

  openApp("/signup");
  await fill("Your name", "Ada");
  await fill("Email address", "ada@example");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Create account" }));

  const email = await screen.findByRole("textbox", { name: "Email address" });
  await waitFor(() => expect(email.getAttribute("aria-invalid")).toBe("true"));
  const description = document.getElementById(email.getAttribute("aria-describedby") ?? "");
  expect(description?.textContent).toBe("This is not an address.");
});

test("a new account is signed in at once", async () => {
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
  await userEvent.click(screen.getByRole("button", { name: "Create account" }));

  await screen.findByRole("heading", { name: TEXTS.title });
});

test("after logging out nothing of one person is left for the next", async () => {
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
    return { status: 200, body: { ...ada, id: "somebody-else" } };
  });
  await fill("Email address", "bob@example.com");
  await fill("Password", "correct horse");
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));

  await screen.findByText("Loading your files …");
  expect(screen.queryByRole("article")).toBeNull();
});

test("a server out of reach is not mistaken for being signed out", async () => {
  backend.on("GET /api/accounts/me", () => problem(422, "odd", "Not today."));

  openApp("/jobs");

  await screen.findByRole("heading", { name: "This page can't be opened right now" });
  expect(screen.getByRole("alert").textContent).toContain("Not today.");
});

test("too many tries are told with the time to wait", async () => {
  signedOut();
  const refusal = problem(429, "rate_limited", "Too many requests.");
  backend.on("POST /api/session", () => ({ ...refusal, headers: { "retry-after": "42" } }));

  openApp("/login");
  await fill("Email address", "ada@example.com");
  await fill("Password", "wrong");
  await press("Log in");

  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Too many tries. Wait 42 seconds.");
});

test("Google is a way in where the server offers it, and leads to where somebody wanted to go", async () => {
  signedOut();
  backend.on("GET /api/oauth/providers", () => ({ status: 200, body: { google: true } }));

  openApp("/login?next=%2Faccount");

  const link = await screen.findByRole<HTMLAnchorElement>("link", { name: "Continue with Google" });
  expect(new URL(link.href).pathname).toBe("/api/oauth/google/start");
  expect(new URL(link.href).searchParams.get("next")).toBe("/account");
});

test("after a failed way through Google both ways in still lead to where somebody wanted to go", async () => {
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
  await screen.findByText("Nothing here yet");
  expect(window.location.pathname + window.location.search).toBe("/jobs?from=mail");
});

test.each([{ google: false }, null])(
  "without an offer (%j) nothing is said of Google",
  async (body) => {
    signedOut();
    backend.on("GET /api/oauth/providers", () => ({ status: body ? 200 : 404, body }));

    openApp("/signup");

    await screen.findByRole("heading", { name: "Create your account" });
    await waitFor(() => expect(backend.asked("GET /api/oauth/providers")).toHaveLength(1));
    expect(screen.queryByRole("link", { name: /Google/ })).toBeNull();
  },
);

test.each([
  ["google_denied", /was cancelled/],
  ["google_failed", /try again/],
  ["google_unverified", /has not confirmed/],
  ["google_conflict", /exists already/],
  ["account_disabled", /is disabled/],
])("a way through Google that ended with %s is explained", async (code, sentence) => {
  signedOut();
  openApp(`/login?error=${code}`);
  expect((await screen.findByRole("alert")).textContent).toMatch(sentence);
});

test("a code that somebody made up says nothing, and an error does not follow to the next page", async () => {
  signedOut();
  openApp("/login?error=constructor&next=%2Faccount");

  const other = await screen.findByRole<HTMLAnchorElement>("link", { name: "Create an account" });
  expect(new URL(other.href).search).toBe("?next=%2Faccount");
  expect(screen.queryByRole("alert")).toBeNull();
});
