// Everything in the frontend that is specific to photos.
// To process something else, replace this folder, worker/pipeline/ and backend/jobs/recipe.py.
// The rest of the frontend uses only the exports below.
import type { ComponentType } from "react";
import type { Facts, Recipe, RecipeSchema } from "@/api/types";
import * as placeholder from "./placeholder";
import * as form from "./recipe-form";
import * as text from "./recipe-text";

export interface RecipeFormProps {
  schema: RecipeSchema;
  recipe: Recipe;
  onChange: (recipe: Recipe) => void;
}

// The form that edits the recipe for new files. The schema is the JSON Schema of the backend's Recipe.
export const RecipeForm: ComponentType<RecipeFormProps> = form.RecipeForm;

// The initial recipe of the form.
export const firstRecipe: (schema: RecipeSchema) => Recipe = form.firstRecipe;

// Describes the recipe of a job in one line.
export const describeRecipe: (recipe: Recipe) => string = text.describeRecipe;

// Describes an original or a result in one line, from the facts of the pipeline. May be empty.
export const describeFacts: (facts: Facts) => string = text.describeFacts;

// A more helpful message for a file type that is not accepted, or null.
export const describeRefusal: (file: File) => string | null = text.describeRefusal;

// The icon of a job without a thumbnail.
export const Placeholder: ComponentType = placeholder.Placeholder;

// The texts of the jobs page that mention photos.
export const TEXTS: { title: string; chooseFiles: string; noJobsYet: string } = text.TEXTS;
