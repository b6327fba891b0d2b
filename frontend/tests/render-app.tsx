// Opens the whole application at an address, as a browser would.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Account } from "@/api/types";
import { Providers } from "@/app/providers";
import { AppRoutes } from "@/app/router";
import { backend, problem } from "./fake-backend";
import { ada } from "./samples";

export function openApp(path: string) {
  window.history.replaceState(null, "", path);
  return render(
    <Providers>
      <AppRoutes />
    </Providers>,
  );
}

export function signedIn(changes: Partial<Account> = {}) {
  backend.on("GET /api/accounts/me", () => ({ status: 200, body: { ...ada, ...changes } }));
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items: [], next_cursor: null } }));
}

export function signedOut() {
  const unauthorized = problem(401, "not_authenticated", "Sign in first.");
  backend.on("GET /api/accounts/me", () => unauthorized);
  backend.on("POST /api/session/refresh", () => unauthorized);
}

export async function fill(label: string, text: string) {
  const field = await screen.findByLabelText(label);
  await userEvent.clear(field);
  await userEvent.type(field, text);
}

export async function press(name: string) {
  await userEvent.click(await screen.findByRole("button", { name }));
}
