// Writes a zstd, a Brotli and a gzip copy of each text file in the build, so that the server does not compress at run time.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";

const TEXT = /\.(js|css|html|svg|txt|json)$/;
const SMALLEST_BYTES = 500;
const dist = new URL("../dist/", import.meta.url).pathname;

for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (file.isFile() && TEXT.test(file.name)) compress(join(file.parentPath, file.name));
}

function compress(path) {
  const content = readFileSync(path);
  if (content.length < SMALLEST_BYTES) return;
  writeFileSync(
    `${path}.zst`,
    zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }),
  );
  writeFileSync(`${path}.br`, brotliCompressSync(content));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
