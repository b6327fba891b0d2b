// How the frontend is served in development, built, and tested.
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8000";

// What the package gives to an import is its development build, warnings and all.
const PRODUCTION_ROUTER = path("./node_modules/react-router/dist/production/index.mjs");

export default defineConfig({
  plugins: [react(), shakeReactRouter(), dropPreloading()],
  resolve: { alias: { "@": path("./src") } },
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
    // Every browser we build for preloads modules by itself, and dropPreloading() says why lazy pages preload nothing.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_file, imports, { hostType }) => (hostType === "js" ? [] : imports),
    },
    // The first page in one file: cut up by what the lazy pages share with it, it compresses 2 kB worse.
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

// Lets the bundler drop the parts of react-router that nothing imports: 4 kB gzipped. Its components are made by
// calls not marked pure and are then given a displayName; either alone would keep them.
function shakeReactRouter(): Plugin {
  return {
    name: "shake-react-router",
    apply: "build",
    config: () => ({ resolve: { alias: { "react-router": PRODUCTION_ROUTER } } }),
    transform: {
      filter: { id: /\/react-router\/dist\/.*\.m?js$/ },
      handler: (code) => ({
        code: code
          .replace(/= (React\d*\.(?:forwardRef|createContext)\()/g, "= /* @__PURE__ */ $1")
          .replace(/^\w+\.displayName = "[^"]*";$/gm, ""),
        map: null,
      }),
    },
  };
}

// Vite brings a loader that fetches the style sheets and the imports of a lazy page along with it: 1 kB gzipped on the
// first page. Our style sheet is one, and a lazy page imports little beyond the first page, so a plain import will do.
function dropPreloading(): Plugin {
  return {
    name: "drop-preloading",
    apply: "build",
    transform: {
      filter: { id: /vite\/preload-helper/ },
      handler: () => ({ code: "export const __vitePreload = (load) => load();", map: null }),
    },
  };
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
