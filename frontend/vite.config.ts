// Configures the development server, the build and the tests.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// index.html uses it. Empty means the origin of the page.
process.env.VITE_API_ORIGIN ??= "";
const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), shakeReactRouter()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 5173),
    strictPort: true,
    // The backend compares Origin with Host, so the proxy does not change the Host header.
    proxy: { "/api": backend, "/health": backend, "/storage": backend },
  },
  build: {
    // Inlined assets would be data: URLs, which the Content-Security-Policy blocks.
    assetsInlineLimit: 0,
    // Every browser that Vite builds for supports modulepreload.
    modulePreload: { polyfill: false },
    // The first load is one file. Split into chunks shared with the lazy pages, it would be 2 kB larger.
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

// Lets the bundler drop unused parts of react-router: 2 kB gzipped of the first load, which is limited to 90 kB.
// The package creates components with calls not marked as pure, then sets displayName. Either keeps unused components.
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
