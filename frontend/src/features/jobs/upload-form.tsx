// The upload form: the drop zone, the current uploads, and the recipe.
import "./upload-form.css";
import { useCallback, useState } from "react";
import type { Job } from "@/api/types";
import { useConfig } from "@/config/use-config";
import { DropZone } from "./drop-zone";
import { firstRecipe, RecipeForm } from "./recipe";
import { UploadRows } from "./upload-rows";
import { useUploads } from "./use-uploads";

export function UploadForm({ onJob }: { onJob: (job: Job) => void }) {
  const { recipe: schema, uploads: limits } = useConfig();
  const [recipe, setRecipe] = useState(() => firstRecipe(schema));
  const { uploads, add, stop, retry } = useUploads(limits, onJob);
  const addFiles = useCallback((files: File[]) => add(files, recipe), [add, recipe]);

  return (
    <section className="upload-form" aria-label="New files">
      <DropZone onFiles={addFiles} />
      <UploadRows uploads={uploads} onStop={stop} onRetry={retry} />
      <RecipeForm schema={schema} recipe={recipe} onChange={setRecipe} />
    </section>
  );
}
