// What people can do with their own account.
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Account, Device, Export } from "@/api/types";
import { backend, problem } from "../../fake-backend";
import { fill, openApp, press, signedIn, signedOut } from "../../render-app";
import { ada } from "../../samples";

const ME = "/api/accounts/me";
const wrongPassword = problem(422, "wrong_password", "The password is wrong. Try again.");

const here: Device = {
  id: "0199dddd-0000-7000-8000-000000000001",
  device: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  address: "192.0.2.17",
  created_at: "2025-11-20T08:00:00Z",
  last_seen_at: "2025-11-20T09:00:00Z",
  current: true,
};
const there: Device = { ...here, id: "there", device: "curl/8.5.0", address: null, current: false };

const queued: Export = {
  id: "0199eeee-0000-7000-8000-000000000001",
  status: "queued",
  size: null,
  created_at: "2025-11-20T09:00:00Z",
  expires_at: null,
  url: null,
};
const ready: Export = {
  ...queued,
  status: "ready",
  size: 12_400_000,
  expires_at: "2025-11-27T09:00:00Z",
  url: `${ME}/exports/${queued.id}/file`,
};

async function openAccount(changes: Partial<Account> = {}) {
  signedIn(changes);
  backend.on("GET /api/sessions", () => ({ status: 200, body: { items: [here, there] } }));
  backend.on(`GET ${ME}/exports`, () => ({ status: 200, body: { items: [] } }));
  openApp("/account");
  await screen.findByRole("heading", { name: "Your account" });
}

const section = (name: string) => within(screen.getByRole("region", { name }));

test("the name in the header leads to the account", async () => {
  signedIn();
  openApp("/jobs");
  await userEvent.click(await screen.findByRole("link", { name: "Account: Ada" }));
  const heading = await screen.findByRole("heading", { name: "Your account" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
});

test("the account is nobody's who is not signed in", async () => {
  signedOut();
  openApp("/account");
  await screen.findByRole("heading", { name: "Log in" });
  expect(window.location.search).toBe("?next=%2Faccount");
});

test("name and preferences are saved, and the header knows them", async () => {
  await openAccount();
  backend.on(`PATCH ${ME}`, () => ({ status: 200, body: { ...ada, name: "Grace" } }));

  await fill("Your name", " Grace ");
  await userEvent.click(screen.getByRole("checkbox", { name: /^Mail me/ }));
  await press("Save");

  await screen.findByText("Saved.");
  expect(backend.told(`PATCH ${ME}`)).toEqual([{ name: "Grace", mail_when_finished: true }]);
  expect(screen.getByRole("link", { name: "Account: Grace" })).toBeTruthy();
});

test("a new address is asked for with the password, and waits for its link", async () => {
  await openAccount();
  backend.on(`POST ${ME}/email`, () => ({ status: 202 }));

  expect(section("Email address").getByText("Confirmed")).toBeTruthy();
  await fill("New email address", "grace@example.com");
  await fill("Your password", "correct horse");
  await press("Change address");

  await screen.findByText("A link is on its way to grace@example.com.");
  const body = { email: "grace@example.com", password: "correct horse" };
  expect(backend.told(`POST ${ME}/email`)).toEqual([body]);
  expect(screen.getByLabelText<HTMLInputElement>("Your password").value).toBe("");
});

test("an address that is not confirmed says so and can be mailed again", async () => {
  await openAccount({ email_verified: false });
  backend.on("POST /api/accounts/verify/resend", () => ({ status: 202 }));

  expect(section("Email address").getByText("Not confirmed yet")).toBeTruthy();
  await press("Send it again");

  await screen.findByText(/^Sent\./);
});

test("a wrong password is said beside its field, which takes the focus", async () => {
  await openAccount();
  backend.on(`POST ${ME}/password`, () => wrongPassword);

  await fill("Current password", "not this one");
  await fill("New password", "a new password");
  await press("Change password");

  await screen.findByText("The password is wrong. Try again.");
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByLabelText("Current password")),
  );
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a changed password is told, and the devices that it ended are gone", async () => {
  await openAccount();
  await screen.findByText("curl");
  backend.on(`POST ${ME}/password`, () => {
    backend.on("GET /api/sessions", () => ({ status: 200, body: { items: [here] } }));
    return { status: 204 };
  });

  await fill("Current password", "correct horse");
  await fill("New password", "a new password");
  await press("Change password");

  await screen.findByText(/^Your password is changed/);
  await waitFor(() => expect(screen.queryByText("curl")).toBeNull());
  const body = { current_password: "correct horse", new_password: "a new password" };
  expect(backend.told(`POST ${ME}/password`)).toEqual([body]);
});

