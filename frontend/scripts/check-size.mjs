// Fails when the first load has more gzipped JavaScript than the limit. `make test` runs it after a build.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 90;
const dist = new URL("../dist/", import.meta.url);

// The browser loads the scripts in index.html before it shows anything. Pages loaded by import() are not counted.
const html = readFileSync(new URL("index.html", dist), "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path);
const sizes = scripts.map((path) => [path, gzip(readFileSync(new URL(path, dist))) / 1000]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);

for (const [path, size] of sizes) console.log(`${size.toFixed(1).padStart(7)} kB  ${path}`);
console.log(`${total.toFixed(1).padStart(7)} kB  of ${LIMIT_KB} kB gzipped JavaScript`);
if (scripts.length === 0 || total > LIMIT_KB) {
  console.error(
    "The first load is too large. Use a smaller package, or load a page with React.lazy.",
  );
  process.exit(1);
}

function gzip(content) {
  return gzipSync(content, { level: 9 }).length;
}
