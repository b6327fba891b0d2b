// Builds the frontend for GitHub Pages, with an API on another origin: npm run pages [-- FOLDER].
// VITE_API_ORIGIN is the API's origin, BASE_PATH the path of the site, PAGES_DOMAIN its domain.
import { copyFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "vite";

const { VITE_API_ORIGIN: api = "", BASE_PATH: base = "", PAGES_DOMAIN: domain = "" } = process.env;
const folder = resolve(process.argv[2] ?? "dist");

if (!URL.canParse(api) || new URL(api).origin !== api) {
  console.error(
    "VITE_API_ORIGIN must be an origin like https://api.example.com. On GitHub: gh variable set API_ORIGIN",
  );
  process.exit(2);
}
await build({ base: base || "/", build: { outDir: folder, emptyOutDir: true } });
// GitHub serves this file for every path without a file: all pages except the first.
copyFileSync(`${folder}/index.html`, `${folder}/404.html`);
// Without this file GitHub builds a Jekyll site from the folder.
writeFileSync(`${folder}/.nojekyll`, "");
if (domain) writeFileSync(`${folder}/CNAME`, `${domain}\n`);
