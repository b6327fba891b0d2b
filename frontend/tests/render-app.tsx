// Renders the whole application at a path, or one component.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import type { Account } from "@/api/types";
import { Providers } from "@/app/providers";
import { AppRoutes } from "@/app/router";
import { configQuery } from "@/config/use-config";
import { backend, problem } from "./fake-backend";
import { ada, config } from "./samples";

export function openApp(path: string) {
  window.history.replaceState(null, "", path);
  return render(
    <Providers>
      <AppRoutes />
    </Providers>,
  );
}

// Renders a component with a loaded configuration.
export function renderPart(part: ReactNode) {
  const queryClient = new QueryClient();
  queryClient.setQueryData(configQuery.queryKey, config);
  const view = render(<QueryClientProvider client={queryClient}>{part}</QueryClientProvider>);
  return { ...view, queryClient };
}

export function signedIn(changes: Partial<Account> = {}) {
  backend.on("GET /api/accounts/me", () => ({ status: 200, body: { ...ada, ...changes } }));
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items: [], next_cursor: null } }));
}

export function signedOut() {
  const unauthorized = problem(401, "not_authenticated", "Log in first.");
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
