// Where photos come in: the recipe, the drop zone, and the uploads under way.
import "./upload-form.css";
import { useCallback, useState } from "react";
import type { Job, Recipe } from "@/api/types";
import { DropZone } from "./drop-zone";
import { RecipeFields } from "./recipe-fields";
import { UploadRows } from "./upload-rows";
import { useUploads } from "./use-uploads";

const FIRST_RECIPE: Recipe = { preset: "web", enhance: true, watermark: null };

export function UploadForm({ onJob }: { onJob: (job: Job) => void }) {
  const [recipe, setRecipe] = useState(FIRST_RECIPE);
  const { uploads, add, stop, retry } = useUploads(onJob);
  const addFiles = useCallback((files: File[]) => add(files, recipe), [add, recipe]);

  return (
    <section className="upload-form" aria-label="New photos">
      <DropZone onFiles={addFiles} />
      <UploadRows uploads={uploads} onStop={stop} onRetry={retry} />
      <RecipeFields recipe={recipe} onChange={setRecipe} />
    </section>
  );
}
