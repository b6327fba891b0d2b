// Holds the arrows between the folders: app sees everything, features see api, components and session, never each other.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const SRC = `${process.cwd()}/src`;
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.tsx?$/.test(name),
);

describe("every file", () => {
  test.each(files)("%s imports only from the folders it may see", (file) => {
    const forbidden = importsOf(file).filter((folder) => !mayImport(roomOf(file), folder));
    expect(forbidden).toEqual([]);
  });

  test.each(files.filter((name) => !name.endsWith(".d.ts")))(
    "%s begins by saying its job",
    (file) => {
      expect(readFileSync(`${SRC}/${file}`, "utf8")).toMatch(/^\/\/ [A-Z].*[.;:]/);
    },
  );
});

function mayImport(from: string, to: string): boolean {
  if (from === to || from === "app" || from === "main.tsx") return true;
  if (from === "components" || from === "session") return to === "api";
  return from.startsWith("features/") && ["api", "components", "session"].includes(to);
}

function importsOf(file: string): string[] {
  const source = readFileSync(`${SRC}/${file}`, "utf8");
  const paths = [...source.matchAll(/(?:from|import) ?\(?"([^"]+)"/g)].map(([, path = ""]) => path);
  return paths.flatMap((path) => {
    if (path.startsWith("@/")) return [roomOf(path.slice(2))];
    // A path that climbs would get around the rule.
    return path.startsWith("..") ? [path] : [];
  });
}

function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "features" ? `${first}/${second}` : first;
}
