// How the frontend is served in development, built, and tested.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// index.html names it; empty means the origin of the page.
process.env.VITE_API_ORIGIN ??= "";
const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), shakeReactRouter()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 5173),
    strictPort: true,
    // The backend compares Origin with Host, so the proxy leaves the Host header as the browser sent it.
    proxy: { "/api": backend, "/health": backend, "/storage": backend },
  },
  build: {
    // Inlined assets would be data: addresses, which the Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    // Every browser that Vite builds for preloads modules by itself.
    modulePreload: { polyfill: false },
    // The first load is one file: split by what it shares with the lazy pages, it compresses 2 kB worse.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } },
    },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    testTimeout: 20_000,
  },
});

// Lets the bundler drop what nothing imports from react-router: 2 kB gzipped of the first load, which is limited to 90 kB.
// The package makes components with calls that are not marked pure and then names them; either alone would keep them.
function shakeReactRouter(): Plugin {
  return {
    name: "shake-react-router",
    apply: "build",
    transform: {
      filter: { id: /\/react-router\/dist\/.*\.mjs$/ },
      handler: (code) => ({
        code: code
          .replace(/= (React\d*\.(?:forwardRef|createContext)\()/g, "= /* @__PURE__ */ $1")
          .replace(/^\w+\.displayName = "[^"]*";$/gm, ""),
        map: null,
      }),
    },
  };
}
