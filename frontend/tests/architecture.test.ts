// The import rules: app imports everything, features import shared folders but not each other.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const SRC = `${process.cwd()}/src`;
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.tsx?$/.test(name),
);

describe("every file", () => {
  test.each(files)("%s imports only from allowed folders", (file) => {
    const forbidden = importsOf(file).filter((folder) => !mayImport(folderOf(file), folder));
    expect(forbidden).toEqual([]);
  });

  test.each(files.filter((name) => !name.endsWith(".d.ts")))(
    "%s starts with a comment that describes it",
    (file) => {
      expect(readFileSync(`${SRC}/${file}`, "utf8")).toMatch(/^\/\/ [A-Z].*[.;:]/);
    },
  );
});

describe("no file", () => {
  const written = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.(tsx?|css)$/.test(name) && name !== "api/schema.d.ts",
  );
  const contents = new Map(written.map((name) => [name, readFileSync(`${SRC}/${name}`, "utf8")]));
  contents.set("index.html", readFileSync("index.html", "utf8"));

  test("contains the product name, which comes from /api/config", () => {
    expect(filesWith(/slipway/i)).toEqual([]);
  });

  test("outside the recipe folder mentions photos", () => {
    const found = filesWith(/photo|image\/(jpeg|png|webp)/i);
    expect(found.filter((name) => !name.startsWith("features/jobs/recipe/"))).toEqual([]);
  });

  function filesWith(pattern: RegExp): string[] {
    return [...contents].filter(([, text]) => pattern.test(text)).map(([name]) => name);
  }
});

function mayImport(from: string, to: string): boolean {
  if (from === to || from === "app" || from === "main.tsx") return true;
  if (from === "config" || from === "session") return to === "api";
  if (from === "components") return ["api", "config"].includes(to);
  return from.startsWith("features/") && ["api", "components", "config", "session"].includes(to);
}

function importsOf(file: string): string[] {
  const source = readFileSync(`${SRC}/${file}`, "utf8");
  const paths = [...source.matchAll(/(?:from|import) ?\(?"([^"]+)"/g)].map(([, path = ""]) => path);
  return paths.flatMap((path) => {
    if (path.startsWith("@/")) return [folderOf(path.slice(2))];
    // A relative path to a parent folder would bypass the rule.
    return path.startsWith("..") ? [path] : [];
  });
}

function folderOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "features" ? `${first}/${second}` : first;
}
