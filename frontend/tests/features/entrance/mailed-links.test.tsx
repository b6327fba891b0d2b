// The pages of emailed links, and the page that requests a password reset.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { backend, problem } from "../../fake-backend";
import { fill, openApp, press, signedIn, signedOut } from "../../render-app";

const VERIFY = "POST /api/accounts/verify";
const REQUEST = "POST /api/accounts/password-reset";
const RESET = "POST /api/accounts/password-reset/confirm";
const invalid = problem(422, "invalid_token", "This link is no longer valid.");

test.each(["/verify", "/confirm-email"])(
  "%s confirms an email only after a click",
  async (path) => {
    signedIn({ email_verified: false });
    backend.on(VERIFY, () => ({ status: 204 }));

    openApp(`${path}#token=secret`);
    await screen.findByRole("button", { name: "Confirm email" });
    expect(window.location.pathname + window.location.search).toBe(path);
    expect(backend.requests(VERIFY)).toHaveLength(0);
    await press("Confirm email");

    const heading = await screen.findByRole("heading", { name: "Email confirmed" });
    await waitFor(() => expect(document.activeElement).toBe(heading));
    expect(backend.bodies(VERIFY)).toEqual([{ token: "secret" }]);
    expect(await screen.findByRole("link", { name: "Go to your files" })).toBeTruthy();
  },
);

test("after confirming an email a logged-out user sees a link to log in", async () => {
  signedOut();
  backend.on(VERIFY, () => ({ status: 204 }));

  openApp("/verify#token=secret");
  await press("Confirm email");

  await screen.findByRole("heading", { name: "Email confirmed" });
  expect(screen.getAllByRole("link", { name: "Log in" })).toHaveLength(2);
});

test("the notice disappears after the email is confirmed", async () => {
  signedIn({ email_verified: false });
  backend.on(VERIFY, () => {
    signedIn({ email_verified: true });
    return { status: 204 };
  });
  openApp("/verify#token=secret");
  await press("Confirm email");
  await userEvent.click(await screen.findByRole("link", { name: "Go to your files" }));

  await screen.findByRole("heading", { name: "Your files" });
  await waitFor(() => expect(screen.queryByText(/Please confirm/)).toBeNull());
});

test("a used confirmation link shows that it is no longer valid", async () => {
  signedIn();
  backend.on(VERIFY, () => invalid);

  openApp("/verify#token=used");
  await press("Confirm email");

  const heading = await screen.findByRole("heading", { name: "This link is no longer valid" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(screen.getByRole("link", { name: "Go to your account" })).toBeTruthy();
});

test("a taken email shows an error and can be confirmed again", async () => {
  signedIn();
  backend.on(VERIFY, () => problem(409, "email_taken", "An account with this address exists."));

  openApp("/confirm-email#token=secret");
  await press("Confirm email");

  expect((await screen.findByRole("alert")).textContent).toContain("exists");
  expect(screen.getByRole("button", { name: "Confirm email" })).toBeTruthy();
});

test("a password reset shows the same page for every email", async () => {
  signedOut();
  backend.on(REQUEST, () => ({ status: 202 }));

  openApp("/login");
  await userEvent.click(await screen.findByRole("link", { name: "Forgot your password?" }));
  await screen.findByRole("heading", { name: "Forgot your password?" });
  await fill("Email address", "unknown@example.com");
  await press("Send link");

  const heading = await screen.findByRole("heading", { name: "Check your inbox" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(screen.getByText(/we sent a link/).textContent).toContain("unknown@example.com");
  expect(backend.bodies(REQUEST)).toEqual([{ email: "unknown@example.com" }]);
});

test("a new password is set with the link's token, which is removed from the address bar", async () => {
  signedIn();
  backend.on(RESET, () => ({ status: 204 }));
  backend.on("DELETE /api/session", () => {
    signedOut();
    return { status: 204 };
  });

  openApp("/reset-password#token=secret");
  await fill("New password", "a new password");
  expect(window.location.href).not.toContain("secret");
  await press("Change password");

  const heading = await screen.findByRole("heading", { name: "Password changed" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(backend.bodies(RESET)).toEqual([{ token: "secret", password: "a new password" }]);
  expect(screen.queryByRole("button", { name: "Log out" })).toBeNull();
});

test("a refused password shows its error at the field, which gets the focus", async () => {
  signedOut();
  backend.on(RESET, () =>
    problem(422, "invalid_input", "The request has errors.", [
      { field: "password", message: "This password is too common." },
    ]),
  );

  openApp("/reset-password#token=secret");
  await fill("New password", "passwordpassword");
  await press("Change password");

  await screen.findByText("This password is too common.");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("New password")));
});

test.each(["#token=used", ""])(
  "an invalid password reset link (%j) offers to request a new one",
  async (query) => {
    signedOut();
    backend.on(RESET, () => invalid);

    openApp(`/reset-password${query}`);
    if (query) {
      await fill("New password", "a new password");
      await press("Change password");
    }

    await screen.findByRole("heading", { name: "This link is no longer valid" });
    await userEvent.click(screen.getByRole("link", { name: "Request a new link" }));
    await screen.findByRole("heading", { name: "Forgot your password?" });
  },
);
