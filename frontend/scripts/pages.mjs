// Builds the frontend for GitHub Pages, in front of an API that lives elsewhere: npm run pages [-- FOLDER].
// VITE_API_ORIGIN is that API's origin, BASE_PATH the path the pages lie under, PAGES_DOMAIN their domain.
import { copyFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "vite";

const { VITE_API_ORIGIN: api = "", BASE_PATH: base = "", PAGES_DOMAIN: domain = "" } = process.env;
const folder = resolve(process.argv[2] ?? "dist");

if (!URL.canParse(api) || new URL(api).origin !== api) {
  console.error(
    "VITE_API_ORIGIN is not an origin like https://api.example.com. On GitHub: gh variable set API_ORIGIN",
  );
  process.exit(2);
}
await build({ base: base || "/", build: { outDir: folder, emptyOutDir: true } });
// What GitHub shows for an address without a file, which is every page of the application but the first.
copyFileSync(`${folder}/index.html`, `${folder}/404.html`);
// Without it GitHub would treat the files as the sources of a Jekyll site.
writeFileSync(`${folder}/.nojekyll`, "");
if (domain) writeFileSync(`${folder}/CNAME`, `${domain}\n`);