test("whoever came with Google has no password to show, and can set one", async () => {
  await openAccount({ has_password: false, google: true });
  backend.on(`POST ${ME}/password`, () => ({ status: 204 }));

  expect(screen.queryByLabelText("Current password")).toBeNull();
  expect(screen.queryByLabelText("Your password")).toBeNull();
  await fill("New password", "a new password");
  await press("Set password");

  await screen.findByText(/^Your password is changed/);
  const body = { current_password: null, new_password: "a new password" };
  expect(backend.told(`POST ${ME}/password`)).toEqual([body]);
});

test.each(["ended here", "ended elsewhere already"])("a session is %s and gone", async (how) => {
  await openAccount();
  backend.on("DELETE /api/sessions/there", () => {
    backend.on("GET /api/sessions", () => ({ status: 200, body: { items: [here] } }));
    return how === "ended here" ? { status: 204 } : problem(404, "session_not_found", "No such.");
  });

  await screen.findByText("Firefox on Linux");
  expect(screen.getByText("This device")).toBeTruthy();
  await press("End the session of curl");

  await waitFor(() => expect(screen.queryByText("curl")).toBeNull());
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Devices" })),
  );
});

test("a copy of one's data is asked for, waited for, and downloaded", async () => {
  await openAccount();
  backend.on(`POST ${ME}/exports`, () => {
    backend.on(`GET ${ME}/exports`, () => ({ status: 200, body: { items: [ready] } }));
    return { status: 202, body: queued };
  });
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 500 });

  screen.getByRole("button", { name: "Make a copy" }).click();
  await screen.findByText(/^Your copy is being made/);
  expect(screen.getByRole("button", { name: "Make a copy" }).ariaDisabled).toBe("true");

  await screen.findByText("Your copy is ready.");
  const link = screen.getByRole<HTMLAnchorElement>("link", { name: /^Download the copy/ });
  expect(new URL(link.href).pathname).toBe(ready.url);
  vi.useRealTimers();
});

test("a copy that is being made already is shown when asking for another is refused", async () => {
  await openAccount();
  backend.on(`POST ${ME}/exports`, () => {
    backend.on(`GET ${ME}/exports`, () => ({ status: 200, body: { items: [queued] } }));
    return problem(
      409,
      "export_pending",
      "A copy of your data is already in progress. Wait until it is ready.",
    );
  });

  await press("Make a copy");

  await screen.findByText("Processing");
});

test("an account is deleted only with its password, and says farewell", async () => {
  await openAccount();
  backend.on(`DELETE ${ME}`, ({ body }) => {
    if (JSON.parse(body).password !== "correct horse") return wrongPassword;
    signedOut();
    return { status: 204 };
  });

  await press("Delete account …");
  const dialog = within(screen.getByRole("dialog", { name: "Delete your account?" }));
  await userEvent.type(dialog.getByLabelText("Your password"), "wrong");
  await press("Delete everything");
  await dialog.findByText("The password is wrong. Try again.");
  await waitFor(() => expect(document.activeElement).toBe(dialog.getByLabelText("Your password")));

  await userEvent.clear(dialog.getByLabelText("Your password"));
  await userEvent.type(dialog.getByLabelText("Your password"), "correct horse");
  await press("Delete everything");

  const heading = await screen.findByRole("heading", { name: "Your account is deleted" });
  await waitFor(() => expect(document.activeElement).toBe(heading));
  expect(await screen.findByRole("link", { name: "Log in" })).toBeTruthy();
});

test("an account without a password is deleted with its address", async () => {
  await openAccount({ has_password: false, google: true });
  backend.on(`DELETE ${ME}`, () => {
    signedOut();
    return { status: 204 };
  });

  await press("Delete account …");
  await fill("Your email address", "bob@example.com");
  await press("Delete everything");
  await screen.findByText("This account has another address.");
  expect(backend.asked(`DELETE ${ME}`)).toHaveLength(0);

  await fill("Your email address", "Ada@Example.com");
  await press("Delete everything");
  await screen.findByRole("heading", { name: "Your account is deleted" });
  expect(backend.told(`DELETE ${ME}`)).toEqual([{ password: null }]);
});

test("an account is kept after a second thought", async () => {
  await openAccount();
  await press("Delete account …");
  await press("Keep it");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(backend.asked(`DELETE ${ME}`)).toHaveLength(0);
});

test("the farewell is no page of its own", async () => {
  signedIn();
  openApp("/farewell");
  await screen.findByRole("heading", { name: "Your files" });
});
