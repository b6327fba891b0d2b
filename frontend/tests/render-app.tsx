// Opens the whole application at an address, as a browser would.
import { render } from "@testing-library/react";
import { Providers } from "@/app/providers";
import { AppRoutes } from "@/app/router";
import { backend } from "./fake-backend";
import { ada } from "./samples";

export function openApp(path: string) {
  window.history.replaceState(null, "", path);
  return render(
    <Providers>
      <AppRoutes />
    </Providers>,
  );
}

export function signedIn() {
  backend.on("GET /api/accounts/me", () => ({ status: 200, body: ada }));
  backend.on("GET /api/jobs", () => ({ status: 200, body: { items: [], next_cursor: null } }));
}
