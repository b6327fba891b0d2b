// What a job of this product is about: photos. Nothing else in the frontend knows it.
// To give jobs another subject, replace this folder together with worker/pipeline/ and backend/jobs/recipe.py.
// The exports below are all that the rest of the frontend uses.
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

// The form for the recipe of the next files. The schema is the JSON Schema of the backend's Recipe.
export const RecipeForm: ComponentType<RecipeFormProps> = form.RecipeForm;

// The recipe that the form starts with.
export const firstRecipe: (schema: RecipeSchema) => Recipe = form.firstRecipe;

// One line about the recipe of a job.
export const describeRecipe: (recipe: Recipe) => string = text.describeRecipe;

// One line about a file, original or result, from what the pipeline found out. Empty when it says nothing.
export const describeFacts: (facts: Facts) => string = text.describeFacts;

// Why a file of a type that is not accepted can't be used, where there is more to say than the list of types.
export const describeRefusal: (file: File) => string | null = text.describeRefusal;

// The icon of a job without a thumbnail.
export const Placeholder: ComponentType = placeholder.Placeholder;

// The texts of the jobs page that name what is uploaded.
export const TEXTS: { title: string; chooseFiles: string; noJobsYet: string } = text.TEXTS;
