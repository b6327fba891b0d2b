// The pages that mailed links lead to, and the one that asks for such a link.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { backend, problem } from "../../fake-backend";
import { fill, openApp, press, signedIn, signedOut } from "../../render-app";

const VERIFY = "POST /api/accounts/verify";
const ASK = "POST /api/accounts/password-reset";
const RESET = "POST /api/accounts/password-reset/confirm";
const invalid = problem(
  422,
  "invalid_token",
  "This link is invalid or has expired. Request a new one.",
);

test.each(["/verify", "/confirm-email"])(
  "%s confirms an address with a click, and not before",
  async (path) => {
    signedIn({ email_verified: false });
    backend.on(VERIFY, () => ({ status: 204 }));

    openApp(`${path}#token=secret`);
    await screen.findByRole("button", { name: "Confirm address" });
    expect(window.location.pathname + window.location.search).toBe(path);
    expect(backend.asked(VERIFY)).toHaveLength(0);
    await press("Confirm address");

    const heading = await screen.findByRole("heading", { name: "Your address is confirmed" });
    await waitFor(() => expect(document.activeElement).toBe(heading));
    expect(backend.told(VERIFY)).toEqual([{ token: "secret" }]);
    expect(await screen.findByRole("link", { name: "Go to your files" })).toBeTruthy();
  },
);

test("whoever confirms an address on a device without a session is led to log in", async () => {
  signedOut();
  backend.on(VERIFY, () => ({ status: 204 }));

  openApp("/verify#token=secret");
  await press("Confirm address");

  await screen.findByRole("heading", { name: "Your address is confirmed" });
  expect(screen.getAllByRole("link", { name: "Log in" })).toHaveLength(2);
});

test("a confirmed address is no longer called unconfirmed", async () => {
  signedIn({ email_verified: false });
  backend.on(VERIFY, () => {
    signedIn({ email_verified: true });
    return { status: 204 };
  });
  openApp("/verify#token=secret");
  await press("Confirm address");
  await userEvent.click(await screen.findByRole("link", { name: "Go to your files" }));

  await screen.findByRole("heading", { name: "Your files" });
  await waitFor(() => expect(screen.queryByText(/Please confirm/)).toBeNull());
});

test("a link to confirm that was used already says so", async () => {
  signedIn();
  backend.on(VERIFY, () => invalid);

  openApp("/verify#token=used");
  await press("Confirm address");

  const heading = await screen.findByRole("heading", { name: "This link doesn't work any more" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(screen.getByRole("link", { name: "Go to your account" })).toBeTruthy();
});

test("an address that somebody else has taken meanwhile is told, and can be tried again", async () => {
  signedIn();
  backend.on(VERIFY, () => problem(409, "email_taken", "An account with this address exists."));

  openApp("/confirm-email#token=secret");
  await press("Confirm address");

  expect((await screen.findByRole("alert")).textContent).toContain("exists");
  expect(screen.getByRole("button", { name: "Confirm address" })).toBeTruthy();
});

test("a forgotten password is a link away, whether the address has an account or not", async () => {
  signedOut();
  backend.on(ASK, () => ({ status: 202 }));

  openApp("/login");
  await userEvent.click(await screen.findByRole("link", { name: "Forgot your password?" }));
  await screen.findByRole("heading", { name: "Forgot your password?" });
  await fill("Email address", "nobody@example.com");
  await press("Send the link");

  const heading = await screen.findByRole("heading", { name: "Check your inbox" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(screen.getByText(/^If an account has/).textContent).toContain("nobody@example.com");
  expect(backend.told(ASK)).toEqual([{ email: "nobody@example.com" }]);
});

test("a new password is set with the link's secret, which leaves the address bar", async () => {
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

  const heading = await screen.findByRole("heading", { name: "Your password is changed" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(backend.told(RESET)).toEqual([{ token: "secret", password: "a new password" }]);
  expect(screen.queryByRole("button", { name: "Log out" })).toBeNull();
});

test("a password that the server refuses is said beside the field, which takes the focus", async () => {
  signedOut();
  backend.on(RESET, () =>
    problem(422, "invalid_input", "The request has errors.", [
      { field: "password", message: "Everybody uses this one." },
    ]),
  );

  openApp("/reset-password#token=secret");
  await fill("New password", "passwordpassword");
  await press("Change password");

  await screen.findByText("Everybody uses this one.");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("New password")));
});

test.each(["#token=used", ""])(
  "a link to a new password that does not work (%j) leads to a new one",
  async (query) => {
    signedOut();
    backend.on(RESET, () => invalid);

    openApp(`/reset-password${query}`);
    if (query) {
      await fill("New password", "a new password");
      await press("Change password");
    }

    await screen.findByRole("heading", { name: "This link doesn't work any more" });
    await userEvent.click(screen.getByRole("link", { name: "Request a new link" }));
    await screen.findByRole("heading", { name: "Forgot your password?" });
  },
);
