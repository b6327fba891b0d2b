// The photo recipe form, and its use on the jobs page.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Recipe, RecipeSchema } from "@/api/types";
import { JobCard } from "@/features/jobs/job-card";
import { firstRecipe, RecipeForm, TEXTS } from "@/features/jobs/recipe";
import { UploadForm } from "@/features/jobs/upload-form";
import { backend } from "../../../fake-backend";
import { renderPart } from "../../../render-app";
import { completed, makeFile, makeJob, makeResult } from "../../../samples";

const schema: RecipeSchema = {
  properties: {
    preset: { enum: ["web", "print", "new-on-the-server"], default: "print" },
    enhance: { type: "boolean", default: false },
    watermark: { anyOf: [{ type: "string", maxLength: 7 }, { type: "null" }] },
  },
};

test("the first recipe uses the preset of the schema", () => {
  expect(firstRecipe(schema)).toEqual({ preset: "print", enhance: true, watermark: null });
});

test("presets and the maximum watermark length come from the schema", async () => {
  const onChange = vi.fn();
  const recipe = firstRecipe(schema);
  renderPart(<RecipeForm schema={schema} recipe={recipe} onChange={onChange} />);

  const presets = screen.getAllByRole("radio").map((radio) => radio.parentElement?.textContent);
  expect(presets).toEqual([
    expect.stringMatching(/^Web shop/),
    expect.stringMatching(/^Print.*300 dpi/),
    "new-on-the-server",
  ]);
  expect(screen.getByLabelText<HTMLInputElement>("Watermark").maxLength).toBe(7);
  await userEvent.click(screen.getByRole("radio", { name: /Web shop/ }));
  expect(onChange).toHaveBeenCalledExactlyOnceWith({ ...recipe, preset: "web" });
});

test("the chosen preset and watermark are sent with new photos", async () => {
  backend.on("POST /api/uploads", () => ({
    status: 201,
    body: { upload_id: "u1", method: "PUT", url: "/storage/u1", headers: {}, expires_at: "" },
  }));
  backend.on("PUT /storage/u1", () => ({ status: 200 }));
  backend.on("POST /api/jobs", () => ({ status: 202, body: makeJob() }));
  const onJob = vi.fn();
  renderPart(<UploadForm onJob={onJob} />);

  await userEvent.click(screen.getByRole("radio", { name: /Social/ }));
  await userEvent.type(screen.getByLabelText("Watermark"), "© Ada");
  await userEvent.upload(screen.getByLabelText(new RegExp(TEXTS.chooseFiles)), makeFile());

  await waitFor(() => expect(onJob).toHaveBeenCalledOnce());
  expect(backend.bodies("POST /api/jobs")).toMatchObject([
    { recipe: { preset: "social", watermark: "© Ada" } },
  ]);
});

test("a card shows the recipe, and the dimensions of the photo and of each result", () => {
  const original = { ...makeJob().original, facts: { width: 4000, height: 3000 } };
  const results = [makeResult({ label: "WebP", facts: { width: 320, height: 213 } })];
  const recipe: Recipe = { preset: "web", enhance: true, watermark: null };
  renderPart(<JobCard job={completed({ original, results, recipe })} onDeleted={() => {}} />);

  expect(screen.getByText("Web shop, enhanced · 4000 × 3000 · 52 kB")).toBeTruthy();
  expect(screen.getByRole("link").textContent).toBe("Download WebP320 × 2139 kB");
});
