// The texts about photos and their recipes.
import { expect, test } from "vitest";
import type { Recipe } from "@/api/types";
import { describeFacts, describeRecipe, describeRefusal } from "@/features/jobs/recipe";

test.each([
  [{ preset: "web", enhance: true, watermark: null }, "Web shop, enhanced"],
  [{ preset: "social", enhance: false, watermark: "© Ada" }, "Social, “© Ada”"],
  [{ preset: "new-on-the-server", enhance: false, watermark: null }, "new-on-the-server"],
])("the recipe %j reads %j", (recipe, line) => {
  expect(describeRecipe(recipe as Recipe)).toBe(line);
});

test("the facts of a photo are its width and height, or empty", () => {
  expect(describeFacts({ width: 1600, height: 1067 })).toBe("1600 × 1067");
  expect(describeFacts({})).toBe("");
});

test.each(["IMG_0042.HEIC", "photo.heif"])("%s is refused with a hint for iPhone users", (name) => {
  expect(describeRefusal(new File([], name))).toContain("Most Compatible");
  expect(describeRefusal(new File([], "photo", { type: "image/heic" }))).toContain("HEIC");
  expect(describeRefusal(new File([], "notes.txt"))).toBeNull();
});
